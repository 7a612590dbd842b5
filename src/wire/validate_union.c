/* Unions are decided by trials. A branch whose kind cannot be is never tried, and one that is left alone
 * needs no trial: its issues are the union's. Otherwise each is tried on a copy of the value; the first
 * that finds nothing wrong has made the value that stays.
 *
 * When none does, those that could be are weighed, and the walk goes once more through the lightest, to
 * tell what is wrong.
 */
#include "wire/validate_walk.h"

/* ---- which branches could be ---- */

static bool is_choice_of(const struct tg_schema *schema, const struct tg_value *value)
{
    for (uint32_t i = 0; i < schema->choice.count; i++)
        if (tg_value_equal(value, &schema->choice.values[i])) return true;
    return false;
}

/* Whether a value of that type can be right, as far as the type alone tells. Never false for one that is
 * right. Scalars that are declared one by one are compared at once. */
static bool fits(const struct tg_walk *walk, const struct tg_schema *schema, const struct tg_value *value)
{
    bool is_coerced = schema->can_coerce && !walk->is_exact;
    int64_t integer;
    if (value->type == TG_VALUE_NULL && schema->is_nullable) return true;
    switch (schema->kind) {
    case TG_SCHEMA_ANY:
        return true;
    case TG_SCHEMA_NULL:
        return value->type == TG_VALUE_NULL;
    case TG_SCHEMA_BOOLEAN:
        return value->type == TG_VALUE_BOOLEAN || (is_coerced && value->type == TG_VALUE_STRING);
    case TG_SCHEMA_INTEGER:
        return tg_value_to_integer(value, &integer) || (is_coerced && value->type == TG_VALUE_STRING);
    case TG_SCHEMA_NUMBER:
        return value->type == TG_VALUE_INTEGER || value->type == TG_VALUE_NUMBER ||
               (is_coerced && value->type == TG_VALUE_STRING);
    case TG_SCHEMA_STRING:
        return value->type == TG_VALUE_STRING ||
               (is_coerced && value->type > TG_VALUE_NULL && value->type < TG_VALUE_STRING);
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        return is_choice_of(schema, value);
    case TG_SCHEMA_ARRAY: /* an empty table of a script's is one as well */
        return value->type == TG_VALUE_ARRAY ||
               (walk->is_exact && value->type == TG_VALUE_OBJECT && value->length == 0);
    case TG_SCHEMA_OBJECT:
    case TG_SCHEMA_MAP:
    case TG_SCHEMA_TAGGED:
        return value->type == TG_VALUE_OBJECT;
    case TG_SCHEMA_UNION:
        for (uint32_t i = 0; i < schema->alternatives.count; i++)
            if (fits(walk, schema->alternatives.branches[i], value)) return true;
        return false;
    case TG_SCHEMA_REF:
        return fits(walk, schema->ref.target, value);
    }
    return false;
}

/* ---- what would do, when none could be ---- */

struct wanted {
    struct wanted *next;
    struct tg_slice text;
};

static enum tg_issue_type type_of(enum tg_schema_kind kind)
{
    static const enum tg_issue_type types[] = {
        [TG_SCHEMA_NULL] = TG_ISSUE_NONE_REQUIRED, [TG_SCHEMA_BOOLEAN] = TG_ISSUE_BOOL_TYPE,
        [TG_SCHEMA_INTEGER] = TG_ISSUE_INT_TYPE,   [TG_SCHEMA_NUMBER] = TG_ISSUE_FLOAT_TYPE,
        [TG_SCHEMA_STRING] = TG_ISSUE_STRING_TYPE, [TG_SCHEMA_LITERAL] = TG_ISSUE_LITERAL_ERROR,
        [TG_SCHEMA_ENUM] = TG_ISSUE_ENUM,          [TG_SCHEMA_ARRAY] = TG_ISSUE_LIST_TYPE,
        [TG_SCHEMA_OBJECT] = TG_ISSUE_MODEL_TYPE,  [TG_SCHEMA_MAP] = TG_ISSUE_DICT_TYPE,
        [TG_SCHEMA_TAGGED] = TG_ISSUE_MODEL_TYPE,
    };
    return types[kind];
}

static enum tg_issue_type first_type(const struct tg_schema *schema)
{
    if (schema->kind == TG_SCHEMA_REF) return first_type(schema->ref.target);
    if (schema->kind == TG_SCHEMA_UNION) return first_type(schema->alternatives.branches[0]);
    return type_of(schema->kind);
}

