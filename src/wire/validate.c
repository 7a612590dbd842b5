/* The walk over lists and references; objects, scalars and unions have files of their own.
 *
 * The walk goes on after an issue, so that one answer tells all. Default values are shared by all
 * messages: they are put in, never looked into.
 */
#include "wire/validate.h"

#include "wire/validate_walk.h"

/* ---- arrays ---- */

static void check_count(struct tg_walk *walk, const struct tg_value *value, const struct tg_path *path,
                        uint32_t min, uint32_t max)
{
    bool is_array = value->type == TG_VALUE_ARRAY;
    if (value->length < min)
        tg_walk_refuse_limit(walk, is_array ? TG_ISSUE_TOO_SHORT : TG_ISSUE_DICT_TOO_SHORT, value, path, min);
    if (value->length > max)
        tg_walk_refuse_limit(walk, is_array ? TG_ISSUE_TOO_LONG : TG_ISSUE_DICT_TOO_LONG, value, path, max);
}

/* How much there is to compare and to copy, in steps. */
static uint64_t count_within(const struct tg_value *value)
{
    uint64_t steps = 1;
    if (value->type == TG_VALUE_STRING) return steps + value->length / TG_WALK_STEP_BYTES;
    if (value->type < TG_VALUE_ARRAY) return steps;
    for (uint32_t i = 0; i < value->length; i++) {
        bool is_array = value->type == TG_VALUE_ARRAY;
        steps += count_within(is_array ? &value->items[i] : &value->members[i].value);
    }
    return steps;
}

static void check_unique(struct tg_walk *walk, const struct tg_value *value, const struct tg_path *path)
{
    uint32_t *first;
    if (walk->mode != TG_WALK_TELLS && !tg_walk_spend(walk, count_within(value))) return;
    if (tg_value_find_equals(value->items, value->length, walk->arena, &first) != TG_OK) {
        tg_walk_fail_memory(walk);
        return;
    }
    for (uint32_t i = 0; i < value->length && !walk->is_over; i++) {
        struct tg_walk_step step = {.path = {.parent = path, .index = i}};
        if (first[i] != i)
            tg_walk_refuse_limit(walk, TG_ISSUE_NOT_UNIQUE, &value->items[i], &step.path, first[i]);
    }
}

static void check_array(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                        const struct tg_path *path)
{
    /* An empty table of a script's is whatever its schema wants it to be. */
    if (walk->is_exact && value->type == TG_VALUE_OBJECT && value->length == 0) value->type = TG_VALUE_ARRAY;
    if (value->type != TG_VALUE_ARRAY) {
        tg_walk_refuse(walk, TG_ISSUE_LIST_TYPE, value, path);
        return;
    }
    check_count(walk, value, path, schema->array.min_items, schema->array.max_items);
    if (walk->is_over || !tg_walk_own(walk, value)) return;
    uint32_t before = walk->wrong;
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_walk_step step = {.path = {.parent = path, .index = i}};
        tg_walk_check(walk, schema->array.item, &value->items[i], &step.path);
        if (walk->is_over) return;
    }
    if (schema->array.is_unique && value->length > 1 && walk->wrong == before)
        check_unique(walk, value, path);
}

/* ---- maps ---- */

static void check_key(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_member *member,
                      const struct tg_path *path)
{
    struct tg_value key = {.type = TG_VALUE_STRING, .length = member->key_length, .string = member->key};
    bool was_key = walk->is_key;
    walk->is_key = true;
    tg_walk_check(walk, schema, &key, path);
    walk->is_key = was_key;
}

static void check_map(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                      const struct tg_path *path)
{
    if (value->type != TG_VALUE_OBJECT) {
        tg_walk_refuse(walk, TG_ISSUE_DICT_TYPE, value, path);
        return;
    }
    check_count(walk, value, path, schema->map.min_entries, schema->map.max_entries);
    if (walk->is_over || !tg_walk_own(walk, value)) return;
    for (uint32_t i = 0; i < value->length && !walk->is_over; i++) {
        struct tg_member *member = &value->members[i];
        struct tg_walk_step step = {.path = {.parent = path, .key = tg_member_key(member)}};
        if (schema->map.key) check_key(walk, schema->map.key, member, &step.path);
        if (!walk->is_over) tg_walk_check(walk, schema->map.value, &member->value, &step.path);
    }
}

/* ---- references ---- */

static uint32_t depth_of(const struct tg_walk *walk, const struct tg_schema *schema)
{
    for (const struct tg_walk_ref *ref = walk->refs; ref; ref = ref->outer)
        if (ref->schema == schema) return ref->depth;
    return 0;
}

static void check_ref(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                      const struct tg_path *path)
{
    struct tg_walk_ref ref = {walk->refs, schema, depth_of(walk, schema) + 1};
    if (ref.depth > schema->ref.max_depth) {
        tg_walk_refuse_limit(walk, TG_ISSUE_RECURSION_LOOP, value, path, schema->ref.max_depth);
        return;
    }
    if (!tg_walk_enter(walk, value, path)) return;
    walk->refs = &ref;
    tg_walk_check(walk, schema->ref.target, value, path);
    walk->refs = ref.outer;
    walk->nesting--;
}

/* ---- all kinds ---- */

static void check_any(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                      const struct tg_path *path)
{
    (void)walk, (void)schema, (void)value, (void)path;
}

