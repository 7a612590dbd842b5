/* An instance is a userdata whose one user value is the payload: one block of memory, where a table with one
 * field takes two and has to be hashed into. Its block says that it is one and of which type; no userdata of
 * anybody else's has our address in it. The type table holds the type under a key that no Lua code can name.
 */
#include "script/message_type.h"

#include "script/compile.h"
#include "script/convert.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <string.h>

/* Its address is the key. */
static const char type_key = 0;

struct instance {
    const char *mark; /* &type_key */
    const struct tg_message_type *type;
};

/* constructor(self, payload). Upvalues: the metatable, the type. */
static int make_instance(lua_State *L)
{
    lua_settop(L, 2);
    struct instance *instance = lua_newuserdatauv(L, sizeof *instance, 1);
    *instance = (struct instance){&type_key, lua_touserdata(L, lua_upvalueindex(2))};
    lua_insert(L, 2);
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

/* Pushes the metatable of the type's instances. [-0, +1, e] */
static void push_instance_meta(lua_State *L, const struct tg_message_type *type)
{
    lua_createtable(L, 0, 4);
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
    lua_getfield(L, index, "schema");
    type->payload = tg_compile_schema(world, L, lua_gettop(L));
    lua_pop(L, 1);
    lua_pushlightuserdata(L, type);
    lua_rawsetp(L, index, &type_key);
    push_instance_meta(L, type);
    lua_pushlightuserdata(L, type);
    lua_pushcclosure(L, make_instance, 2);
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
        return lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index));
    return schema->kind == TG_SCHEMA_ANY && lua_isnil(L, index);
}

void tg_message_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      const struct tg_ref *ref, struct tg_buf *out)
{
    index = lua_absindex(L, index);
    tg_buf_append_slice(out, type->head);
    luaL_checkstack(L, 12, "too many values");
    tg_world_push(world, L, TG_REF_KEYS);
    int keys = lua_gettop(L);
    lua_getiuservalue(L, index, 1);
    if (!is_left_out(L, keys + 1, type->payload)) {
        tg_buf_append_literal(out, ",\"payload\":");
        tg_write_payload(world, L, keys + 1, keys, type->payload, type->action, out);
    }
    lua_settop(L, keys - 1);
    tg_message_write_ref(out, ref);
    tg_buf_append_char(out, '}');
}
