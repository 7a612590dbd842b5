#include "wire/validate.h"

#include "support/alloc.h"
#include "support/checking.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- scalars ---- */

static void takes_only_values_of_the_kind(void **state)
{
    struct checking *fixture = *state;
    static const char *const values[] = {"null", "true", "1", "1.5", "\"a\"", "[]", "{}"};
    static const struct {
        enum tg_schema_kind kind;
        const char *taken; /* one letter per value */
        const char *issue;
    } rows[] = {
        {TG_SCHEMA_ANY, "yyyyyyy", ""},
        {TG_SCHEMA_NULL, "ynnnnnn", "none_required@[]"},
        {TG_SCHEMA_BOOLEAN, "nynnnnn", "bool_type@[]"},
        {TG_SCHEMA_INTEGER, "nnynnnn", "int_type@[]"},
        {TG_SCHEMA_NUMBER, "nnyynnn", "float_type@[]"},
        {TG_SCHEMA_STRING, "nnnnynn", "string_type@[]"},
        {TG_SCHEMA_ARRAY, "nnnnnyn", "list_type@[]"},
        {TG_SCHEMA_OBJECT, "nnnnnny", "model_type@[]"},
        {TG_SCHEMA_MAP, "nnnnnny", "dict_type@[]"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_schema *schema = new_schema(fixture, rows[i].kind);
        for (size_t j = 0; j < 7; j++) {
            schema->is_nullable = false;
            if (rows[i].taken[j] == 'y')
                assert_int_equal(validate_json(fixture, schema, values[j]), TG_OK);
            else
                refuse_json(fixture, schema, values[j], rows[i].issue);
            schema->is_nullable = true;
            if (j == 0) assert_int_equal(validate_json(fixture, schema, "null"), TG_OK);
        }
    }
}

static void makes_one_point_zero_the_integer_it_is(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_INTEGER);
    accept_json(fixture, schema, "1.0", "1");
    accept_json(fixture, schema, "-1e3", "-1000");
    accept_json(fixture, schema, "-9223372036854775808.0", "-9223372036854775808");
    accept_json(fixture, schema, "9007199254740993", "9007199254740993");
    refuse_json(fixture, schema, "9223372036854775808.0", "int_type@[]");
    refuse_json(fixture, schema, "0.1", "int_type@[]");
    assert_int_equal(validate_json(fixture, schema, "7.0"), TG_OK);
    assert_int_equal(fixture->value.type, TG_VALUE_INTEGER);
}

static void makes_an_integer_the_number_that_was_declared(void **state)
{
    struct checking *fixture = *state;
    accept_json(fixture, new_schema(fixture, TG_SCHEMA_NUMBER), "3", "3.0");
    assert_int_equal(fixture->value.type, TG_VALUE_NUMBER);
}

static void keeps_to_inclusive_bounds(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    integer->integer.min = -2;
    integer->integer.max = 2;
    accept_json(fixture, integer, "-2", "-2");
    accept_json(fixture, integer, "2.0", "2");
    refuse_json(fixture, integer, "-3", "greater_than_equal@[]");
    refuse_json(fixture, integer, "3", "less_than_equal@[]");
    struct tg_schema *number = new_schema(fixture, TG_SCHEMA_NUMBER);
    number->number.min = -0.5;
    number->number.max = 0.5;
    accept_json(fixture, number, "-0.5", "-0.5");
    accept_json(fixture, number, "0", "0.0");
    refuse_json(fixture, number, "-0.50001", "greater_than_equal@[]");
    refuse_json(fixture, number, "1", "less_than_equal@[]");
}