/* Adds `text` at the end, unless it is there. */
static void want(struct tg_walk *walk, struct wanted **list, struct tg_slice text)
{
    struct wanted **last = list;
    for (; *last; last = &(*last)->next)
        if (tg_slice_equal((*last)->text, text)) return;
    *last = tg_arena_alloc(walk->arena, sizeof **last);
    if (*last)
        **last = (struct wanted){.text = text};
    else
        tg_walk_fail_memory(walk);
}

static void collect_wanted(struct tg_walk *walk, const struct tg_schema *schema, struct wanted **list)
{
    if (schema->kind == TG_SCHEMA_REF) {
        collect_wanted(walk, schema->ref.target, list);
    } else if (schema->kind == TG_SCHEMA_UNION) {
        for (uint32_t i = 0; i < schema->alternatives.count; i++)
            collect_wanted(walk, schema->alternatives.branches[i], list);
    } else {
        const char *expected = tg_issue_expected(type_of(schema->kind));
        want(walk, list, expected ? tg_slice_of(expected) : schema->choice.text);
    }
}

/* null comes last, whoever takes it. */
static bool wants_null(const struct tg_schema *schema)
{
    if (schema->is_nullable) return true;
    if (schema->kind == TG_SCHEMA_REF) return wants_null(schema->ref.target);
    if (schema->kind != TG_SCHEMA_UNION) return false;
    for (uint32_t i = 0; i < schema->alternatives.count; i++)
        if (wants_null(schema->alternatives.branches[i])) return true;
    return false;
}

/* "a valid string, a valid integer or null" */
static void write_wanted(struct tg_buf *out, const struct wanted *wanted)
{
    for (const struct wanted *each = wanted; each; each = each->next) {
        if (each != wanted) tg_buf_append_slice(out, each->next ? TG_SLICE(", ") : TG_SLICE(" or "));
        tg_buf_append_slice(out, each->text);
    }
}

/* A value that is right for no branch may have been meant for one that is secret. */
static bool has_secret(const struct tg_schema *schema)
{
    if (schema->is_secret) return true;
    if (schema->kind == TG_SCHEMA_REF) return has_secret(schema->ref.target);
    if (schema->kind != TG_SCHEMA_UNION) return false;
    for (uint32_t i = 0; i < schema->alternatives.count; i++)
        if (has_secret(schema->alternatives.branches[i])) return true;
    return false;
}

static void refuse_type(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_value *value,
                        const struct tg_path *path)
{
    if (!tg_walk_is_read(walk)) {
        tg_walk_refuse(walk, first_type(schema), value, path);
        return;
    }
    struct wanted *list = NULL;
    struct tg_buf text;
    tg_buf_init(&text);
    collect_wanted(walk, schema, &list);
    if (wants_null(schema)) want(walk, &list, TG_SLICE("null"));
    write_wanted(&text, list);
    if (text.has_failed) tg_walk_fail_memory(walk);
    tg_walk_report(walk, &(struct tg_issue){.type = first_type(schema),
                                            .path = path,
                                            .text = tg_buf_peek(&text),
                                            .got = has_secret(schema) ? NULL : value});
    tg_buf_deinit(&text);
}

/* ---- trials ---- */

/* Runs one branch on a copy, which stays when nothing is wrong with it. Returns the weight of what is. */
static uint64_t run_trial(struct tg_walk *walk, enum tg_walk_mode mode, const struct tg_schema *branch,
                          struct tg_value *value, const struct tg_path *path)
{
    const struct tg_walk outer = *walk;
    struct tg_value copy = *value;
    walk->mode = mode;
    walk->wrong = 0;
    walk->weight = 0;
    tg_walk_check(walk, branch, &copy, path);
    bool is_right = walk->wrong == 0 && !walk->is_over;
    uint64_t weight = is_right ? 0 : walk->weight ? walk->weight : UINT64_MAX;
    walk->mode = outer.mode;
    walk->wrong = outer.wrong;
    walk->weight = outer.weight;
    walk->is_over = walk->is_out_of_memory;
    if (is_right) {
        *value = copy;
    } else {
        walk->last_call = outer.last_call;
        *walk->last_call = NULL;
    }
    return weight;
}

