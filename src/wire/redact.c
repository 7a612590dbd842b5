/* A value is looked at once, against all schemas that might apply to it: a union means all of its branches.
 * So the work is the message's size times ALTERNATIVES_MAX, whatever the schemas look like.
 *
 * Invariant: a value stays only where one of its alternatives has its shape and none is secret. */
#include "wire/redact.h"

#include "base/map.h"
#include "wire/stand_in.h"

/* More schemas for one value than these, and it is not kept. */
enum { ALTERNATIVES_MAX = 64 };

/* ---- whether there is any ---- */

struct search {
    struct tg_arena *scratch;
    struct tg_map seen; /* nodes, by their address */
    bool is_found;
};

static void search(struct search *s, const struct tg_schema *schema);

/* False: it was here before. */
static bool is_new(struct search *s, const struct tg_schema *schema)
{
    struct tg_slice address =
        tg_arena_copy(s->scratch, (struct tg_slice){(const char *)&schema, sizeof(uintptr_t)});
    if (!address.data) return s->is_found = true;
    enum tg_status status = tg_map_add(&s->seen, address, s);
    if (status == TG_E_NO_MEMORY) s->is_found = true;
    return status == TG_OK;
}

static void search_all(struct search *s, const struct tg_schema *const *branches, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) search(s, branches[i]);
}

static void search(struct search *s, const struct tg_schema *schema)
{
    if (!schema || s->is_found || !is_new(s, schema)) return;
    if (schema->is_secret) s->is_found = true;
    switch (schema->kind) {
    case TG_SCHEMA_ARRAY:
        search(s, schema->array.item);
        break;
    case TG_SCHEMA_OBJECT:
        for (uint32_t i = 0; i < schema->object.count; i++) search(s, schema->object.fields[i].schema);
        break;
    case TG_SCHEMA_MAP:
        search(s, schema->map.key);
        search(s, schema->map.value);
        break;
    case TG_SCHEMA_UNION:
        search_all(s, schema->alternatives.branches, schema->alternatives.count);
        break;
    case TG_SCHEMA_TAGGED:
        search_all(s, schema->tagged.branches, schema->tagged.count);
        break;
    case TG_SCHEMA_REF:
        search(s, schema->ref.target);
        break;
    default:
        break;
    }
}

bool tg_schema_has_secret(const struct tg_schema *schema, struct tg_arena *scratch)
{
    struct search s = {.scratch = scratch};
    tg_map_init(&s.seen, (struct tg_hash_seed){0});
    search(&s, schema);
    tg_map_deinit(&s.seen);
    return s.is_found;
}

/* ---- the schemas of one value ---- */

struct alternatives {
    const struct tg_schema *items[ALTERNATIVES_MAX];
    uint32_t count;
    const struct tg_schema *secret; /* the first that is; NULL: none */
    bool is_over;                   /* there were more */
};

static void add(struct alternatives *all, const struct tg_schema *schema);

static void add_all(struct alternatives *all, const struct tg_schema *const *branches, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) add(all, branches[i]);
}

/* Unions and references that lead back to themselves without a value between are refused at load. */
static void add(struct alternatives *all, const struct tg_schema *schema)
{
    if (all->is_over) return;
    if (schema->is_secret && !all->secret) all->secret = schema;
    if (schema->kind == TG_SCHEMA_UNION)
        add_all(all, schema->alternatives.branches, schema->alternatives.count);
    else if (schema->kind == TG_SCHEMA_TAGGED)
        add_all(all, schema->tagged.branches, schema->tagged.count);
    else if (schema->kind == TG_SCHEMA_REF)
        add(all, schema->ref.target);
    else if (all->count == ALTERNATIVES_MAX)
        all->is_over = true;
    else
        all->items[all->count++] = schema;
}

/* ---- the walk ---- */

struct redaction {
    struct tg_arena *arena;
    enum tg_naming naming;
    uint32_t *changes;
};

static enum tg_status redact(struct redaction *r, struct tg_value *value, const struct alternatives *all);

static enum tg_status replace(struct redaction *r, struct tg_value *value, const struct tg_schema *schema)
{
    (*r->changes)++;
    return tg_stand_in(value, schema, r->naming, r->arena);
}

static bool has_kind(const struct alternatives *all, enum tg_schema_kind kind)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (all->items[i]->kind == kind) return true;
    return false;
}

/* Whether what stands under names that nobody declared may stay: where it is allowed, unless there is a
 * secret among what is declared, however deep. */
