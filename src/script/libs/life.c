#include "script/libs/life.h"

#include "script/call.h"
#include "script/libs/task.h"
#include "script/place.h"

#include <lauxlib.h>

/* Hooks are told apart by the list that keeps them. */
static int declare(lua_State *L, int list, const char *name)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (world->is_loaded) return tg_place_error(L, "%s: declared while modules load, not by a handler", name);
    tg_world_push(world, L, list);
    lua_pushvalue(L, 1);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return 0;
}

/* tide.on_start(function()) */
static int life_on_start(lua_State *L)
{
    return declare(L, TG_REF_STARTS, "tide.on_start");
}

/* tide.on_stop(function(reason)) */
static int life_on_stop(lua_State *L)
{
    return declare(L, TG_REF_STOPS, "tide.on_stop");
}

struct start {
    struct tg_task_pool *pool;
    int list;
    const char *reason; /* NULL: no argument */
    void (*ended)(void *context);
    void *context;
    uint32_t count;
};

/* spawn_all(start) */
static int spawn_all(lua_State *L)
{
    struct start *start = lua_touserdata(L, 1);
    tg_world_push(start->pool->world, L, start->list);
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        if (start->reason) lua_pushstring(L, start->reason);
        tg_spawn(L, start->pool, start->reason != NULL, start->ended, start->context);
        start->count++;
        lua_settop(L, list);
    }
    return 0;
}

static enum tg_status spawn(struct start *start)
{
    bool is_done = tg_call_protected(start->pool->world->L, spawn_all, start, NULL) == LUA_OK;
    return is_done ? TG_OK : TG_E_NO_MEMORY;
}

enum tg_status tg_life_start(struct tg_task_pool *pool)
{
    struct tg_list spawned;
    struct start start = {.pool = pool, .list = TG_REF_STARTS};
    tg_list_init(&spawned);
    tg_list_move_all(&spawned, &pool->ready);
    enum tg_status status = spawn(&start);
    tg_list_move_all(&pool->ready, &spawned);
    return status;
}

enum tg_status tg_life_stop(struct tg_task_pool *pool, const char *reason, void (*ended)(void *context),
                            void *context, uint32_t *count)
{
    struct start start = {
        .pool = pool, .list = TG_REF_STOPS, .reason = reason, .ended = ended, .context = context};
    enum tg_status status = spawn(&start);
    *count = start.count;
    return status;
}

void tg_life_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"on_start", life_on_start}, {"on_stop", life_on_stop}, {NULL, NULL}};
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
}