static void check_null(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                       const struct tg_path *path)
{
    (void)schema;
    if (value->type != TG_VALUE_NULL) tg_walk_refuse(walk, TG_ISSUE_NONE_REQUIRED, value, path);
}

/* A table, not a switch: inlined into one function they would all pay for the largest frame. */
static void (*const checks[])(struct tg_walk *, const struct tg_schema *, struct tg_value *,
                              const struct tg_path *) = {
    [TG_SCHEMA_ANY] = check_any,           [TG_SCHEMA_NULL] = check_null,
    [TG_SCHEMA_BOOLEAN] = tg_walk_boolean, [TG_SCHEMA_INTEGER] = tg_walk_integer,
    [TG_SCHEMA_NUMBER] = tg_walk_number,   [TG_SCHEMA_STRING] = tg_walk_string,
    [TG_SCHEMA_LITERAL] = tg_walk_choice,  [TG_SCHEMA_ENUM] = tg_walk_choice,
    [TG_SCHEMA_ARRAY] = check_array,       [TG_SCHEMA_OBJECT] = tg_walk_object,
    [TG_SCHEMA_MAP] = check_map,           [TG_SCHEMA_UNION] = tg_walk_union,
    [TG_SCHEMA_TAGGED] = tg_walk_tagged,   [TG_SCHEMA_REF] = check_ref,
};

/* A node that is more than its kind: a secret, or one that the script looks at. */
static __attribute__((noinline)) void check_special(struct tg_walk *walk, const struct tg_schema *schema,
                                                    struct tg_value *value, const struct tg_path *path)
{
    bool was_secret = walk->is_secret;
    uint32_t before = walk->wrong;
    walk->is_secret |= schema->is_secret;
    checks[schema->kind](walk, schema, value, path);
    walk->is_secret = was_secret;
    value->is_secret |= schema->is_secret;
    bool is_right = walk->wrong == before && !walk->is_over;
    if (schema->script_check && is_right && value->type != TG_VALUE_NULL)
        tg_walk_add_call(walk, schema, path, false);
}

void tg_walk_check(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                   const struct tg_path *path)
{
    if (value->type == TG_VALUE_NULL && schema->is_nullable)
        value->is_secret |= schema->is_secret;
    else if (schema->is_secret || schema->script_check)
        check_special(walk, schema, value, path);
    else
        checks[schema->kind](walk, schema, value, path);
}

enum tg_status tg_validate(const struct tg_schema *schema, struct tg_value *value, const struct tg_path *path,
                           struct tg_validation *validation)
{
    struct tg_walk walk = {.validation = validation,
                           .arena = validation->arena,
                           .root = path,
                           .last_call = &validation->calls,
                           .is_exact = validation->is_exact};
    validation->calls = NULL;
    validation->has_hit_steps = false;
    tg_walk_check(&walk, schema, value, path);
    if (walk.is_out_of_memory || tg_buf_status(validation->issues->out) != TG_OK) return TG_E_NO_MEMORY;
    if (walk.wrong == 0) return TG_OK;
    validation->calls = NULL;
    return TG_E_INVALID;
}

/* ---- payloads ---- */

static bool accepts_null(const struct tg_schema *schema)
{
    if (schema->is_nullable || schema->kind == TG_SCHEMA_ANY || schema->kind == TG_SCHEMA_NULL) return true;
    if (schema->kind == TG_SCHEMA_REF) return accepts_null(schema->ref.target);
    if (schema->kind == TG_SCHEMA_LITERAL || schema->kind == TG_SCHEMA_ENUM)
        for (uint32_t i = 0; i < schema->choice.count; i++)
            if (schema->choice.values[i].type == TG_VALUE_NULL) return true;
    if (schema->kind == TG_SCHEMA_UNION)
        for (uint32_t i = 0; i < schema->alternatives.count; i++)
            if (accepts_null(schema->alternatives.branches[i])) return true;
    return false;
}

static enum tg_status use_default(const struct tg_schema *schema, struct tg_value **payload,
                                  struct tg_validation *validation)
{
    *payload = tg_arena_alloc(validation->arena, sizeof **payload);
    if (!*payload) return TG_E_NO_MEMORY;
    **payload = *schema->default_value;
    return TG_OK;
}

/* The call for a payload that a function makes. */
static enum tg_status call_default(const struct tg_schema *schema, const struct tg_path *path,
                                   struct tg_validation *validation)
{
    struct tg_walk walk = {
        .validation = validation, .arena = validation->arena, .root = path, .last_call = &validation->calls};
    tg_walk_add_call(&walk, schema, path, true);
    return walk.is_out_of_memory ? TG_E_NO_MEMORY : TG_OK;
}

enum tg_status tg_validate_payload(const struct tg_schema *schema, struct tg_value **payload,
                                   const struct tg_path *path, struct tg_validation *validation)
{
    if (*payload && (*payload)->type != TG_VALUE_NULL) return tg_validate(schema, *payload, path, validation);
    validation->calls = NULL;
    validation->has_hit_steps = false;
    if (schema->default_value) return use_default(schema, payload, validation);
    if (schema->script_default) return call_default(schema, path, validation);
    if (schema->is_optional || accepts_null(schema)) return TG_OK;
    tg_issue_add(validation->issues, TG_ISSUE_MISSING, path);
    return TG_E_INVALID;
}
