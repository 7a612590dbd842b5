/* A message through the envelope and a schema, as core/dispatch sends it. The first byte chooses the
 * schema of the payload, the second how many issues are told; the rest is the text.
 *
 * Whatever is answered must be strict JSON, and what was found right must be right a second time.
 */
#include "wire/json.h"
#include "wire/message.h"
#include "wire/validate.h"

#include <stdint.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32, SCHEMAS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) abort();
}

/* ---- schemas that have every kind ---- */

static const struct tg_value choices[] = {
    {.type = TG_VALUE_STRING, .length = 1, .string = "a"},
    {.type = TG_VALUE_INTEGER, .integer = 1},
    {.type = TG_VALUE_NUMBER, .number = 2.5},
    {.type = TG_VALUE_NULL},
};

static struct tg_schema *new_choice(struct tg_arena *arena, uint32_t count)
{
    struct tg_schema *schema = tg_schema_new(arena, count == 1 ? TG_SCHEMA_LITERAL : TG_SCHEMA_ENUM);
    schema->choice.values = choices;
    schema->choice.count = count;
    require(tg_schema_seal_choice(arena, schema) == TG_OK);
    return schema;
}

static struct tg_schema *new_scalar(struct tg_arena *arena, enum tg_schema_kind kind)
{
    struct tg_schema *schema = tg_schema_new(arena, kind);
    if (kind == TG_SCHEMA_STRING) {
        schema->string.min_length = 1;
        schema->string.max_length = 4;
    } else if (kind == TG_SCHEMA_INTEGER) {
        schema->integer.min = -3;
        schema->integer.max = 100;
    } else if (kind == TG_SCHEMA_NUMBER) {
        schema->number.min = -0.5;
        schema->number.max = 1;
        schema->is_nullable = true;
    }
    return schema;
}

static struct tg_schema *new_array(struct tg_arena *arena, const struct tg_schema *item)
{
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_ARRAY);
    schema->array.item = item;
    schema->array.min_items = 1;
    schema->array.max_items = 3;
    return schema;
}

static struct tg_schema *new_map(struct tg_arena *arena, const struct tg_schema *value)
{
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_MAP);
    schema->map.value = value;
    schema->map.max_entries = 2;
    return schema;
}

/* Fields s, i, n, b, x, l, e: some optional, some with a default. */
static struct tg_schema *new_object(struct tg_arena *arena, enum tg_additional additional,
                                    const struct tg_schema *inner)
{
    struct tg_schema *l = new_scalar(arena, TG_SCHEMA_INTEGER), *e = new_choice(arena, 4);
    l->is_optional = true;
    e->default_value = &choices[0];
    const struct tg_schema *schemas[] = {new_scalar(arena, TG_SCHEMA_STRING),
                                         new_scalar(arena, TG_SCHEMA_NUMBER),
                                         new_scalar(arena, TG_SCHEMA_BOOLEAN),
                                         inner,
                                         l,
                                         e};
    static const struct tg_slice names[] = {{"s", 1}, {"n", 1}, {"b", 1}, {"x", 1}, {"l", 1}, {"e", 1}};
    struct tg_schema *schema = tg_schema_new(arena, TG_SCHEMA_OBJECT);
    schema->object.additional = additional;
    schema->object.count = 6;
    schema->object.fields = tg_arena_calloc(arena, 6, sizeof *schema->object.fields);
    for (uint32_t i = 0; i < 6; i++)
        schema->object.fields[i] =
            (struct tg_schema_field){.name = names[i], .key_id = i + 1, .schema = schemas[i]};
    require(tg_schema_seal_object(arena, schema, NULL) == TG_OK);
    return schema;
}

static const struct tg_schema *choose_schema(struct tg_arena *arena, unsigned which)
{
    struct tg_schema *string = new_scalar(arena, TG_SCHEMA_STRING);
    struct tg_schema *integer = new_scalar(arena, TG_SCHEMA_INTEGER);
    struct tg_schema *strict = new_object(arena, TG_ADDITIONAL_FORBID, integer);
    switch (which % SCHEMAS) {
    case 0:
        return tg_schema_new(arena, TG_SCHEMA_ANY);
    case 1:
        return tg_schema_new(arena, TG_SCHEMA_NULL);
    case 2:
        return new_choice(arena, 1);
    case 3:
        return new_array(arena, new_map(arena, string));
    case 4:
        return new_map(arena, new_array(arena, new_choice(arena, 3)));
    case 5:
        return strict;
    case 6:
        return new_object(arena, TG_ADDITIONAL_ALLOW, new_array(arena, strict));
    default:
        return new_object(arena, TG_ADDITIONAL_IGNORE, new_map(arena, strict));
    }
}

/* ---- the way of a message ---- */

static void require_json(struct tg_slice frame)
{
    struct tg_arena arena;
    struct tg_value value;
    tg_arena_init(&arena, 0);
    require(tg_json_parse(frame, MAX_DEPTH + 8, &arena, &value, NULL) == TG_OK);
    require(value.type == TG_VALUE_OBJECT);
    tg_arena_deinit(&arena);
}

static void check_payload(const struct tg_schema *schema, struct tg_envelope *envelope,
                          struct tg_arena *arena, struct tg_issues *issues)
{
    struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_buf frame;
    struct tg_validation validation = {.arena = arena, .issues = issues, .max_steps = 1000};
    if (!envelope->payload || tg_validate(schema, envelope->payload, &path, &validation) != TG_OK) return;
    tg_buf_init(&frame);
    tg_buf_append_literal(&frame, "{\"payload\":");
    tg_json_write_value(&frame, envelope->payload);
    tg_message_write_ref(&frame, &envelope->ref);
    tg_buf_append_char(&frame, '}');
    require_json(tg_buf_peek(&frame));
    tg_buf_deinit(&frame);
    require(tg_validate(schema, envelope->payload, &path, &validation) == TG_OK);
}

static void answer(struct tg_slice items, const struct tg_envelope *envelope, struct tg_slice text)
{
    struct tg_buf frame;
    tg_buf_init(&frame);
    tg_message_write_issues(&frame, items, &envelope->ref);
    require_json(tg_buf_peek(&frame));
    tg_buf_truncate(&frame, 0);
    /* The raw text stands for what a script may say: any bytes. */
    struct tg_detail detail = {.code = TG_SLICE("code"), .detail = text, .file = envelope->action, .line = 1};
    tg_message_write_detail(&frame, &detail, &envelope->ref);
    require_json(tg_buf_peek(&frame));
    tg_buf_deinit(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    struct tg_arena arena;
    struct tg_buf items;
    struct tg_issues issues;
    struct tg_value message;
    struct tg_error error;
    struct tg_envelope envelope = {0};
    struct tg_slice text = {(const char *)data + 2, size - 2};
    tg_arena_init(&arena, 0);
    tg_buf_init(&items);
    tg_issues_init(&issues, &items, data[1] % 8);
    const struct tg_schema *schema = choose_schema(&arena, data[0]);
    if (tg_json_parse(text, MAX_DEPTH, &arena, &message, &error) != TG_OK)
        tg_issue_report(&issues,
                        &(struct tg_issue){.type = TG_ISSUE_JSON_INVALID, .text = tg_slice_of(error.text)});
    else if (tg_envelope_read(&message, &envelope, NULL, &issues) == TG_OK)
        check_payload(schema, &envelope, &arena, &issues);
    tg_issues_finish(&issues);
    answer(tg_buf_peek(&items), &envelope, text);
    tg_buf_deinit(&items);
    tg_arena_deinit(&arena);
    return 0;
}
