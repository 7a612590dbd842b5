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

/* ---- names on the wire ---- */

static void makes_camel_case_of_single_underscores_within(void **state)
{
    static const struct {
        const char *declared, *camel;
    } rows[] = {
        {"user_name", "userName"},
        {"message_text", "messageText"},
        {"a_b_c", "aBC"},
        {"user_id_2", "userId2"},
        {"address_line_1", "addressLine1"},
        {"line_2nd", "line2nd"},
        {"x_1_y", "x1Y"},
        {"user_Name", "userName"},
        {"User_name", "UserName"},
        {"is_HTTP", "isHTTP"},
        {"plain", "plain"},
        {"userName", "userName"},
        {"", ""},
        {"_", "_"},
        {"__", "__"},
        {"_private", "_private"},
        {"__private_key", "__privateKey"},
        {"x_", "x_"},
        {"user_name_", "userName_"},
        {"a__b", "a__b"},
        {"a__b_c", "a__bC"},
        {"\xc3\xa9_b", "\xc3\xa9_b"},
        {"b_\xc3\xa9", "b_\xc3\xa9"},
        {"stra\xc3\x9f"
         "e_nr",
         "stra\xc3\x9f"
         "eNr"},
        {"a_-b", "a_-b"},
        {"a b_c", "a bC"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_slice camel = tg_schema_camel_name(*state, tg_slice_of(rows[i].declared));
        assert_string_equal(camel.data, rows[i].camel);
        assert_int_equal(camel.length, strlen(rows[i].camel));
    }
}

static void assert_wire_name(const struct tg_wire_name *name, const char *text, const char *head)
{
    assert_true(tg_slice_equal(name->text, tg_slice_of(text)));
    assert_true(tg_slice_equal(name->head, tg_slice_of(head)));
}

static void writes_the_name_of_a_field_in_both_namings(void **state)
{
    const struct tg_slice names[] = {TG_SLICE("user_name"), TG_SLICE("id"), TG_SLICE("a \"b\"")};
    struct tg_schema *schema = new_object(*state, names, 3);
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    const struct tg_schema_field *fields = schema->object.fields;
    assert_wire_name(&fields[0].wire[TG_NAMING_DECLARED], "user_name", "\"user_name\":");
    assert_wire_name(&fields[0].wire[TG_NAMING_CAMEL], "userName", "\"userName\":");
    assert_wire_name(&fields[1].wire[TG_NAMING_CAMEL], "id", "\"id\":");
    assert_wire_name(&fields[2].wire[TG_NAMING_DECLARED], "a \"b\"", "\"a \\\"b\\\"\":");
    assert_int_equal(schema->object.clash[0], schema->object.clash[1]);
}

static void finds_fields_by_the_names_of_the_naming_alone(void **state)
{
    /* Sorted by their declared names they stand otherwise than by their camel names. */
    const struct tg_slice names[] = {TG_SLICE("a_z"), TG_SLICE("aa"), TG_SLICE("a_b"), TG_SLICE("ab_c")};
    const struct tg_slice camel[] = {TG_SLICE("aZ"), TG_SLICE("aa"), TG_SLICE("aB"), TG_SLICE("abC")};
    struct tg_schema *schema = new_object(*state, names, 4);
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    const struct tg_schema_object *object = &schema->object;
    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t hint = 0; hint <= 4; hint++) {
            const struct tg_schema_field *field = &object->fields[i];
            assert_ptr_equal(tg_schema_find_field(object, TG_NAMING_DECLARED, names[i], hint), field);
            assert_ptr_equal(tg_schema_find_field(object, TG_NAMING_CAMEL, camel[i], hint), field);
            if (i == 1) continue;
            assert_null(tg_schema_find_field(object, TG_NAMING_CAMEL, names[i], hint));
            assert_null(tg_schema_find_field(object, TG_NAMING_DECLARED, camel[i], hint));
        }
}

static void remembers_two_names_that_camel_case_makes_one(void **state)
{
    const struct tg_slice names[] = {TG_SLICE("id"), TG_SLICE("user_id2"), TG_SLICE("x"),
                                     TG_SLICE("user_id_2")};
    struct tg_schema *schema = new_object(*state, names, 4);
    /* Whoever writes the names as they are declared may use it. */
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    assert_int_equal(schema->object.clash[0], 1);
    assert_int_equal(schema->object.clash[1], 3);
    const struct tg_slice other[] = {TG_SLICE("userName"), TG_SLICE("user_name")};
    schema = new_object(*state, other, 2);
    assert_int_equal(tg_schema_seal_object(*state, schema, NULL), TG_OK);
    assert_true(schema->object.clash[0] == 0 && schema->object.clash[1] == 1);
}

