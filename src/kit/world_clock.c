/* What asks the system for the time, in an app: os.time() and os.date(format) without a time of their own,
 * and os.clock(). Upvalues: the stock function, and the world. Where no app runs the world, they are as ever.
 */
#include "kit/world.h"

#include "base/clock.h"
#include "core/worker.h"

#include <lauxlib.h>
#include <lualib.h>

static struct tg_clock *clock_of(lua_State *L)
{
    const struct tg_world *world = lua_touserdata(L, lua_upvalueindex(2));
    return world->worker ? world->worker->clock : NULL;
}

static int call_stock(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static lua_Integer now_of(struct tg_clock *clock)
{
    return (lua_Integer)(tg_clock_wall_ms(clock) / 1000);
}

/* os.time([table]) */
static int world_time(lua_State *L)
{
    struct tg_clock *clock = clock_of(L);
    if (!clock || !lua_isnoneornil(L, 1)) return call_stock(L);
    lua_pushinteger(L, now_of(clock));
    return 1;
}

/* os.date([format [, time]]) */
static int world_date(lua_State *L)
{
    struct tg_clock *clock = clock_of(L);
    if (!clock || !lua_isnoneornil(L, 2)) return call_stock(L);
    lua_settop(L, 1);
    if (lua_isnil(L, 1)) {
        lua_pushliteral(L, "%c");
        lua_replace(L, 1);
    }
    lua_pushinteger(L, now_of(clock));
    return call_stock(L);
}

/* os.clock(): no time of a processor's passes in an app */
static int world_cpu(lua_State *L)
{
    struct tg_clock *clock = clock_of(L);
    if (!clock) return call_stock(L);
    lua_pushnumber(L, (double)tg_clock_monotonic_ms(clock) / 1000);
    return 1;
}

void tg_kit_world_install_clock(struct tg_kit_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {{"time", world_time}, {"date", world_date}, {"clock", world_cpu}};
    tg_world_push(&world->host.world, L, TG_REF_OWN_ENV);
    lua_getfield(L, -1, LUA_OSLIBNAME);
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        lua_getfield(L, -1, functions[i].name);
        tg_world_push_self(&world->host.world, L);
        lua_pushcclosure(L, functions[i].func, 2);
        lua_setfield(L, -2, functions[i].name);
    }
    lua_pop(L, 2);
}