static bool accepts_any(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                        const struct tg_path *path)
{
    for (uint32_t i = 0; i < schema->alternatives.count; i++) {
        const struct tg_schema *branch = schema->alternatives.branches[i];
        if (!fits(walk, branch, value)) continue;
        if (run_trial(walk, TG_WALK_TRIES, branch, value, path) == 0) return true;
        if (walk->is_over || tg_walk_is_exhausted(walk)) return false;
    }
    return false;
}

static const struct tg_schema *find_closest(struct tg_walk *walk, const struct tg_schema *schema,
                                            struct tg_value *value, const struct tg_path *path)
{
    const struct tg_schema *closest = NULL;
    uint64_t least = UINT64_MAX;
    for (uint32_t i = 0; i < schema->alternatives.count; i++) {
        const struct tg_schema *branch = schema->alternatives.branches[i];
        if (!fits(walk, branch, value)) continue;
        uint64_t weight = run_trial(walk, TG_WALK_WEIGHS, branch, value, path);
        if (walk->is_over || tg_walk_is_exhausted(walk)) return NULL;
        if (weight >= least) continue;
        closest = branch;
        least = weight;
    }
    return closest;
}

static void tell_closest(struct tg_walk *walk, const struct tg_schema *schema,
                         const struct tg_schema *closest, struct tg_value *value, const struct tg_path *path)
{
    bool was_secret = walk->is_secret;
    walk->is_secret |= has_secret(schema);
    tg_walk_check(walk, closest, value, path);
    walk->is_secret = was_secret;
}

/* Inside of a trial one issue says enough: which of its branches was meant is nobody's question yet. */
static void check_several(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                          const struct tg_path *path)
{
    if (accepts_any(walk, schema, value, path) || walk->is_over) return;
    const struct tg_schema *closest = NULL;
    if (walk->mode == TG_WALK_TELLS && !tg_walk_is_exhausted(walk))
        closest = find_closest(walk, schema, value, path);
    if (walk->is_over) return;
    if (tg_walk_is_exhausted(walk))
        tg_walk_refuse_steps(walk, value, path);
    else if (closest)
        tell_closest(walk, schema, closest, value, path);
    else
        tg_walk_refuse(walk, TG_ISSUE_VALUE_ERROR, value, path);
}

void tg_walk_union(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                   const struct tg_path *path)
{
    const struct tg_schema *one = NULL;
    uint32_t fitting = 0;
    for (uint32_t i = 0; i < schema->alternatives.count && fitting < 2; i++) {
        if (!fits(walk, schema->alternatives.branches[i], value)) continue;
        if (!one) one = schema->alternatives.branches[i];
        fitting++;
    }
    if (fitting == 0) {
        refuse_type(walk, schema, value, path);
        return;
    }
    if (!tg_walk_enter(walk, value, path)) return;
    walk->unions += fitting > 1;
    if (fitting == 1)
        tg_walk_check(walk, one, value, path);
    else
        check_several(walk, schema, value, path);
    walk->unions -= fitting > 1;
    walk->nesting--;
}

/* ---- tagged unions ---- */

static void refuse_tag(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_value *tag,
                       const struct tg_path *path)
{
    struct tg_slice name = schema->tagged.tag.wire[walk->validation->naming].text;
    struct tg_walk_step step = {.path = {.parent = path, .key = name, .key_id = schema->tagged.tag.key_id}};
    struct tg_issue issue = {.type = TG_ISSUE_UNION_TAG_NOT_FOUND, .path = &step.path, .more = name};
    if (tag) {
        issue.type = TG_ISSUE_UNION_TAG_INVALID;
        issue.text = schema->tagged.text;
        issue.got = tag;
    }
    tg_walk_report(walk, &issue);
}

void tg_walk_tagged(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path)
{
    if (value->type != TG_VALUE_OBJECT) {
        tg_walk_refuse(walk, TG_ISSUE_MODEL_TYPE, value, path);
        return;
    }
    const struct tg_value *tag = tg_value_get(value, schema->tagged.tag.wire[walk->validation->naming].text);
    for (uint32_t i = 0; tag && i < schema->tagged.count; i++) {
        if (!tg_value_equal(tag, &schema->tagged.tags[i])) continue;
        tg_walk_check(walk, schema->tagged.branches[i], value, path);
        return;
    }
    refuse_tag(walk, schema, tag, path);
}
