/* An instance is a userdata whose one user value is the payload: one block of memory, where a table with one
 * field takes two and has to be hashed into. Its block says that it is one and of which type; no userdata of
 * anybody else's has our address in it. The type table holds the type under a key that no Lua code can name.
 */
#include "script/message_type.h"

#include "script/compile.h"
#include "script/outgoing.h"
#include "script/to_json.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <string.h>

/* Its address is the key. */
static const char type_key = 0;

struct instance {
    const char *mark; /* &type_key */
    const struct tg_message_type *type;
};

/* constructor(self, payload). Upvalues: the metatable, the type, the world. What is wrong is raised at the
 * line of the caller. */
static int make_instance(lua_State *L)
{
    const struct tg_message_type *type = lua_touserdata(L, lua_upvalueindex(2));
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(3));
    bool is_checked = tg_config_checks_outgoing(world->config);
    lua_settop(L, 2);
    struct instance *instance = lua_newuserdatauv(L, sizeof *instance, 1);
    *instance = (struct instance){&type_key, type};
    lua_insert(L, 2);
    if (type->has_defaults || is_checked) {
        struct tg_scratch *scratch = tg_scratch_push(world, L);
        if (type->has_defaults) tg_outgoing_fill(world, L, 3, type, scratch);
        if (is_checked) tg_outgoing_check(world, L, 3, type, scratch);
        tg_scratch_pop(L);
    }
    lua_setiuservalue(L, 2, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setmetatable(L, 2);
    return 1;
}

/* message.payload, message.action. Upvalue: the action. */
static int instance_index(lua_State *L)
{
    const char *key = lua_tostring(L, 2);
    if (key && strcmp(key, "payload") == 0)
        lua_getiuservalue(L, 1, 1);
    else if (key && strcmp(key, "action") == 0)
        lua_pushvalue(L, lua_upvalueindex(1));
    else
        lua_pushnil(L);
    return 1;
}

/* message.payload = value */
static int instance_newindex(lua_State *L)
{
    const char *key = luaL_tolstring(L, 2, NULL);
    if (strcmp(key, "payload") != 0)
        return luaL_error(L, "a message has action and payload, and only payload can be set: got '%s'", key);
    lua_settop(L, 3);
    lua_setiuservalue(L, 1, 1);
    return 0;
}

/* tostring(message). Upvalue: the world. */
static int instance_tostring(lua_State *L)
{
    const struct tg_message_type *type = tg_message_type_of_instance(L, 1);
    if (!type) return luaL_error(L, "a message is expected");
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    tg_outgoing_push_shown(lua_touserdata(L, lua_upvalueindex(1)), L, 2, type);
    return 1;
}

static struct tg_slice copy_field(struct tg_world *world, lua_State *L, int index, const char *name)
{
    struct tg_slice text;
    lua_getfield(L, index, name);
    text.data = luaL_tolstring(L, -1, &text.length);
    text = tg_world_copy(world, L, text);
    lua_pop(L, 2);
    return text;
}

/* {"action":"chat" as a slice in the arena. */
static struct tg_slice make_head(struct tg_world *world, lua_State *L, struct tg_slice action)
{
    struct tg_buf *head = &world->scratch;
    tg_buf_truncate(head, 0);
    tg_buf_append_literal(head, "{\"action\":");
    tg_json_write_string(head, action);
    if (head->has_failed) tg_world_check_memory(L, NULL);
    return tg_world_copy(world, L, tg_buf_peek(head));
}

static enum tg_role get_role(lua_State *L, int index)
{
    static const char *const names[] = {"message", "group_message", "event", NULL};
    lua_getfield(L, index, "role");
    enum tg_role role = (enum tg_role)luaL_checkoption(L, -1, names[TG_ROLE_MESSAGE], names);
    lua_pop(L, 1);
    return role;
}

