/* A handle is anchored in the world's refs as long as its task lives. Whoever waits for it lies in `waiters`;
 * a watcher has a watch in each of its handles. Both are let go when the task has ended. */
#include "script/libs/task.h"

#include "base/log.h"
#include "script/call.h"
#include "script/place.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>

/* A century: what is longer is a mistake. */
static const double LONGEST_SECONDS = 3155760000.0;

static const char handle_name[] = TG_REGISTRY_PREFIX "task";
static const char watcher_name[] = TG_REGISTRY_PREFIX "watcher";

enum { ORIGIN_BYTES = 80 };

struct handle {
    struct tg_task *task;   /* NULL: it has ended */
    struct tg_list waiters; /* naps */
    struct tg_list watches; /* of watchers */
    int ref;                /* of the handle itself, while the task lives */
    int count;              /* results; the error, when it failed, counts as one */
    uint8_t ending;         /* enum tg_task_ending */
    bool is_heard;          /* somebody waits, and will see an error: it is not logged */
    char origin[ORIGIN_BYTES];
    void (*ended)(void *context);
    void *context;
};

/* ---- time ---- */

uint64_t tg_check_seconds(lua_State *L, int index)
{
    double seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0 && seconds <= LONGEST_SECONDS, index, "seconds are from 0 to 3155760000");
    return (uint64_t)ceil(seconds * 1000);
}

uint64_t tg_check_deadline(lua_State *L, int index)
{
    if (lua_isnoneornil(L, index)) return TG_NEVER;
    uint64_t milliseconds = tg_check_seconds(L, index);
    return tg_worker_now_ms(tg_task_check_wait(L)->pool->world->worker) + milliseconds;
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
    uint64_t deadline_ms = milliseconds ? tg_check_deadline(L, 1) : 0;
    return tg_task_nap(L, NULL, deadline_ms, slept, 0);
}

static struct tg_clock *clock_of(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    return world->worker ? world->worker->clock : tg_clock_system();
}

/* tide.now() -> seconds since 1970 */
static int task_now(lua_State *L)
{
    lua_pushnumber(L, (double)tg_clock_wall_ms(clock_of(L)) / 1000);
    return 1;
}

/* tide.clock() -> seconds since some moment, never going back */
static int task_clock(lua_State *L)
{
    lua_pushnumber(L, (double)tg_clock_monotonic_ms(clock_of(L)) / 1000);
    return 1;
}

/* ---- the end of a task ---- */

struct settlement {
    struct handle *handle;
    lua_State *thread;
};

/* keep_results(settlement, world): moves what lies on top of the thread into the handle's user value, a list.
 */
static int keep_results(lua_State *L)
{
    struct settlement *settlement = lua_touserdata(L, 1);
    struct tg_world *world = lua_touserdata(L, 2);
    int count = settlement->handle->count;
    tg_world_push(world, L, settlement->handle->ref);
    lua_createtable(L, count, 0);
    luaL_checkstack(settlement->thread, 1, NULL);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(settlement->thread, i - count - 1);
        lua_xmove(settlement->thread, L, 1);
        lua_rawseti(L, -2, i);
    }
    lua_setiuservalue(L, 3, 1);
    return 0;
}

/* drop_anchor(handle, world) */
static int drop_anchor(lua_State *L)
{
    struct handle *handle = lua_touserdata(L, 1);
    tg_world_forget(lua_touserdata(L, 2), L, handle->ref);
    return 0;
}

static void tell_watchers(struct handle *handle);

static void settle(struct tg_task *task, enum tg_task_ending ending, int count)
{
    struct handle *handle = task->context;
    struct tg_world *world = task->pool->world;
    struct settlement settlement = {handle, task->thread};
    handle->ending = (uint8_t)ending;
    handle->count = count;
    if (count > 0 && tg_call_protected(world->L, keep_results, &settlement, world) != LUA_OK) {
        handle->ending = TG_TASK_FAILED;
        handle->count = 0;
    }
    handle->task = NULL;
    while (!tg_list_is_empty(&handle->waiters))
        tg_task_end_nap(TG_CONTAINER(handle->waiters.next, struct tg_nap, link));
    tell_watchers(handle);
}

static void log_failure(void *context, const struct tg_failure *failure)
{
    struct handle *handle = context;
    if (handle->is_heard) return;
    char source[sizeof failure->file + 16];
    if (failure->file[0])
        snprintf(source, sizeof source, "%s:%d", failure->file, failure->line);
    else
        snprintf(source, sizeof source, "%s", handle->origin);
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, "task_failed"), TG_LOG_S("source", source),
           TG_LOG_STR("error", failure->message), TG_LOG_STR("traceback", failure->traceback));
}

static void ended(struct tg_task_pool *pool, void *context, enum tg_task_ending ending)
{
    (void)ending;
    struct handle *handle = context;
    if (handle->ended) handle->ended(handle->context);
    tg_call_protected(pool->world->L, drop_anchor, handle, pool->world);
}

