#include "base/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct tg_slice name_at(const void *names, size_t index)
{
    return tg_slice_of(((const char *const *)names)[index]);
}

static size_t nearest(const char *written, const char *const *names, size_t count)
{
    return tg_nearest(tg_slice_of(written), names, count, name_at);
}

static const char *const names[] = {"content", "contents", "user_name", "id", "to", "max_message_bytes"};
enum { NAMES = sizeof names / sizeof names[0] };

static void finds_the_name_that_was_meant(void **state)
{
    (void)state;
    const struct {
        const char *written, *meant;
    } rows[] = {
        {"contnet", "content"},    {"conten", "content"},
        {"contentss", "contents"}, {"Content", "content"},
        {"userName", "user_name"}, {"ot", "to"},
        {"username", "user_name"}, {"max_mesage_byte", "max_message_bytes"},
        {"content", "content"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t found = nearest(rows[i].written, names, NAMES);
        assert_true(found < NAMES);
        assert_string_equal(names[found], rows[i].meant);
    }
}

static void finds_none_where_little_is_alike(void **state)
{
    (void)state;
    const char *const strangers[] = {"", "x", "xy", "of", "body", "password", "message", "user"};
    for (size_t i = 0; i < sizeof strangers / sizeof strangers[0]; i++)
        assert_true(nearest(strangers[i], names, NAMES) == TG_NEAREST_NONE);
    assert_true(nearest("content", names, 0) == TG_NEAREST_NONE);
}

static void counts_a_swap_of_neighbours_as_one_slip(void **state)
{
    (void)state;
    const char *const port = "port", *const two_slips = "pxxt";
    assert_int_equal(nearest("prot", &port, 1), 0);
    assert_true(nearest("port", &two_slips, 1) == TG_NEAREST_NONE);
    /* The way to the second swap leads over a row in which everything is one slip away. */
    const char *const swapped_twice = "abcdef";
    assert_int_equal(nearest("bacdfe", &swapped_twice, 1), 0);
    const char *const swapped_at_the_end = "abcd";
    assert_int_equal(nearest("abdc", &swapped_at_the_end, 1), 0);
}

static void takes_the_first_of_those_that_are_equally_near(void **state)
{
    (void)state;
    const char *const both[] = {"colour", "dolour"};
    assert_int_equal(nearest("xolour", both, 2), 0);
    assert_int_equal(nearest("dolour", both, 2), 1);
}

static void holds_long_names_for_near_to_none(void **state)
{
    (void)state;
    char longest[TG_NEAREST_LONGEST + 2];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    const char *name = longest;
    assert_true(nearest(longest, &name, 1) == TG_NEAREST_NONE);
    assert_true(nearest(longest + 1, &name, 1) == TG_NEAREST_NONE);
    name = longest + 1;
    assert_int_equal(nearest(longest + 1, &name, 1), 0);
    assert_int_equal(nearest(longest + 2, &name, 1), 0);
    assert_true(nearest(longest, &name, 1) == TG_NEAREST_NONE);
}

static void looks_at_the_first_of_very_many(void **state)
{
    (void)state;
    const char *many[TG_NEAREST_MOST + 1];
    for (size_t i = 0; i <= TG_NEAREST_MOST; i++) many[i] = "zzz";
    many[TG_NEAREST_MOST] = "content";
    assert_true(nearest("contnet", many, TG_NEAREST_MOST + 1) == TG_NEAREST_NONE);
    many[TG_NEAREST_MOST - 1] = "content";
    assert_int_equal(nearest("contnet", many, TG_NEAREST_MOST + 1), TG_NEAREST_MOST - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_name_that_was_meant),
        cmocka_unit_test(finds_none_where_little_is_alike),
        cmocka_unit_test(counts_a_swap_of_neighbours_as_one_slip),
        cmocka_unit_test(takes_the_first_of_those_that_are_equally_near),
        cmocka_unit_test(holds_long_names_for_near_to_none),
        cmocka_unit_test(looks_at_the_first_of_very_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
