/* What validation leaves to others: calls for the script, marks on secrets, names for camel case. */
#include "support/alloc.h"
#include "support/checking.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct tg_value seven = {.type = TG_VALUE_INTEGER, .integer = 7};

static struct tg_schema *new_checked(struct checking *fixture, enum tg_schema_kind kind)
{
    struct tg_schema *schema = new_schema(fixture, kind);
    schema->script_check = 1;
    return schema;
}

/* ---- calls ---- */

static void lists_checks_in_document_order_and_inner_ones_first(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_checked(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *array = new_array(fixture, integer);
    array->script_check = 2;
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"a", integer}, {"l", array}}, 2);
    object->script_check = 3;
    accept_json(fixture, object, "{\"l\":[1,2],\"x\":0,\"a\":3}", "{\"l\":[1,2],\"a\":3}");
    expect_calls(fixture,
                 "check payload.l[1]; check payload.l[2]; check payload.l; check payload.a; check payload");
    const struct tg_call *first = fixture->validation.calls;
    assert_ptr_equal(first->schema, integer);
    assert_int_equal(first->path->parent->key_id, 101);
    assert_ptr_equal(first->path->parent, first->next->path->parent);
    assert_ptr_equal(first->path->parent, first->next->next->path);
}

static void lists_defaults_of_functions_behind_the_members(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *made = new_checked(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *constant = new_checked(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *checked = new_checked(fixture, TG_SCHEMA_INTEGER);
    made->script_default = 9;
    constant->default_value = &seven;
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_IGNORE,
                   (struct field[]){{"made_at", made}, {"constant", constant}, {"c", checked}}, 3);
    object->script_check = 1;
    accept_json(fixture, object, "{\"c\":1}", "{\"c\":1,\"constant\":7}");
    expect_calls(fixture, "check payload.c; default payload.made_at; check payload");
    const struct tg_call *call = fixture->validation.calls->next;
    assert_true(call->is_default);
    assert_int_equal(call->path->key_id, 100);
    assert_ptr_equal(call->schema, made);
    accept_json(fixture, object, "{\"made_at\":2,\"c\":1}", "{\"made_at\":2,\"c\":1,\"constant\":7}");
    expect_calls(fixture, "check payload.made_at; check payload.c; check payload");
    fixture->validation.naming = TG_NAMING_CAMEL;
    accept_json(fixture, object, "{\"c\":1}", "{\"c\":1,\"constant\":7}");
    expect_calls(fixture, "check payload.c; default payload.madeAt; check payload");
}

static void leaves_nothing_to_call_when_anything_is_wrong(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *checked = new_checked(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *array = new_array(fixture, checked);
    array->script_check = 2;
    assert_int_equal(validate_json(fixture, array, "[1,\"a\"]"), TG_E_INVALID);
    assert_null(fixture->validation.calls);
}

static void shows_no_null_to_checks(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *nullable = new_checked(fixture, TG_SCHEMA_INTEGER);
    nullable->is_nullable = true;
    struct tg_schema *any = new_checked(fixture, TG_SCHEMA_ANY);
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"n", nullable}, {"a", any}}, 2);
    accept_json(fixture, object, "{\"n\":null,\"a\":null}", "{\"n\":null,\"a\":null}");
    expect_calls(fixture, "");
    accept_json(fixture, object, "{\"n\":1,\"a\":false}", "{\"n\":1,\"a\":false}");
    expect_calls(fixture, "check payload.n; check payload.a");
}

static void checks_a_reference_and_its_target(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *ref = new_ref(fixture, 3);
    ref->ref.target = new_checked(fixture, TG_SCHEMA_INTEGER);
    ref->script_check = 5;
    ref->is_nullable = true;
    accept_json(fixture, ref, "1", "1");
    expect_calls(fixture, "check payload; check payload");
    assert_ptr_equal(fixture->validation.calls->next->schema, ref);
    accept_json(fixture, ref, "null", "null");
    expect_calls(fixture, "");
}

/* ---- secrets ---- */

