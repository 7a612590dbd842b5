/* Two attempts: in full, and when that fails itself (a __tostring that raises, no memory) without looking at
 * the error object at all. */
#include "script/failure.h"

#include "script/call.h"
#include "script/place.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

struct description {
    const struct tg_world *world;
    lua_State *thread; /* with the error object on top, its stack as it was */
    const char *origin;
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
    if (!tg_place_find(thread, 0, &debug)) return;
    bool is_file = debug.source[0] == '@' && debug.srclen <= sizeof failure->file;
    snprintf(failure->file, sizeof failure->file, "%s", is_file ? debug.source + 1 : debug.short_src);
    failure->line = debug.currentline;
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

/* Pushes what went wrong: of a limit a sentence, else the error object. [-0, +1, e] */
static void push_error(lua_State *L, const struct description *description)
{
    const struct tg_config *config = description->world->config;
    switch (description->failure->kind) {
    case TG_FAILED_CPU:
        lua_pushfstring(
            L,
            "this took more than handler_cpu_ms, %d ms of CPU time, and was stopped: do less at a "
            "time, or raise handler_cpu_ms",
            (int)config->handler_cpu_ms);
        return;
    case TG_FAILED_MEMORY:
        lua_pushfstring(
            L,
            "not enough memory: this would have taken more than lua_memory_mb, %d MB; keep less at a "
            "time, look for tables that only grow, or raise lua_memory_mb",
            (int)config->lua_memory_mb);
        return;
    case TG_FAILED_RAISED:
        break;
    }
    lua_pushvalue(description->thread, -1);
    lua_xmove(description->thread, L, 1);
}

/* describe(description, world): fills the failure and tells it, while the texts are anchored. */
static int describe(lua_State *L)
{
    struct description *description = lua_touserdata(L, 1);
    struct tg_failure *failure = description->failure;
    lua_settop(L, 2);
    push_error(L, description);
    find_place(description->thread, failure);
    read_declared(L, failure);
    luaL_tolstring(L, 3, NULL);
    failure->message = slice_at(L, -1);
    luaL_traceback(L, description->thread, failure->message.data, 0);
    if (description->origin)
        lua_pushfstring(L, "%s\n\t%s: spawned the task", lua_tostring(L, -1), description->origin);
    failure->traceback = slice_at(L, -1);
    description->tell(description->context, failure);
    return 0;
}

static int describe_plainly(lua_State *L)
{
    struct description *description = lua_touserdata(L, 1);
    struct tg_failure *failure = description->failure;
    failure->message = TG_SLICE("(an error object that could not be turned into text)");
    failure->traceback = (struct tg_slice){0};
    description->tell(description->context, failure);
    return 0;
}

static enum tg_status try_twice(struct tg_world *world, struct description *description)
{
    if (!lua_checkstack(description->thread, 1)) return TG_E_NO_MEMORY;
    if (tg_call_protected(world->L, describe, description, world) == LUA_OK) return TG_E_SCRIPT;
    description->failure->is_declared = false;
    if (tg_call_protected(world->L, describe_plainly, description, world) == LUA_OK) return TG_E_SCRIPT;
    return TG_E_NO_MEMORY;
}

enum tg_status tg_failure_tell(struct tg_world *world, lua_State *thread, enum tg_failure_kind kind,
                               const char *origin, void *context,
                               void (*tell)(void *context, const struct tg_failure *failure))
{
    struct tg_failure failure = {.kind = kind};
    struct description description = {world, thread, origin, &failure, tell, context};
    world->heap->room_bytes = TG_HEAP_ROOM_BYTES;
    lua_State *outer = tg_watchdog_enter(world->watchdog, world->L, TG_AFTERMATH_CPU_MS);
    enum tg_status status = try_twice(world, &description);
    tg_watchdog_leave(world->watchdog, outer);
    world->heap->room_bytes = 0;
    return status;
}
