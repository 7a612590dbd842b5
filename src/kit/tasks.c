/* Which tasks an app has: where each was started, or where it waits. */
#include "kit/app.h"
#include "kit/methods.h"
#include "script/task.h"

#include <lauxlib.h>

/* Pushes where the outermost function of Lua on the task's stack stands: what began it. [-0, +1, e] */
static void push_place(lua_State *L, lua_State *thread)
{
    lua_Debug debug, found = {.currentline = -1};
    for (int level = 0; lua_getstack(thread, level, &debug); level++)
        if (lua_getinfo(thread, "Sl", &debug) && debug.currentline > 0) found = debug;
    if (found.currentline > 0)
        lua_pushfstring(L, "waiting at %s:%d", found.short_src, found.currentline);
    else
        lua_pushliteral(L, "somewhere");
}

/* Appends those of `tasks` to the list on top. [-0, +0, e] */
static void append(lua_State *L, const struct tg_list *tasks)
{
    for (const struct tg_list *node = tasks->next; node != tasks; node = node->next) {
        const struct tg_task *task = TG_CONTAINER(node, struct tg_task, siblings);
        if (task->origin)
            lua_pushfstring(L, "started at %s", task->origin);
        else
            push_place(L, task->thread);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

int tg_kit_tasks(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    lua_settop(L, 1);
    lua_newtable(L);
    for (struct tg_generation *g = tg_generation_first(&app->worker); g; g = tg_generation_next(g)) {
        const struct tg_host *host = TG_CONTAINER(g, struct tg_host, generation);
        append(L, &host->tasks.tasks);
        append(L, &host->tasks.requests);
    }
    struct tg_list *conns = &app->worker.conns;
    for (const struct tg_list *node = conns->next; node != conns; node = node->next)
        append(L, &TG_CONTAINER(node, struct tg_conn, link)->tasks);
    return 1;
}
