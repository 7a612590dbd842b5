/* The culprit is a C function on the stack that waits for what it called: the innermost one that is known,
 * else the innermost that is not known to pass a wait on. Functions are found by what the world's environment
 * holds now, since their name at the place of the call can be anything. */
#include "script/blame.h"

#include "script/host_library.h"
#include "script/place.h"
#include "script/task.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Functions of the stock libraries that call others; `advice` NULL: they pass a wait on. */
static const struct {
    const char *library, *name, *advice;
} callers[] = {
    {NULL, "pcall", NULL},
    {NULL, "xpcall", NULL},
    {NULL, "dofile", NULL},
    {"coroutine", "resume", NULL},
    {"table", "sort", "fetch what is compared before sorting"},
    {"string", "gsub", "collect the matches with string.gmatch, then wait for each"},
    {NULL, "tostring", "a __tostring answers at once"},
    {NULL, "print", "a __tostring answers at once"},
    {"string", "format", "a __tostring answers at once"},
    {NULL, "require", "start it with tide.on_start"},
    {NULL, "load", "read the whole text first, and load the string"},
    {NULL, "error", "which calls the message handler of xpcall: wait after xpcall has returned"},
};

enum { CALLERS = sizeof callers / sizeof callers[0] };

/* Pushes a function of the environment at `environment`. [-0, +1, e] */
static void push_function(lua_State *L, int environment, const char *library, const char *name)
{
    lua_pushvalue(L, environment);
    if (library && lua_getfield(L, -1, library) != LUA_TTABLE) {
        lua_replace(L, -2);
        return;
    }
    lua_getfield(L, -1, name);
    lua_replace(L, -2);
    if (library) lua_replace(L, -2);
}

/* The index in `callers` of the function on top; CALLERS for any other. [-0, +0, e] */
static size_t find_caller(lua_State *L, int environment)
{
    for (size_t i = 0; i < CALLERS; i++) {
        push_function(L, environment, callers[i].library, callers[i].name);
        bool is_it = lua_rawequal(L, -1, -2);
        lua_pop(L, 1);
        if (is_it) return i;
    }
    return CALLERS;
}

/* Raises the formatted sentence at the innermost line of the user's. */
static _Noreturn void raise(lua_State *L, const char *format, ...)
{
    lua_Debug debug;
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    if (tg_place_find(L, 0, &debug))
        lua_pushfstring(L, "%s:%d: %s", debug.short_src, debug.currentline, lua_tostring(L, -1));
    lua_error(L);
    abort();
}

/* Why nothing can wait, whatever is on the stack; NULL: that is not so. */
static const char *general_reason(const struct tg_task *task)
{
    const struct tg_task_pool *pool = task->pool;
    if (!pool->world)
        return "nothing waits in a spec: only handlers, hooks and tasks of the app can; use app:advance "
               "to let its time pass, or app:call to run a function as a task of it";
    if (task->is_unwinding)
        return "cannot wait while the task is being ended: what closes a variable answers at once; "
               "tide.spawn goes on by itself";
    if (task != &pool->nobody && task->kind && task->kind->at_once) return task->kind->at_once;
    if (task == &pool->nobody && !pool->world->is_loaded)
        return "cannot wait while loading: start it with tide.on_start or tide.spawn, which begin when the "
               "application serves";
    if (task == &pool->nobody) return "cannot wait here: only handlers, hooks and tasks of tide.spawn can";
    return NULL;
}

/* Whether the C function on top may be the culprit; raises when it is known to be. */
static bool is_suspect(lua_State *L, int environment)
{
    if (tg_is_visible_call(lua_tocfunction(L, -1))) return false;
    size_t i = find_caller(L, environment);
    if (i < CALLERS && callers[i].advice)
        raise(L, "cannot wait inside %s: %s", callers[i].name, callers[i].advice);
    return i == CALLERS;
}

void tg_blame_raise(lua_State *L, struct tg_task *task)
{
    const char *reason = general_reason(task);
    if (reason) raise(L, "%s", reason);
    luaL_checkstack(L, 8, NULL);
    tg_world_push(task->pool->world, L, TG_REF_OWN_ENV);
    int environment = lua_gettop(L);
    const char *suspect = NULL;
    lua_Debug debug;
    for (int level = 1; lua_getstack(L, level, &debug); level++) {
        lua_getinfo(L, "Snf", &debug);
        if (debug.name && strcmp(debug.name, "__gc") == 0)
            raise(L, "cannot wait inside __gc: a finalizer answers at once");
        if (*debug.what == 'C' && is_suspect(L, environment) && !suspect)
            suspect = debug.name ? debug.name : "a check or the function of a default";
        lua_pop(L, 1);
    }
    if (!suspect || task->held)
        raise(
            L,
            "cannot wait here: this runs inside a function that has to answer at once, such as a comparator "
            "of table.sort or the message handler of xpcall; wait outside it");
    raise(L,
          "cannot wait inside %s: what it calls (a check, the function of a default, serialise, a "
          "metamethod, a "
          "callback) has to answer at once; wait before, and hand over the result",
          suspect);
}

void tg_blame_push_yield(lua_State *L)
{
    lua_pushliteral(
        L, "coroutine.yield was called outside a coroutine of its own: a handler has nobody to yield to");
}
