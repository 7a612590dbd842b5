/* Both graphs are walked at once. References are followed; a pair of nodes that is met again below itself is
 * taken for right, since whatever is wrong with it is told where it was met first. A union is right when each
 * branch of the old one fits into one branch of the new one: branches are tried in silence, and what was
 * found on the way of a try that failed is forgotten, because it may rest on the pair that failed.
 *
 * What could be proven with more effort (two branches that together take what one did) is told as a change;
 * after STEPS_MAX pairs everything is. */
#include "wire/stricter.h"

#include "wire/stricter_walk.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 100000, PAIRS_MAX = 2000, DEPTH_MAX = 600, SENTENCE_BYTES = 512 };

static void compare(struct tg_stricter_walk *walk, const struct tg_schema *before,
                    const struct tg_schema *after, uint32_t depth);

void tg_stricter_tell(struct tg_stricter_walk *walk, const char *format, ...)
{
    char text[SENTENCE_BYTES];
    walk->told++;
    if (walk->quiet) return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (walk->path.has_failed) {
        walk->has_failed = true;
        return;
    }
    walk->stricter->tell(walk->stricter, tg_buf_peek(&walk->path), tg_slice_of(text));
}

/* ---- paths ---- */

static size_t enter(struct tg_stricter_walk *walk, const char *mark, struct tg_slice name)
{
    size_t length = walk->path.length;
    tg_buf_append_slice(&walk->path, tg_slice_of(mark));
    tg_buf_append_slice(&walk->path, name);
    return length;
}

static void leave(struct tg_stricter_walk *walk, size_t length)
{
    if (walk->path.has_failed) walk->has_failed = true;
    tg_buf_truncate(&walk->path, length);
}

static void compare_at(struct tg_stricter_walk *walk, const char *mark, struct tg_slice name,
                       const struct tg_schema *before, const struct tg_schema *after, uint32_t depth)
{
    size_t length = enter(walk, mark, name);
    compare(walk, before, after, depth);
    leave(walk, length);
}

/* ---- kinds ---- */

/* References that come back to themselves have a value in between. */
static bool takes_null(struct tg_stricter_walk *walk, const struct tg_schema *schema)
{
    if (schema->is_nullable || schema->kind == TG_SCHEMA_ANY || schema->kind == TG_SCHEMA_NULL) return true;
    if (walk->steps++ > STEPS_MAX) return false;
    if (schema->kind == TG_SCHEMA_REF) return takes_null(walk, schema->ref.target);
    if (schema->kind == TG_SCHEMA_LITERAL || schema->kind == TG_SCHEMA_ENUM)
        for (uint32_t i = 0; i < schema->choice.count; i++)
            if (schema->choice.values[i].type == TG_VALUE_NULL) return true;
    if (schema->kind == TG_SCHEMA_UNION)
        for (uint32_t i = 0; i < schema->alternatives.count; i++)
            if (takes_null(walk, schema->alternatives.branches[i])) return true;
    return false;
}

/* ---- objects and maps ---- */

static bool is_required(const struct tg_schema *field)
{
    return !field->is_optional && !field->default_value && !field->script_default;
}

static const struct tg_schema_field *find(const struct tg_stricter_walk *walk, const struct tg_schema *object,
                                          const struct tg_schema_field *field)
{
    return tg_schema_find_field(&object->object, walk->naming, field->wire[walk->naming].text, 0);
}

static void compare_fields(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after, uint32_t depth)
{
    for (uint32_t i = 0; i < after->object.count; i++) {
        const struct tg_schema_field *is = &after->object.fields[i], *was = find(walk, before, is);
        size_t length = enter(walk, ".", is->wire[walk->naming].text);
        if (is_required(is->schema) && !(was && is_required(was->schema)))
            tg_stricter_tell(walk, was ? "it was optional, is required" : "it is new, and required");
        else if (!was && before->object.additional == TG_ADDITIONAL_ALLOW)
            tg_stricter_tell(walk, "anything was taken under this name, which is a field now");
        if (was) compare(walk, was->schema, is->schema, depth);
        leave(walk, length);
    }
}

static void compare_objects(struct tg_stricter_walk *walk, const struct tg_schema *before,
                            const struct tg_schema *after, uint32_t depth)
{
    compare_fields(walk, before, after, depth);
    if (after->object.additional != TG_ADDITIONAL_FORBID) return;
    if (before->object.additional != TG_ADDITIONAL_FORBID)
        tg_stricter_tell(walk, "fields that are not declared are refused");
    for (uint32_t i = 0; i < before->object.count; i++) {
        const struct tg_schema_field *was = &before->object.fields[i];
        if (find(walk, after, was)) continue;
        size_t length = enter(walk, ".", was->wire[walk->naming].text);
        tg_stricter_tell(walk, "it is gone, and refused");
        leave(walk, length);
    }
}