/* ---- spawning ---- */

/* The innermost line of the user's; where the spawner itself was spawned, when only code of ours runs. */
static void note_origin(lua_State *L, struct handle *handle)
{
    lua_Debug debug;
    if (tg_place_find(L, 0, &debug)) {
        snprintf(handle->origin, sizeof handle->origin, "%s:%d", debug.short_src, debug.currentline);
        return;
    }
    const char *origin = tg_task_of(L)->origin;
    snprintf(handle->origin, sizeof handle->origin, "%s", origin ? origin : "?");
}

static struct handle *push_handle(lua_State *L)
{
    struct handle *handle = lua_newuserdatauv(L, sizeof *handle, 1);
    *handle = (struct handle){.ending = TG_TASK_CANCELLED};
    tg_list_init(&handle->waiters);
    tg_list_init(&handle->watches);
    luaL_setmetatable(L, handle_name);
    return handle;
}

void tg_spawn(lua_State *L, struct tg_task_pool *pool, int arguments, void (*when_ended)(void *context),
              void *context)
{
    static const struct tg_task_kind kind = {.settle = settle, .failed = log_failure, .ended = ended};
    struct tg_world *world = pool->world;
    luaL_checkstack(L, 8, NULL);
    struct handle *handle = push_handle(L);
    note_origin(L, handle);
    lua_pushvalue(L, -1);
    handle->ref = tg_world_keep(world, L);
    const struct tg_task *spawner = tg_task_of(L);
    struct tg_conn *conn = spawner->pool == pool ? spawner->conn : NULL;
    struct tg_task *task = tg_task_spawn(pool, conn, &kind, handle);
    if (!task || !lua_checkstack(task->thread, arguments + 2)) {
        if (task) tg_task_cancel(task); /* its end drops the anchor */
        if (!task) tg_world_forget(world, L, handle->ref);
        tg_world_check_memory(L, NULL);
        return;
    }
    task->origin_run = spawner->pool == pool ? spawner->origin_run : 0;
    handle->task = task;
    handle->ended = when_ended;
    handle->context = context;
    task->origin = handle->origin;
    task->arguments = arguments;
    lua_insert(L, -2 - arguments);
    lua_xmove(L, task->thread, arguments + 1);
}

/* tide.spawn(function, ...) -> task */
static int task_spawn(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    struct tg_task_pool *pool = world->tasks;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (!pool) return luaL_error(L, "tide.spawn: the app is closed, or serves newer code");
    if (pool->count >= world->config->max_tasks)
        return luaL_error(L,
                          "tide.spawn: %d tasks are alive, which is max_tasks: wait for some, or cancel them",
                          (int)pool->count);
    tg_spawn(L, pool, lua_gettop(L) - 1, NULL, NULL);
    return 1;
}

/* ---- handles ---- */

static struct handle *check_handle(lua_State *L, int index)
{
    return luaL_checkudata(L, index, handle_name);
}

/* What the task at `index` ended with: true and its results, or false and its error. [-0, +n, e] */
static int push_ending(lua_State *L, int index, const struct handle *handle)
{
    lua_pushboolean(L, handle->ending == TG_TASK_DONE);
    if (handle->ending == TG_TASK_CANCELLED) {
        lua_pushliteral(L, "cancelled");
        return 2;
    }
    if (handle->ending == TG_TASK_FAILED && handle->count == 0) {
        lua_pushliteral(L, "not enough memory");
        return 2;
    }
    luaL_checkstack(L, handle->count + 2, "too many results");
    lua_getiuservalue(L, index, 1);
    int list = lua_gettop(L);
    for (int i = 1; i <= handle->count; i++) lua_rawgeti(L, list, i);
    if (handle->count > 0)
        lua_remove(L, list);
    else
        lua_pop(L, 1);
    return handle->count + 1;
}

/* result(task) -> true, ... | false, error; of one that has ended */
static int task_result(lua_State *L)
{
    return push_ending(L, 1, check_handle(L, 1));
}

static int waited(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const struct handle *handle = check_handle(L, 1);
    if (handle->task) {
        luaL_pushfail(L);
        lua_pushliteral(L, "timeout");
        return 2;
    }
    int count = push_ending(L, 1, handle);
    if (handle->ending == TG_TASK_DONE) return count - 1;
    luaL_pushfail(L);
    lua_replace(L, -3);
    return 2;
}

/* Waits for the task at 1, at most the seconds at 2. */
static int wait_for(lua_State *L, bool is_heard)
{
    struct handle *handle = check_handle(L, 1);
    lua_settop(L, 2);
    if (!handle->task) return waited(L, LUA_OK, 0);
    if (handle->task == tg_task_of(L)) return luaL_error(L, "a task cannot wait for itself");
    uint64_t deadline_ms = tg_check_deadline(L, 2);
    if (is_heard) {
        tg_task_check_wait(L);
        handle->is_heard = true;
    }
    return tg_task_nap(L, &handle->waiters, deadline_ms, waited, 0);
}