static void counts_characters_not_bytes(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    string->string.min_length = 2;
    string->string.max_length = 3;
    accept_json(fixture, string, "\"ab\"", "\"ab\"");
    accept_json(fixture, string, "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"",
                "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"");
    refuse_json(fixture, string, "\"\xf0\x9f\x98\x80\"", "string_too_short@[]");
    refuse_json(fixture, string, "\"\"", "string_too_short@[]");
    refuse_json(fixture, string, "\"abcd\"", "string_too_long@[]");
}

static void takes_the_declared_values_only(void **state)
{
    struct checking *fixture = *state;
    static const struct tg_value values[] = {{.type = TG_VALUE_STRING, .length = 1, .string = "a"},
                                             {.type = TG_VALUE_INTEGER, .integer = 1},
                                             {.type = TG_VALUE_NULL}};
    struct tg_schema *literal = new_schema(fixture, TG_SCHEMA_LITERAL);
    literal->choice.values = values;
    literal->choice.count = 1;
    assert_int_equal(tg_schema_seal_choice(&fixture->arena, literal), TG_OK);
    accept_json(fixture, literal, "\"a\"", "\"a\"");
    refuse_json(fixture, literal, "\"b\"", "literal_error@[]");
    struct tg_schema *choice = new_schema(fixture, TG_SCHEMA_ENUM);
    choice->choice.values = values;
    choice->choice.count = 3;
    assert_int_equal(tg_schema_seal_choice(&fixture->arena, choice), TG_OK);
    accept_json(fixture, choice, "null", "null");
    accept_json(fixture, choice, "1.0", "1");
    refuse_json(fixture, choice, "true", "enum@[]");
    tg_buf_append_char(&fixture->out, '\0');
    assert_non_null(strstr(fixture->out.data, "\"Input should be 'a', 1 or null, got true\""));
}

/* ---- arrays and maps ---- */

static void reports_each_wrong_item_by_its_index(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *array = new_schema(fixture, TG_SCHEMA_ARRAY);
    array->array.item = new_schema(fixture, TG_SCHEMA_INTEGER);
    array->array.min_items = 1;
    array->array.max_items = 3;
    accept_json(fixture, array, "[1.0]", "[1]");
    refuse_json(fixture, array, "[]", "too_short@[]");
    refuse_json(fixture, array, "[1,\"a\",2,null]", "too_long@[] int_type@[1] int_type@[3]");
}

static void reports_each_wrong_entry_by_its_key(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *map = new_schema(fixture, TG_SCHEMA_MAP);
    map->map.value = new_schema(fixture, TG_SCHEMA_STRING);
    map->map.max_entries = 2;
    accept_json(fixture, map, "{\"b\":\"x\",\"a\":\"y\"}", "{\"b\":\"x\",\"a\":\"y\"}");
    assert_int_equal(fixture->value.members[0].key_id, 0);
    refuse_json(fixture, map, "{\"b\":\"x\",\"\":1,\"c\":2}",
                "too_long@[] string_type@[\"\"] string_type@[\"c\"]");
    assert_non_null(strstr(fixture->out.data, "Dictionary should have at most 2 items"));
}

static void counts_entries_and_looks_at_keys(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *map = new_schema(fixture, TG_SCHEMA_MAP);
    struct tg_schema *key = new_schema(fixture, TG_SCHEMA_STRING);
    map->map.value = new_schema(fixture, TG_SCHEMA_INTEGER);
    map->map.min_entries = 1;
    map->map.key = key;
    key->string.max_length = 2;
    accept_json(fixture, map, "{\"ab\":1.0}", "{\"ab\":1}");
    tell_json(fixture, map, "{}", "payload: Dictionary should have at least 1 item");
    tell_json(fixture, map, "{\"abc\":\"x\",\"d\":1}",
              "payload.abc: Key should have at most 2 characters; "
              "payload.abc: Input should be a valid integer, got 'x'");
    static const struct tg_value names[] = {TEXT_VALUE("a"), TEXT_VALUE("b")};
    map->map.key = new_choice(fixture, names, 2);
    accept_json(fixture, map, "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}");
    tell_json(fixture, map, "{\"c\":1}", "payload.c: Key should be 'a' or 'b', got 'c'");
}

static void finds_items_that_are_equal(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *array = new_array(fixture, new_schema(fixture, TG_SCHEMA_ANY));
    array->array.is_unique = true;
    accept_json(fixture, array, "[]", "[]");
    accept_json(fixture, array, "[1,\"1\",[1],true,null,{\"a\":1}]", "[1,\"1\",[1],true,null,{\"a\":1}]");
    refuse_json(fixture, array, "[1,2,1.0,[],{\"a\":1,\"b\":2},[],{\"b\":2,\"a\":1},1]",
                "not_unique@[2] not_unique@[5] not_unique@[6] not_unique@[7]");
    tell_json(fixture, array, "[3,4,5,4]", "payload[4]: Item should be unique, but it equals item 2");
}

static void compares_items_as_the_script_will_see_them(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_schema *array = new_array(fixture, string);
    array->array.is_unique = true;
    string->string.is_trimmed = true;
    refuse_json(fixture, array, "[\"a\",\" a\"]", "not_unique@[1]");
    refuse_json(fixture, array, "[\"a\",\" a\",1]", "string_type@[2]");
}

/* ---- objects ---- */

static void reports_missing_fields_first_in_the_order_of_their_declaration(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    const struct tg_schema *inner =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"y", integer}, {"x", integer}}, 2);
    const struct tg_schema *schema =
        new_object(fixture, TG_ADDITIONAL_FORBID,
                   (struct field[]){{"d", integer}, {"a", integer}, {"c", inner}, {"b", integer}}, 4);
    refuse_json(fixture, schema, "{\"c\":{\"x\":\"1\"},\"e\":1,\"b\":\"2\"}",
                "missing@[\"d\"] missing@[\"a\"] missing@[\"c\",\"y\"] int_type@[\"c\",\"x\"] "
                "extra_forbidden@[\"e\"] int_type@[\"b\"]");
    refuse_json(fixture, schema, "{\"b\":1,\"c\":{\"x\":1,\"y\":2},\"a\":null,\"d\":1}", "int_type@[\"a\"]");
}

