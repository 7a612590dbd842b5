/* An object is walked twice: first every member is matched with its declared field, which tells
 * what is missing; then the members are checked in document order, and compacted as they go.
 * Between the two, `key_id` of a member holds the index of its field + 1, or 0.
 *
 * The walk goes on after an issue, so that one answer tells all. Default values are shared by all
 * messages: they are put in, never looked into.
 */
#include "wire/validate.h"

#include "base/utf8.h"

struct walk {
    struct tg_validation *validation;
    struct tg_arena *arena;
    struct tg_issues *issues;
    bool is_out_of_memory;
};

static void add_limit(struct walk *walk, enum tg_issue_type type, const struct tg_path *path,
                      struct tg_value limit)
{
    tg_issue_report(walk->issues, &(struct tg_issue){.type = type, .path = path, .limit = &limit});
}

static void tg_issue_add_integer(struct walk *walk, enum tg_issue_type type, const struct tg_path *path,
                                 int64_t limit)
{
    add_limit(walk, type, path, (struct tg_value){.type = TG_VALUE_INTEGER, .integer = limit});
}

static void tg_issue_add_number(struct walk *walk, enum tg_issue_type type, const struct tg_path *path,
                                double limit)
{
    add_limit(walk, type, path, (struct tg_value){.type = TG_VALUE_NUMBER, .number = limit});
}

static void check(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                  const struct tg_path *path);

/* ---- scalars ---- */

static void check_integer(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                          const struct tg_path *path)
{
    int64_t integer;
    if (!tg_value_to_integer(value, &integer)) {
        tg_issue_add(walk->issues, TG_ISSUE_INT_TYPE, path);
        return;
    }
    value->type = TG_VALUE_INTEGER;
    value->integer = integer;
    if (integer < schema->integer.min)
        tg_issue_add_integer(walk, TG_ISSUE_GREATER_THAN_EQUAL, path, schema->integer.min);
    if (integer > schema->integer.max)
        tg_issue_add_integer(walk, TG_ISSUE_LESS_THAN_EQUAL, path, schema->integer.max);
}

static void check_number(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                         const struct tg_path *path)
{
    if (value->type == TG_VALUE_INTEGER) {
        value->type = TG_VALUE_NUMBER;
        value->number = (double)value->integer;
    }
    if (value->type != TG_VALUE_NUMBER) {
        tg_issue_add(walk->issues, TG_ISSUE_FLOAT_TYPE, path);
        return;
    }
    if (value->number < schema->number.min)
        tg_issue_add_number(walk, TG_ISSUE_GREATER_THAN_EQUAL, path, schema->number.min);
    if (value->number > schema->number.max)
        tg_issue_add_number(walk, TG_ISSUE_LESS_THAN_EQUAL, path, schema->number.max);
}

static void check_string(struct walk *walk, const struct tg_schema *schema, const struct tg_value *value,
                         const struct tg_path *path)
{
    if (value->type != TG_VALUE_STRING) {
        tg_issue_add(walk->issues, TG_ISSUE_STRING_TYPE, path);
        return;
    }
    size_t min = schema->string.min_length, max = schema->string.max_length;
    /* A code point takes one to four bytes: often the bytes alone settle it. */
    if (value->length <= max && value->length / 4 >= min) return;
    size_t length = tg_utf8_count(value->string, value->length);
    if (length < min) tg_issue_add_integer(walk, TG_ISSUE_STRING_TOO_SHORT, path, (int64_t)min);
    if (length > max) tg_issue_add_integer(walk, TG_ISSUE_STRING_TOO_LONG, path, (int64_t)max);
}

/* The declared value takes the place of the one that was sent, so that 1.0 becomes the declared 1. */
static void check_choice(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                         const struct tg_path *path)
{
    for (uint32_t i = 0; i < schema->choice.count; i++) {
        if (!tg_value_equal(value, &schema->choice.values[i])) continue;
        *value = schema->choice.values[i];
        return;
    }
    bool is_literal = schema->kind == TG_SCHEMA_LITERAL;
    tg_issue_report(walk->issues,
                    &(struct tg_issue){.type = is_literal ? TG_ISSUE_LITERAL_ERROR : TG_ISSUE_ENUM,
                                       .path = path,
                                       .text = schema->choice.text,
                                       .got = value});
}

