/* Only fields that exist already are set on the way back, so it needs no memory and raises nothing. */
#include "script/borrow.h"

#include <lauxlib.h>

enum { NOTED = 5 };

/* How liolib calls its default files in the registry. */
static const char *const default_files[] = {"_IO_input", "_IO_output"};

void tg_borrow_note(lua_State *L)
{
    luaL_checkstack(L, NOTED + 3, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushliteral(L, "");
    if (!lua_getmetatable(L, -1)) lua_pushnil(L);
    lua_remove(L, -2);
    for (int i = 0; i < 2; i++) lua_getfield(L, LUA_REGISTRYINDEX, default_files[i]);
    if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE)
        lua_getfield(L, -1, "__index");
    else
        lua_pushnil(L);
    lua_remove(L, -2);
    lua_newtable(L); /* what opens itself into globals does so here */
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
}

void tg_borrow_restore(lua_State *L)
{
    int first = lua_gettop(L) - NOTED + 1;
    lua_pushvalue(L, first);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushliteral(L, "");
    lua_pushvalue(L, first + 1);
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
    for (int i = 0; i < 2; i++) {
        lua_pushvalue(L, first + 2 + i);
        lua_setfield(L, LUA_REGISTRYINDEX, default_files[i]);
    }
    if (!lua_isnil(L, first + 4) && luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
        lua_pushvalue(L, first + 4);
        lua_setfield(L, -2, "__index");
    }
    lua_settop(L, first - 1);
}