static void tells_declared_members_by_their_key_id(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *any = new_schema(fixture, TG_SCHEMA_ANY);
    struct field fields[] = {{"a", any}, {"b", any}};
    static const char json[] = "{\"x\":1,\"b\":2,\"y\":3,\"a\":4,\"z\":5}";
    accept_json(fixture, new_object(fixture, TG_ADDITIONAL_ALLOW, fields, 2), json, json);
    static const uint32_t allowed[] = {0, 101, 0, 100, 0};
    for (int i = 0; i < 5; i++) assert_int_equal(fixture->value.members[i].key_id, allowed[i]);
    accept_json(fixture, new_object(fixture, TG_ADDITIONAL_IGNORE, fields, 2), json, "{\"b\":2,\"a\":4}");
    assert_int_equal(fixture->value.members[0].key_id, 101);
    assert_int_equal(fixture->value.members[1].key_id, 100);
    refuse_json(fixture, new_object(fixture, TG_ADDITIONAL_FORBID, fields, 2), json,
                "extra_forbidden@[\"x\"] extra_forbidden@[\"y\"] extra_forbidden@[\"z\"]");
}

static void tells_null_from_absent(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *optional = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_schema *nullable = new_schema(fixture, TG_SCHEMA_STRING);
    optional->is_optional = true;
    nullable->is_nullable = true;
    const struct tg_schema *schema =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"o", optional}, {"n", nullable}}, 2);
    accept_json(fixture, schema, "{\"n\":null}", "{\"n\":null}");
    refuse_json(fixture, schema, "{\"o\":null}", "missing@[\"n\"] string_type@[\"o\"]");
}

static void puts_in_defaults_of_absent_fields(void **state)
{
    struct checking *fixture = *state;
    static const struct tg_value seven = {.type = TG_VALUE_INTEGER, .integer = 7};
    static const struct tg_value items[] = {{.type = TG_VALUE_NULL}};
    const struct tg_value list = {
        .type = TG_VALUE_ARRAY, .length = 1, .items = (struct tg_value *)(uintptr_t)items};
    struct tg_schema *a = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *b = new_schema(fixture, TG_SCHEMA_ARRAY);
    struct tg_schema *c = new_schema(fixture, TG_SCHEMA_INTEGER);
    a->default_value = &seven;
    b->default_value = &list;
    const struct tg_schema *schema =
        new_object(fixture, TG_ADDITIONAL_ALLOW, (struct field[]){{"a", a}, {"b", b}, {"c", c}}, 3);
    accept_json(fixture, schema, "{\"x\":0,\"c\":1}", "{\"x\":0,\"c\":1,\"a\":7,\"b\":[null]}");
    assert_int_equal(fixture->value.members[2].key_id, 100);
    assert_int_equal(fixture->value.members[3].key_id, 101);
    accept_json(fixture, schema, "{\"b\":[],\"c\":1,\"a\":2}", "{\"b\":[],\"c\":1,\"a\":2}");
    refuse_json(fixture, schema, "{}", "missing@[\"c\"]");
    refuse_json(fixture, schema, "{\"c\":1,\"a\":null}", "int_type@[\"a\"]");
}

static void fills_an_empty_object_with_defaults(void **state)
{
    struct checking *fixture = *state;
    static const struct tg_value seven = {.type = TG_VALUE_INTEGER, .integer = 7};
    struct tg_schema *a = new_schema(fixture, TG_SCHEMA_INTEGER);
    a->default_value = &seven;
    accept_json(fixture, new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"a", a}}, 1), "{}",
                "{\"a\":7}");
    accept_json(fixture, new_object(fixture, TG_ADDITIONAL_IGNORE, NULL, 0), "{\"a\":1}", "{}");
}

