/* While a coroutine runs, or is parked inside a wait, its task stands on it (tg_task_of); else nobody. So one
 * that is parked is told from one that yielded, and nobody but the end of the wait goes on with it.
 *
 * A function that resumes has the coroutine at index 1 of its stack: tg_coroutine_unwind finds it there. */
#include "script/libs/coroutine.h"

#include "script/blame.h"
#include "script/task.h"
#include "script/watchdog.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { RAISED = -1, PARKED = -2 };

static lua_State *check_coroutine(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, 1);
    luaL_argexpected(L, coroutine, 1, "coroutine");
    return coroutine;
}

/* One that runs where no task does has nobody on it, but is in the middle of its calls. */
static bool is_busy(lua_State *coroutine)
{
    lua_Debug debug;
    struct tg_task *task = tg_task_of(coroutine);
    if (task != &task->pool->nobody) return true;
    return lua_status(coroutine) == LUA_OK && lua_getstack(coroutine, 0, &debug);
}

static bool is_dead(lua_State *coroutine)
{
    lua_Debug debug;
    if (lua_status(coroutine) == LUA_YIELD) return false;
    if (lua_status(coroutine) != LUA_OK) return true;
    return !lua_getstack(coroutine, 0, &debug) && lua_gettop(coroutine) == 0;
}

/* ---- resuming ---- */

/* The one lua_resume of coroutines that a script made. */
static int resume_coroutine(lua_State *L, lua_State *coroutine, int arguments, int *results)
{
    struct tg_task *task = tg_task_of(L);
    bool is_held = !lua_isyieldable(L);
    if (is_held) task->held++;
    tg_task_set(coroutine, task);
    lua_State *outer = tg_watchdog_switch(coroutine);
    int outcome = lua_resume(coroutine, L, arguments, results);
    if (outer) tg_watchdog_switch(outer);
    if (is_held) task->held--;
    return outcome;
}

/* Closes the <close> variables of a coroutine, which may run Lua in it. */
static int reset(lua_State *coroutine)
{
    lua_State *outer = tg_watchdog_switch(coroutine);
    int outcome = lua_resetthread(coroutine);
    if (outer) tg_watchdog_switch(outer);
    return outcome;
}

static bool is_unhookable(lua_State *coroutine)
{
    return tg_task_of(coroutine) == &tg_task_of(coroutine)->pool->stopped;
}

/* Goes on with the coroutine. Returns how many results it left on L, RAISED with the error object, or PARKED:
 * the caller has to yield as well. */
static int run(lua_State *L, lua_State *coroutine, int arguments)
{
    int results;
    int outcome = resume_coroutine(L, coroutine, arguments, &results);
    struct tg_task *task = tg_task_of(L);
    if (outcome == LUA_YIELD && task->is_parking) return PARKED;
    bool has_raised = outcome != LUA_OK && outcome != LUA_YIELD;
    tg_task_set(coroutine,
                has_raised && tg_watchdog_is_stopped() ? &task->pool->stopped : &task->pool->nobody);
    if (has_raised) {
        lua_xmove(coroutine, L, 1);
        return RAISED;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(coroutine, results);
        lua_pushliteral(L, "too many results to resume");
        return RAISED;
    }
    lua_xmove(coroutine, L, results);
    return results;
}

/* The same for the first time, with the arguments above index 1. */
static int start(lua_State *L, lua_State *coroutine)
{
    int arguments = lua_gettop(L) - 1;
    const char *reason = is_dead(coroutine)   ? "cannot resume dead coroutine"
                         : is_busy(coroutine) ? "cannot resume non-suspended coroutine"
                                              : NULL;
    if (!reason && !lua_checkstack(coroutine, arguments)) reason = "too many arguments to resume";
    if (reason) {
        lua_pushstring(L, reason);
        return RAISED;
    }
    lua_xmove(L, coroutine, arguments);
    return run(L, coroutine, arguments);
}

static int resume_done(lua_State *L, int outcome);

static int resume_goes_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return resume_done(L, run(L, lua_tothread(L, 1), 0));
}

static int resume_done(lua_State *L, int outcome)
{
    if (outcome == PARKED) return lua_yieldk(L, 0, 0, resume_goes_on);
    lua_pushboolean(L, outcome != RAISED);
    lua_insert(L, 2);
    return lua_gettop(L) - 1;
}

/* coroutine.resume(co, ...) -> true, ... | false, error */
static int coroutine_resume(lua_State *L)
{
    return resume_done(L, start(L, check_coroutine(L)));
}

static int wrap_done(lua_State *L, int outcome);

static int wrap_goes_on(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return wrap_done(L, run(L, lua_tothread(L, 1), 0));
}

