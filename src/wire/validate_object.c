/* An object is walked twice: first every member is matched with its declared field, which tells
 * what is missing; then the members are checked in document order, and compacted as they go.
 * Between the two, `key_id` of a member holds the index of its field + 1, or 0.
 */
#include "base/nearest.h"
#include "wire/validate_walk.h"

/* Puts the index of the field + 1 into each member's key_id; returns how many fields are there. */
static uint32_t match_members(struct tg_walk *walk, const struct tg_schema_object *object,
                              struct tg_value *value)
{
    enum tg_naming naming = walk->validation->naming;
    uint32_t found = 0, hint = 0;
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_member *member = &value->members[i];
        const struct tg_schema_field *field =
            tg_schema_find_field(object, naming, tg_member_key(member), hint);
        if (field) hint = (uint32_t)(field - object->fields) + 1;
        member->key_id = field ? hint : 0;
        found += field != NULL;
    }
    return found;
}

/* One flag per field; NULL without memory. */
static bool *mark_present(struct tg_walk *walk, const struct tg_schema_object *object,
                          const struct tg_value *value)
{
    bool *is_present = tg_arena_calloc(walk->arena, object->count, sizeof *is_present);
    if (!is_present) {
        tg_walk_fail_memory(walk);
        return NULL;
    }
    for (uint32_t i = 0; i < value->length; i++)
        if (value->members[i].key_id) is_present[value->members[i].key_id - 1] = true;
    return is_present;
}

static struct tg_walk_step step_to(const struct tg_walk *walk, const struct tg_schema_field *field,
                                   const struct tg_path *path)
{
    return (struct tg_walk_step){
        .path = {.parent = path, .key = field->wire[walk->validation->naming].text, .key_id = field->key_id}};
}

/* Reports the required fields among the absent ones; returns how many of them have a default. */
static uint32_t report_missing(struct tg_walk *walk, const struct tg_schema_object *object,
                               const bool *is_present, const struct tg_path *path)
{
    uint32_t defaults = 0;
    for (uint32_t i = 0; i < object->count && !walk->is_over; i++) {
        const struct tg_schema *field = object->fields[i].schema;
        if (is_present[i]) continue;
        bool has_default = field->default_value || field->script_default;
        defaults += has_default;
        if (has_default || field->is_optional) continue;
        struct tg_walk_step step = step_to(walk, &object->fields[i], path);
        tg_walk_refuse(walk, TG_ISSUE_MISSING, NULL, &step.path);
    }
    return defaults;
}

/* ---- members ---- */

struct names {
    const struct tg_schema_object *object;
    enum tg_naming naming;
};

static struct tg_slice name_at(const void *names, size_t index)
{
    const struct names *all = names;
    return all->object->fields[index].wire[all->naming].text;
}

static void report_extra(struct tg_walk *walk, const struct tg_schema_object *object,
                         const struct tg_member *member, const struct tg_path *path)
{
    struct names names = {object, walk->validation->naming};
    struct tg_issue issue = {.type = TG_ISSUE_EXTRA_FORBIDDEN, .path = path, .got = &member->value};
    size_t meant = TG_NEAREST_NONE;
    if (tg_walk_is_read(walk)) meant = tg_nearest(tg_member_key(member), &names, object->count, name_at);
    if (meant != TG_NEAREST_NONE) issue.text = name_at(&names, meant);
    tg_walk_report(walk, &issue);
}

/* Whether an undeclared member is called as a field is in the script: in camel case a client writes that
 * field otherwise, and the two would be one to the script, the undeclared one unchecked. */
static bool takes_a_name(const struct tg_walk *walk, const struct tg_schema_object *object,
                         const struct tg_member *member)
{
    return walk->validation->naming != TG_NAMING_DECLARED &&
           tg_schema_find_field(object, TG_NAMING_DECLARED, tg_member_key(member), 0);
}

/* Checks the members and drops those that nobody asked for. */
static void check_members(struct tg_walk *walk, const struct tg_schema_object *object, struct tg_value *value,
                          const struct tg_path *path)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < value->length && !walk->is_over; i++) {
        struct tg_member *member = &value->members[i];
        struct tg_walk_step step = {.path = {.parent = path, .key = tg_member_key(member)}};
        if (member->key_id) {
            const struct tg_schema_field *field = &object->fields[member->key_id - 1];
            member->key_id = step.path.key_id = field->key_id;
            tg_walk_check(walk, field->schema, &member->value, &step.path);
        } else if (object->additional == TG_ADDITIONAL_FORBID ||
                   (object->additional == TG_ADDITIONAL_ALLOW && takes_a_name(walk, object, member))) {
            report_extra(walk, object, member, &step.path);
            continue;
        } else if (object->additional == TG_ADDITIONAL_IGNORE) {
            continue;
        }
        if (kept != i) value->members[kept] = *member;
        kept++;
    }
    value->length = kept;
}

/* ---- defaults ---- */

static void add_default(struct tg_walk *walk, const struct tg_schema_field *field, struct tg_value *value,
                        const struct tg_path *path)
{
    struct tg_walk_step step = step_to(walk, field, path);
    if (!field->schema->default_value) {
        tg_walk_add_call(walk, field->schema, &step.path, true);
        return;
    }
    struct tg_member *member = &value->members[value->length++];
    *member = (struct tg_member){.key = step.path.key.data,
                                 .key_length = (uint32_t)step.path.key.length,
                                 .key_id = field->key_id,
                                 .value = *field->schema->default_value};
    member->value.is_secret |= field->schema->is_secret;
}

/* The members are as many as they can be, so a longer list needs a place of its own. */
static void add_defaults(struct tg_walk *walk, const struct tg_schema_object *object, struct tg_value *value,
                         const bool *is_present, uint32_t defaults, const struct tg_path *path)
{
    size_t count = (size_t)value->length + defaults;
    struct tg_member *members = tg_arena_alloc(walk->arena, count * sizeof *members);
    if (!members) {
        tg_walk_fail_memory(walk);
        return;
    }
    if (value->length) memcpy(members, value->members, value->length * sizeof *members);
    value->members = members;
    for (uint32_t i = 0; i < object->count; i++) {
        const struct tg_schema *field = object->fields[i].schema;
        if (!is_present[i] && (field->default_value || field->script_default))
            add_default(walk, &object->fields[i], value, path);
    }
}

void tg_walk_object(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path)
{
    const struct tg_schema_object *object = &schema->object;
    if (value->type != TG_VALUE_OBJECT) {
        tg_walk_refuse(walk, TG_ISSUE_MODEL_TYPE, value, path);
        return;
    }
    if (!tg_walk_own(walk, value)) return;
    /* Keys are unique, so as many matches as fields means that all are there. */
    if (match_members(walk, object, value) == object->count) {
        check_members(walk, object, value, path);
        return;
    }
    const bool *is_present = mark_present(walk, object, value);
    if (!is_present) return;
    uint32_t defaults = report_missing(walk, object, is_present, path);
    check_members(walk, object, value, path);
    if (defaults && !walk->is_over) add_defaults(walk, object, value, is_present, defaults, path);
}
