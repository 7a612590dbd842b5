#include "wire/redact.h"

#include "support/alloc.h"
#include "support/checking.h"
#include "wire/json.h"
#include "wire/stand_in.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BRANCHES(...) ((const struct tg_schema *const[]){__VA_ARGS__, NULL})
#define OBJECT(additional, ...)                                                                              \
    new_object(fixture, (additional), (struct field[]){__VA_ARGS__},                                         \
               sizeof((struct field[]){__VA_ARGS__}) / sizeof(struct field))

static const struct tg_value colours[] = {TEXT_VALUE("red"), TEXT_VALUE("green")};

static struct tg_schema *secret(struct checking *fixture, enum tg_schema_kind kind)
{
    struct tg_schema *schema = new_schema(fixture, kind);
    schema->is_secret = true;
    return schema;
}

static void become(struct checking *fixture, const struct tg_schema *schema, const char *json,
                   const char *expected)
{
    struct tg_value value;
    struct tg_error error;
    struct tg_buf out;
    uint32_t changes = 0;
    assert_int_equal(tg_json_parse(tg_slice_of(json), 64, &fixture->arena, &value, &error), TG_OK);
    assert_int_equal(tg_redact(&value, schema, TG_NAMING_DECLARED, &fixture->arena, &changes), TG_OK);
    tg_buf_init(&out);
    tg_json_write_value(&out, &value);
    tg_buf_append_char(&out, '\0');
    assert_string_equal(out.data, expected);
    assert_int_equal(changes > 0, strcmp(json, expected) != 0);
    tg_buf_deinit(&out);
}

