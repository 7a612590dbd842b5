#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void knows_the_length_of_a_literal_with_a_nul_inside(void **state)
{
    (void)state;
    assert_int_equal(TG_SLICE("a\0b").length, 3);
}

static void makes_nothing_of_no_text(void **state)
{
    (void)state;
    struct tg_slice slice = tg_slice_of(NULL);
    assert_null(slice.data);
    assert_int_equal(slice.length, 0);
}

static void is_equal_when_all_bytes_are(void **state)
{
    (void)state;
    assert_true(tg_slice_equal(TG_SLICE("a\0b"), TG_SLICE("a\0b")));
    assert_false(tg_slice_equal(TG_SLICE("a\0b"), TG_SLICE("a\0c")));
    assert_false(tg_slice_equal(TG_SLICE("ab"), TG_SLICE("abc")));
    assert_true(tg_slice_equal((struct tg_slice){0}, TG_SLICE("")));
}

static void sorts_by_unsigned_bytes_and_the_shorter_first(void **state)
{
    (void)state;
    assert_int_equal(tg_slice_compare(TG_SLICE("a"), TG_SLICE("a")), 0);
    assert_true(tg_slice_compare(TG_SLICE("a"), TG_SLICE("b")) < 0);
    assert_true(tg_slice_compare(TG_SLICE("z"), TG_SLICE("\xC3")) < 0);
    assert_true(tg_slice_compare(TG_SLICE("a"), TG_SLICE("ab")) < 0);
    assert_true(tg_slice_compare(TG_SLICE("ab"), TG_SLICE("a")) > 0);
    assert_true(tg_slice_compare((struct tg_slice){0}, TG_SLICE("a")) < 0);
}

static void prints_with_a_precision(void **state)
{
    (void)state;
    char text[16];
    struct tg_slice slice = {"hello", 2}, none = {0};
    snprintf(text, sizeof text, "[%.*s%.*s]", TG_SLICE_ARG(slice), TG_SLICE_ARG(none));
    assert_string_equal(text, "[he]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_length_of_a_literal_with_a_nul_inside),
        cmocka_unit_test(makes_nothing_of_no_text),
        cmocka_unit_test(is_equal_when_all_bytes_are),
        cmocka_unit_test(sorts_by_unsigned_bytes_and_the_shorter_first),
        cmocka_unit_test(prints_with_a_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
