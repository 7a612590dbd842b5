#include "support/checking.h"

#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct tg_path root = {.key = {"payload", 7}};

int checking_set_up(void **state)
{
    struct checking *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    tg_arena_init(&fixture->arena, 0);
    tg_patterns_init(&fixture->patterns, 100000);
    fixture->max_errors = 10;
    fixture->max_depth = 64;
    fixture->validation.max_steps = 100000;
    *state = fixture;
    return 0;
}

int checking_tear_down(void **state)
{
    struct checking *fixture = *state;
    tg_patterns_deinit(&fixture->patterns);
    tg_arena_deinit(&fixture->arena);
    tg_buf_deinit(&fixture->out);
    free(fixture);
    return 0;
}

static enum tg_status validate_as(struct checking *fixture, const struct tg_schema *schema, const char *json,
                                  enum tg_issue_style style)
{
    tg_buf_truncate(&fixture->out, 0);
    tg_issues_init(&fixture->issues, &fixture->out, fixture->max_errors);
    fixture->issues.style = style;
    fixture->validation.arena = &fixture->arena;
    fixture->validation.issues = &fixture->issues;
    assert_int_equal(
        tg_json_parse(tg_slice_of(json), fixture->max_depth, &fixture->arena, &fixture->value, NULL), TG_OK);
    return tg_validate(schema, &fixture->value, &root, &fixture->validation);
}

enum tg_status validate_json(struct checking *fixture, const struct tg_schema *schema, const char *json)
{
    return validate_as(fixture, schema, json, TG_ISSUE_JSON);
}

void accept_json(struct checking *fixture, const struct tg_schema *schema, const char *json,
                 const char *prepared)
{
    if (validate_json(fixture, schema, json) != TG_OK)
        fail_msg("%s: %.*s", json, TG_SLICE_ARG(tg_buf_peek(&fixture->out)));
    assert_int_equal(fixture->out.length, 0);
    tg_json_write_value(&fixture->out, &fixture->value);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, prepared);
}

/* One item of an error frame as `type@loc`. */
static void write_short(struct checking *fixture, struct tg_buf *out, const struct tg_value *issue)
{
    struct tg_value loc = *tg_value_get(issue, TG_SLICE("loc"));
    assert_string_equal("payload", tg_arena_copy(&fixture->arena, tg_value_string(&loc.items[0])).data);
    loc.items++;
    loc.length--;
    tg_buf_append_slice(out, tg_value_string(tg_value_get(issue, TG_SLICE("type"))));
    tg_buf_append_char(out, '@');
    tg_json_write_value(out, &loc);
}

void refuse_json(struct checking *fixture, const struct tg_schema *schema, const char *json,
                 const char *issues)
{
    assert_int_equal(validate_json(fixture, schema, json), TG_E_INVALID);
    assert_null(fixture->validation.calls);
    struct tg_buf list = {0}, short_form = {0};
    struct tg_value value;
    tg_buf_printf(&list, "[%.*s]", TG_SLICE_ARG(tg_buf_peek(&fixture->out)));
    assert_int_equal(tg_json_parse(tg_buf_peek(&list), 64, &fixture->arena, &value, NULL), TG_OK);
    assert_int_equal(value.length, fixture->issues.count);
    for (uint32_t i = 0; i < value.length; i++) {
        if (i) tg_buf_append_char(&short_form, ' ');
        write_short(fixture, &short_form, &value.items[i]);
    }
    tg_buf_append_char(&short_form, '\0');
    assert_string_equal(short_form.data, issues);
    tg_buf_deinit(&list);
    tg_buf_deinit(&short_form);
}

void tell_json(struct checking *fixture, const struct tg_schema *schema, const char *json, const char *text)
{
    assert_int_equal(validate_as(fixture, schema, json, TG_ISSUE_TEXT), TG_E_INVALID);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, text);
}

void expect_calls(struct checking *fixture, const char *calls)
{
    struct tg_buf list = {0};
    for (const struct tg_call *call = fixture->validation.calls; call; call = call->next) {
        if (list.length) tg_buf_append_literal(&list, "; ");
        tg_buf_append_slice(&list, call->is_default ? TG_SLICE("default ") : TG_SLICE("check "));
        tg_path_write(&list, call->path);
    }
    tg_buf_append_char(&list, '\0');
    assert_string_equal(list.data, calls);
    tg_buf_deinit(&list);
}

/* ---- schemas ---- */

struct tg_schema *new_schema(struct checking *fixture, enum tg_schema_kind kind)
{
    struct tg_schema *schema = tg_schema_new(&fixture->arena, kind);
    assert_non_null(schema);
    return schema;
}

struct tg_schema *new_choice(struct checking *fixture, const struct tg_value *values, uint32_t count)
{
    struct tg_schema *schema = new_schema(fixture, count == 1 ? TG_SCHEMA_LITERAL : TG_SCHEMA_ENUM);
    schema->choice.values = values;
    schema->choice.count = count;
    assert_int_equal(tg_schema_seal_choice(&fixture->arena, schema), TG_OK);
    return schema;
}

struct tg_schema *new_array(struct checking *fixture, const struct tg_schema *item)
{
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_ARRAY);
    schema->array.item = item;
    return schema;
}

struct tg_schema *new_union(struct checking *fixture, const struct tg_schema *const *branches)
{
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_UNION);
    uint32_t count = 0;
    while (branches[count]) count++;
    schema->alternatives.branches = tg_arena_calloc(&fixture->arena, count, sizeof *branches);
    assert_non_null(schema->alternatives.branches);
    for (uint32_t i = 0; i < count; i++) schema->alternatives.branches[i] = branches[i];
    schema->alternatives.count = count;
    return schema;
}

struct tg_schema *new_ref(struct checking *fixture, uint32_t max_depth)
{
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_REF);
    schema->ref.max_depth = max_depth;
    return schema;
}

struct tg_schema *new_object(struct checking *fixture, enum tg_additional additional,
                             const struct field *fields, uint32_t count)
{
    struct tg_schema *schema = new_schema(fixture, TG_SCHEMA_OBJECT);
    schema->object.additional = additional;
    schema->object.count = count;
    schema->object.fields = tg_arena_calloc(&fixture->arena, count, sizeof *schema->object.fields);
    assert_non_null(schema->object.fields);
    for (uint32_t i = 0; i < count; i++)
        schema->object.fields[i] = (struct tg_schema_field){
            .name = tg_slice_of(fields[i].name), .key_id = 100 + i, .schema = fields[i].schema};
    assert_int_equal(tg_schema_seal_object(&fixture->arena, schema, NULL), TG_OK);
    return schema;
}
