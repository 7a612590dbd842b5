#include "wire/schema.h"

#include "support/alloc.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int set_up(void **state)
{
    struct tg_arena *arena = malloc(sizeof *arena);
    tg_arena_init(arena, 0);
    *state = arena;
    return 0;
}

static int tear_down(void **state)
{
    tg_arena_deinit(*state);
    free(*state);
    return 0;
}

static void begins_with_the_widest_limits(void **state)
{
    struct tg_arena *arena = *state;
    const struct tg_schema *string = tg_schema_new(arena, TG_SCHEMA_STRING);
    assert_int_equal(string->string.min_length, 0);
    assert_true(string->string.max_length == SIZE_MAX);
    const struct tg_schema *integer = tg_schema_new(arena, TG_SCHEMA_INTEGER);
    assert_true(integer->integer.min == INT64_MIN && integer->integer.max == INT64_MAX);
    const struct tg_schema *number = tg_schema_new(arena, TG_SCHEMA_NUMBER);
    assert_true(isinf(number->number.min) && number->number.min < 0);
    assert_true(isinf(number->number.max) && number->number.max > 0);
    const struct tg_schema *array = tg_schema_new(arena, TG_SCHEMA_ARRAY);
    assert_true(array->array.min_items == 0 && array->array.max_items == UINT32_MAX);
    assert_int_equal(array->array.item->kind, TG_SCHEMA_ANY);
    const struct tg_schema *map = tg_schema_new(arena, TG_SCHEMA_MAP);
    assert_true(map->map.max_entries == UINT32_MAX);
    assert_int_equal(map->map.value->kind, TG_SCHEMA_ANY);
}

static void begins_required_and_not_nullable(void **state)
{
    for (int kind = TG_SCHEMA_ANY; kind <= TG_SCHEMA_MAP; kind++) {
        const struct tg_schema *schema = tg_schema_new(*state, (enum tg_schema_kind)kind);
        assert_int_equal(schema->kind, kind);
        assert_false(schema->is_optional || schema->is_nullable);
        assert_null(schema->default_value);
    }
}

static struct tg_schema *new_object(struct tg_arena *arena, const struct tg_slice *names, uint32_t count)
{
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_OBJECT);
    assert_non_null(schema);
    schema->object.fields = tg_arena_calloc(arena, count, sizeof *schema->object.fields);
    assert_non_null(schema->object.fields);
    schema->object.count = count;
    for (uint32_t i = 0; i < count; i++) schema->object.fields[i].name = names[i];
    return schema;
}

static void finds_every_field_whatever_the_hint(void **state)
{
    const struct tg_slice names[] = {TG_SLICE("name"), TG_SLICE("n"), TG_SLICE(""),        TG_SLICE("zebra"),
                                     TG_SLICE("a\0b"), TG_SLICE("a"), TG_SLICE("\xc3\xa9")};
    enum { NAMES = sizeof names / sizeof names[0] };
    struct tg_schema *schema = new_object(*state, names, NAMES);
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    for (uint32_t i = 0; i < NAMES; i++)
        for (uint32_t hint = 0; hint <= NAMES; hint++)
            assert_ptr_equal(tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, names[i], hint),
                             &schema->object.fields[i]);
    const struct tg_slice strangers[] = {TG_SLICE("nam"), TG_SLICE("names"), TG_SLICE("A"), TG_SLICE("zz")};
    for (uint32_t i = 0; i < 4; i++)
        assert_null(tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, strangers[i], i));
}

static void finds_nothing_in_an_object_without_fields(void **state)
{
    struct tg_schema *schema = new_object(*state, NULL, 0);
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    assert_null(tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, TG_SLICE("a"), 0));
}

static void finds_a_field_among_a_thousand(void **state)
{
    static char texts[1000][8];
    static struct tg_slice names[1000];
    for (size_t i = 0; i < 1000; i++) {
        snprintf(texts[i], sizeof texts[i], "f%d", (int)(i * 7 % 1000));
        names[i] = tg_slice_of(texts[i]);
    }
    struct tg_schema *schema = new_object(*state, names, 1000);
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    for (uint32_t i = 0; i < 1000; i++)
        assert_ptr_equal(tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, names[i], 0),
                         &schema->object.fields[i]);
}