static void counts_issues_past_the_limit(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *array = new_schema(fixture, TG_SCHEMA_ARRAY);
    array->array.item = new_schema(fixture, TG_SCHEMA_STRING);
    assert_int_equal(validate_json(fixture, array, "[1,2,3,4,5,6,7,8,9,10,11,12]"), TG_E_INVALID);
    tg_issues_finish(&fixture->issues);
    assert_int_equal(fixture->issues.count, 12);
    tg_buf_append_char(&fixture->out, '\0');
    assert_non_null(strstr(fixture->out.data, "\"2 more errors\"}"));
}

static void answers_for_its_own_issues_only(void **state)
{
    struct checking *fixture = *state;
    struct tg_value value = {.type = TG_VALUE_NULL};
    tg_issues_init(&fixture->issues, &fixture->out, 10);
    tg_issue_add(&fixture->issues, TG_ISSUE_MISSING, NULL);
    assert_int_equal(
        tg_validate(new_schema(fixture, TG_SCHEMA_NULL), &value, NULL,
                    &(struct tg_validation){.arena = &fixture->arena, .issues = &fixture->issues}),
        TG_OK);
}

/* ---- without memory ---- */

struct sweep {
    const struct tg_schema *schema;
    const char *json;
    enum tg_status wanted;
};

/* TG_E_INVALID counts as success here: the sweep knows only that and the lack of memory. */
static enum tg_status validate_once(void *context)
{
    const struct sweep *sweep = context;
    struct tg_arena arena;
    struct tg_buf out;
    struct tg_issues issues;
    struct tg_value value;
    tg_arena_init(&arena, 0);
    tg_buf_init(&out);
    tg_issues_init(&issues, &out, 100);
    enum tg_status status = tg_json_parse(tg_slice_of(sweep->json), 64, &arena, &value, NULL);
    if (status == TG_OK) {
        /* The arena's first chunk is full, so that what the validator takes must be allocated. */
        tg_arena_alloc(&arena, (size_t)(arena.end - arena.next));
        status = tg_validate(sweep->schema, &value, NULL,
                             &(struct tg_validation){.arena = &arena, .issues = &issues});
    }
    if (status == TG_E_NO_MEMORY) {
        tg_buf_truncate(&out, 0);
        tg_issues_init(&issues, &out, 100);
        assert_int_equal(tg_json_parse(tg_slice_of(sweep->json), 64, &arena, &value, NULL), TG_OK);
        assert_int_equal(tg_validate(sweep->schema, &value, NULL,
                                     &(struct tg_validation){.arena = &arena, .issues = &issues}),
                         sweep->wanted);
    }
    tg_buf_deinit(&out);
    tg_arena_deinit(&arena);
    return status == sweep->wanted ? TG_OK : status;
}

static void survives_every_failing_allocation(void **state)
{
    struct checking *fixture = *state;
    static const struct tg_value seven = {.type = TG_VALUE_INTEGER, .integer = 7};
    enum { FIELDS = 200 };
    static char names[FIELDS][16];
    struct field fields[FIELDS];
    struct tg_schema *optional = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *required = new_schema(fixture, TG_SCHEMA_INTEGER);
    optional->default_value = &seven;
    for (int i = 0; i < FIELDS; i++) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        fields[i] = (struct field){names[i], i ? optional : required};
    }
    struct sweep right = {new_object(fixture, TG_ADDITIONAL_IGNORE, fields, FIELDS), "{\"f0\":1}", TG_OK};
    struct sweep wrong = {right.schema, "{\"f1\":\"a\",\"f2\":\"b\"}", TG_E_INVALID};
    assert_true(tg_alloc_sweep(validate_once, &right) >= 2);
    assert_true(tg_alloc_sweep(validate_once, &wrong) >= 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, checking_set_up, checking_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(takes_only_values_of_the_kind),
        TEST(makes_one_point_zero_the_integer_it_is),
        TEST(makes_an_integer_the_number_that_was_declared),
        TEST(keeps_to_inclusive_bounds),
        TEST(counts_characters_not_bytes),
        TEST(takes_the_declared_values_only),
        TEST(reports_each_wrong_item_by_its_index),
        TEST(reports_each_wrong_entry_by_its_key),
        TEST(counts_entries_and_looks_at_keys),
        TEST(finds_items_that_are_equal),
        TEST(compares_items_as_the_script_will_see_them),
        TEST(reports_missing_fields_first_in_the_order_of_their_declaration),
        TEST(tells_declared_members_by_their_key_id),
        TEST(tells_null_from_absent),
        TEST(puts_in_defaults_of_absent_fields),
        TEST(fills_an_empty_object_with_defaults),
        TEST(counts_issues_past_the_limit),
        TEST(answers_for_its_own_issues_only),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
