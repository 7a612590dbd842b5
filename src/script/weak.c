/* Lua's own weak values do the work: what is collected leaves its table by itself. */
#include "script/weak.h"

static void push_table(lua_State *L, const void *table)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, table) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, table);
}

void tg_weak_note(lua_State *L, const void *table, int index, const void *address)
{
    index = lua_absindex(L, index);
    push_table(L, table);
    lua_pushvalue(L, index);
    lua_rawsetp(L, -2, address);
    lua_pop(L, 1);
}

void tg_weak_push(lua_State *L, const void *table, const void *address)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, table) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_pushnil(L);
        return;
    }
    lua_rawgetp(L, -1, address);
    lua_replace(L, -2);
}
