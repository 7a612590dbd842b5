/* app:call runs a function as a task of the app: it may wait, and time passes until it has ended. */
#include "kit/app.h"
#include "kit/methods.h"

#include <lauxlib.h>
#include <stdio.h>

/* What such a function may take, of the app's time. */
enum { CALL_MS = 3600 * 1000 };

/* On the stack of app:call, where the results go too. */
struct call {
    lua_State *L;
    int count; /* results; -1: there was no room for them */
    enum tg_task_ending ending;
    bool has_ended;
};

static void settle(struct tg_task *task, enum tg_task_ending ending, int count)
{
    struct call *call = task->context;
    call->has_ended = true;
    call->ending = ending;
    call->count = lua_checkstack(call->L, count + 1) && lua_checkstack(task->thread, 1) ? count : -1;
    /* Copies: the error is described where it is. */
    for (int i = 1; i <= call->count; i++) {
        lua_pushvalue(task->thread, i - count - 1);
        lua_xmove(task->thread, call->L, 1);
        if (call->ending == TG_TASK_FAILED) return;
    }
}

static void failed(void *context, const struct tg_failure *failure)
{
    (void)context;
    (void)failure; /* raised by app:call */
}

/* Lets the function at 2 with its arguments run until it has ended, or nothing more happens. */
static bool run_call(lua_State *L, struct tg_kit_app *app, struct call *call)
{
    static const struct tg_task_kind kind = {.settle = settle, .failed = failed};
    int arguments = lua_gettop(L) - 2;
    struct tg_task *task = tg_task_spawn(&tg_kit_host(app)->tasks, NULL, &kind, call);
    if (!task || !lua_checkstack(task->thread, arguments + 2)) return luaL_error(L, "not enough memory");
    task->arguments = arguments;
    lua_xmove(L, task->thread, arguments + 1);
    uint64_t until_ms = tg_kit_now_ms(&app->loop) + CALL_MS;
    bool rests, has_moved = true;
    tg_kit_enter(app);
    rests = tg_kit_run(&app->loop);
    while (rests && has_moved && !call->has_ended) rests = tg_kit_step(&app->loop, until_ms, &has_moved);
    if (!call->has_ended) {
        tg_task_cancel(task);
        tg_kit_run(&app->loop);
    }
    tg_kit_leave(app);
    return rests;
}

int tg_kit_call(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, 1);
    struct call call = {.L = L};
    luaL_checktype(L, 2, LUA_TFUNCTION);
    bool rests = run_call(L, app, &call);
    int base = 1;
    tg_kit_check_rest(L, rests);
    if (call.ending == TG_TASK_CANCELLED)
        return luaL_error(L,
                          "app:call: the function waits for something that does not happen within an hour");
    if (call.count < 0) return luaL_error(L, "app:call: too many results");
    if (call.ending == TG_TASK_FAILED) return lua_error(L);
    return lua_gettop(L) - base;
}