/* ---- tagged unions ---- */

static struct tg_schema *new_tagged(struct tg_arena *arena, struct tg_slice tag, const struct tg_value *tags,
                                    uint32_t count)
{
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_TAGGED);
    assert_non_null(schema);
    schema->tagged.tag.name = tag;
    schema->tagged.tags = tags;
    schema->tagged.count = count;
    return schema;
}

static void lists_the_tags_and_names_their_field(void **state)
{
    const struct tg_value tags[] = {string(TG_SLICE("image")),
                                    string(TG_SLICE("text")),
                                    {.type = TG_VALUE_INTEGER, .integer = 3},
                                    {.type = TG_VALUE_BOOLEAN, .boolean = true}};
    struct tg_schema *schema = new_tagged(*state, TG_SLICE("message_kind"), tags, 4);
    assert_int_equal(tg_schema_seal_tagged(*state, schema), TG_OK);
    assert_string_equal(schema->tagged.text.data, "'image', 'text', 3, true");
    assert_wire_name(&schema->tagged.tag.wire[TG_NAMING_DECLARED], "message_kind", "\"message_kind\":");
    assert_wire_name(&schema->tagged.tag.wire[TG_NAMING_CAMEL], "messageKind", "\"messageKind\":");
}

static void refuses_a_tag_that_is_not_utf8(void **state)
{
    const struct tg_value tag = string(TG_SLICE("\xff"));
    assert_int_equal(tg_schema_seal_tagged(*state, new_tagged(*state, TG_SLICE("kind"), &tag, 1)), TG_E_UTF8);
}

/* ---- references ---- */

static struct tg_schema *new_ref(struct tg_arena *arena, const struct tg_schema *target)
{
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_REF);
    assert_non_null(schema);
    schema->ref.target = target;
    return schema;
}

static struct tg_schema *new_union(struct tg_arena *arena, const struct tg_schema *a,
                                   const struct tg_schema *b)
{
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_UNION);
    assert_non_null(schema);
    schema->alternatives.branches = tg_arena_calloc(arena, 2, sizeof *schema->alternatives.branches);
    schema->alternatives.branches[0] = a;
    schema->alternatives.branches[1] = b;
    schema->alternatives.count = 2;
    return schema;
}

static void refuses_a_reference_that_comes_back_to_itself(void **state)
{
    struct tg_schema *self = new_ref(*state, NULL);
    self->ref.target = self;
    assert_int_equal(tg_schema_check_ref(self), TG_E_TOO_DEEP);

    struct tg_schema *there = new_ref(*state, NULL), *back = new_ref(*state, there);
    there->ref.target = back;
    assert_int_equal(tg_schema_check_ref(there), TG_E_TOO_DEEP);
    assert_int_equal(tg_schema_check_ref(back), TG_E_TOO_DEEP);
    /* Not itself in the circle, but it leads into it. */
    assert_int_equal(tg_schema_check_ref(new_ref(*state, there)), TG_E_TOO_DEEP);
}

static void refuses_a_reference_that_comes_back_through_unions(void **state)
{
    struct tg_schema *ref = new_ref(*state, NULL), *string_node = tg_schema_new(*state, TG_SCHEMA_STRING);
    struct tg_schema *inner = new_union(*state, string_node, ref);
    ref->ref.target = new_union(*state, tg_schema_new(*state, TG_SCHEMA_NULL), inner);
    assert_int_equal(tg_schema_check_ref(ref), TG_E_TOO_DEEP);
}

