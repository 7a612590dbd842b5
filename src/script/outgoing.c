/* Filling follows the schema down into the tables that it describes; a union is followed into the branch that
 * accepts the value as it is. What is not of the right type is left alone: checking or writing it tells. */
#include "script/outgoing.h"

#include "script/branch.h"
#include "script/call.h"
#include "script/exact.h"
#include "script/payload.h"
#include "script/to_lua.h"
#include "wire/json.h"

#include <lauxlib.h>

enum { SHOWN_BYTES = 200 };

static const struct tg_path payload_path = {.key = {"payload", 7}};

/* ---- filling ---- */

struct filling {
    struct tg_world *world;
    lua_State *L;
    struct tg_arena *arena;
    struct tg_slice action;
    int refs, keys; /* stack indices */
    int depth;
};

static bool fill(struct filling *filling, int index, const struct tg_schema *schema,
                 const struct tg_path *path);

/* Whether there may be a default in a value of this schema. */
static bool is_container(const struct tg_schema *schema)
{
    return schema->kind >= TG_SCHEMA_ARRAY;
}

/* Puts the value on top into the copy of the table at `index` under the key below it; makes the copy when
 * there is none yet. [-2, +0, e] */
static void put(struct filling *filling, int index, bool *is_copied)
{
    lua_State *L = filling->L;
    if (!*is_copied) {
        lua_newtable(L);
        for (lua_pushnil(L); lua_next(L, index);) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, -4);
        }
        if (tg_is_marked_array(filling->world, L, index)) tg_mark_array(filling->world, L);
        lua_replace(L, index);
        *is_copied = true;
    }
    lua_rawset(L, index);
}

/* Pushes what stands in for an absent field; false, and nothing, when the schema has no default. */
static bool push_default(struct filling *filling, const struct tg_schema *schema)
{
    if (schema->default_value)
        tg_push_value(filling->L, filling->refs, filling->keys, schema->default_value);
    else if (schema->script_default)
        tg_payload_push_default(filling->world, filling->L, schema, filling->arena);
    else
        return false;
    return true;
}

static bool fill_object(struct filling *filling, int index, const struct tg_schema *schema,
                        const struct tg_path *path)
{
    lua_State *L = filling->L;
    bool is_copied = false;
    for (uint32_t i = 0; i < schema->object.count; i++) {
        const struct tg_schema_field *field = &schema->object.fields[i];
        int top = lua_gettop(L);
        lua_rawgeti(L, filling->keys, field->key_id);
        lua_pushvalue(L, -1);
        bool is_changed = false;
        if (lua_rawget(L, index) == LUA_TNIL) {
            lua_pop(L, 1);
            is_changed = push_default(filling, field->schema);
        } else if (is_container(field->schema)) {
            const struct tg_path step = {.parent = path, .key = field->name};
            is_changed = fill(filling, top + 2, field->schema, &step);
        }
        if (is_changed) put(filling, index, &is_copied);
        lua_settop(L, top);
    }
    return is_copied;
}

static bool fill_array(struct filling *filling, int index, const struct tg_schema *item,
                       const struct tg_path *path)
{
    lua_State *L = filling->L;
    bool is_copied = false;
    lua_Unsigned count = is_container(item) ? lua_rawlen(L, index) : 0;
    for (lua_Unsigned i = 1; i <= count; i++) {
        const struct tg_path step = {.parent = path, .index = (uint32_t)(i - 1)};
        lua_pushinteger(L, (lua_Integer)i);
        lua_rawgeti(L, index, (lua_Integer)i);
        if (fill(filling, lua_gettop(L), item, &step))
            put(filling, index, &is_copied);
        else
            lua_pop(L, 2);
    }
    return is_copied;
}

/* Goes through the table as it was: the copy takes the place at `index`. */
static bool fill_map(struct filling *filling, int index, const struct tg_schema *value,
                     const struct tg_path *path)
{
    lua_State *L = filling->L;
    if (!is_container(value)) return false;
    bool is_copied = false;
    lua_pushvalue(L, index);
    int map = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, map);) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        struct tg_path step = {.parent = path};
        if (lua_type(L, -2) == LUA_TSTRING) step.key.data = lua_tolstring(L, -2, &step.key.length);
        if (fill(filling, lua_gettop(L), value, &step))
            put(filling, index, &is_copied);
        else
            lua_pop(L, 2);
    }
    lua_pop(L, 1);
    return is_copied;
}