static void compare_maps(struct tg_stricter_walk *walk, const struct tg_schema *before,
                         const struct tg_schema *after, uint32_t depth)
{
    tg_stricter_lengths(walk, "_entries", before->map.min_entries, before->map.max_entries,
                        after->map.min_entries, after->map.max_entries, UINT32_MAX);
    size_t length = enter(walk, "{key}", TG_SLICE(""));
    if (after->map.key && !before->map.key)
        tg_stricter_tell(walk, "any key was taken, not every one is");
    else if (after->map.key)
        compare(walk, before->map.key, after->map.key, depth);
    leave(walk, length);
    compare_at(walk, "{}", TG_SLICE(""), before->map.value, after->map.value, depth);
}

static void compare_arrays(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after, uint32_t depth)
{
    tg_stricter_lengths(walk, "", before->array.min_items, before->array.max_items, after->array.min_items,
                        after->array.max_items, UINT32_MAX);
    if (after->array.is_unique && !before->array.is_unique) tg_stricter_tell(walk, "its items must differ");
    compare_at(walk, "[]", TG_SLICE(""), before->array.item, after->array.item, depth);
}

/* ---- alternatives ---- */

/* Whether all that `before` takes is taken by `after`, told to nobody. */
static bool fits(struct tg_stricter_walk *walk, const struct tg_schema *before, const struct tg_schema *after,
                 uint32_t depth)
{
    struct tg_stricter_pair *pairs = walk->pairs;
    uint32_t told = walk->told;
    walk->quiet++;
    compare(walk, before, after, depth);
    walk->quiet--;
    bool is_fit = walk->told == told;
    if (is_fit) return true;
    walk->told = told;
    walk->pairs = pairs;
    return false;
}

/* `before` is no union and no reference. Null has been looked at. */
static bool fits_one(struct tg_stricter_walk *walk, const struct tg_schema *before,
                     const struct tg_schema *several, uint32_t depth)
{
    if (before->is_nullable) {
        struct tg_schema *plain = tg_arena_alloc(&walk->arena, sizeof *plain);
        if (!plain) {
            walk->has_failed = true;
            return true;
        }
        *plain = *before;
        plain->is_nullable = false;
        before = plain;
    }
    for (uint32_t i = 0; i < several->alternatives.count; i++)
        if (fits(walk, before, several->alternatives.branches[i], depth)) return true;
    return false;
}

static void compare_unions(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after, uint32_t depth)
{
    for (uint32_t i = 0; i < before->alternatives.count; i++) {
        const struct tg_schema *branch = before->alternatives.branches[i];
        if (fits_one(walk, branch, after, depth)) continue;
        /* The one at its place is what it has most likely become. */
        if (i < after->alternatives.count)
            compare(walk, branch, after->alternatives.branches[i], depth);
        else
            tg_stricter_tell(walk, "%s was one of its alternatives, and no other takes it",
                             tg_stricter_kind(branch));
    }
}

/* The branch for this tag; NULL: there is none. */
static const struct tg_schema *find_branch(const struct tg_schema *tagged, const struct tg_value *tag)
{
    for (uint32_t i = 0; i < tagged->tagged.count; i++)
        if (tg_value_equal(&tagged->tagged.tags[i], tag)) return tagged->tagged.branches[i];
    return NULL;
}

static void compare_tagged(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after, uint32_t depth)
{
    struct tg_slice tag = after->tagged.tag.wire[walk->naming].text;
    if (!tg_slice_equal(before->tagged.tag.wire[walk->naming].text, tag)) {
        tg_stricter_tell(walk, "the field that says which it is has another name, %.*s", TG_SLICE_ARG(tag));
        return;
    }
    for (uint32_t i = 0; i < before->tagged.count; i++) {
        const struct tg_value *value = &before->tagged.tags[i];
        const struct tg_schema *branch = find_branch(after, value);
        if (branch) {
            compare(walk, before->tagged.branches[i], branch, depth);
            continue;
        }
        size_t length = enter(walk, ".", tag);
        tg_stricter_gone(walk, value);
        leave(walk, length);
    }
}

/* ---- nodes ---- */

static void compare_kinds(struct tg_stricter_walk *walk, const struct tg_schema *before,
                          const struct tg_schema *after)
{
    if (before->kind != after->kind)
        tg_stricter_tell(walk, "%s was taken, %s is", tg_stricter_kind(before), tg_stricter_kind(after));
}

static void compare_alike(struct tg_stricter_walk *walk, const struct tg_schema *before,
                          const struct tg_schema *after, uint32_t depth)
{
    bool is_number = before->kind == TG_SCHEMA_INTEGER && after->kind == TG_SCHEMA_NUMBER;
    if (before->kind != after->kind && !is_number) {
        compare_kinds(walk, before, after);
        return;
    }
    switch (after->kind) {
    case TG_SCHEMA_STRING:
        tg_stricter_string(walk, before, after);
        break;
    case TG_SCHEMA_INTEGER:
        tg_stricter_integer(walk, before, after);
        break;
    case TG_SCHEMA_NUMBER:
        tg_stricter_number(walk, before, after);
        break;
    case TG_SCHEMA_ARRAY:
        compare_arrays(walk, before, after, depth);
        break;
    case TG_SCHEMA_OBJECT:
        compare_objects(walk, before, after, depth);
        break;
    case TG_SCHEMA_MAP:
        compare_maps(walk, before, after, depth);
        break;
    case TG_SCHEMA_TAGGED:
        compare_tagged(walk, before, after, depth);
        break;
    default: /* nothing more to compare */
        break;
    }
}