/* An error ends the coroutine for good, and says where the call of the function stands. */
static int wrap_raised(lua_State *L)
{
    lua_State *coroutine = lua_tothread(L, 1);
    int status = lua_status(coroutine);
    if (status != LUA_OK && status != LUA_YIELD && !is_unhookable(coroutine)) {
        /* With the error object back on it: closing may raise another in its place. */
        lua_xmove(L, coroutine, 1);
        reset(coroutine);
        lua_xmove(coroutine, L, 1);
    }
    if (lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

static int wrap_done(lua_State *L, int outcome)
{
    if (outcome == PARKED) return lua_yieldk(L, 0, 0, wrap_goes_on);
    return outcome == RAISED ? wrap_raised(L) : lua_gettop(L) - 1;
}

/* What coroutine.wrap returned: upvalue 1 is the coroutine. */
static int call_wrapped(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    return wrap_done(L, start(L, lua_tothread(L, 1)));
}

/* coroutine.create(function) -> co */
static int coroutine_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *made = lua_newthread(L);
    struct tg_task_pool *pool = tg_task_of(L)->pool;
    tg_task_set(made, &pool->nobody);
    if (pool->world && pool->world->is_borrowed) tg_world_note_thread(pool->world, L, made);
    lua_pushvalue(L, 1);
    lua_xmove(L, made, 1);
    return 1;
}

/* coroutine.wrap(function) -> function */
static int coroutine_wrap(lua_State *L)
{
    coroutine_create(L);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/* ---- the rest ---- */

/* coroutine.yield(...), which says what is wrong where C waits for an answer: "attempt to yield across a
 * C-call boundary" helps nobody who does not know our insides. */
static int coroutine_yield(lua_State *L)
{
    if (!lua_isyieldable(L))
        return luaL_error(
            L, "cannot wait here: nothing yields while modules load, nor in a check, the function of "
               "a default, serialise, or what table.sort or string.gsub call");
    if (tg_task_of(L)->thread == L) {
        tg_blame_push_yield(L);
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
        return lua_error(L);
    }
    return lua_yield(L, lua_gettop(L));
}

static const char *status_of(lua_State *L, lua_State *coroutine)
{
    if (coroutine == L) return "running";
    if (is_dead(coroutine)) return "dead";
    return is_busy(coroutine) ? "normal" : "suspended";
}

/* coroutine.status(co) -> "running" | "suspended" | "normal" | "dead" */
static int coroutine_status(lua_State *L)
{
    lua_pushstring(L, status_of(L, check_coroutine(L)));
    return 1;
}

/* coroutine.close(co) -> true | false, error */
static int coroutine_close(lua_State *L)
{
    lua_State *coroutine = check_coroutine(L);
    const char *status = status_of(L, coroutine);
    if (strcmp(status, "running") == 0 || strcmp(status, "normal") == 0)
        return luaL_error(L, "cannot close a %s coroutine", status);
    if (is_unhookable(coroutine)) {
        lua_pushboolean(L, 0);
        lua_pushliteral(L, "the coroutine was stopped");
        return 2;
    }
    bool is_clean = reset(coroutine) == LUA_OK;
    lua_pushboolean(L, is_clean);
    if (is_clean) return 1;
    lua_xmove(coroutine, L, 1);
    return 2;
}

void tg_coroutine_install(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"create", coroutine_create},
        {"resume", coroutine_resume},
        {"wrap", coroutine_wrap},
        {"yield", coroutine_yield},
        {"status", coroutine_status},
        {"close", coroutine_close},
        {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}

/* The coroutine through which the wait of `thread` passed; NULL: it waits itself. */
static lua_State *inner_of(lua_State *thread)
{
    lua_Debug debug;
    if (!lua_checkstack(thread, 2) || !lua_getstack(thread, 0, &debug)) return NULL;
    lua_getinfo(thread, "f", &debug);
    lua_CFunction function = lua_tocfunction(thread, -1);
    lua_pop(thread, 1);
    if (function != coroutine_resume && function != call_wrapped) return NULL;
    lua_getlocal(thread, &debug, 1);
    lua_State *inner = lua_tothread(thread, -1);
    lua_pop(thread, 1);
    return inner;
}

bool tg_coroutine_unwind(lua_State *thread)
{
    /* From the outside in; each is closed after what is inside it, by the way back. */
    lua_State *inner = inner_of(thread);
    if (!inner) return true;
    bool is_in_time = tg_coroutine_unwind(inner);
    if (reset(inner) != LUA_OK && tg_watchdog_is_stopped()) is_in_time = false;
    tg_task_set(inner, &tg_task_of(thread)->pool->nobody);
    return is_in_time;
}
