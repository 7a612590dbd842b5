#include "wire/value.h"

#include "support/alloc.h"
#include "support/json_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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

static void finds_members_whatever_their_order(void **state)
{
    (void)state;
    enum { MEMBERS = 50 };
    static char keys[MEMBERS][16];
    struct tg_member forth[MEMBERS], back[MEMBERS], round[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(keys[i], sizeof keys[i], "k%d", i);
        forth[i] = back[MEMBERS - 1 - i] = round[(i + 7) % MEMBERS] = member(keys[i], integer(i));
    }
    assert_true(equal(object(forth, MEMBERS), object(back, MEMBERS)));
    assert_true(equal(object(forth, MEMBERS), object(round, MEMBERS)));
    back[3].value = integer(-1);
    assert_false(equal(object(forth, MEMBERS), object(back, MEMBERS)));
}

/* ---- equal items ---- */

static struct tg_slice find_equals(struct json_fixture *fixture, const char *text)
{
    const struct tg_value *list = json_parse_good(fixture, tg_slice_of(text));
    uint32_t *first;
    assert_int_equal(tg_value_find_equals(list->items, list->length, &fixture->arena, &first), TG_OK);
    tg_buf_truncate(&fixture->out, 0);
    for (uint32_t i = 0; i < list->length; i++) tg_buf_printf(&fixture->out, "%u ", (unsigned)first[i]);
    tg_buf_append_char(&fixture->out, '\0');
    return tg_buf_peek(&fixture->out);
}