/* Pushes the metatable of the type's instances. [-0, +1, e] */
static void push_instance_meta(struct tg_world *world, lua_State *L, const struct tg_message_type *type)
{
    lua_createtable(L, 0, 5);
    lua_pushlightuserdata(L, world);
    lua_pushcclosure(L, instance_tostring, 1);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* out of reach */
    lua_pushlstring(L, type->action.data, type->action.length);
    lua_pushcclosure(L, instance_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, instance_newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushfstring(L, "tidegate.message %s", type->action.data);
    lua_setfield(L, -2, "__name");
}

void tg_message_type_push_constructor(struct tg_world *world, lua_State *L, int index)
{
    index = lua_absindex(L, index);
    struct tg_message_type *type = tg_arena_calloc(&world->registry->arena, 1, sizeof *type);
    tg_world_check_memory(L, type);
    type->action = copy_field(world, L, index, "action");
    type->source = copy_field(world, L, index, "source");
    type->head = make_head(world, L, type->action);
    type->role = get_role(L, index);
    lua_getfield(L, index, "schema");
    struct tg_compiled compiled = tg_compile_schema(world, L, lua_gettop(L));
    type->payload = compiled.schema;
    type->clash = compiled.clash;
    type->has_defaults = compiled.has_defaults;
    lua_pop(L, 1);
    if (lua_getfield(L, index, "serialise") != LUA_TNIL)
        type->serialise = tg_world_keep(world, L);
    else
        lua_pop(L, 1);
    lua_pushlightuserdata(L, type);
    lua_rawsetp(L, index, &type_key);
    push_instance_meta(world, L, type);
    lua_pushlightuserdata(L, type);
    lua_pushlightuserdata(L, world);
    lua_pushcclosure(L, make_instance, 3);
}

static const struct tg_message_type *type_in_table(lua_State *L, int index)
{
    lua_rawgetp(L, index, &type_key);
    const struct tg_message_type *type = lua_islightuserdata(L, -1) ? lua_touserdata(L, -1) : NULL;
    lua_pop(L, 1);
    return type;
}

const struct tg_message_type *tg_message_type_of_table(lua_State *L, int index)
{
    const struct tg_message_type *type = lua_istable(L, index) ? type_in_table(L, index) : NULL;
    if (!type)
        luaL_error(L, "a message type is expected (what tide.message returns), got a %s",
                   luaL_typename(L, index));
    return type;
}

const struct tg_message_type *tg_message_type_of_instance(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA) return NULL;
    const struct instance *instance = lua_touserdata(L, index);
    if (lua_rawlen(L, index) != sizeof *instance || instance->mark != &type_key) return NULL;
    return instance->type;
}

const char *tg_message_type_push_misuse(lua_State *L, int index)
{
    const struct tg_message_type *type = lua_istable(L, index) ? type_in_table(L, index) : NULL;
    if (!type) return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    return lua_pushfstring(L, "the message type '%s' itself: call it to make a message, as in %s(payload)",
                           type->action.data, type->action.data);
}

/* Whether a payload that is nil has to be written: only as the null of a schema that asks for one. */
static bool is_left_out(lua_State *L, int index, const struct tg_schema *schema)
{
    if (schema->kind == TG_SCHEMA_NULL || schema->is_nullable || schema->is_optional)
        return tg_is_null(L, index);
    return schema->kind == TG_SCHEMA_ANY && lua_isnil(L, index);
}

void tg_message_check_naming(lua_State *L, const struct tg_message_type *type, enum tg_naming naming)
{
    if (naming == TG_NAMING_CAMEL && type->clash.data)
        luaL_error(L, "the message '%s' (%s) has no names in camel case: %s", type->action.data,
                   type->source.data, type->clash.data);
}

void tg_message_push_payload(struct tg_world *world, lua_State *L, int index,
                             const struct tg_message_type *type)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 12, "too many values");
    if (type->serialise) tg_world_push(world, L, type->serialise);
    lua_getiuservalue(L, index, 1);
    if (!type->serialise) return;
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1))
        luaL_error(L, "serialise of the message '%s' returned nothing: it returns what is sent",
                   type->action.data);
}

void tg_message_write_head(struct tg_world *world, lua_State *L, int index,
                           const struct tg_message_type *type, enum tg_naming naming, struct tg_buf *out)
{
    index = lua_absindex(L, index);
    bool has_extras = type->serialise != 0;
    tg_buf_append_slice(out, type->head);
    if (has_extras || !is_left_out(L, index, type->payload)) {
        const struct tg_writing writing = {type->payload, naming, has_extras, type->action};
        tg_world_push(world, L, TG_REF_KEYS);
        tg_buf_append_literal(out, ",\"payload\":");
        tg_write_payload(world, L, index, lua_gettop(L), &writing, out);
        lua_pop(L, 1);
    }
}

void tg_message_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      enum tg_naming naming, const struct tg_ref *ref, struct tg_buf *out)
{
    tg_message_write_head(world, L, index, type, naming, out);
    tg_message_write_ref(out, ref);
    if (type->role == TG_ROLE_GROUP_MESSAGE)
        tg_buf_append_literal(out, ",\"is_mine\":false,\"is_current\":false");
    tg_buf_append_char(out, '}');
}