/* ---- arrays and maps ---- */

static void check_array(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                        const struct tg_path *path)
{
    if (value->type != TG_VALUE_ARRAY) {
        tg_issue_add(walk->issues, TG_ISSUE_LIST_TYPE, path);
        return;
    }
    if (value->length < schema->array.min_items)
        tg_issue_add_integer(walk, TG_ISSUE_TOO_SHORT, path, schema->array.min_items);
    if (value->length > schema->array.max_items)
        tg_issue_add_integer(walk, TG_ISSUE_TOO_LONG, path, schema->array.max_items);
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_path step = {.parent = path, .index = i};
        check(walk, schema->array.item, &value->items[i], &step);
    }
}

static void check_map(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                      const struct tg_path *path)
{
    if (value->type != TG_VALUE_OBJECT) {
        tg_issue_add(walk->issues, TG_ISSUE_DICT_TYPE, path);
        return;
    }
    if (value->length > schema->map.max_entries)
        tg_issue_add_integer(walk, TG_ISSUE_DICT_TOO_LONG, path, schema->map.max_entries);
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_path step = {.parent = path, .key = tg_member_key(&value->members[i])};
        check(walk, schema->map.value, &value->members[i].value, &step);
    }
}

/* ---- objects ---- */

/* Puts the index of the field + 1 into each member's key_id; returns how many fields are there. */
static uint32_t match_members(struct walk *walk, const struct tg_schema_object *object,
                              struct tg_value *value)
{
    uint32_t found = 0, hint = 0;
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_member *member = &value->members[i];
        const struct tg_schema_field *field =
            tg_schema_find_field(object, walk->validation->naming, tg_member_key(member), hint);
        if (field) hint = (uint32_t)(field - object->fields) + 1;
        member->key_id = field ? hint : 0;
        found += field != NULL;
    }
    return found;
}

/* One flag per field; NULL without memory. */
static bool *mark_present(struct walk *walk, const struct tg_schema_object *object,
                          const struct tg_value *value)
{
    bool *is_present = tg_arena_calloc(walk->arena, object->count, sizeof *is_present);
    if (!is_present) {
        walk->is_out_of_memory = true;
        return NULL;
    }
    for (uint32_t i = 0; i < value->length; i++)
        if (value->members[i].key_id) is_present[value->members[i].key_id - 1] = true;
    return is_present;
}

/* Reports the required fields among the absent ones; returns how many of them have a default. */
static uint32_t report_missing(struct walk *walk, const struct tg_schema_object *object,
                               const bool *is_present, const struct tg_path *path)
{
    uint32_t defaults = 0;
    for (uint32_t i = 0; i < object->count; i++) {
        const struct tg_schema *field = object->fields[i].schema;
        if (is_present[i]) continue;
        defaults += field->default_value != NULL;
        if (field->default_value || field->is_optional) continue;
        struct tg_path step = {.parent = path, .key = object->fields[i].name};
        tg_issue_add(walk->issues, TG_ISSUE_MISSING, &step);
    }
    return defaults;
}

/* Checks the members and drops those that nobody asked for. */
static void check_members(struct walk *walk, const struct tg_schema_object *object, struct tg_value *value,
                          const struct tg_path *path)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_member *member = &value->members[i];
        struct tg_path step = {.parent = path, .key = tg_member_key(member)};
        if (member->key_id) {
            const struct tg_schema_field *field = &object->fields[member->key_id - 1];
            member->key_id = field->key_id;
            check(walk, field->schema, &member->value, &step);
        } else if (object->additional == TG_ADDITIONAL_FORBID) {
            tg_issue_add(walk->issues, TG_ISSUE_EXTRA_FORBIDDEN, &step);
            continue;
        } else if (object->additional == TG_ADDITIONAL_IGNORE) {
            continue;
        }
        if (kept != i) value->members[kept] = *member;
        kept++;
    }
    value->length = kept;
}

