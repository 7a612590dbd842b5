#include "script/libs/task.h"

#include "script/task.h"

#include <lauxlib.h>
#include <math.h>

/* A century: what is longer is a mistake. */
static const double LONGEST_SECONDS = 3155760000.0;

uint64_t tg_check_seconds(lua_State *L, int index)
{
    double seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST_SECONDS, index, "seconds are from 0 to 3155760000");
    return (uint64_t)ceil(seconds * 1000);
}

static int slept(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

/* tide.sleep(seconds); 0 lets others go first. */
static int task_sleep(lua_State *L)
{
    uint64_t milliseconds = tg_check_seconds(L, 1);
    struct tg_task *task = tg_task_check_wait(L);
    uint64_t now_ms = tg_worker_now_ms(task->pool->world->worker);
    return tg_task_nap(L, NULL, now_ms + milliseconds, slept, 0);
}

void tg_task_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {{"sleep", task_sleep}, {NULL, NULL}};
    lua_pushlightuserdata(L, world);
    luaL_setfuncs(L, functions, 1);
}
