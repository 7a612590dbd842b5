#include "script/libs/tcp_items.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct tg_tcp_wish line = {TG_TCP_LINE, 0}, all = {TG_TCP_ALL, 0};

static void add(struct tg_tcp_bytes *bytes, const char *text)
{
    assert_int_equal(tg_tcp_bytes_add(bytes, tg_slice_of(text)), TG_OK);
}

static void expect_none(struct tg_tcp_bytes *bytes, const struct tg_tcp_wish *wish)
{
    struct tg_slice item;
    size_t taken;
    assert_false(tg_tcp_bytes_find(bytes, wish, &item, &taken));
}

static void expect_item(struct tg_tcp_bytes *bytes, const struct tg_tcp_wish *wish, const char *expected)
{
    struct tg_slice item;
    size_t taken;
    assert_true(tg_tcp_bytes_find(bytes, wish, &item, &taken));
    assert_int_equal(item.length, strlen(expected));
    assert_memory_equal(item.data, expected, item.length);
    tg_tcp_bytes_drop(bytes, taken);
}

static void expect_left(const struct tg_tcp_bytes *bytes, const char *expected)
{
    struct tg_slice left = tg_tcp_bytes_peek(bytes);
    assert_int_equal(left.length, strlen(expected));
    assert_memory_equal(left.data, expected, left.length);
}

static void gives_lines_without_their_ends(void **state)
{
    (void)state;
    struct tg_tcp_bytes bytes = {0};
    expect_none(&bytes, &line);
    add(&bytes, "a\r\n\n\r\nb\rc\n\r\r\nrest");
    expect_item(&bytes, &line, "a");
    expect_item(&bytes, &line, "");
    expect_item(&bytes, &line, "");
    expect_item(&bytes, &line, "b\rc");
    expect_item(&bytes, &line, "\r");
    expect_none(&bytes, &line);
    expect_left(&bytes, "rest");
    tg_tcp_bytes_deinit(&bytes);
}

static void finds_an_end_that_comes_in_two_parts(void **state)
{
    (void)state;
    struct tg_tcp_bytes bytes = {0};
    add(&bytes, "one\r");
    expect_none(&bytes, &line);
    add(&bytes, "\ntwo");
    expect_item(&bytes, &line, "one");
    expect_none(&bytes, &line);
    add(&bytes, "\n");
    expect_item(&bytes, &line, "two");
    expect_left(&bytes, "");
    tg_tcp_bytes_deinit(&bytes);
}

static void gives_so_many_bytes_whatever_they_are(void **state)
{
    (void)state;
    struct tg_tcp_bytes bytes = {0};
    const struct tg_tcp_wish three = {TG_TCP_COUNT, 3}, none = {TG_TCP_COUNT, 0};
    expect_item(&bytes, &none, "");
    add(&bytes, "a\n");
    expect_none(&bytes, &three);
    add(&bytes, "bcd");
    expect_item(&bytes, &three, "a\nb");
    expect_left(&bytes, "cd");
    tg_tcp_bytes_deinit(&bytes);
}

/* A search for a line must not make the next one begin too late. */
static void searches_again_after_another_kind_of_item(void **state)
{
    (void)state;
    struct tg_tcp_bytes bytes = {0};
    const struct tg_tcp_wish two = {TG_TCP_COUNT, 2};
    add(&bytes, "abcd");
    expect_none(&bytes, &line);
    expect_item(&bytes, &two, "ab");
    add(&bytes, "\n");
    expect_item(&bytes, &line, "cd");
    tg_tcp_bytes_deinit(&bytes);
}

static void never_has_all(void **state)
{
    (void)state;
    struct tg_tcp_bytes bytes = {0};
    expect_none(&bytes, &all);
    add(&bytes, "x");
    expect_none(&bytes, &all);
    expect_left(&bytes, "x");
    tg_tcp_bytes_deinit(&bytes);
}

static void gives_the_memory_of_a_large_item_back(void **state)
{
    (void)state;
    struct tg_tcp_bytes bytes = {0};
    char *large = calloc(1, 1024 * 1024);
    assert_int_equal(tg_tcp_bytes_add(&bytes, (struct tg_slice){large, 1024 * 1024}), TG_OK);
    tg_tcp_bytes_drop(&bytes, 1024 * 1024);
    assert_null(bytes.buf.data);
    add(&bytes, "small\n");
    expect_item(&bytes, &line, "small");
    assert_non_null(bytes.buf.data);
    free(large);
    tg_tcp_bytes_deinit(&bytes);
}

static enum tg_status add_twice(void *context)
{
    (void)context;
    struct tg_tcp_bytes bytes = {0};
    char filler[4096] = "begin\n";
    enum tg_status status = tg_tcp_bytes_add(&bytes, TG_SLICE("old\n"));
    size_t before = tg_tcp_bytes_peek(&bytes).length;
    if (status == TG_OK) {
        status = tg_tcp_bytes_add(&bytes, (struct tg_slice){filler, sizeof filler});
        if (status != TG_OK) assert_int_equal(tg_tcp_bytes_peek(&bytes).length, before);
        expect_item(&bytes, &line, "old");
    }
    tg_tcp_bytes_deinit(&bytes);
    return status;
}

static void keeps_what_it_has_when_memory_is_out(void **state)
{
    assert_true(tg_alloc_sweep(add_twice, *state) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_lines_without_their_ends),
        cmocka_unit_test(finds_an_end_that_comes_in_two_parts),
        cmocka_unit_test(gives_so_many_bytes_whatever_they_are),
        cmocka_unit_test(searches_again_after_another_kind_of_item),
        cmocka_unit_test(never_has_all),
        cmocka_unit_test(gives_the_memory_of_a_large_item_back),
        cmocka_unit_test(keeps_what_it_has_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
