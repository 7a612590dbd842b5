/* What has changed is kept as text, one path and a NUL after the other, until somebody asks. */
#include "script/libs/watch.h"

#include "core/watch.h"
#include "script/held.h"
#include "script/libs/task.h"
#include "script/task.h"

#include <lauxlib.h>
#include <string.h>

/* More than this, between two questions, and it is said that something was lost. */
enum { CHANGES_MAX_BYTES = 1024 * 1024 };

static const char watch_name[] = TG_REGISTRY_PREFIX "watch";

struct watch {
    struct tg_world *world;
    struct tg_held held;
    struct tg_watch *watch; /* borrowed from core; NULL: closed */
    struct tg_list waiters; /* naps */
    struct tg_buf paths;    /* owned */
    bool is_lost;
};

static void changed(void *user, const char *path)
{
    struct watch *watch = user;
    if (path && watch->paths.length < CHANGES_MAX_BYTES) tg_buf_append(&watch->paths, path, strlen(path) + 1);
    if (!path || watch->paths.has_failed || watch->paths.length >= CHANGES_MAX_BYTES) watch->is_lost = true;
    while (!tg_list_is_empty(&watch->waiters))
        tg_task_end_nap(TG_CONTAINER(watch->waiters.next, struct tg_nap, link));
}

static struct watch *check_watch(lua_State *L)
{
    return luaL_checkudata(L, 1, watch_name);
}

static int push_changes(lua_State *L, struct watch *watch)
{
    lua_newtable(L);
    lua_Integer count = 0;
    for (size_t at = 0; at < watch->paths.length; at += strlen(watch->paths.data + at) + 1) {
        lua_pushstring(L, watch->paths.data + at);
        lua_rawseti(L, -2, ++count);
    }
    lua_pushboolean(L, watch->is_lost);
    tg_buf_deinit(&watch->paths);
    watch->is_lost = false;
    return 2;
}

static int woken(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct watch *watch = check_watch(L);
    if (watch->paths.length || watch->is_lost) return push_changes(L, watch);
    luaL_pushfail(L);
    return 1;
}

/* watch:next([seconds]) -> list of paths, whether some are not known | nil: the time is over */
static int watch_next(lua_State *L)
{
    struct watch *watch = check_watch(L);
    lua_settop(L, 2);
    if (watch->paths.length || watch->is_lost) return push_changes(L, watch);
    return tg_task_nap(L, &watch->waiters, tg_check_deadline(L, 2), woken, 0);
}

static void let_go(struct tg_held *held)
{
    struct watch *watch = TG_CONTAINER(held, struct watch, held);
    struct tg_watches *watches = watch->world->worker ? watch->world->worker->watches : NULL;
    if (watch->watch && watches) watches->ops->close(watches, watch->watch);
    watch->watch = NULL;
    tg_buf_deinit(&watch->paths);
}

static int watch_close(lua_State *L)
{
    struct watch *watch = check_watch(L);
    tg_held_remove(&watch->held);
    let_go(&watch->held);
    return 0;
}

/* watch(folder) -> a <close>-able watch | nil, why not. Upvalue: the world. */
static int watch_open(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    const char *folder = luaL_checkstring(L, 1);
    struct tg_watches *watches = world->worker->watches;
    struct watch *watch = lua_newuserdatauv(L, sizeof *watch, 0);
    struct tg_error error = {0};
    *watch = (struct watch){.world = world};
    tg_list_init(&watch->waiters);
    tg_buf_init(&watch->paths);
    tg_list_init(&watch->held.link);
    luaL_setmetatable(L, watch_name);
    tg_held_add(world, &watch->held, let_go);
    if (watches->ops->open(watches, folder, changed, watch, &watch->watch, &error) == TG_OK) return 1;
    luaL_pushfail(L);
    lua_pushstring(L, error.text);
    return 2;
}

void tg_watch_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg methods[] = {{"next", watch_next}, {"close", watch_close}, {NULL, NULL}};
    static const luaL_Reg metamethods[] = {{"__gc", watch_close}, {"__close", watch_close}, {NULL, NULL}};
    luaL_newmetatable(L, watch_name);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
    lua_pushlightuserdata(L, world);
    lua_pushcclosure(L, watch_open, 1);
    lua_setfield(L, -2, "watch");
}