static void marks_secrets_and_shows_nothing_of_them(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *secret =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"pin", integer}}, 1);
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"card", secret}, {"n", integer}}, 2);
    secret->is_secret = true;
    secret->is_nullable = true;
    accept_json(fixture, object, "{\"card\":{\"pin\":1},\"n\":2}", "{\"card\":{\"pin\":1},\"n\":2}");
    assert_true(fixture->value.members[0].value.is_secret);
    assert_false(fixture->value.members[1].value.is_secret);
    accept_json(fixture, object, "{\"card\":null,\"n\":2}", "{\"card\":null,\"n\":2}");
    assert_true(fixture->value.members[0].value.is_secret);
    tell_json(fixture, object, "{\"card\":{\"pin\":\"1234\"},\"n\":\"5\"}",
              "payload.card.pin: Input should be a valid integer; "
              "payload.n: Input should be a valid integer, got '5'");
    tell_json(fixture, object, "{\"card\":\"4711\",\"n\":5}", "payload.card: Input should be a valid object");
}

static void marks_secrets_that_are_chosen_or_stand_in(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *choice = new_choice(fixture, &seven, 1);
    struct tg_schema *object = new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"a", choice}}, 1);
    choice->is_secret = true;
    choice->default_value = &seven;
    accept_json(fixture, object, "{\"a\":7.0}", "{\"a\":7}");
    assert_true(fixture->value.members[0].value.is_secret);
    accept_json(fixture, object, "{}", "{\"a\":7}");
    assert_true(fixture->value.members[0].value.is_secret);
    tell_json(fixture, object, "{\"a\":8}", "payload.a: Input should be 7");
}

/* ---- names ---- */

static void knows_fields_by_the_names_of_the_naming(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *optional = new_schema(fixture, TG_SCHEMA_INTEGER);
    optional->default_value = &seven;
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_FORBID,
                   (struct field[]){{"user_id", integer}, {"room_id", integer}, {"at_ms", optional}}, 3);
    fixture->validation.naming = TG_NAMING_CAMEL;
    accept_json(fixture, object, "{\"roomId\":1,\"userId\":2}", "{\"roomId\":1,\"userId\":2,\"atMs\":7}");
    assert_int_equal(fixture->value.members[0].key_id, 101);
    assert_int_equal(fixture->value.members[1].key_id, 100);
    tell_json(fixture, object, "{\"roomId\":\"a\",\"user_id\":1}",
              "payload.userId: Field required; "
              "payload.roomId: Input should be a valid integer, got 'a'; "
              "payload.user_id: Extra inputs are not permitted; did you mean 'userId'?");
    fixture->validation.naming = TG_NAMING_DECLARED;
    refuse_json(fixture, object, "{\"room_id\":1,\"userId\":2}",
                "missing@[\"user_id\"] extra_forbidden@[\"userId\"]");
}

static void suggests_the_declared_name_that_was_perhaps_meant(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *any = new_schema(fixture, TG_SCHEMA_ANY);
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_FORBID, (struct field[]){{"content", any}, {"room", any}}, 2);
    tell_json(fixture, object, "{\"contnet\":1,\"room\":1,\"zzz\":2,\"content\":3}",
              "payload.contnet: Extra inputs are not permitted; did you mean 'content'?; "
              "payload.zzz: Extra inputs are not permitted");
}

/* ---- payloads ---- */

static const struct tg_path root = {.key = {"payload", 7}};

static enum tg_status validate_payload(struct checking *fixture, const struct tg_schema *schema,
                                       struct tg_value **payload)
{
    tg_buf_truncate(&fixture->out, 0);
    tg_issues_init(&fixture->issues, &fixture->out, 10);
    fixture->validation.arena = &fixture->arena;
    fixture->validation.issues = &fixture->issues;
    return tg_validate_payload(schema, payload, &root, &fixture->validation);
}