static void finds_the_earliest_equal_item(void **state)
{
    const struct {
        const char *list, *first;
    } rows[] = {
        {"[]", ""},
        {"[7]", "0 "},
        {"[1,2,1,3,2,1]", "0 1 0 3 1 0 "},
        {"[\"a\",\"b\",\"a\",\"\",\"\"]", "0 1 0 3 3 "},
        {"[null,false,0,\"\",[],{}]", "0 1 2 3 4 5 "},
        {"[true,null,true,null,false]", "0 1 0 1 4 "},
        {"[1,1.0,true,\"1\",[1],[1.0]]", "0 0 2 3 4 4 "},
        {"[0,-0.0,0.0]", "0 0 0 "},
        {"[[1,2],[2,1],[1,2,3],[1,2]]", "0 1 2 0 "},
        {"[{\"a\":1,\"b\":2},{\"b\":2,\"a\":1.0},{\"a\":1},{\"b\":1,\"a\":2}]", "0 0 2 3 "},
        {"[[{\"a\":[{\"x\":1,\"y\":2}]}],[{\"a\":[{\"y\":2,\"x\":1}]}]]", "0 0 "},
        {"[{\"a\":{\"c\":1,\"b\":2}},{\"a\":{\"b\":2,\"c\":1}},{\"a\":{\"b\":2,\"c\":2}}]", "0 0 2 "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_string_equal(find_equals(*state, rows[i].list).data, rows[i].first);
}

static void finds_equal_numbers_without_rounding(void **state)
{
    assert_string_equal(find_equals(*state, "[9007199254740993,9007199254740992.0,9007199254740992,"
                                            "9007199254740994,9007199254740994.0]")
                            .data,
                        "0 1 1 3 3 ");
    assert_string_equal(find_equals(*state, "[9223372036854775807,9223372036854775808.0,-9223372036854775808,"
                                            "-9223372036854775808.0,1e300,-1e300,1e300]")
                            .data,
                        "0 1 2 2 4 5 4 ");
    assert_string_equal(find_equals(*state, "[0,0.5,-0.5,1,1.5,-1,-1.5,1.5,-0.5,-1.0,1.0]").data,
                        "0 1 2 3 4 5 6 4 2 5 3 ");
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Values of few kinds from few, so that many are equal and many nearly so. */
static void generate(struct tg_buf *out, uint64_t *seed, int depth)
{
    static const char *const scalars[] = {"null",
                                          "true",
                                          "0",
                                          "1",
                                          "1.0",
                                          "-0.0",
                                          "0.5",
                                          "\"a\"",
                                          "\"b\"",
                                          "9007199254740993",
                                          "9007199254740992.0",
                                          "9007199254740992"};
    uint64_t choice = next_random(seed) % 4;
    if (depth == 0 || choice < 2) {
        const char *scalar = scalars[next_random(seed) % (sizeof scalars / sizeof scalars[0])];
        tg_buf_append_slice(out, tg_slice_of(scalar));
        return;
    }
    uint64_t count = next_random(seed) % 3, turn = next_random(seed) % 3;
    tg_buf_append_char(out, choice == 2 ? '[' : '{');
    for (uint64_t i = 0; i < count; i++) {
        if (i) tg_buf_append_char(out, ',');
        if (choice == 3) tg_buf_printf(out, "\"%c\":", (char)('x' + (i + turn) % 3));
        generate(out, seed, depth - 1);
    }
    tg_buf_append_char(out, choice == 2 ? ']' : '}');
}

static uint32_t first_by_looking_at_all(const struct tg_value *items, uint32_t i)
{
    uint32_t j = 0;
    while (!tg_value_equal(&items[j], &items[i])) j++;
    return j;
}

static void agrees_with_looking_at_all_pairs(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_buf text = {0};
    uint64_t seed = 1871;
    int repeated = 0, new = 0;
    for (int round = 0; round < 200; round++) {
        tg_buf_truncate(&text, 0);
        tg_buf_append_char(&text, '[');
        for (int i = 0; i < 60; i++) {
            if (i) tg_buf_append_char(&text, ',');
            generate(&text, &seed, 3);
        }
        tg_buf_append_char(&text, ']');
        const struct tg_value *list = json_parse_good(fixture, tg_buf_peek(&text));
        uint32_t *first;
        assert_int_equal(tg_value_find_equals(list->items, list->length, &fixture->arena, &first), TG_OK);
        for (uint32_t i = 0; i < list->length; i++) {
            assert_int_equal(first[i], first_by_looking_at_all(list->items, i));
            first[i] < i ? repeated++ : new ++;
        }
    }
    assert_true(repeated > 2000 && new > 2000);
    tg_buf_deinit(&text);
}

static void takes_no_square_of_steps(void **state)
{
    /* Looking at all pairs would take 5 * 10^9 comparisons here. */
    struct json_fixture *fixture = *state;
    enum { ITEMS = 100000 };
    struct tg_value *items = malloc(ITEMS * sizeof *items);
    for (uint32_t i = 0; i < ITEMS; i++) items[i] = string("always the same");
    uint32_t *first;
    assert_int_equal(tg_value_find_equals(items, ITEMS, &fixture->arena, &first), TG_OK);
    assert_int_equal(first[ITEMS - 1], 0);
    for (uint32_t i = 0; i < ITEMS; i++) items[i] = i % 2 ? integer(i) : number((double)i - 1);
    assert_int_equal(tg_value_find_equals(items, ITEMS, &fixture->arena, &first), TG_OK);
    for (uint32_t i = 0; i < ITEMS; i++) assert_int_equal(first[i], i % 2 || i == 0 ? i : i - 1);
    free(items);
}

static void takes_no_square_of_steps_over_members(void **state)
{
    struct json_fixture *fixture = *state;
    enum { MEMBERS = 100000 };
    static char keys[MEMBERS][16];
    struct tg_member *forth = malloc(MEMBERS * sizeof *forth), *back = malloc(MEMBERS * sizeof *back);
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(keys[i], sizeof keys[i], "%07d", i);
        forth[i] = back[MEMBERS - 1 - i] = member(keys[i], integer(i));
    }
    const struct tg_value items[] = {object(back, MEMBERS), object(forth, MEMBERS),
                                     object(back, MEMBERS - 1)};
    uint32_t *first;
    assert_int_equal(tg_value_find_equals(items, 3, &fixture->arena, &first), TG_OK);
    assert_true(first[0] == 0 && first[1] == 0 && first[2] == 2);
    assert_string_equal(items[0].members[0].key, "0099999");
    free(forth);
    free(back);
}

static enum tg_status find_once(void *context)
{
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    const struct tg_value *list = context;
    uint32_t *first = NULL;
    enum tg_status status = tg_value_find_equals(list->items, list->length, &arena, &first);
    if (status != TG_OK) {
        assert_null(first);
        assert_int_equal(tg_value_find_equals(list->items, list->length, &arena, &first), TG_OK);
    }
    assert_int_equal(first[1], 0);
    tg_arena_deinit(&arena);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    enum { MEMBERS = 500 };
    static char keys[MEMBERS][16];
    struct tg_member members[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        snprintf(keys[i], sizeof keys[i], "%d", i * 77 % MEMBERS);
        members[i] = member(keys[i], integer(i));
    }
    struct tg_value objects[] = {object(members, MEMBERS), object(members, MEMBERS), integer(1)};
    struct tg_value inner = array(objects, 3), lists[] = {inner, inner, object(members, 1)};
    struct tg_value list = array(lists, 3);
    assert_true(tg_alloc_sweep(find_once, &list) >= 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, json_set_up, json_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_member_by_the_whole_key),
        cmocka_unit_test(holds_one_and_one_point_zero_for_equal),
        cmocka_unit_test(compares_large_integers_without_rounding),
        cmocka_unit_test(takes_integral_doubles_for_integers_within_range_only),
        cmocka_unit_test(ignores_the_order_of_members),
        cmocka_unit_test(minds_the_order_of_items),
        cmocka_unit_test(tells_scalars_apart),
        cmocka_unit_test(finds_members_whatever_their_order),
        TEST(finds_the_earliest_equal_item),
        TEST(finds_equal_numbers_without_rounding),
        TEST(agrees_with_looking_at_all_pairs),
        TEST(takes_no_square_of_steps),
        TEST(takes_no_square_of_steps_over_members),
        cmocka_unit_test(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
