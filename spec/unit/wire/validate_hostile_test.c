/* Messages made to cost much. Nothing here looks at a clock: what is asserted is the answer, and that
 * the runner sees it at all. */
#include "support/checking.h"
#include "wire/json.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BRANCHES(...) ((const struct tg_schema *const[]){__VA_ARGS__, NULL})

static struct tg_slice finish(struct tg_buf *json)
{
    tg_buf_append_char(json, '\0');
    assert_false(json->has_failed);
    return (struct tg_slice){json->data, json->length - 1};
}

static void append_repeated(struct tg_buf *json, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) tg_buf_append_slice(json, tg_slice_of(text));
}

/* ---- size ---- */

static void refuses_a_hundred_thousand_brackets_before_any_schema(void **state)
{
    struct checking *fixture = *state;
    struct tg_buf json = {0};
    struct tg_value value;
    append_repeated(&json, "[", 100000);
    assert_int_equal(tg_json_parse(finish(&json), 512, &fixture->arena, &value, NULL), TG_E_TOO_DEEP);
    tg_buf_deinit(&json);
}

static void looks_at_ten_megabytes_of_string(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_buf json = {0};
    tg_buf_append_char(&json, '"');
    append_repeated(&json, "          ", 1000000);
    tg_buf_append_literal(&json, "\"\0");
    string->string.max_length = 10;
    tell_json(fixture, string, json.data, "payload: String should have at most 10 characters");
    string->string.is_trimmed = true;
    accept_json(fixture, string, json.data, "\"\"");
    tg_buf_deinit(&json);
}

static void counts_a_hundred_thousand_keys_that_nobody_declared(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *any = new_schema(fixture, TG_SCHEMA_ANY);
    any->is_optional = true;
    struct tg_schema *object =
        new_object(fixture, TG_ADDITIONAL_FORBID, (struct field[]){{"key1", any}, {"key2", any}}, 2);
    struct tg_buf json = {0};
    for (int i = 0; i < 100000; i++) tg_buf_printf(&json, "%s\"key%d\":0", i ? "," : "{", i);
    tg_buf_append_literal(&json, "}\0");
    fixture->max_errors = 1;
    assert_int_equal(validate_json(fixture, object, json.data), TG_E_INVALID);
    assert_int_equal(fixture->issues.count, 99998);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data,
                        "{\"type\":\"extra_forbidden\",\"loc\":[\"payload\",\"key0\"],\"msg\":\"Extra "
                        "inputs are not permitted; did you mean 'key1'?\"}");
    tg_buf_deinit(&json);
}

static void compares_a_hundred_thousand_items(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *array = new_array(fixture, new_schema(fixture, TG_SCHEMA_ANY));
    struct tg_buf json = {0};
    array->array.is_unique = true;
    for (int i = 0; i < 100000; i++) tg_buf_printf(&json, "%s{\"k\":[%d]}", i ? "," : "[", i);
    tg_buf_append_literal(&json, ",{\"k\":[50000.0]}]\0");
    refuse_json(fixture, array, json.data, "not_unique@[100000]");
    tg_buf_deinit(&json);
}

/* ---- unions ---- */

/* [[[...leaf...]]] */
static void write_nested(struct tg_buf *json, size_t depth, const char *leaf)
{
    append_repeated(json, "[", depth);
    tg_buf_append_slice(json, tg_slice_of(leaf));
    append_repeated(json, "]", depth);
    tg_buf_append_char(json, '\0');
}

/* A node is an array of nodes, or an array of nodes. */
static struct tg_schema *new_doubling(struct checking *fixture, uint32_t max_depth)
{
    struct tg_schema *node = new_ref(fixture, max_depth);
    node->ref.target = new_union(fixture, BRANCHES(new_array(fixture, node), new_array(fixture, node),
                                                   new_schema(fixture, TG_SCHEMA_BOOLEAN)));
    return node;
}

static void bounds_trials_that_double_at_every_level(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *node = new_doubling(fixture, 64);
    struct tg_buf json = {0};
    write_nested(&json, 60, "true");
    assert_int_equal(validate_json(fixture, node, json.data), TG_OK);
    assert_false(fixture->validation.has_hit_steps);
    tg_buf_truncate(&json, 0);
    write_nested(&json, 60, "1");
    refuse_json(fixture, node, json.data, "value_error@[]");
    assert_true(fixture->validation.has_hit_steps);
    tg_buf_truncate(&json, 0);
    write_nested(&json, 5, "1");
    refuse_json(fixture, node, json.data, "list_type@[0,0,0,0,0]");
    assert_false(fixture->validation.has_hit_steps);
    tg_buf_deinit(&json);
}