static void does_without_a_payload_where_null_or_nothing_would_do(void **state)
{
    struct checking *fixture = *state;
    static const struct tg_value values[] = {{.type = TG_VALUE_BOOLEAN}, {.type = TG_VALUE_NULL}};
    struct tg_schema *nullable = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_schema *optional = new_schema(fixture, TG_SCHEMA_STRING);
    nullable->is_nullable = true;
    optional->is_optional = true;
    struct tg_schema *ref = new_ref(fixture, 1);
    ref->ref.target = nullable;
    const struct tg_schema *schemas[] = {
        new_schema(fixture, TG_SCHEMA_ANY),
        new_schema(fixture, TG_SCHEMA_NULL),
        nullable,
        optional,
        new_choice(fixture, values, 2),
        new_union(fixture, (const struct tg_schema *const[]){new_choice(fixture, values, 1), ref, NULL}),
        ref,
    };
    for (size_t i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct tg_value *payload = NULL, null = {.type = TG_VALUE_NULL};
        assert_int_equal(validate_payload(fixture, schemas[i], &payload), TG_OK);
        assert_null(payload);
        payload = &null;
        assert_int_equal(validate_payload(fixture, schemas[i], &payload), TG_OK);
    }
    struct tg_value *payload = NULL;
    assert_int_equal(validate_payload(fixture, new_choice(fixture, values, 1), &payload), TG_E_INVALID);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data,
                        "{\"type\":\"missing\",\"loc\":[\"payload\"],\"msg\":\"Field required\"}");
}

static void puts_the_default_in_for_a_payload(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_value *payload = NULL, null = {.type = TG_VALUE_NULL};
    schema->default_value = &seven;
    schema->is_nullable = true;
    assert_int_equal(validate_payload(fixture, schema, &payload), TG_OK);
    assert_int_equal(payload->integer, 7);
    payload = &null;
    assert_int_equal(validate_payload(fixture, schema, &payload), TG_OK);
    assert_int_equal(payload->integer, 7);
    schema->default_value = NULL;
    schema->script_default = 3;
    payload = NULL;
    assert_int_equal(validate_payload(fixture, schema, &payload), TG_OK);
    assert_null(payload);
    expect_calls(fixture, "default payload");
    assert_ptr_equal(fixture->validation.calls->schema, schema);
    assert_ptr_not_equal(fixture->validation.calls->path, &root);
}

/* ---- without memory ---- */

static enum tg_status call_once(void *context)
{
    const struct tg_schema *schema = context;
    struct tg_arena arena;
    struct tg_buf out;
    struct tg_issues issues;
    struct tg_value value;
    tg_arena_init(&arena, 0);
    tg_buf_init(&out);
    tg_issues_init(&issues, &out, 10);
    struct tg_validation validation = {.arena = &arena, .issues = &issues, .max_steps = 1000};
    enum tg_status status = tg_json_parse(TG_SLICE("[[[1,2],[3]]]"), 8, &arena, &value, NULL);
    if (status == TG_OK) {
        tg_arena_alloc(&arena, (size_t)(arena.end - arena.next));
        status = tg_validate(schema, &value, &root, &validation);
    }
    tg_buf_deinit(&out);
    tg_arena_deinit(&arena);
    return status;
}

static void fails_whole_when_a_call_finds_no_memory(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_checked(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *array = new_array(fixture, new_array(fixture, new_array(fixture, integer)));
    array->script_check = 1;
    assert_true(tg_alloc_sweep(call_once, array) >= 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, checking_set_up, checking_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(lists_checks_in_document_order_and_inner_ones_first),
        TEST(lists_defaults_of_functions_behind_the_members),
        TEST(leaves_nothing_to_call_when_anything_is_wrong),
        TEST(shows_no_null_to_checks),
        TEST(checks_a_reference_and_its_target),
        TEST(marks_secrets_and_shows_nothing_of_them),
        TEST(marks_secrets_that_are_chosen_or_stand_in),
        TEST(knows_fields_by_the_names_of_the_naming),
        TEST(suggests_the_declared_name_that_was_perhaps_meant),
        TEST(does_without_a_payload_where_null_or_nothing_would_do),
        TEST(puts_the_default_in_for_a_payload),
        TEST(fails_whole_when_a_call_finds_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