static bool fill_union(struct filling *filling, int index, const struct tg_schema *schema,
                       const struct tg_path *path)
{
    const struct tg_reading reading = {
        .arena = filling->arena, .path = path, .subject = {.name = filling->action}};
    const struct tg_schema *branch = tg_union_branch(filling->world, filling->L, index, schema, &reading);
    return branch && fill(filling, index, branch, path);
}

/* True: the value at `index`, an absolute slot on top of the stack, has been replaced. */
static bool fill(struct filling *filling, int index, const struct tg_schema *schema,
                 const struct tg_path *path)
{
    lua_State *L = filling->L;
    if (!lua_istable(L, index)) return false;
    luaL_checkstack(L, 12, "payload nested too deeply");
    if (++filling->depth > TG_TABLE_MAX_DEPTH) {
        const struct tg_subject subject = {.name = filling->action};
        tg_fail_at(filling->world, L, &subject, NULL,
                   "nested deeper than 512 levels: does a table hold itself?");
    }
    bool is_changed = false;
    schema = tg_schema_follow(schema);
    if (schema->kind == TG_SCHEMA_OBJECT) {
        is_changed = fill_object(filling, index, schema, path);
    } else if (schema->kind == TG_SCHEMA_ARRAY) {
        is_changed = fill_array(filling, index, schema->array.item, path);
    } else if (schema->kind == TG_SCHEMA_MAP) {
        is_changed = fill_map(filling, index, schema->map.value, path);
    } else if (schema->kind == TG_SCHEMA_UNION) {
        is_changed = fill_union(filling, index, schema, path);
    } else if (schema->kind == TG_SCHEMA_TAGGED) {
        const struct tg_schema *branch = tg_tagged_branch(L, index, filling->keys, schema);
        is_changed = branch && fill_object(filling, index, branch, path);
    }
    filling->depth--;
    return is_changed;
}

void tg_outgoing_fill(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      struct tg_scratch *scratch)
{
    int top = lua_gettop(L);
    tg_world_push_refs(world, L);
    tg_world_push(world, L, TG_REF_KEYS);
    struct filling filling = {.world = world,
                              .L = L,
                              .arena = &scratch->arena,
                              .action = type->action,
                              .refs = top + 1,
                              .keys = top + 2};
    if (!lua_isnil(L, index))
        fill(&filling, index, type->payload, &payload_path);
    else if (push_default(&filling, type->payload))
        lua_replace(L, index);
    lua_settop(L, top);
}

/* ---- checking ---- */

/* The tree of the payload at `index`; NULL when there is none. */
static struct tg_value *read_payload(struct tg_world *world, lua_State *L, int index,
                                     const struct tg_message_type *type, struct tg_arena *arena)
{
    if (lua_isnil(L, index)) return NULL;
    const struct tg_reading reading = {arena, type->payload, &payload_path, {.name = type->action}};
    return tg_exact_read(world, L, index, &reading);
}

/* Runs the user's checks. What they say is collected in the box, since the world's buffer is anybody's while
 * Lua code runs. */
static void run_checks(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                       struct tg_scratch *scratch, const struct tg_call *calls)
{
    int top = lua_gettop(L);
    struct tg_issues issues;
    tg_issues_init(&issues, &scratch->text, world->config->max_errors);
    issues.style = TG_ISSUE_TEXT;
    lua_createtable(L, 0, 1);
    lua_pushvalue(L, index);
    lua_setfield(L, -2, "payload");
    const struct tg_payload_work work = {
        .world = world, .arena = &scratch->arena, .issues = &issues, .holder = lua_gettop(L)};
    tg_payload_work(&work, L, calls);
    tg_issues_finish(&issues);
    if (scratch->text.has_failed) tg_world_check_memory(L, NULL);
    if (issues.count) {
        const struct tg_subject subject = {.name = type->action};
        lua_pushlstring(L, scratch->text.data, scratch->text.length);
        tg_fail_at(world, L, &subject, NULL, lua_tostring(L, -1));
    }
    lua_settop(L, top);
}

