/* The one door for lua_resume, and with describe() for what comes out of it.
 *
 * The refs table lies at index 1 of every pooled coroutine for good; a finished task leaves nothing above
 * it. Errors are described on the main thread inside a protected call, since error objects can be anything,
 * a __tostring that raises included. */
#include "script/task.h"

#include "script/call.h"
#include "script/embedded.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

/* ---- the pool ---- */

struct coroutine {
    lua_State *thread;
    int ref;
};

/* new_coroutine(pool): returns the thread, anchored, with the refs table on its stack. */
static int new_coroutine(lua_State *L)
{
    struct coroutine *made = lua_touserdata(L, 1);
    struct tg_world *world = lua_touserdata(L, 2);
    lua_State *thread = lua_newthread(L);
    made->ref = tg_world_keep(world, L);
    tg_world_push_refs(world, thread);
    made->thread = thread;
    return 0;
}

/* Back to a fresh coroutine: pending <close> variables are closed. */
static void renew(struct tg_task_pool *pool, lua_State *thread)
{
    lua_resetthread(thread);
    lua_settop(thread, 0);
    tg_world_push_refs(pool->world, thread);
}

static bool take(struct tg_task_pool *pool, struct coroutine *taken)
{
    if (pool->count > 0) {
        pool->count--;
        *taken = (struct coroutine){pool->idle[pool->count].thread, pool->idle[pool->count].ref};
        /* A handler may have kept coroutine.running() and closed or resumed it since. */
        if (lua_status(taken->thread) != LUA_OK || lua_gettop(taken->thread) != 1) renew(pool, taken->thread);
        return true;
    }
    lua_State *L = pool->world->L;
    *taken = (struct coroutine){0};
    return tg_call_protected(L, new_coroutine, taken, pool->world) == LUA_OK;
}

static int drop_reference(lua_State *L)
{
    struct coroutine *dropped = lua_touserdata(L, 1);
    tg_world_forget(lua_touserdata(L, 2), L, dropped->ref);
    return 0;
}

static void give_back(struct tg_task_pool *pool, struct coroutine used)
{
    if (pool->count < TG_TASK_POOL) {
        pool->idle[pool->count].thread = used.thread;
        pool->idle[pool->count].ref = used.ref;
        pool->count++;
        return;
    }
    tg_call_protected(pool->world->L, drop_reference, &used, pool->world);
}

/* ---- what went wrong ---- */

struct description {
    lua_State *thread; /* with the error object on top, its stack as it was */
    bool is_yield;
    struct tg_failure *failure;
    void (*tell)(void *context, const struct tg_failure *failure);
    void *context;
};

static struct tg_slice slice_at(lua_State *L, int index)
{
    struct tg_slice text;
    text.data = lua_tolstring(L, index, &text.length);
    return text;
}

/* Where the innermost Lua function of the thread stands. */
static void find_place(lua_State *thread, struct tg_failure *failure)
{
    lua_Debug debug;
    for (int level = 0; lua_getstack(thread, level, &debug); level++) {
        lua_getinfo(thread, "Sl", &debug);
        if (debug.currentline <= 0 || tg_is_own_chunk(debug.source)) continue;
        snprintf(failure->file, sizeof failure->file, "%s", debug.short_src);
        failure->line = debug.currentline;
        return;
    }
}

/* Reads field `name` of the table at `index` when it is a string; it stays on the stack. [-0, +1, e] */
static struct tg_slice text_field(lua_State *L, int index, const char *name)
{
    lua_pushstring(L, name);
    lua_rawget(L, index);
    return lua_type(L, -1) == LUA_TSTRING ? slice_at(L, -1) : (struct tg_slice){0};
}

/* The error object lies at 3. */
static void read_declared(lua_State *L, struct tg_failure *failure)
{
    if (!lua_istable(L, 3) || luaL_getmetafield(L, 3, "__name") != LUA_TSTRING) return;
    if (strcmp(lua_tostring(L, -1), "tidegate.error") != 0) return;
    failure->code = text_field(L, 3, "code");
    failure->detail = text_field(L, 3, "detail");
    failure->is_declared = failure->code.data && failure->detail.data;
}

/* describe(description, world, error): fills the failure and tells it, while the texts are anchored. */
static int describe(lua_State *L)
{
    struct description *description = lua_touserdata(L, 1);
    struct tg_failure *failure = description->failure;
    find_place(description->thread, failure);
    read_declared(L, failure);
    luaL_tolstring(L, 3, NULL);
    failure->message = slice_at(L, -1);
    luaL_traceback(L, description->thread, failure->message.data, 0);
    failure->traceback = slice_at(L, -1);
    description->tell(description->context, failure);
    return 0;
}

/* The same when describe itself failed: an error object whose __tostring raises, or no memory. */
static int describe_plainly(lua_State *L)
{
    struct description *description = lua_touserdata(L, 1);
    struct tg_failure *failure = description->failure;
    failure->message = TG_SLICE("(an error object that could not be turned into text)");
    failure->traceback = (struct tg_slice){0};
    description->tell(description->context, failure);
    return 0;
}

/* push_error(description): moves the error object over and calls describe. */
static int describe_error(lua_State *L)
{
    struct description *description = lua_touserdata(L, 1);
    lua_settop(L, 2);
    if (description->is_yield)
        lua_pushliteral(
            L, "coroutine.yield was called outside a coroutine of its own: a handler has nobody to yield to");
    else
        lua_xmove(description->thread, L, 1);
    return describe(L);
}

static enum tg_status fail(struct tg_task_pool *pool, struct coroutine used, bool is_yield, void *context,
                           void (*on_failure)(void *context, const struct tg_failure *failure))
{
    lua_State *L = pool->world->L;
    struct tg_failure failure = {0};
    struct description description = {used.thread, is_yield, &failure, on_failure, context};
    enum tg_status status = TG_E_SCRIPT;
    if (tg_call_protected(L, describe_error, &description, pool->world) != LUA_OK) {
        failure.is_declared = false;
        if (tg_call_protected(L, describe_plainly, &description, pool->world) != LUA_OK)
            status = TG_E_NO_MEMORY;
    }
    renew(pool, used.thread);
    return status;
}

/* ---- running ---- */

enum tg_status tg_task_run(struct tg_task_pool *pool, lua_CFunction body, void *context,
                           void (*on_failure)(void *context, const struct tg_failure *failure))
{
    struct coroutine coroutine;
    if (!take(pool, &coroutine)) return TG_E_NO_MEMORY;
    lua_State *thread = coroutine.thread;
    lua_pushcfunction(thread, body);
    lua_pushvalue(thread, 1);
    lua_pushlightuserdata(thread, context);
    int results;
    int outcome = lua_resume(thread, NULL, 2, &results);
    enum tg_status status = TG_OK;
    if (outcome == LUA_OK)
        lua_settop(thread, 1);
    else
        status = fail(pool, coroutine, outcome == LUA_YIELD, context, on_failure);
    tg_world_restart_collector(pool->world);
    give_back(pool, coroutine);
    return status;
}
