#include "wire/value.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tg_value integer(int64_t number)
{
    return (struct tg_value){.type = TG_VALUE_INTEGER, .integer = number};
}

static struct tg_value number(double number)
{
    return (struct tg_value){.type = TG_VALUE_NUMBER, .number = number};
}

static struct tg_value string(const char *text)
{
    return (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)strlen(text), .string = text};
}

static struct tg_member member(const char *key, struct tg_value value)
{
    return (struct tg_member){.key = key, .key_length = (uint32_t)strlen(key), .value = value};
}

static struct tg_value object(struct tg_member *members, uint32_t count)
{
    return (struct tg_value){.type = TG_VALUE_OBJECT, .length = count, .members = members};
}

static struct tg_value array(struct tg_value *items, uint32_t count)
{
    return (struct tg_value){.type = TG_VALUE_ARRAY, .length = count, .items = items};
}

static bool equal(struct tg_value a, struct tg_value b)
{
    assert_int_equal(tg_value_equal(&a, &b), tg_value_equal(&b, &a));
    return tg_value_equal(&a, &b);
}

static void finds_a_member_by_the_whole_key(void **state)
{
    (void)state;
    struct tg_member members[] = {member("a", integer(1)), member("ab", integer(2)), member("", integer(3))};
    struct tg_value value = object(members, 3);
    assert_ptr_equal(tg_value_get(&value, TG_SLICE("ab")), &members[1].value);
    assert_ptr_equal(tg_value_get(&value, TG_SLICE("")), &members[2].value);
    assert_null(tg_value_get(&value, TG_SLICE("abc")));
}

static void holds_one_and_one_point_zero_for_equal(void **state)
{
    (void)state;
    assert_true(equal(integer(1), number(1.0)));
    assert_true(equal(number(-0.0), integer(0)));
    assert_false(equal(integer(1), number(1.5)));
    assert_false(equal(integer(1), string("1")));
}

static void compares_large_integers_without_rounding(void **state)
{
    (void)state;
    assert_true(equal(integer(9007199254740992), number(9007199254740992.0)));
    assert_false(equal(integer(9007199254740993), number(9007199254740992.0)));
    assert_false(equal(integer(INT64_MAX), number(0x1p63)));
    assert_true(equal(integer(INT64_MIN), number(-0x1p63)));
}

static void takes_integral_doubles_for_integers_within_range_only(void **state)
{
    (void)state;
    const struct {
        double number;
        bool fits;
    } rows[] = {{3.0, true}, {3.5, false}, {-0x1p63, true}, {0x1p63, false}, {1e300, false}, {-0.0, true}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_value value = number(rows[i].number);
        int64_t got = 7;
        assert_int_equal(tg_value_to_integer(&value, &got), rows[i].fits);
        if (rows[i].fits) assert_true((double)got == rows[i].number);
    }
    struct tg_value text = string("3");
    int64_t got;
    assert_false(tg_value_to_integer(&text, &got));
}

static void ignores_the_order_of_members(void **state)
{
    (void)state;
    struct tg_member ab[] = {member("a", integer(1)), member("b", string("x"))};
    struct tg_member ba[] = {member("b", string("x")), member("a", integer(1))};
    struct tg_member ac[] = {member("a", integer(1)), member("c", string("x"))};
    assert_true(equal(object(ab, 2), object(ba, 2)));
    assert_false(equal(object(ab, 2), object(ac, 2)));
    assert_false(equal(object(ab, 2), object(ab, 1)));
}

static void minds_the_order_of_items(void **state)
{
    (void)state;
    struct tg_value forth[] = {integer(1), integer(2)}, back[] = {integer(2), integer(1)};
    assert_true(equal(array(forth, 2), array(forth, 2)));
    assert_false(equal(array(forth, 2), array(back, 2)));
    assert_false(equal(array(forth, 2), array(forth, 1)));
    assert_false(equal(array(forth, 0), object(NULL, 0)));
}

static void tells_scalars_apart(void **state)
{
    (void)state;
    struct tg_value yes = {.type = TG_VALUE_BOOLEAN, .boolean = true}, no = {.type = TG_VALUE_BOOLEAN};
    struct tg_value null = {.type = TG_VALUE_NULL};
    assert_true(equal(yes, yes));
    assert_false(equal(yes, no));
    assert_false(equal(no, null));
    assert_true(equal(null, null));
    assert_true(equal(string("ab"), string("ab")));
    assert_false(equal(string("ab"), string("ac")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_member_by_the_whole_key),
        cmocka_unit_test(holds_one_and_one_point_zero_for_equal),
        cmocka_unit_test(compares_large_integers_without_rounding),
        cmocka_unit_test(takes_integral_doubles_for_integers_within_range_only),
        cmocka_unit_test(ignores_the_order_of_members),
        cmocka_unit_test(minds_the_order_of_items),
        cmocka_unit_test(tells_scalars_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