static void puts_stand_ins_of_the_same_length_for_secrets(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *hidden = secret(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *login = OBJECT(TG_ADDITIONAL_IGNORE, {"name", string}, {"password", hidden});
    become(fixture, login, "{\"password\":\"h\xc3\xa4nter\",\"name\":\"ann\"}",
           "{\"password\":\"******\",\"name\":\"ann\"}");
    become(fixture, login, "{\"name\":\"ann\"}", "{\"name\":\"ann\"}");
    become(fixture, new_array(fixture, login), "[{\"password\":\"a\"},{\"password\":null}]",
           "[{\"password\":\"*\"},{\"password\":null}]");
}

static void leaves_out_what_nobody_declared(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *hidden = secret(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *plain = OBJECT(TG_ADDITIONAL_ALLOW, {"name", string});
    const struct tg_schema *login = OBJECT(TG_ADDITIONAL_ALLOW, {"name", string}, {"password", hidden});
    become(fixture, login, "{\"pasword\":\"hunter2\",\"name\":\"ann\"}", "{\"name\":\"ann\"}");
    become(fixture, plain, "{\"free\":[1],\"name\":\"ann\"}", "{\"free\":[1],\"name\":\"ann\"}");
    become(fixture, OBJECT(TG_ADDITIONAL_FORBID, {"name", string}), "{\"x\":1}", "{}");
    const struct tg_schema *deep = OBJECT(TG_ADDITIONAL_ALLOW, {"account", login});
    const struct tg_schema *either =
        OBJECT(TG_ADDITIONAL_ALLOW, {"pin", new_union(fixture, BRANCHES(plain, hidden))});
    become(fixture, deep, "{\"acount\":{\"password\":\"hunter2\"}}", "{}");
    become(fixture, either, "{\"pni\":\"hunter2\"}", "{}");
}

static void blanks_what_has_another_shape(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *object = OBJECT(TG_ADDITIONAL_IGNORE, {"name", string});
    become(fixture, object, "\"hunter2\"", "\"*******\"");
    become(fixture, object, "[\"hunter2\"]", "[]");
    become(fixture, object, "{\"name\":{\"password\":\"hunter2\"}}", "{\"name\":{}}");
    become(fixture, string, "12", "12");
    become(fixture, new_schema(fixture, TG_SCHEMA_ANY), "{\"a\":[1,\"b\"]}", "{\"a\":[1,\"b\"]}");
}

/* A message without a payload was sent the payload of another. */
static void blanks_what_stands_where_nothing_belongs(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *nothing = new_schema(fixture, TG_SCHEMA_NULL);
    become(fixture, nothing, "\"hush\"", "\"****\"");
    become(fixture, nothing, "null", "null");
    become(fixture, nothing, "{\"password\":\"hush\"}", "{}");
}

static void takes_a_union_for_all_of_its_branches(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    const struct tg_schema *hidden = secret(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *a = OBJECT(TG_ADDITIONAL_IGNORE, {"id", integer}, {"shown", integer});
    const struct tg_schema *b = OBJECT(TG_ADDITIONAL_IGNORE, {"id", integer}, {"key", hidden});
    const struct tg_schema *either = new_union(fixture, BRANCHES(a, b, integer));
    become(fixture, either, "{\"id\":1,\"shown\":2,\"key\":\"abc\",\"more\":3}",
           "{\"id\":1,\"shown\":2,\"key\":\"***\"}");
    become(fixture, either, "7", "7");
    become(fixture, either, "[7]", "[]");
}

static void follows_references_as_deep_as_the_message_goes(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *ref = new_ref(fixture, 32);
    const struct tg_schema *hidden = secret(fixture, TG_SCHEMA_INTEGER);
    const struct tg_schema *node =
        OBJECT(TG_ADDITIONAL_IGNORE, {"pin", hidden}, {"next", new_union(fixture, BRANCHES(ref, ref))});
    ref->ref.target = node;
    become(fixture, node, "{\"pin\":1,\"next\":{\"pin\":2,\"next\":{\"pin\":3}}}",
           "{\"pin\":0,\"next\":{\"pin\":0,\"next\":{\"pin\":0}}}");
    assert_true(tg_schema_has_secret(ref, &fixture->arena));
}

static void knows_whether_there_is_any_secret(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    const struct tg_schema *hidden = secret(fixture, TG_SCHEMA_STRING);
    struct tg_schema *map = new_schema(fixture, TG_SCHEMA_MAP);
    struct tg_schema *ref = new_ref(fixture, 32);
    ref->ref.target = new_array(fixture, ref);
    assert_false(tg_schema_has_secret(ref, &fixture->arena));
    map->map.value = string;
    assert_false(tg_schema_has_secret(map, &fixture->arena));
    map->map.key = hidden;
    assert_true(tg_schema_has_secret(map, &fixture->arena));
    become(fixture, map, "{\"hunter2\":\"x\"}", "{}");
    tg_alloc_fail_at(1);
    struct tg_arena scratch;
    tg_arena_init(&scratch, 0);
    assert_true(tg_schema_has_secret(string, &scratch)); /* nobody knows */
    tg_alloc_fail_at(0);
    tg_arena_deinit(&scratch);
}

/* ---- stand-ins ---- */

static void makes_stand_ins_that_the_schema_takes(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *uuid = secret(fixture, TG_SCHEMA_STRING);
    struct tg_schema *pin = secret(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *rate = secret(fixture, TG_SCHEMA_NUMBER);
    struct tg_schema *colour = new_choice(fixture, colours, 2);
    uuid->string.format = TG_FORMAT_UUID;
    pin->integer.min = 1000;
    pin->integer.multiple_of = 7;
    rate->number.min = 0.5;
    rate->number.is_above_min = true;
    colour->is_secret = true;
    become(fixture, uuid, "\"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"",
           "\"00000000-0000-4000-8000-000000000000\"");
    become(fixture, pin, "54321", "1001");
    become(fixture, rate, "3.25", "1.5");
    become(fixture, colour, "\"green\"", "\"red\"");
    struct tg_schema *list = new_array(fixture, pin);
    list->is_secret = true;
    list->array.min_items = 2;
    become(fixture, list, "[5,6,7]", "[1001,1001]");
    become(fixture, secret(fixture, TG_SCHEMA_BOOLEAN), "true", "false");
}

static void leaves_what_is_refused_to_be_refused(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *pin = secret(fixture, TG_SCHEMA_INTEGER);
    become(fixture, pin, "\"hunter2\"", "\"*******\"");
    become(fixture, secret(fixture, TG_SCHEMA_STRING), "42", "0");
    become(fixture, new_choice(fixture, colours, 2), "\"hunter2\"", "\"hunter2\"");
    struct tg_schema *colour = new_choice(fixture, colours, 2);
    colour->is_secret = true;
    become(fixture, colour, "\"hunter2\"", "\"*******\"");
}

static enum tg_status redact_once(void *context)
{
    const struct tg_schema *login = context;
    struct tg_value value;
    struct tg_error error;
    uint32_t changes = 0;
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    enum tg_status status = tg_json_parse(TG_SLICE("{\"a\":\"b\"}"), 64, &arena, &value, &error);
    if (status == TG_OK) status = tg_redact(&value, login, TG_NAMING_DECLARED, &arena, &changes);
    tg_arena_deinit(&arena);
    return status;
}

static void says_when_memory_is_out(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *login = OBJECT(TG_ADDITIONAL_IGNORE, {"a", secret(fixture, TG_SCHEMA_STRING)});
    assert_true(tg_alloc_sweep(redact_once, login) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, checking_set_up, checking_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(puts_stand_ins_of_the_same_length_for_secrets),
        TEST(leaves_out_what_nobody_declared),
        TEST(blanks_what_has_another_shape),
        TEST(blanks_what_stands_where_nothing_belongs),
        TEST(takes_a_union_for_all_of_its_branches),
        TEST(follows_references_as_deep_as_the_message_goes),
        TEST(knows_whether_there_is_any_secret),
        TEST(makes_stand_ins_that_the_schema_takes),
        TEST(leaves_what_is_refused_to_be_refused),
        TEST(says_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
