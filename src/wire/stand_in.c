/* Values are made along the schema where the old one had the right type, and from nothing otherwise. How deep
 * a made value goes is bounded, since a schema may contain itself. */
#include "wire/stand_in.h"

#include "base/utf8.h"

enum { DEPTH_MAX = 32, MATCH_STEPS = 10000 };

static enum tg_status make(struct tg_value *value, const struct tg_schema *schema, enum tg_naming naming,
                           struct tg_arena *arena, int depth);

static void set_text(struct tg_value *value, struct tg_slice text)
{
    *value = (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)text.length, .string = text.data};
}

/* ---- texts ---- */

static struct tg_slice format_example(enum tg_format format)
{
    static const struct tg_slice examples[TG_FORMATS] = {
        [TG_FORMAT_EMAIL] = TG_SLICE("a@example.org"),
        [TG_FORMAT_URL] = TG_SLICE("https://example.org/"),
        [TG_FORMAT_UUID] = TG_SLICE("00000000-0000-4000-8000-000000000000"),
        [TG_FORMAT_DATE] = TG_SLICE("2000-01-01"),
        [TG_FORMAT_TIME] = TG_SLICE("00:00:00Z"),
        [TG_FORMAT_DATETIME] = TG_SLICE("2000-01-01T00:00:00Z"),
        [TG_FORMAT_HOSTNAME] = TG_SLICE("example.org"),
        [TG_FORMAT_IPV4] = TG_SLICE("192.0.2.1"),
        [TG_FORMAT_IPV6] = TG_SLICE("2001:db8::1"),
    };
    return examples[format];
}

static bool is_right(const struct tg_schema *schema, struct tg_slice text)
{
    const struct tg_pattern *pattern = schema->string.pattern;
    return tg_format_matches(schema->string.format, text) &&
           (!pattern || tg_pattern_match(pattern, text, MATCH_STEPS) == TG_OK);
}

/* One character, again and again. */
static enum tg_status repeat(struct tg_value *value, char character, size_t length, struct tg_arena *arena)
{
    char *text = tg_arena_alloc(arena, length + 1);
    if (!text) return TG_E_NO_MEMORY;
    memset(text, character, length);
    set_text(value, (struct tg_slice){text, length});
    return TG_OK;
}

/* `length`: in characters. */
static enum tg_status make_string(struct tg_value *value, const struct tg_schema *schema, size_t length,
                                  struct tg_arena *arena)
{
    static const char characters[] = {'*', 'a', 'A', '0', 'f', '-'};
    if (schema && schema->string.format != TG_FORMAT_NONE) {
        set_text(value, format_example(schema->string.format));
        if (is_right(schema, tg_value_string(value))) return TG_OK;
    }
    for (size_t i = 0; i < sizeof characters; i++) {
        if (repeat(value, characters[i], length, arena) != TG_OK) return TG_E_NO_MEMORY;
        if (!schema || is_right(schema, tg_value_string(value))) return TG_OK;
    }
    const struct tg_value *given = schema->default_value;
    if (given && given->type == TG_VALUE_STRING) {
        *value = *given;
        return TG_OK;
    }
    return repeat(value, '*', length, arena);
}

/* ---- numbers ---- */

static void make_integer(struct tg_value *value, const struct tg_schema *schema)
{
    int64_t number = 0, step = schema->integer.multiple_of > 0 ? schema->integer.multiple_of : 1;
    int64_t least = schema->integer.min + (schema->integer.is_above_min ? 1 : 0);
    int64_t most = schema->integer.max - (schema->integer.is_below_max ? 1 : 0);
    if (least > 0) number = least % step ? least + (step - least % step) : least;
    if (most < 0) number = most - most % step;
    *value = (struct tg_value){.type = TG_VALUE_INTEGER, .integer = number};
}

static void make_number(struct tg_value *value, const struct tg_schema *schema)
{
    double number = 0, step = schema->number.multiple_of;
    double least = schema->number.min, most = schema->number.max;
    if (least > 0 || (least == 0 && schema->number.is_above_min)) number = least;
    if (most < 0 || (most == 0 && schema->number.is_below_max)) number = most;
    if (step > 0 && number != 0)
        number = (double)(int64_t)(number / step) * step + (number > 0 ? step : -step);
    bool is_limit =
        (schema->number.is_above_min && number == least) || (schema->number.is_below_max && number == most);
    if (is_limit && step <= 0)
        number = number == least ? (most < least + 2 ? (least + most) / 2 : least + 1) : number - 1;
    *value = (struct tg_value){.type = TG_VALUE_NUMBER, .number = number};
}

/* ---- what holds others ---- */

static enum tg_status make_array(struct tg_value *value, const struct tg_schema *schema,
                                 enum tg_naming naming, struct tg_arena *arena, int depth)
{
    uint32_t count = schema->array.min_items;
    struct tg_value *items = tg_arena_calloc(arena, count ? count : 1, sizeof *items);
    enum tg_status status = items ? TG_OK : TG_E_NO_MEMORY;
    for (uint32_t i = 0; i < count && status == TG_OK; i++)
        status = make(&items[i], schema->array.item, naming, arena, depth);
    *value = (struct tg_value){.type = TG_VALUE_ARRAY, .length = count, .items = items};
    return status;
}