/* The members are as many as they can be, so a longer list needs a place of its own. */
static void add_defaults(struct walk *walk, const struct tg_schema_object *object, struct tg_value *value,
                         const bool *is_present, uint32_t defaults)
{
    size_t count = (size_t)value->length + defaults;
    struct tg_member *members = tg_arena_calloc(walk->arena, count, sizeof *members);
    if (!members) {
        walk->is_out_of_memory = true;
        return;
    }
    if (value->length) memcpy(members, value->members, value->length * sizeof *members);
    for (uint32_t i = 0; i < object->count; i++) {
        const struct tg_schema_field *field = &object->fields[i];
        if (is_present[i] || !field->schema->default_value) continue;
        members[value->length++] = (struct tg_member){.key = field->name.data,
                                                      .key_length = (uint32_t)field->name.length,
                                                      .key_id = field->key_id,
                                                      .value = *field->schema->default_value};
    }
    value->members = members;
}

static void check_object(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                         const struct tg_path *path)
{
    const struct tg_schema_object *object = &schema->object;
    if (value->type != TG_VALUE_OBJECT) {
        tg_issue_add(walk->issues, TG_ISSUE_MODEL_TYPE, path);
        return;
    }
    /* Keys are unique, so as many matches as fields means that all are there. */
    if (match_members(walk, object, value) == object->count) {
        check_members(walk, object, value, path);
        return;
    }
    const bool *is_present = mark_present(walk, object, value);
    if (!is_present) return;
    uint32_t defaults = report_missing(walk, object, is_present, path);
    check_members(walk, object, value, path);
    if (defaults) add_defaults(walk, object, value, is_present, defaults);
}

/* ---- all kinds ---- */

static void check(struct walk *walk, const struct tg_schema *schema, struct tg_value *value,
                  const struct tg_path *path)
{
    if (value->type == TG_VALUE_NULL && schema->is_nullable) return;
    switch (schema->kind) {
    case TG_SCHEMA_ANY:
        break;
    case TG_SCHEMA_NULL:
        if (value->type != TG_VALUE_NULL) tg_issue_add(walk->issues, TG_ISSUE_NONE_REQUIRED, path);
        break;
    case TG_SCHEMA_BOOLEAN:
        if (value->type != TG_VALUE_BOOLEAN) tg_issue_add(walk->issues, TG_ISSUE_BOOL_TYPE, path);
        break;
    case TG_SCHEMA_INTEGER:
        check_integer(walk, schema, value, path);
        break;
    case TG_SCHEMA_NUMBER:
        check_number(walk, schema, value, path);
        break;
    case TG_SCHEMA_STRING:
        check_string(walk, schema, value, path);
        break;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        check_choice(walk, schema, value, path);
        break;
    case TG_SCHEMA_ARRAY:
        check_array(walk, schema, value, path);
        break;
    case TG_SCHEMA_OBJECT:
        check_object(walk, schema, value, path);
        break;
    case TG_SCHEMA_MAP:
        check_map(walk, schema, value, path);
        break;
    case TG_SCHEMA_UNION:
    case TG_SCHEMA_TAGGED:
    case TG_SCHEMA_REF:
        break;
    }
}

enum tg_status tg_validate(const struct tg_schema *schema, struct tg_value *value, const struct tg_path *path,
                           struct tg_validation *validation)
{
    struct walk walk = {.validation = validation, .arena = validation->arena, .issues = validation->issues};
    uint32_t before = validation->issues->count;
    validation->calls = NULL;
    check(&walk, schema, value, path);
    if (walk.is_out_of_memory || tg_buf_status(validation->issues->out) != TG_OK) return TG_E_NO_MEMORY;
    return validation->issues->count == before ? TG_OK : TG_E_INVALID;
}

enum tg_status tg_validate_payload(const struct tg_schema *schema, struct tg_value **payload,
                                   const struct tg_path *path, struct tg_validation *validation)
{
    if (*payload) return tg_validate(schema, *payload, path, validation);
    validation->calls = NULL;
    if (schema->kind == TG_SCHEMA_NULL || schema->kind == TG_SCHEMA_ANY || schema->is_nullable ||
        schema->is_optional)
        return TG_OK;
    if (schema->default_value) {
        *payload = tg_arena_alloc(validation->arena, sizeof **payload);
        if (!*payload) return TG_E_NO_MEMORY;
        **payload = *schema->default_value;
        return TG_OK;
    }
    tg_issue_add(validation->issues, TG_ISSUE_MISSING, path);
    return TG_E_INVALID;
}
