/* Fields are found by trying the hint, then by halving `by_name`. */
#include "wire/schema.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/json.h"

#include <math.h>
#include <stdlib.h>

static const struct tg_schema any = {.kind = TG_SCHEMA_ANY};

struct tg_schema *tg_schema_new(struct tg_arena *arena, enum tg_schema_kind kind)
{
    struct tg_schema *schema = tg_arena_calloc(arena, 1, sizeof *schema);
    if (!schema) return NULL;
    schema->kind = kind;
    switch (kind) {
    case TG_SCHEMA_INTEGER:
        schema->integer.min = INT64_MIN;
        schema->integer.max = INT64_MAX;
        break;
    case TG_SCHEMA_NUMBER:
        schema->number.min = -INFINITY;
        schema->number.max = INFINITY;
        break;
    case TG_SCHEMA_STRING:
        schema->string.max_length = SIZE_MAX;
        break;
    case TG_SCHEMA_ARRAY:
        schema->array.item = &any;
        schema->array.max_items = UINT32_MAX;
        break;
    case TG_SCHEMA_MAP:
        schema->map.value = &any;
        schema->map.max_entries = UINT32_MAX;
        break;
    default:
        break;
    }
    return schema;
}

static int compare_names(const void *a, const void *b, void *context)
{
    const struct tg_schema_field *fields = context;
    return tg_slice_compare(fields[*(const uint32_t *)a].name, fields[*(const uint32_t *)b].name);
}

static enum tg_status check_names(const struct tg_schema_object *object, struct tg_error *error)
{
    for (uint32_t i = 0; i < object->count; i++) {
        struct tg_slice name = object->fields[i].name;
        if (!tg_utf8_is_valid(name.data, name.length))
            return tg_error_set(error, TG_E_UTF8, "the name of field %u is not UTF-8", (unsigned)i + 1);
    }
    for (uint32_t i = 1; i < object->count; i++) {
        struct tg_slice name = object->fields[object->by_name[i]].name;
        if (tg_slice_equal(name, object->fields[object->by_name[i - 1]].name))
            return tg_error_set(error, TG_E_EXISTS, "field \"%.*s\" is declared twice", TG_SLICE_ARG(name));
    }
    return TG_OK;
}

/* `"name":` for each field, once instead of with each message. */
static enum tg_status write_heads(struct tg_arena *arena, struct tg_schema_object *object)
{
    struct tg_buf text;
    tg_buf_init(&text);
    for (uint32_t i = 0; i < object->count; i++) {
        struct tg_schema_field *field = &object->fields[i];
        tg_buf_truncate(&text, 0);
        tg_json_write_string(&text, field->name);
        tg_buf_append_char(&text, ':');
        if (!text.has_failed) field->head = tg_arena_copy(arena, tg_buf_peek(&text));
        if (!field->head.data) break;
    }
    tg_buf_deinit(&text);
    return object->count == 0 || object->fields[object->count - 1].head.data ? TG_OK : TG_E_NO_MEMORY;
}

enum tg_status tg_schema_seal_object(struct tg_arena *arena, struct tg_schema *schema, struct tg_error *error)
{
    struct tg_schema_object *object = &schema->object;
    object->by_name = tg_arena_calloc(arena, object->count, sizeof *object->by_name);
    if (!object->by_name) return tg_error_set(error, TG_E_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < object->count; i++) object->by_name[i] = i;
    qsort_r(object->by_name, object->count, sizeof *object->by_name, compare_names, object->fields);
    enum tg_status status = check_names(object, error);
    if (status != TG_OK) return status;
    status = write_heads(arena, object);
    return status == TG_OK ? TG_OK : tg_error_set(error, status, "out of memory");
}

static void write_choice(struct tg_buf *out, const struct tg_value *value)
{
    if (value->type != TG_VALUE_STRING) {
        tg_json_write_value(out, value);
        return;
    }
    tg_buf_append_char(out, '\'');
    tg_buf_append_slice(out, tg_value_string(value));
    tg_buf_append_char(out, '\'');
}

enum tg_status tg_schema_seal_choice(struct tg_arena *arena, struct tg_schema *schema)
{
    uint32_t count = schema->choice.count;
    struct tg_buf text;
    tg_buf_init(&text);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) tg_buf_append_slice(&text, i + 1 < count ? TG_SLICE(", ") : TG_SLICE(" or "));
        write_choice(&text, &schema->choice.values[i]);
    }
    enum tg_status status = tg_buf_status(&text);
    if (status == TG_OK && !tg_utf8_is_valid(text.data, text.length)) status = TG_E_UTF8;
    if (status == TG_OK) {
        schema->choice.text = tg_arena_copy(arena, tg_buf_peek(&text));
        if (!schema->choice.text.data) status = TG_E_NO_MEMORY;
    }
    tg_buf_deinit(&text);
    return status;
}

const struct tg_schema_field *tg_schema_find_field(const struct tg_schema_object *object,
                                                   struct tg_slice name, uint32_t hint)
{
    if (hint < object->count && tg_slice_equal(object->fields[hint].name, name)) return &object->fields[hint];
    uint32_t low = 0, high = object->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct tg_schema_field *field = &object->fields[object->by_name[middle]];
        int order = tg_slice_compare(name, field->name);
        if (order == 0) return field;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}