static void accepts_recursion_with_a_value_in_between(void **state)
{
    struct tg_schema *array = tg_schema_new(*state, TG_SCHEMA_ARRAY);
    struct tg_schema *ref = new_ref(*state, array);
    array->array.item = ref;
    assert_int_equal(tg_schema_check_ref(ref), TG_OK);
    ref->ref.target = new_union(*state, tg_schema_new(*state, TG_SCHEMA_STRING), array);
    assert_int_equal(tg_schema_check_ref(ref), TG_OK);

    struct tg_schema *map = tg_schema_new(*state, TG_SCHEMA_MAP);
    map->map.value = ref;
    ref->ref.target = map;
    assert_int_equal(tg_schema_check_ref(ref), TG_OK);

    const struct tg_slice name = TG_SLICE("child");
    struct tg_schema *object = new_object(*state, &name, 1);
    object->object.fields[0].schema = ref;
    ref->ref.target = object;
    assert_int_equal(tg_schema_check_ref(ref), TG_OK);
    assert_int_equal(tg_schema_check_ref(new_ref(*state, new_ref(*state, ref))), TG_OK);
}

static void gives_up_on_a_chain_that_hardly_ends(void **state)
{
    const struct tg_schema *chain = tg_schema_new(*state, TG_SCHEMA_STRING);
    for (int i = 0; i < 1000; i++) chain = new_ref(*state, chain);
    assert_int_equal(tg_schema_check_ref(chain), TG_OK);
    for (int i = 0; i < 100000; i++) chain = new_ref(*state, chain);
    assert_int_equal(tg_schema_check_ref(chain), TG_E_TOO_DEEP);

    /* Unions of one another: few nodes, very many ways. */
    const struct tg_schema *bush = tg_schema_new(*state, TG_SCHEMA_STRING);
    for (int i = 0; i < 40; i++) bush = new_union(*state, bush, bush);
    assert_int_equal(tg_schema_check_ref(new_ref(*state, bush)), TG_E_TOO_DEEP);
}

/* ---- without memory ---- */

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

static enum tg_status seal_names_once(void *context)
{
    (void)context;
    /* Long enough that every copy needs a chunk of its own. */
    static char long_name[8000];
    memset(long_name, 'a', sizeof long_name);
    long_name[10] = '_';
    const struct tg_slice name = {long_name, sizeof long_name};
    const struct tg_value tag = {.type = TG_VALUE_STRING, .length = sizeof long_name, .string = long_name};
    struct tg_schema object = {.kind = TG_SCHEMA_OBJECT}, tagged = {.kind = TG_SCHEMA_TAGGED};
    struct tg_schema_field field = {.name = name};
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    object.object.fields = &field;
    object.object.count = 1;
    tagged.tagged.tag.name = name;
    tagged.tagged.tags = &tag;
    tagged.tagged.count = 1;
    struct tg_error error;
    enum tg_status status = tg_schema_seal_object(&arena, &object, &error);
    if (status != TG_OK) assert_string_equal(error.text, "out of memory");
    if (status == TG_OK) status = tg_schema_seal_tagged(&arena, &tagged);
    if (status != TG_OK) {
        assert_int_equal(tg_schema_seal_object(&arena, &object, NULL), TG_OK);
        assert_int_equal(tg_schema_seal_tagged(&arena, &tagged), TG_OK);
    }
    assert_int_equal(object.object.fields[0].wire[TG_NAMING_CAMEL].text.length, sizeof long_name - 1);
    assert_int_equal(tagged.tagged.text.length, sizeof long_name + 2);
    tg_arena_deinit(&arena);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(seal_once, NULL) >= 4);
    assert_true(tg_alloc_sweep(seal_names_once, NULL) >= 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(begins_with_the_widest_limits),
        TEST(begins_required_and_not_nullable),
        TEST(finds_every_field_whatever_the_hint),
        TEST(finds_nothing_in_an_object_without_fields),
        TEST(finds_a_field_among_a_thousand),
        TEST(refuses_a_name_that_stands_twice),
        TEST(refuses_a_name_that_no_client_can_send),
        TEST(lists_the_choices_for_people),
        TEST(refuses_a_choice_that_is_not_utf8),
        TEST(makes_camel_case_of_single_underscores_within),
        TEST(writes_the_name_of_a_field_in_both_namings),
        TEST(finds_fields_by_the_names_of_the_naming_alone),
        TEST(remembers_two_names_that_camel_case_makes_one),
        TEST(lists_the_tags_and_names_their_field),
        TEST(refuses_a_tag_that_is_not_utf8),
        TEST(refuses_a_reference_that_comes_back_to_itself),
        TEST(refuses_a_reference_that_comes_back_through_unions),
        TEST(accepts_recursion_with_a_value_in_between),
        TEST(gives_up_on_a_chain_that_hardly_ends),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