/* task:wait([seconds]) -> ... | nil, error */
static int task_wait(lua_State *L)
{
    return wait_for(L, true);
}

/* join(task): the same, for somebody who does not look at errors: they are logged. */
static int task_join(lua_State *L)
{
    return wait_for(L, false);
}

/* task:cancel(), and its end as a <close> variable: nothing when it has ended. */
static int task_cancel(lua_State *L)
{
    struct handle *handle = check_handle(L, 1);
    if (handle->task) tg_task_cancel(handle->task);
    return 0;
}

/* task:status() -> "running" | "done" | "failed" | "cancelled" */
static int task_status(lua_State *L)
{
    static const char *const endings[] = {"done", "failed", "cancelled"};
    const struct handle *handle = check_handle(L, 1);
    lua_pushstring(L, handle->task ? "running" : endings[handle->ending]);
    return 1;
}

/* is_task(value) */
static int task_is_task(lua_State *L)
{
    lua_pushboolean(L, luaL_testudata(L, 1, handle_name) != NULL);
    return 1;
}

static int task_tostring(lua_State *L)
{
    const struct handle *handle = check_handle(L, 1);
    task_status(L);
    lua_pushfstring(L, "task of %s (%s)", handle->origin, lua_tostring(L, -1));
    return 1;
}

/* ---- watchers: which of several tasks ends next ---- */

struct watch {
    struct tg_list link; /* in its handle, then among those that have ended */
    struct watcher *watcher;
    int index;
};

struct watcher {
    struct tg_list waiters;
    struct tg_list ended;
    int count, left; /* `left`: not told yet */
    struct watch watches[];
};

static void tell_watchers(struct handle *handle)
{
    for (struct tg_list *node; (node = tg_list_take_first(&handle->watches));) {
        struct watch *watch = TG_CONTAINER(node, struct watch, link);
        struct watcher *watcher = watch->watcher;
        tg_list_append(&watcher->ended, &watch->link);
        while (!tg_list_is_empty(&watcher->waiters))
            tg_task_end_nap(TG_CONTAINER(watcher->waiters.next, struct tg_nap, link));
    }
}

/* watch(tasks) -> watcher */
static int task_watch(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    int count = (int)lua_rawlen(L, 1);
    struct watcher *watcher =
        lua_newuserdatauv(L, sizeof *watcher + (size_t)count * sizeof watcher->watches[0], 1);
    tg_list_init(&watcher->waiters);
    tg_list_init(&watcher->ended);
    watcher->count = watcher->left = 0;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, 2, 1); /* the handles live as long as the watches in them */
    luaL_setmetatable(L, watcher_name);
    for (int i = 0; i < count; i++) {
        lua_rawgeti(L, 1, i + 1);
        struct handle *handle = check_handle(L, -1);
        struct watch *watch = &watcher->watches[watcher->count++];
        *watch = (struct watch){.watcher = watcher, .index = i + 1};
        handle->is_heard = true;
        tg_list_append(handle->task ? &handle->watches : &watcher->ended, &watch->link);
        watcher->left++;
        lua_pop(L, 1);
    }
    return 1;
}

static int next_ended(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct watcher *watcher = luaL_checkudata(L, 1, watcher_name);
    struct tg_list *node = tg_list_take_first(&watcher->ended);
    if (!node) return tg_task_nap(L, &watcher->waiters, TG_NEVER, next_ended, 0);
    watcher->left--;
    lua_pushinteger(L, TG_CONTAINER(node, struct watch, link)->index);
    return 1;
}

/* next(watcher) -> the index of a task that has ended; nil after the last */
static int task_next(lua_State *L)
{
    struct watcher *watcher = luaL_checkudata(L, 1, watcher_name);
    if (watcher->left == 0) return 0;
    return next_ended(L, LUA_OK, 0);
}

static int close_watcher(lua_State *L)
{
    struct watcher *watcher = luaL_checkudata(L, 1, watcher_name);
    for (int i = 0; i < watcher->count; i++) tg_list_remove(&watcher->watches[i].link);
    watcher->count = watcher->left = 0;
    return 0;
}

/* ---- */

void tg_task_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"wait", task_wait}, {"cancel", task_cancel}, {"status", task_status}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {
        {"__tostring", task_tostring}, {"__close", task_cancel}, {NULL, NULL}};
    static const luaL_Reg watching[] = {{"__gc", close_watcher}, {"__close", close_watcher}, {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"sleep", task_sleep}, {"now", task_now},   {"clock", task_clock},
        {"spawn", task_spawn}, {"join", task_join}, {"result", task_result},
        {"watch", task_watch}, {"next", task_next}, {"is_task", task_is_task},
        {NULL, NULL},
    };
    luaL_newmetatable(L, handle_name);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    luaL_newmetatable(L, watcher_name);
    luaL_setfuncs(L, watching, 0);
    lua_pop(L, 2);
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
}