void tg_outgoing_check(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                       struct tg_scratch *scratch)
{
    struct tg_value *payload = read_payload(world, L, index, type, &scratch->arena);
    const struct tg_subject subject = {.name = type->action};
    struct tg_exact exact;
    tg_exact_begin(&exact, world, &scratch->arena);
    enum tg_status status = tg_validate_payload(type->payload, &payload, &payload_path, &exact.validation);
    if (!tg_exact_end(&exact, world, L, status)) tg_exact_fail(world, L, &subject, "");
    if (exact.validation.calls) run_checks(world, L, index, type, scratch, exact.validation.calls);
}

/* ---- showing ---- */

/* How many pairs of value and schema are looked at for secrets; what is behind them is taken for one. */
enum { HIDE_STEPS = 20000 };

/* Marks what is secret, whether the value fits its schema or not: where it could be one of several, it is
 * what any of them says. */
static void hide(struct tg_value *value, const struct tg_schema *schema, uint32_t *steps)
{
    if (++*steps > HIDE_STEPS) value->is_secret = true;
    if (value->is_secret) return;
    value->is_secret = schema->is_secret;
    bool is_object = value->type == TG_VALUE_OBJECT, is_array = value->type == TG_VALUE_ARRAY;
    switch (schema->kind) {
    case TG_SCHEMA_ARRAY:
        for (uint32_t i = 0; is_array && i < value->length; i++)
            hide(&value->items[i], schema->array.item, steps);
        break;
    case TG_SCHEMA_MAP:
        for (uint32_t i = 0; is_object && i < value->length; i++)
            hide(&value->members[i].value, schema->map.value, steps);
        break;
    case TG_SCHEMA_OBJECT:
        for (uint32_t i = 0; is_object && i < value->length; i++) {
            const struct tg_schema_field *field = tg_schema_find_field(&schema->object, TG_NAMING_DECLARED,
                                                                       tg_member_key(&value->members[i]), 0);
            if (field) hide(&value->members[i].value, field->schema, steps);
        }
        break;
    case TG_SCHEMA_UNION:
        for (uint32_t i = 0; i < schema->alternatives.count; i++)
            hide(value, schema->alternatives.branches[i], steps);
        break;
    case TG_SCHEMA_TAGGED:
        for (uint32_t i = 0; i < schema->tagged.count; i++) hide(value, schema->tagged.branches[i], steps);
        break;
    case TG_SCHEMA_REF:
        hide(value, schema->ref.target, steps);
        break;
    default:
        break;
    }
}

struct shown {
    struct tg_world *world;
    const struct tg_message_type *type;
};

/* write_shown(payload, shown) -> text. Runs no Lua code before the text is Lua's. */
static int write_shown(lua_State *L)
{
    const struct shown *shown = lua_touserdata(L, 2);
    struct tg_world *world = shown->world;
    const struct tg_reading reading = {
        &world->arena, shown->type->payload, &payload_path, {shown->type->action, .has_place = true}};
    struct tg_value value;
    uint32_t steps = 0;
    if (world->arena.chunks) tg_arena_reset(&world->arena);
    tg_to_value(world, L, 1, &reading, &value);
    hide(&value, shown->type->payload, &steps);
    tg_buf_truncate(&world->scratch, 0);
    tg_buf_append_slice(&world->scratch, shown->type->action);
    tg_buf_append_char(&world->scratch, ' ');
    tg_json_write_shown(&world->scratch, &value, SHOWN_BYTES);
    if (world->scratch.has_failed) tg_world_check_memory(L, NULL);
    lua_pushlstring(L, world->scratch.data, world->scratch.length);
    return 1;
}

void tg_outgoing_push_shown(struct tg_world *world, lua_State *L, int index,
                            const struct tg_message_type *type)
{
    struct shown shown = {world, type};
    if (lua_isnil(L, index)) {
        lua_pushlstring(L, type->action.data, type->action.length);
        return;
    }
    lua_pushvalue(L, index);
    lua_pushcfunction(L, write_shown);
    lua_insert(L, -2);
    lua_pushlightuserdata(L, &shown);
    tg_call_values(L, 2, 1); /* a payload that JSON cannot say: the error's text says so */
}