/* Without references, and what holds for every kind. */
static void compare_values(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after, uint32_t depth)
{
    if (after->kind == TG_SCHEMA_ANY) return;
    if (before->kind == TG_SCHEMA_LITERAL || before->kind == TG_SCHEMA_ENUM)
        tg_stricter_choice(walk, before, after);
    else if (before->kind == TG_SCHEMA_UNION && after->kind == TG_SCHEMA_UNION)
        compare_unions(walk, before, after, depth);
    else if (before->kind == TG_SCHEMA_UNION)
        for (uint32_t i = 0; i < before->alternatives.count; i++)
            compare(walk, before->alternatives.branches[i], after, depth);
    else if (after->kind == TG_SCHEMA_UNION) {
        if (!fits_one(walk, before, after, depth))
            tg_stricter_tell(walk, "%s was taken, and none of its alternatives takes all of it",
                             tg_stricter_kind(before));
    } else if (before->kind != TG_SCHEMA_NULL)
        compare_alike(walk, before, after, depth);
    if (before->can_coerce && !after->can_coerce && after->kind != TG_SCHEMA_UNION)
        tg_stricter_tell(walk, "it was also taken as text (coerce)");
}

static void compare_checks(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after)
{
    if (!after->script_check || before->check_print == after->check_print) return;
    tg_stricter_tell(walk, before->script_check ? "the function that checks it is another one"
                                                : "a function checks it");
}

/* Whether the pair is met again. */
static bool is_known(struct tg_stricter_walk *walk, const struct tg_schema *before,
                     const struct tg_schema *after)
{
    for (const struct tg_stricter_pair *pair = walk->pairs; pair; pair = pair->next)
        if (pair->before == before && pair->after == after) return true;
    struct tg_stricter_pair *pair = tg_arena_alloc(&walk->arena, sizeof *pair);
    if (walk->pair_count++ > PAIRS_MAX) walk->steps = STEPS_MAX + 1;
    if (pair) {
        *pair = (struct tg_stricter_pair){before, after, walk->pairs};
        walk->pairs = pair;
    } else
        walk->has_failed = true;
    return !pair;
}

/* Told once: everything after it would say the same. */
static void give_up(struct tg_stricter_walk *walk)
{
    if (walk->quiet)
        walk->told++;
    else if (!walk->has_given_up) {
        tg_stricter_tell(walk, "too large to be compared");
        walk->has_given_up = true;
    }
}

static void compare(struct tg_stricter_walk *walk, const struct tg_schema *before,
                    const struct tg_schema *after, uint32_t depth)
{
    if (walk->has_failed) return;
    if (depth == 0 || walk->steps++ > STEPS_MAX) {
        give_up(walk);
        return;
    }
    bool was_null_only = before->kind == TG_SCHEMA_NULL;
    if (takes_null(walk, before) && !takes_null(walk, after))
        tg_stricter_tell(walk, was_null_only ? "nothing was taken, %s is" : "null was taken, is not",
                         tg_stricter_kind(after));
    compare_checks(walk, before, after);
    if (before->kind != TG_SCHEMA_REF && after->kind != TG_SCHEMA_REF) {
        compare_values(walk, before, after, depth - 1);
        return;
    }
    if (before->kind == TG_SCHEMA_REF && after->kind == TG_SCHEMA_REF &&
        after->ref.max_depth < before->ref.max_depth)
        tg_stricter_tell(walk, "it was taken %u deep inside itself, is %u", before->ref.max_depth,
                         after->ref.max_depth);
    if (is_known(walk, before, after)) return;
    compare(walk, before->kind == TG_SCHEMA_REF ? before->ref.target : before,
            after->kind == TG_SCHEMA_REF ? after->ref.target : after, depth - 1);
}

enum tg_status tg_stricter_compare(struct tg_stricter *stricter, struct tg_slice path,
                                   const struct tg_schema *before, const struct tg_schema *after,
                                   enum tg_naming naming)
{
    struct tg_stricter_walk walk = {.stricter = stricter, .naming = naming};
    tg_buf_init(&walk.path);
    tg_buf_init(&walk.text);
    tg_arena_init(&walk.arena, 0);
    tg_buf_append_slice(&walk.path, path);
    compare(&walk, before, after, DEPTH_MAX);
    bool has_failed = walk.has_failed || walk.path.has_failed;
    tg_buf_deinit(&walk.path);
    tg_buf_deinit(&walk.text);
    tg_arena_deinit(&walk.arena);
    return has_failed ? TG_E_NO_MEMORY : TG_OK;
}
