/* Every table is made with its final size, which costs less than parsing it did. */
#include "script/to_lua.h"

#include <lauxlib.h>

static void push_array(lua_State *L, int refs, int keys, const struct tg_value *value)
{
    lua_createtable(L, (int)value->length, 0);
    for (uint32_t i = 0; i < value->length; i++) {
        tg_push_value(L, refs, keys, &value->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_rawgeti(L, refs, TG_REF_ARRAY_META);
    lua_setmetatable(L, -2);
}

static void push_object(lua_State *L, int refs, int keys, const struct tg_value *value)
{
    lua_createtable(L, 0, (int)value->length);
    for (uint32_t i = 0; i < value->length; i++) {
        const struct tg_member *member = &value->members[i];
        if (member->key_id)
            lua_rawgeti(L, keys, member->key_id);
        else
            lua_pushlstring(L, member->key, member->key_length);
        tg_push_value(L, refs, keys, &member->value);
        lua_rawset(L, -3);
    }
}

void tg_push_value(lua_State *L, int refs, int keys, const struct tg_value *value)
{
    switch (value->type) {
    case TG_VALUE_NULL:
        lua_pushlightuserdata(L, NULL);
        return;
    case TG_VALUE_BOOLEAN:
        lua_pushboolean(L, value->boolean);
        return;
    case TG_VALUE_INTEGER:
        lua_pushinteger(L, value->integer);
        return;
    case TG_VALUE_NUMBER:
        lua_pushnumber(L, value->number);
        return;
    case TG_VALUE_STRING:
        lua_pushlstring(L, value->string, value->length);
        return;
    case TG_VALUE_ARRAY:
        luaL_checkstack(L, 4, "message nested too deeply");
        push_array(L, refs, keys, value);
        return;
    case TG_VALUE_OBJECT:
        luaL_checkstack(L, 4, "message nested too deeply");
        push_object(L, refs, keys, value);
        return;
    }
}
