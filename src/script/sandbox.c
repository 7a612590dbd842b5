/* Two kinds of functions are dangerous: those that change the whole process or state (os.exit, os.setlocale,
 * debug, the collector's settings), which are gone or refuse, and those that run Lua code where no hook can
 * stop it: finalizers, and message handlers that are called by the hook's own error. */
#include "script/sandbox.h"

#include "base/nearest.h"
#include "script/call.h"
#include "script/watchdog.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

void tg_sandbox_replace(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

static bool names_a_line(const char *text)
{
    const char *colon = text;
    while ((colon = strchr(colon, ':')))
        if (*++colon >= '0' && *colon <= '9') return true;
    return false;
}

int tg_sandbox_raise(lua_State *L)
{
    if (lua_type(L, -1) == LUA_TSTRING && !names_a_line(lua_tostring(L, -1))) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

int tg_sandbox_call(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (tg_call_values(L, lua_gettop(L) - 1, LUA_MULTRET) != LUA_OK) tg_sandbox_raise(L);
    return lua_gettop(L);
}

/* ---- base ---- */

/* collectgarbage("collect"): as steps, so that it can be stopped. The first cycle may have begun before what
 * is garbage now was. */
static void collect(lua_State *L)
{
    enum { CYCLES = 2, STEP_KB = 256 };
    for (int cycle = 0; cycle < CYCLES; cycle++)
        while (!lua_gc(L, LUA_GCSTEP, STEP_KB)) tg_watchdog_check(L);
}

/* collectgarbage([opt [, arg]]) */
static int guarded_collectgarbage(lua_State *L)
{
    static const char *const permitted[] = {"collect", "count", "step", "isrunning", NULL};
    const char *option = luaL_optstring(L, 1, "collect");
    size_t i = 0;
    while (permitted[i] && strcmp(permitted[i], option) != 0) i++;
    if (!permitted[i])
        return luaL_error(L,
                          "collectgarbage '%s': the collector is the gateway's; scripts have collect, count, "
                          "step and isrunning",
                          option);
    if (i == 0) {
        collect(L);
        lua_pushinteger(L, 0);
        return 1;
    }
    return tg_sandbox_call(L);
}

/* setmetatable(table, metatable) */
static int guarded_setmetatable(lua_State *L)
{
    int type = lua_type(L, 2);
    luaL_checktype(L, 1, LUA_TTABLE);
    luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
        return luaL_error(L, "cannot change a protected metatable");
    if (type == LUA_TTABLE) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return luaL_error(L,
                              "setmetatable: scripts have no __gc, since a finalizer that does not end could "
                              "not be stopped; use a <close> variable or the hook `disconnected`");
    }
    lua_settop(L, 2);
    lua_setmetatable(L, 1);
    return 1;
}

/* getmetatable(object): those of userdata have finalizers, which are not for scripts to change. */
static int guarded_getmetatable(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return 1;
    if (lua_type(L, 1) == LUA_TUSERDATA || !lua_getmetatable(L, 1)) lua_pushnil(L);
    return 1;
}

/* The message handler of a run that is stopped would be called inside of the hook, where nothing could stop
 * it in turn. Upvalue 1: the user's. */
static int guarded_handler(lua_State *L)
{
    lua_settop(L, 1);
    if (tg_watchdog_is_stopped()) return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int return_all(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* xpcall(f, msgh [, arg1, ...]) */
static int guarded_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    if (!lua_iscfunction(L, 2)) { /* debug.traceback should not show the handler that calls it */
        lua_pushvalue(L, 2);
        lua_pushcclosure(L, guarded_handler, 1);
        lua_replace(L, 2);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, return_all);
    return lua_gettop(L);
}

/* ---- libraries ---- */

static void take_away(lua_State *L, const char *library, const char *name)
{
    lua_getfield(L, -1, library);
    lua_pushnil(L);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* Everything else in `debug` reads or changes what belongs to other functions. */
static void guard_debug(lua_State *L)
{
    static const char *const kept[] = {"traceback", "getinfo"};
    lua_getfield(L, -1, LUA_DBLIBNAME);
    lua_newtable(L);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        lua_getfield(L, -2, kept[i]);
        lua_setfield(L, -2, kept[i]);
    }
    lua_setfield(L, -3, LUA_DBLIBNAME);
    lua_pop(L, 1);
}

static void guard_library(lua_State *L, const char *name, void (*guard)(lua_State *L))
{
    lua_getfield(L, -1, name);
    guard(L);
    lua_pop(L, 1);
}

void tg_sandbox_guard(lua_State *L)
{
    tg_sandbox_replace(L, "collectgarbage", guarded_collectgarbage);
    tg_sandbox_replace(L, "setmetatable", guarded_setmetatable);
    tg_sandbox_replace(L, "getmetatable", guarded_getmetatable);
    tg_sandbox_replace(L, "xpcall", guarded_xpcall);
    take_away(L, LUA_OSLIBNAME, "exit");
    take_away(L, LUA_OSLIBNAME, "setlocale");
    guard_library(L, LUA_STRLIBNAME, tg_sandbox_guard_string);
    guard_library(L, LUA_TABLIBNAME, tg_sandbox_guard_table);
}

void tg_sandbox_choose(const struct tg_world *world, lua_State *L)
{
    guard_debug(L);
    static const char *const names[] = TG_LUA_LIBRARIES;
    for (size_t i = 0; names[i]; i++) {
        if (world->config->lua_libraries & 1u << i) continue;
        lua_pushnil(L);
        lua_setfield(L, -2, names[i]);
    }
}

void tg_sandbox_own_state(lua_State *L)
{
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_getfield(L, -3, LUA_STRLIBNAME);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 2);
}

/* ---- names ---- */

struct names {
    struct tg_slice at[TG_NEAREST_MOST];
    size_t count;
};

static struct tg_slice name_at(const void *names, size_t index)
{
    return ((const struct names *)names)->at[index];
}

/* The name in the table at `index` that the one at 2 is most likely a slip of; NULL: none is near. */
static const char *find_nearest(lua_State *L, int index)
{
    struct names names = {.count = 0};
    struct tg_slice written;
    written.data = lua_tolstring(L, 2, &written.length);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || names.count == TG_NEAREST_MOST) continue;
        struct tg_slice *name = &names.at[names.count++];
        name->data = lua_tolstring(L, -2, &name->length);
    }
    size_t nearest = tg_nearest(written, &names, names.count, name_at);
    return nearest == TG_NEAREST_NONE ? NULL : names.at[nearest].data;
}

