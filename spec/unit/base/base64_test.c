#include "base/base64.h"

#include "base/sha1.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* RFC 4648 10, and the digits that letters do not show. */
static const struct {
    struct tg_slice bytes, text;
} pairs[] = {
    {TG_SLICE(""), TG_SLICE("")},
    {TG_SLICE("f"), TG_SLICE("Zg==")},
    {TG_SLICE("fo"), TG_SLICE("Zm8=")},
    {TG_SLICE("foo"), TG_SLICE("Zm9v")},
    {TG_SLICE("foob"), TG_SLICE("Zm9vYg==")},
    {TG_SLICE("fooba"), TG_SLICE("Zm9vYmE=")},
    {TG_SLICE("foobar"), TG_SLICE("Zm9vYmFy")},
    {TG_SLICE("\xfb\xff\xfe\0"), TG_SLICE("+//+AA==")},
};

static void writes_and_reads_what_the_rfc_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct tg_buf out;
        tg_buf_init(&out);
        tg_base64_write(&out, pairs[i].bytes);
        assert_true(tg_slice_equal(tg_buf_peek(&out), pairs[i].text));
        tg_buf_truncate(&out, 0);
        assert_int_equal(tg_base64_read(&out, pairs[i].text), TG_OK);
        assert_true(tg_slice_equal(tg_buf_peek(&out), pairs[i].bytes));
        tg_buf_deinit(&out);
    }
}

static void refuses_what_is_no_base64_and_appends_nothing(void **state)
{
    (void)state;
    static const struct tg_slice texts[] = {TG_SLICE("Zg="),  TG_SLICE("Zg"),       TG_SLICE("Z==="),
                                            TG_SLICE("===="), TG_SLICE("Zg==Zg=="), TG_SLICE("Zm9vZ-=="),
                                            TG_SLICE("Zm9 "), TG_SLICE("Zm\0v")};
    struct tg_buf out;
    tg_buf_init(&out);
    tg_buf_append_literal(&out, "before");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(tg_base64_read(&out, texts[i]), TG_E_INVALID);
        assert_true(tg_slice_equal(tg_buf_peek(&out), TG_SLICE("before")));
    }
    tg_buf_deinit(&out);
}

static void writes_and_reads_texts_for_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        struct tg_buf out, text;
        tg_buf_init(&out);
        tg_buf_init(&text);
        for (size_t j = 0; j < pairs[i].text.length && pairs[i].text.data[j] != '='; j++) {
            char c = pairs[i].text.data[j];
            if (c == '+') c = '-';
            tg_buf_append_char(&text, c == '/' ? '_' : c);
        }
        tg_base64url_write(&out, pairs[i].bytes);
        assert_true(tg_slice_equal(tg_buf_peek(&out), tg_buf_peek(&text)));
        tg_buf_truncate(&out, 0);
        assert_int_equal(tg_base64url_read(&out, tg_buf_peek(&text)), TG_OK);
        assert_true(tg_slice_equal(tg_buf_peek(&out), pairs[i].bytes));
        tg_buf_deinit(&out);
        tg_buf_deinit(&text);
    }
}

static void refuses_other_texts_for_the_same_bytes(void **state)
{
    (void)state;
    static const struct tg_slice texts[] = {TG_SLICE("Zg=="), TG_SLICE("Zh"),    TG_SLICE("Zm9"),
                                            TG_SLICE("Z"),    TG_SLICE("Zm9vZ"), TG_SLICE("+//+"),
                                            TG_SLICE("Zg\n"), TG_SLICE("Zg ")};
    struct tg_buf out;
    tg_buf_init(&out);
    tg_buf_append_literal(&out, "before");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(tg_base64url_read(&out, texts[i]), TG_E_INVALID);
        assert_true(tg_slice_equal(tg_buf_peek(&out), TG_SLICE("before")));
    }
    tg_buf_deinit(&out);
}

static void answers_without_memory(void **state)
{
    (void)state;
    struct tg_buf out;
    tg_buf_init(&out);
    tg_alloc_fail_at(1);
    assert_int_equal(tg_base64_read(&out, TG_SLICE("Zm9v")), TG_E_NO_MEMORY);
    tg_alloc_fail_at(0);
    tg_buf_deinit(&out);
}

/* RFC 3174 7.3, and lengths around the end of a block. */
static void digests_what_the_rfc_says(void **state)
{
    (void)state;
    static const struct {
        struct tg_slice text;
        const char *digest;
    } known[] = {
        {TG_SLICE(""), "2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
        {TG_SLICE("abc"), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0="},
        {TG_SLICE("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
         "hJg+RBw70m66rkqh+VEp5eVGcPE="},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        unsigned char digest[TG_SHA1_BYTES];
        struct tg_buf out;
        tg_buf_init(&out);
        tg_sha1(known[i].text, digest);
        tg_base64_write(&out, (struct tg_slice){(const char *)digest, sizeof digest});
        assert_true(tg_slice_equal(tg_buf_peek(&out), tg_slice_of(known[i].digest)));
        tg_buf_deinit(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_what_the_rfc_says),
        cmocka_unit_test(refuses_what_is_no_base64_and_appends_nothing),
        cmocka_unit_test(writes_and_reads_texts_for_urls),
        cmocka_unit_test(refuses_other_texts_for_the_same_bytes),
        cmocka_unit_test(answers_without_memory),
        cmocka_unit_test(digests_what_the_rfc_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
