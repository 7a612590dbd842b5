/* A wrapper calls the original protected, since an error has to get back what the wrapper took from it: the
 * line of the caller, who is one level further away, and the name of the function. */
#include "script/blocking.h"

#include "base/log.h"
#include "core/turn.h"
#include "script/call.h"
#include "script/place.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

/* Upvalues of a wrapper. */
enum { ORIGINAL = 1, NAME, WORLD };

static const uint64_t NS_PER_MS = 1000000;

/* While modules load nobody is kept waiting. */
static void tell(lua_State *L, uint64_t held_ns)
{
    const struct tg_world *world = lua_touserdata(L, lua_upvalueindex(WORLD));
    if (held_ns < world->config->blocking_call_ms * NS_PER_MS || !world->is_loaded) return;
    if (world->worker) world->worker->metrics.blocking_calls++;
    tg_place_push(L);
    tg_log(TG_LOG_WARNING, "blocking_call", TG_LOG_S("call", lua_tostring(L, lua_upvalueindex(NAME))),
           TG_LOG_I("ms", held_ns / NS_PER_MS), TG_LOG_S("source", lua_tostring(L, -1)));
    lua_pop(L, 1);
}

/* Raises the error on top as the original would have. */
static int raise_as_before(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TSTRING) return lua_error(L);
    const char *name = lua_tostring(L, lua_upvalueindex(NAME));
    const char *last = strpbrk(name, ".:");
    lua_pushfstring(L, "'%s'", last ? last + 1 : name);
    const char *text = luaL_gsub(L, lua_tostring(L, -2), "'?'", lua_tostring(L, -1));
    luaL_where(L, 1);
    lua_pushstring(L, text);
    lua_concat(L, 2);
    return lua_error(L);
}

/* The wrapper: NAME(...) -> what the original returns */
static int call_timed(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(ORIGINAL));
    lua_insert(L, 1);
    uint64_t began_ns = tg_turn_now_ns();
    int outcome = tg_call_values(L, lua_gettop(L) - 1, LUA_MULTRET);
    tell(L, tg_turn_now_ns() - began_ns);
    return outcome == LUA_OK ? lua_gettop(L) : raise_as_before(L);
}

/* Puts a wrapper around the function on top, with the name and the world of the running one. [-1, +1, e] */
static void wrap_like_this(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(NAME));
    lua_pushvalue(L, lua_upvalueindex(WORLD));
    lua_pushcclosure(L, call_timed, 3);
}

/* The same for `lines`, whose iterator is what reads. */
static int call_lines(lua_State *L)
{
    int results = call_timed(L);
    if (results > 0 && lua_isfunction(L, 1)) {
        lua_pushvalue(L, 1);
        wrap_like_this(L);
        lua_replace(L, 1);
    }
    return results;
}

/* Wraps the functions of the table on top, whose names are written with `prefix`. [-0, +0, e] */
static void wrap_all(struct tg_world *world, lua_State *L, const char *prefix, const char *const *names)
{
    for (; *names; names++) {
        lua_getfield(L, -1, *names);
        lua_pushfstring(L, "%s%s", prefix, *names);
        lua_pushlightuserdata(L, world);
        lua_pushcclosure(L, strcmp(*names, "lines") == 0 ? call_lines : call_timed, 3);
        lua_setfield(L, -2, *names);
    }
}

void tg_blocking_install(struct tg_world *world, lua_State *L)
{
    static const char *const of_os[] = {"execute", NULL};
    static const char *const of_io[] = {"popen", "read", "lines", "close", "write", NULL};
    static const char *const of_files[] = {"read", "lines", "close", "write", "flush", NULL};
    tg_world_push(world, L, TG_REF_OWN_ENV);
    lua_getfield(L, -1, "os");
    wrap_all(world, L, "os.", of_os);
    lua_getfield(L, -2, "io");
    wrap_all(world, L, "io.", of_io);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_getfield(L, -1, "__index");
    wrap_all(world, L, "file:", of_files);
    lua_pop(L, 5);
}