/* __index(environment, name); upvalue 1: the environment of installed modules */
static int read_unknown(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING) return 1;
    const char *nearest = find_nearest(L, 1);
    if (nearest)
        return luaL_error(L, "there is no global '%s'; did you mean '%s'?", lua_tostring(L, 2), nearest);
    return luaL_error(L, "there is no global '%s'; is it a local that is declared further down, or misspelt?",
                      lua_tostring(L, 2));
}

/* __newindex(environment, name, value) */
static int set_unknown(lua_State *L)
{
    const char *nearest = lua_type(L, 2) == LUA_TSTRING ? find_nearest(L, 1) : NULL;
    const char *name = luaL_tolstring(L, 2, NULL);
    if (nearest)
        return luaL_error(L, "this would make a global of '%s': write `local %s`, or did you mean '%s'?",
                          name, name, nearest);
    return luaL_error(L,
                      "this would make a global of '%s': write `local %s`; what modules share, one of them "
                      "returns and the others require",
                      name, name);
}

void tg_sandbox_close(struct tg_world *world, lua_State *L, int installed)
{
    installed = lua_absindex(L, installed);
    tg_sandbox_choose(world, L);
    lua_createtable(L, 0, 3);
    lua_pushvalue(L, installed);
    lua_pushcclosure(L, read_unknown, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, set_unknown);
    lua_setfield(L, -2, "__newindex");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_setmetatable(L, -2);
}
