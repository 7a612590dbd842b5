/* Fields are found by trying the hint, then by halving `by_name` of the naming in use. A name without "_" is
 * the same in both namings and shares its texts. */
#include "wire/schema.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "wire/json.h"

#include <math.h>
#include <stdlib.h>

/* A union that takes more steps to look through is taken for one that never ends. */
enum { REF_STEPS = 10000 };

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
        schema->integer.multiple_of = 1;
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

/* ---- names on the wire ---- */

static bool is_word(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9');
}

struct tg_slice tg_schema_camel_name(struct tg_arena *arena, struct tg_slice name)
{
    char *camel = tg_arena_alloc(arena, name.length + 1);
    if (!camel) return (struct tg_slice){0};
    size_t length = 0;
    for (size_t i = 0; i < name.length; i++) {
        bool joins = name.data[i] == '_' && i > 0 && i + 1 < name.length && is_word(name.data[i - 1]) &&
                     is_word(name.data[i + 1]);
        if (joins) i++;
        camel[length] = name.data[i];
        if (joins && name.data[i] >= 'a' && name.data[i] <= 'z')
            camel[length] = (char)(name.data[i] - 'a' + 'A');
        length++;
    }
    camel[length] = '\0';
    return (struct tg_slice){camel, length};
}

/* `"name":`, once instead of with each message. */
static enum tg_status write_head(struct tg_arena *arena, struct tg_wire_name *name)
{
    struct tg_buf text;
    tg_buf_init(&text);
    tg_json_write_string(&text, name->text);
    tg_buf_append_char(&text, ':');
    name->head = text.has_failed ? (struct tg_slice){0} : tg_arena_copy(arena, tg_buf_peek(&text));
    tg_buf_deinit(&text);
    return name->head.data ? TG_OK : TG_E_NO_MEMORY;
}

static enum tg_status seal_field(struct tg_arena *arena, struct tg_schema_field *field)
{
    struct tg_wire_name *declared = &field->wire[TG_NAMING_DECLARED], *camel = &field->wire[TG_NAMING_CAMEL];
    declared->text = field->name;
    enum tg_status status = write_head(arena, declared);
    if (status != TG_OK) return status;
    *camel = *declared;
    if (!field->name.length || !memchr(field->name.data, '_', field->name.length)) return TG_OK;
    camel->text = tg_schema_camel_name(arena, field->name);
    return camel->text.data ? write_head(arena, camel) : TG_E_NO_MEMORY;
}

/* ---- objects ---- */

struct sorting {
    const struct tg_schema_field *fields;
    enum tg_naming naming;
};

static int compare_names(const void *a, const void *b, void *context)
{
    const struct sorting *sorting = context;
    return tg_slice_compare(sorting->fields[*(const uint32_t *)a].wire[sorting->naming].text,
                            sorting->fields[*(const uint32_t *)b].wire[sorting->naming].text);
}

/* Sorts the fields by their names in one naming. `clash` gets two that have the same, if any do. */
static enum tg_status sort_names(struct tg_arena *arena, struct tg_schema_object *object,
                                 enum tg_naming naming, uint32_t clash[2])
{
    uint32_t *order = tg_arena_calloc(arena, object->count ? object->count : 1, sizeof *order);
    if (!order) return TG_E_NO_MEMORY;
    struct sorting sorting = {object->fields, naming};
    for (uint32_t i = 0; i < object->count; i++) order[i] = i;
    qsort_r(order, object->count, sizeof *order, compare_names, &sorting);
    object->by_name[naming] = order;
    for (uint32_t i = 1; i < object->count && clash[0] == clash[1]; i++)
        if (compare_names(&order[i - 1], &order[i], &sorting) == 0) {
            clash[0] = order[i - 1] < order[i] ? order[i - 1] : order[i];
            clash[1] = order[i - 1] < order[i] ? order[i] : order[i - 1];
        }
    return TG_OK;
}