static void refuses_a_name_that_stands_twice(void **state)
{
    const struct tg_slice names[] = {TG_SLICE("b"), TG_SLICE("a"), TG_SLICE("b")};
    struct tg_error error;
    assert_int_equal(tg_schema_seal_object(*state, new_object(*state, names, 3), &error), TG_E_EXISTS);
    assert_string_equal(error.text, "field \"b\" is declared twice");
}

static void refuses_a_name_that_no_client_can_send(void **state)
{
    const struct tg_slice names[] = {TG_SLICE("a"), TG_SLICE("\xff")};
    struct tg_error error;
    assert_int_equal(tg_schema_seal_object(*state, new_object(*state, names, 2), &error), TG_E_UTF8);
    assert_string_equal(error.text, "the name of field 2 is not UTF-8");
}

static struct tg_value string(struct tg_slice text)
{
    return (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)text.length, .string = text.data};
}

static struct tg_schema *new_choice(struct tg_arena *arena, const struct tg_value *values, uint32_t count)
{
    struct tg_schema *schema = tg_schema_new(arena, count == 1 ? TG_SCHEMA_LITERAL : TG_SCHEMA_ENUM);
    assert_non_null(schema);
    schema->choice.values = values;
    schema->choice.count = count;
    return schema;
}

static void lists_the_choices_for_people(void **state)
{
    const struct tg_value values[] = {string(TG_SLICE("red")),
                                      string(TG_SLICE("it's")),
                                      {.type = TG_VALUE_INTEGER, .integer = 3},
                                      {.type = TG_VALUE_NULL},
                                      {.type = TG_VALUE_NUMBER, .number = 1.5}};
    const char *const texts[] = {"'red'", "'red' or 'it's'", "'red', 'it's' or 3", "'red', 'it's', 3 or null",
                                 "'red', 'it's', 3, null or 1.5"};
    for (uint32_t count = 1; count <= 5; count++) {
        struct tg_schema *schema = new_choice(*state, values, count);
        assert_int_equal(tg_schema_seal_choice(*state, schema), TG_OK);
        assert_string_equal(schema->choice.text.data, texts[count - 1]);
        assert_int_equal(schema->choice.text.length, strlen(texts[count - 1]));
    }
}

static void refuses_a_choice_that_is_not_utf8(void **state)
{
    const struct tg_value value = string(TG_SLICE("\xff"));
    assert_int_equal(tg_schema_seal_choice(*state, new_choice(*state, &value, 1)), TG_E_UTF8);
}

static enum tg_status seal_once(void *context)
{
    (void)context;
    static struct tg_slice names[2000];
    static char texts[2000][8];
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    for (size_t i = 0; i < 2000; i++) {
        snprintf(texts[i], sizeof texts[i], "f%d", (int)i);
        names[i] = tg_slice_of(texts[i]);
    }
    const struct tg_value value = string(TG_SLICE("value"));
    struct tg_schema *object = tg_schema_new(&arena, TG_SCHEMA_OBJECT);
    struct tg_schema *choice = tg_schema_new(&arena, TG_SCHEMA_LITERAL);
    enum tg_status status = object && choice ? TG_OK : TG_E_NO_MEMORY;
    if (status == TG_OK) {
        object->object.count = 2000;
        object->object.fields = tg_arena_calloc(&arena, 2000, sizeof *object->object.fields);
        if (!object->object.fields) status = TG_E_NO_MEMORY;
    }
    if (status == TG_OK) {
        for (uint32_t i = 0; i < 2000; i++) object->object.fields[i].name = names[i];
        choice->choice.values = &value;
        choice->choice.count = 1;
        status = tg_schema_seal_object(&arena, object, NULL);
        enum tg_status other = tg_schema_seal_choice(&arena, choice);
        if (status == TG_OK) status = other;
    }
    if (status != TG_OK && object && choice && object->object.fields) {
        assert_int_equal(tg_schema_seal_object(&arena, object, NULL), TG_OK);
        assert_int_equal(tg_schema_seal_choice(&arena, choice), TG_OK);
    }
    tg_arena_deinit(&arena);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(seal_once, NULL) >= 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(begins_with_the_widest_limits),          TEST(begins_required_and_not_nullable),
        TEST(finds_every_field_whatever_the_hint),    TEST(finds_nothing_in_an_object_without_fields),
        TEST(finds_a_field_among_a_thousand),         TEST(refuses_a_name_that_stands_twice),
        TEST(refuses_a_name_that_no_client_can_send), TEST(lists_the_choices_for_people),
        TEST(refuses_a_choice_that_is_not_utf8),      TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