static bool keeps_undeclared(const struct redaction *r, const struct alternatives *all)
{
    bool is_free = false;
    for (uint32_t i = 0; i < all->count; i++) {
        const struct tg_schema *schema = all->items[i];
        bool is_open = schema->kind == TG_SCHEMA_OBJECT && schema->object.additional == TG_ADDITIONAL_ALLOW;
        if (schema->kind == TG_SCHEMA_ANY || is_open) is_free = true;
        if (is_open && tg_schema_has_secret(schema, r->arena)) return false;
    }
    return is_free;
}

/* The schemas of a member. False: it is not to be kept. */
static bool find_member(const struct redaction *r, const struct alternatives *all, bool is_free,
                        struct tg_slice key, struct alternatives *found)
{
    static const struct tg_schema anything = {.kind = TG_SCHEMA_ANY};
    *found = (struct alternatives){.count = 0};
    for (uint32_t i = 0; i < all->count; i++) {
        const struct tg_schema *schema = all->items[i];
        const struct tg_schema_field *field = schema->kind == TG_SCHEMA_OBJECT
                                                  ? tg_schema_find_field(&schema->object, r->naming, key, 0)
                                                  : NULL;
        if (field) add(found, field->schema);
        if (schema->kind == TG_SCHEMA_MAP && schema->map.key && schema->map.key->is_secret) return false;
        if (schema->kind == TG_SCHEMA_MAP && schema->map.value) add(found, schema->map.value);
    }
    if (found->count == 0 && !found->secret && is_free) add(found, &anything);
    return found->count > 0 || found->secret;
}

static enum tg_status redact_members(struct redaction *r, struct tg_value *object,
                                     const struct alternatives *all)
{
    uint32_t kept = 0;
    bool is_free = object->length > 0 && keeps_undeclared(r, all);
    for (uint32_t i = 0; i < object->length; i++) {
        struct alternatives found;
        if (!find_member(r, all, is_free, tg_member_key(&object->members[i]), &found)) {
            (*r->changes)++;
            continue;
        }
        object->members[kept] = object->members[i];
        if (redact(r, &object->members[kept++].value, &found) != TG_OK) return TG_E_NO_MEMORY;
    }
    object->length = kept;
    return TG_OK;
}

static enum tg_status redact_items(struct redaction *r, struct tg_value *array,
                                   const struct alternatives *all)
{
    struct alternatives found = {.count = 0};
    for (uint32_t i = 0; i < all->count; i++)
        if (all->items[i]->kind == TG_SCHEMA_ARRAY && all->items[i]->array.item)
            add(&found, all->items[i]->array.item);
    for (uint32_t i = 0; found.count && i < array->length; i++)
        if (redact(r, &array->items[i], &found) != TG_OK) return TG_E_NO_MEMORY;
    return TG_OK;
}

/* Where nothing belongs but null, whatever stands there may have been meant for elsewhere. */
static bool has_scalar(const struct alternatives *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        enum tg_schema_kind kind = all->items[i]->kind;
        if (kind != TG_SCHEMA_NULL && kind != TG_SCHEMA_ARRAY && kind != TG_SCHEMA_OBJECT &&
            kind != TG_SCHEMA_MAP)
            return true;
    }
    return false;
}

static enum tg_status redact(struct redaction *r, struct tg_value *value, const struct alternatives *all)
{
    bool is_any = has_kind(all, TG_SCHEMA_ANY);
    if (all->secret || all->is_over) return replace(r, value, all->is_over ? NULL : all->secret);
    switch (value->type) {
    case TG_VALUE_NULL:
        return TG_OK;
    case TG_VALUE_ARRAY:
        if (!is_any && !has_kind(all, TG_SCHEMA_ARRAY)) return replace(r, value, NULL);
        return redact_items(r, value, all);
    case TG_VALUE_OBJECT:
        if (!is_any && !has_kind(all, TG_SCHEMA_OBJECT) && !has_kind(all, TG_SCHEMA_MAP))
            return replace(r, value, NULL);
        return redact_members(r, value, all);
    default:
        return has_scalar(all) ? TG_OK : replace(r, value, NULL);
    }
}

enum tg_status tg_redact(struct tg_value *value, const struct tg_schema *schema, enum tg_naming naming,
                         struct tg_arena *arena, uint32_t *changes)
{
    struct redaction r = {.arena = arena, .naming = naming, .changes = changes};
    struct alternatives all = {.count = 0};
    add(&all, schema);
    return redact(&r, value, &all);
}
