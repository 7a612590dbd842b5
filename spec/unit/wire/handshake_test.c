#include "wire/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define KEY_IS_VALID(text) tg_handshake_key_is_valid(TG_SLICE(text))
#define VERSION_IS_SUPPORTED(text) tg_handshake_version_is_supported(TG_SLICE(text))

static void accepts_the_key_of_the_rfc(void **state)
{
    (void)state;
    assert_true(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_true(KEY_IS_VALID("AZaz09+/AZaz09+/AZaz09=="));
}

static void refuses_a_key_of_another_length(void **state)
{
    (void)state;
    assert_false(tg_handshake_key_is_valid((struct tg_slice){0}));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZ=="));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZQA=="));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZQ== "));
}

static void refuses_a_key_that_is_not_base64_of_16_bytes(void **state)
{
    (void)state;
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZQA="));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZQAA"));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZ==="));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25jZ-=="));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25 ZQ=="));
    assert_false(KEY_IS_VALID("dGhlIHNhbXBsZSBub25\0ZQ=="));
}

static void speaks_version_13_alone(void **state)
{
    (void)state;
    assert_true(VERSION_IS_SUPPORTED("13"));
    assert_true(VERSION_IS_SUPPORTED("  13 "));
    assert_false(VERSION_IS_SUPPORTED(""));
    assert_false(VERSION_IS_SUPPORTED("8"));
    assert_false(VERSION_IS_SUPPORTED("130"));
    assert_false(VERSION_IS_SUPPORTED("013"));
    assert_false(VERSION_IS_SUPPORTED("1 3"));
    assert_false(VERSION_IS_SUPPORTED("13, 8"));
}

static void assert_file(const char *path, const char *expected, bool expects_index)
{
    struct tg_slice relative;
    bool needs_index;
    assert_true(tg_static_path(tg_slice_of(path), &relative, &needs_index));
    assert_true(tg_slice_equal(relative, tg_slice_of(expected)));
    assert_int_equal(needs_index, expects_index);
}

static void names_a_file_below_the_folder(void **state)
{
    (void)state;
    assert_file("/app.js", "app.js", false);
    assert_file("/js/v1.2/app..js", "js/v1.2/app..js", false);
    assert_file("/caf\xC3\xA9 1", "caf\xC3\xA9 1", false);
}

static void asks_for_the_index_of_a_folder(void **state)
{
    (void)state;
    assert_file("/", "", true);
    assert_file("/docs/", "docs/", true);
}

static void assert_no_file(struct tg_slice path)
{
    struct tg_slice relative;
    bool needs_index;
    assert_false(tg_static_path(path, &relative, &needs_index));
}

static void never_leaves_the_folder(void **state)
{
    (void)state;
    assert_no_file(TG_SLICE("/.."));
    assert_no_file(TG_SLICE("/../etc/passwd"));
    assert_no_file(TG_SLICE("/a/../../etc/passwd"));
    assert_no_file(TG_SLICE("/a/."));
    assert_no_file(TG_SLICE("//etc/passwd"));
    assert_no_file(TG_SLICE("/a//b"));
    assert_no_file(TG_SLICE("/a//"));
    assert_no_file(TG_SLICE("etc/passwd"));
    assert_no_file((struct tg_slice){0});
}

static void serves_no_hidden_file(void **state)
{
    (void)state;
    assert_no_file(TG_SLICE("/.env"));
    assert_no_file(TG_SLICE("/.git/config"));
    assert_no_file(TG_SLICE("/a/.hidden/b"));
    assert_no_file(TG_SLICE("/..."));
}

static void refuses_bytes_that_no_file_name_should_have(void **state)
{
    (void)state;
    assert_no_file(TG_SLICE("/app.js\0.png"));
    assert_no_file(TG_SLICE("/..\\secret"));
    assert_no_file(TG_SLICE("/a\\b"));
    assert_no_file(TG_SLICE("/a\nb"));
    assert_no_file(TG_SLICE("/a\x7F"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_the_key_of_the_rfc),
        cmocka_unit_test(refuses_a_key_of_another_length),
        cmocka_unit_test(refuses_a_key_that_is_not_base64_of_16_bytes),
        cmocka_unit_test(speaks_version_13_alone),
        cmocka_unit_test(names_a_file_below_the_folder),
        cmocka_unit_test(asks_for_the_index_of_a_folder),
        cmocka_unit_test(never_leaves_the_folder),
        cmocka_unit_test(serves_no_hidden_file),
        cmocka_unit_test(refuses_bytes_that_no_file_name_should_have),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
