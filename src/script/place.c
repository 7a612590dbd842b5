#include "script/place.h"

#include "script/embedded.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdlib.h>

bool tg_place_find(lua_State *L, int level, lua_Debug *debug)
{
    for (; lua_getstack(L, level, debug); level++) {
        lua_getinfo(L, "Sl", debug);
        if (debug->currentline > 0 && !tg_is_own_chunk(debug->source)) return true;
    }
    return false;
}

void tg_place_push(lua_State *L)
{
    lua_Debug debug;
    if (tg_place_find(L, 1, &debug))
        lua_pushfstring(L, "%s:%d", debug.short_src, debug.currentline);
    else
        lua_pushliteral(L, "?");
}

void tg_place_push_prefix(lua_State *L)
{
    lua_Debug debug;
    if (tg_place_find(L, 1, &debug))
        lua_pushfstring(L, "%s:%d: ", debug.short_src, debug.currentline);
    else
        lua_pushliteral(L, "");
}

const char *tg_place_push_kind(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) return lua_pushliteral(L, "nothing");
    const char *kind = luaL_typename(L, index);
    if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) kind = lua_tostring(L, -1);
    return lua_pushfstring(L, "a %s", kind);
}

_Noreturn int tg_place_error(lua_State *L, const char *format, ...)
{
    va_list arguments;
    tg_place_push_prefix(L);
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    lua_concat(L, 2);
    lua_error(L);
    abort(); /* lua_error does not return */
}