enum tg_status tg_schema_seal_object(struct tg_arena *arena, struct tg_schema *schema, struct tg_error *error)
{
    struct tg_schema_object *object = &schema->object;
    enum tg_status status = TG_OK;
    for (uint32_t i = 0; i < object->count && status == TG_OK; i++) {
        struct tg_slice name = object->fields[i].name;
        if (!tg_utf8_is_valid(name.data, name.length))
            return tg_error_set(error, TG_E_UTF8, "the name of field %u is not UTF-8", (unsigned)i + 1);
        status = seal_field(arena, &object->fields[i]);
    }
    uint32_t twice[2] = {0, 0};
    if (status == TG_OK) status = sort_names(arena, object, TG_NAMING_DECLARED, twice);
    if (status == TG_OK) status = sort_names(arena, object, TG_NAMING_CAMEL, object->clash);
    if (status != TG_OK) return tg_error_set(error, status, "out of memory");
    if (twice[0] == twice[1]) return TG_OK;
    return tg_error_set(error, TG_E_EXISTS, "field \"%.*s\" is declared twice",
                        TG_SLICE_ARG(object->fields[twice[0]].name));
}

const struct tg_schema_field *tg_schema_find_field(const struct tg_schema_object *object,
                                                   enum tg_naming naming, struct tg_slice name, uint32_t hint)
{
    const struct tg_schema_field *fields = object->fields;
    if (hint < object->count && tg_slice_equal(fields[hint].wire[naming].text, name)) return &fields[hint];
    uint32_t low = 0, high = object->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct tg_schema_field *field = &fields[object->by_name[naming][middle]];
        int order = tg_slice_compare(name, field->wire[naming].text);
        if (order == 0) return field;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* ---- choices ---- */

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

/* "'red', 'green' or 3" in the arena; empty without memory, TG_E_UTF8 for text that is not. */
static enum tg_status write_choices(struct tg_arena *arena, const struct tg_value *values, uint32_t count,
                                    struct tg_slice last, struct tg_slice *text)
{
    struct tg_buf written;
    tg_buf_init(&written);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) tg_buf_append_slice(&written, i + 1 < count ? TG_SLICE(", ") : last);
        write_choice(&written, &values[i]);
    }
    enum tg_status status = tg_buf_status(&written);
    if (status == TG_OK && !tg_utf8_is_valid(written.data, written.length)) status = TG_E_UTF8;
    if (status == TG_OK) {
        *text = tg_arena_copy(arena, tg_buf_peek(&written));
        if (!text->data) status = TG_E_NO_MEMORY;
    }
    tg_buf_deinit(&written);
    return status;
}

enum tg_status tg_schema_seal_choice(struct tg_arena *arena, struct tg_schema *schema)
{
    return write_choices(arena, schema->choice.values, schema->choice.count, TG_SLICE(" or "),
                         &schema->choice.text);
}

enum tg_status tg_schema_seal_tagged(struct tg_arena *arena, struct tg_schema *schema)
{
    enum tg_status status = seal_field(arena, &schema->tagged.tag);
    if (status != TG_OK) return status;
    return write_choices(arena, schema->tagged.tags, schema->tagged.count, TG_SLICE(", "),
                         &schema->tagged.text);
}

/* ---- references ---- */

/* Whether `wanted` is reached from `schema` without a value in between. `steps` bounds the walk. */
static bool reaches(const struct tg_schema *schema, const struct tg_schema *wanted, uint32_t *steps)
{
    if (schema == wanted || ++*steps > REF_STEPS) return true;
    if (schema->kind == TG_SCHEMA_REF)
        return schema->ref.target && reaches(schema->ref.target, wanted, steps);
    if (schema->kind != TG_SCHEMA_UNION) return false;
    for (uint32_t i = 0; i < schema->alternatives.count; i++)
        if (reaches(schema->alternatives.branches[i], wanted, steps)) return true;
    return false;
}

enum tg_status tg_schema_check_ref(const struct tg_schema *ref)
{
    uint32_t steps = 0;
    return ref->ref.target && reaches(ref->ref.target, ref, &steps) ? TG_E_TOO_DEEP : TG_OK;
}
