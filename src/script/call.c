#include "script/call.h"

#include <lauxlib.h>

/* Pushing light C functions and light userdata allocates nothing, so it may happen unprotected, provided
 * that the stack has room: LUA_MINSTACK is guaranteed to whoever calls at the outermost level. */
int tg_call_protected(lua_State *L, lua_CFunction function, void *first, void *second)
{
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 4)) return LUA_ERRMEM;
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, first);
    lua_pushlightuserdata(L, second);
    int outcome = lua_pcall(L, 2, 0, 0);
    lua_settop(L, top);
    return outcome;
}

/* The message handler: text, and where it came from. */
static int add_traceback(lua_State *L)
{
    luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
    return 1;
}

int tg_call_handled(lua_State *L, lua_CFunction function, void *first, void *second, lua_CFunction handler)
{
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 5)) return LUA_ERRMEM;
    lua_pushcfunction(L, handler);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, first);
    lua_pushlightuserdata(L, second);
    int outcome = lua_pcall(L, 2, 0, top + 1);
    lua_remove(L, top + 1);
    return outcome;
}

int tg_call_traced(lua_State *L, lua_CFunction function, void *first, void *second)
{
    return tg_call_handled(L, function, first, second, add_traceback);
}

int tg_call_values(lua_State *L, int arguments, int results)
{
    return lua_pcall(L, arguments, results, 0);
}
