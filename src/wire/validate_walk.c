/* What all kinds share: telling what is wrong, remembering what the script has to do, and counting. */
#include "wire/validate_walk.h"

/* Unions and references inside each other: with max_json_depth at its highest, two at every level. */
enum { MAX_NESTING = 1024 };

/* A mismatch of a literal says that another branch was meant: it counts for more than any field. */
enum { CHOICE_WEIGHT = 1000 };

/* ---- what a walk finds ---- */

static bool is_choice(enum tg_issue_type type)
{
    return type == TG_ISSUE_LITERAL_ERROR || type == TG_ISSUE_ENUM || type == TG_ISSUE_UNION_TAG_INVALID;
}

void tg_walk_report(struct tg_walk *walk, struct tg_issue *issue)
{
    walk->wrong++;
    if (walk->mode != TG_WALK_TELLS) {
        walk->weight += is_choice(issue->type) ? CHOICE_WEIGHT : 1;
        if (walk->mode == TG_WALK_TRIES) walk->is_over = true;
        return;
    }
    if (walk->is_secret) issue->got = NULL;
    issue->is_key = walk->is_key;
    tg_issue_report(walk->validation->issues, issue);
}

void tg_walk_refuse(struct tg_walk *walk, enum tg_issue_type type, const struct tg_value *value,
                    const struct tg_path *path)
{
    tg_walk_report(walk, &(struct tg_issue){.type = type, .path = path, .got = value});
}

void tg_walk_refuse_limit(struct tg_walk *walk, enum tg_issue_type type, const struct tg_value *value,
                          const struct tg_path *path, int64_t limit)
{
    const struct tg_value number = {.type = TG_VALUE_INTEGER, .integer = limit};
    tg_walk_report(walk, &(struct tg_issue){.type = type, .path = path, .got = value, .limit = &number});
}

void tg_walk_refuse_steps(struct tg_walk *walk, const struct tg_value *value, const struct tg_path *path)
{
    walk->validation->has_hit_steps = true;
    tg_walk_refuse(walk, TG_ISSUE_TOO_MANY_STEPS, value, path);
}

bool tg_walk_is_read(const struct tg_walk *walk)
{
    const struct tg_issues *issues = walk->validation->issues;
    return walk->mode == TG_WALK_TELLS && issues->count < issues->max;
}

void tg_walk_fail_memory(struct tg_walk *walk)
{
    walk->is_out_of_memory = walk->is_over = true;
}

/* ---- calls ---- */

static const struct tg_path *copy_step(struct tg_walk *walk, const struct tg_path *path,
                                       const struct tg_path *parent)
{
    struct tg_path *copy = tg_arena_alloc(walk->arena, sizeof *copy);
    if (!copy) {
        tg_walk_fail_memory(walk);
        return NULL;
    }
    *copy = *path;
    copy->parent = parent;
    return copy;
}

static const struct tg_path *copy_path(struct tg_walk *walk, const struct tg_path *path)
{
    return path ? copy_step(walk, path, copy_path(walk, path->parent)) : NULL;
}

/* A copy in the arena; paths with the same beginning share it. */
static const struct tg_path *keep_path(struct tg_walk *walk, const struct tg_path *path)
{
    if (!path) return NULL;
    if (path == walk->root) {
        if (!walk->kept_root) walk->kept_root = copy_path(walk, path);
        return walk->kept_root;
    }
    /* Below the root every path is the beginning of a step, which is a variable of the walk's own. */
    struct tg_walk_step *step = (struct tg_walk_step *)path;
    if (!step->kept) step->kept = copy_step(walk, path, keep_path(walk, path->parent));
    return step->kept;
}

void tg_walk_add_call(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_path *path,
                      bool is_default)
{
    struct tg_call *call = tg_arena_alloc(walk->arena, sizeof *call);
    if (!call) {
        tg_walk_fail_memory(walk);
        return;
    }
    *call = (struct tg_call){.schema = schema, .path = keep_path(walk, path), .is_default = is_default};
    *walk->last_call = call;
    walk->last_call = &call->next;
}

/* ---- what a walk spends ---- */

bool tg_walk_is_exhausted(const struct tg_walk *walk)
{
    return walk->steps > walk->validation->max_steps;
}

/* The trials of a union that stands in no other look at each value once per branch, which the size of the
 * message bounds. It is unions inside unions that multiply. */
bool tg_walk_spend(struct tg_walk *walk, uint64_t count)
{
    if (walk->mode == TG_WALK_TELLS || walk->unions < 2) return true;
    uint32_t left = tg_walk_is_exhausted(walk) ? 0 : walk->validation->max_steps - walk->steps;
    walk->steps = count < left ? walk->steps + (uint32_t)count + 1 : walk->validation->max_steps + 1;
    if (tg_walk_is_exhausted(walk)) walk->is_over = true;
    return !walk->is_over;
}

bool tg_walk_copy(struct tg_walk *walk, struct tg_value *list)
{
    if (!tg_walk_spend(walk, list->length)) return false;
    if (list->length == 0) return true;
    bool is_array = list->type == TG_VALUE_ARRAY;
    size_t bytes = list->length * (is_array ? sizeof *list->items : sizeof *list->members);
    void *copy = tg_arena_alloc(walk->arena, bytes);
    if (!copy) {
        tg_walk_fail_memory(walk);
        return false;
    }
    memcpy(copy, is_array ? (const void *)list->items : list->members, bytes);
    if (is_array)
        list->items = copy;
    else
        list->members = copy;
    return true;
}

bool tg_walk_enter(struct tg_walk *walk, const struct tg_value *value, const struct tg_path *path)
{
    if (walk->nesting == MAX_NESTING) {
        tg_walk_refuse_steps(walk, value, path);
        return false;
    }
    walk->nesting++;
    return true;
}