/* What must be there. */
static enum tg_status make_object(struct tg_value *value, const struct tg_schema *schema,
                                  enum tg_naming naming, struct tg_arena *arena, int depth)
{
    const struct tg_schema_object *object = &schema->object;
    struct tg_member *members = tg_arena_calloc(arena, object->count + 1, sizeof *members);
    enum tg_status status = members ? TG_OK : TG_E_NO_MEMORY;
    uint32_t count = 0;
    for (uint32_t i = 0; i < object->count && status == TG_OK; i++) {
        const struct tg_schema_field *field = &object->fields[i];
        const struct tg_schema *kind = field->schema;
        if (kind->is_optional || kind->default_value || kind->script_default) continue;
        struct tg_member *member = &members[count++];
        member->key = field->wire[naming].text.data;
        member->key_length = (uint32_t)field->wire[naming].text.length;
        status = make(&member->value, kind, naming, arena, depth);
    }
    *value = (struct tg_value){.type = TG_VALUE_OBJECT, .length = count, .members = members};
    return status;
}

static enum tg_status make_tagged(struct tg_value *value, const struct tg_schema *schema,
                                  enum tg_naming naming, struct tg_arena *arena, int depth)
{
    enum tg_status status = make(value, schema->tagged.branches[0], naming, arena, depth);
    for (uint32_t i = 0; status == TG_OK && i < value->length; i++)
        if (tg_slice_equal(tg_member_key(&value->members[i]), schema->tagged.tag.wire[naming].text))
            value->members[i].value = schema->tagged.tags[0];
    return status;
}

/* The least that the schema accepts. */
static enum tg_status make(struct tg_value *value, const struct tg_schema *schema, enum tg_naming naming,
                           struct tg_arena *arena, int depth)
{
    *value = (struct tg_value){.type = TG_VALUE_NULL};
    if (schema->is_nullable || depth == DEPTH_MAX) return TG_OK;
    switch (schema->kind) {
    case TG_SCHEMA_BOOLEAN:
        value->type = TG_VALUE_BOOLEAN;
        return TG_OK;
    case TG_SCHEMA_INTEGER:
        make_integer(value, schema);
        return TG_OK;
    case TG_SCHEMA_NUMBER:
        make_number(value, schema);
        return TG_OK;
    case TG_SCHEMA_STRING:
        return make_string(value, schema, schema->string.min_length, arena);
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        *value = schema->choice.values[0];
        return TG_OK;
    case TG_SCHEMA_ARRAY:
        return make_array(value, schema, naming, arena, depth + 1);
    case TG_SCHEMA_OBJECT:
        return make_object(value, schema, naming, arena, depth + 1);
    case TG_SCHEMA_MAP:
        *value = (struct tg_value){.type = TG_VALUE_OBJECT};
        return TG_OK;
    case TG_SCHEMA_UNION:
        return make(value, schema->alternatives.branches[0], naming, arena, depth + 1);
    case TG_SCHEMA_TAGGED:
        return make_tagged(value, schema, naming, arena, depth + 1);
    case TG_SCHEMA_REF:
        return make(value, schema->ref.target, naming, arena, depth + 1);
    default:
        return TG_OK;
    }
}

/* ---- the replacement ---- */

/* Nothing but the type is left. */
static enum tg_status blank(struct tg_value *value, struct tg_arena *arena)
{
    struct tg_value old = *value;
    *value = (struct tg_value){.type = old.type};
    if (old.type != TG_VALUE_STRING) return TG_OK;
    return make_string(value, NULL, tg_utf8_count(old.string, old.length), arena);
}

static bool has_type(const struct tg_value *value, const struct tg_schema *schema)
{
    int64_t integer;
    switch (schema->kind) {
    case TG_SCHEMA_INTEGER:
        return tg_value_to_integer(value, &integer);
    case TG_SCHEMA_NUMBER:
        return value->type == TG_VALUE_INTEGER || value->type == TG_VALUE_NUMBER;
    case TG_SCHEMA_ARRAY:
        return value->type == TG_VALUE_ARRAY;
    case TG_SCHEMA_OBJECT:
    case TG_SCHEMA_TAGGED:
        return value->type == TG_VALUE_OBJECT;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        for (uint32_t i = 0; i < schema->choice.count; i++)
            if (tg_value_equal(value, &schema->choice.values[i])) return true;
        return false;
    default:
        return false;
    }
}

enum tg_status tg_stand_in(struct tg_value *value, const struct tg_schema *schema, enum tg_naming naming,
                           struct tg_arena *arena)
{
    if (value->type == TG_VALUE_NULL) return TG_OK;
    for (int depth = 0; schema && schema->kind == TG_SCHEMA_REF && depth < DEPTH_MAX; depth++)
        schema = schema->ref.target;
    if (schema && schema->kind == TG_SCHEMA_STRING && value->type == TG_VALUE_STRING)
        return make_string(value, schema, tg_utf8_count(value->string, value->length), arena);
    if (!schema || !has_type(value, schema)) return blank(value, arena);
    struct tg_schema required = *schema;
    required.is_nullable = false;
    return make(value, &required, naming, arena, 0);
}
