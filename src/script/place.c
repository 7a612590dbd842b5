#include "script/place.h"

#include "script/embedded.h"

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