/* Found by review: only the items of lists were counted, so a client that nested ambiguous branches had each
 * long text below them matched, and each list of anything copied, once for every path that leads there. */
static void counts_what_trials_spend_on_long_texts_and_on_what_is_unique(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *node = new_ref(fixture, 64), *string = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_schema *set = new_array(fixture, new_schema(fixture, TG_SCHEMA_ANY));
    struct tg_schema *holder =
        new_object(fixture, TG_ADDITIONAL_IGNORE, (struct field[]){{"a", string}, {"b", set}}, 2);
    struct tg_buf json = {0};
    string->is_optional = set->is_optional = true;
    string->string.max_length = 10;
    set->array.is_unique = true;
    node->ref.target =
        new_union(fixture, BRANCHES(new_array(fixture, node), new_array(fixture, node), holder));
    append_repeated(&json, "[", 10);
    tg_buf_append_literal(&json, "{\"a\":\"");
    append_repeated(&json, "a", 100000);
    tg_buf_append_literal(&json, "\"}");
    append_repeated(&json, "]", 10);
    tg_buf_append_char(&json, '\0');
    refuse_json(fixture, node, json.data, "value_error@[]");
    assert_true(fixture->validation.has_hit_steps);
    tg_buf_truncate(&json, 0);
    append_repeated(&json, "[", 10);
    tg_buf_append_literal(&json, "{\"b\":[[0");
    append_repeated(&json, ",0", 10000);
    tg_buf_append_literal(&json, "],1,1]}");
    append_repeated(&json, "]", 10);
    tg_buf_append_char(&json, '\0');
    refuse_json(fixture, node, json.data, "value_error@[]");
    assert_true(fixture->validation.has_hit_steps);
    tg_buf_deinit(&json);
}

static void takes_a_long_list_that_two_branches_might_take(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integers = new_array(fixture, new_schema(fixture, TG_SCHEMA_INTEGER));
    struct tg_schema *several =
        new_union(fixture, BRANCHES(integers, new_array(fixture, new_schema(fixture, TG_SCHEMA_STRING))));
    struct tg_buf json = {0};
    tg_buf_append_literal(&json, "[\"a\"");
    append_repeated(&json, ",\"b\"", 200000);
    tg_buf_append_literal(&json, "]\0");
    assert_int_equal(validate_json(fixture, several, json.data), TG_OK);
    tg_buf_deinit(&json);
}

static void ends_references_that_only_lead_to_each_other(void **state)
{
    struct checking *fixture = *state;
    const struct tg_schema *nested = new_schema(fixture, TG_SCHEMA_BOOLEAN);
    const struct tg_schema *any = new_schema(fixture, TG_SCHEMA_ANY);
    for (int i = 0; i < 2000; i++) {
        struct tg_schema *ref = new_ref(fixture, 1);
        ref->ref.target = nested;
        nested = ref;
    }
    assert_int_equal(validate_json(fixture, any, "true"), TG_OK);
    refuse_json(fixture, nested, "true", "value_error@[]");
    assert_true(fixture->validation.has_hit_steps);
}

/* ---- the C stack ---- */

static void *validate_deeply(void *state)
{
    struct checking *fixture = state;
    struct tg_buf json = {0};
    fixture->max_depth = 512;
    struct tg_schema *node = new_doubling(fixture, 1000);
    write_nested(&json, 510, "true");
    assert_int_equal(validate_json(fixture, node, json.data), TG_OK);
    tg_buf_truncate(&json, 0);
    write_nested(&json, 510, "1");
    assert_int_equal(validate_json(fixture, node, json.data), TG_E_INVALID);
    tg_buf_deinit(&json);
    return NULL;
}

static void needs_two_megabytes_of_stack_at_most(void **state)
{
    pthread_attr_t attributes;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&attributes), 0);
    assert_int_equal(pthread_attr_setstacksize(&attributes, 2 << 20), 0);
    assert_int_equal(pthread_create(&thread, &attributes, validate_deeply, *state), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    pthread_attr_destroy(&attributes);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, checking_set_up, checking_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(refuses_a_hundred_thousand_brackets_before_any_schema),
        TEST(looks_at_ten_megabytes_of_string),
        TEST(counts_a_hundred_thousand_keys_that_nobody_declared),
        TEST(compares_a_hundred_thousand_items),
        TEST(bounds_trials_that_double_at_every_level),
        TEST(counts_what_trials_spend_on_long_texts_and_on_what_is_unique),
        TEST(takes_a_long_list_that_two_branches_might_take),
        TEST(ends_references_that_only_lead_to_each_other),
        TEST(needs_two_megabytes_of_stack_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
