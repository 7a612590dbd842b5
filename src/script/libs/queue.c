/* The values lie in the user value, a table, at first .. first + count - 1.
 *
 * Who waits lies in `getters` or `putters`, first come first. A value wakes one getter, room wakes one
 * putter; one that was woken looks again, and waits on when another was quicker. When it is cancelled before
 * it could look, the next is woken in its place, so that no value and no room is forgotten. */
#include "script/libs/queue.h"

#include "script/libs/task.h"

#include <lauxlib.h>

static const char queue_name[] = TG_REGISTRY_PREFIX "queue";

struct queue {
    lua_Integer capacity, first, count;
    bool is_closed;
    struct tg_list getters, putters; /* naps */
};

static struct queue *check_queue(lua_State *L)
{
    return luaL_checkudata(L, 1, queue_name);
}

static void wake_first(struct tg_list *naps)
{
    if (!tg_list_is_empty(naps)) tg_task_end_nap(TG_CONTAINER(naps->next, struct tg_nap, link));
}

static void wake_all(struct tg_list *naps)
{
    while (!tg_list_is_empty(naps)) wake_first(naps);
}

/* Somebody who had been woken will not look any more. */
static void look_again(void *context)
{
    struct queue *queue = context;
    if (queue->count > 0) wake_first(&queue->getters);
    if (queue->count < queue->capacity) wake_first(&queue->putters);
}

/* nil and why. */
static int refuse(lua_State *L, const char *reason)
{
    luaL_pushfail(L);
    lua_pushstring(L, reason);
    return 2;
}

static int nap(lua_State *L, struct queue *queue, struct tg_list *list, lua_KFunction k,
               lua_KContext deadline)
{
    struct tg_task *task = tg_task_check_wait(L);
    task->nap.lost = look_again;
    task->nap.context = queue;
    return tg_task_nap(L, list, (uint64_t)deadline, k, deadline);
}

static bool is_timed_out(lua_State *L, int status)
{
    return status == LUA_YIELD && tg_task_of(L)->nap.is_timed_out;
}

/* Adds the value at 2. */
static int add(lua_State *L, struct queue *queue)
{
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_rawseti(L, -2, queue->first + queue->count);
    queue->count++;
    wake_first(&queue->getters);
    lua_pushboolean(L, 1);
    return 1;
}

/* Takes the first value. */
static int take(lua_State *L, struct queue *queue)
{
    lua_getiuservalue(L, 1, 1);
    lua_rawgeti(L, -1, queue->first);
    lua_pushnil(L);
    lua_rawseti(L, -3, queue->first);
    queue->first++;
    queue->count--;
    wake_first(&queue->putters);
    return 1;
}

static int put_when_there_is_room(lua_State *L, int status, lua_KContext deadline)
{
    struct queue *queue = check_queue(L);
    if (queue->is_closed) return refuse(L, "closed");
    if (queue->count < queue->capacity) return add(L, queue);
    if (is_timed_out(L, status)) return refuse(L, "timeout");
    return nap(L, queue, &queue->putters, put_when_there_is_room, deadline);
}

static int get_when_there_is_one(lua_State *L, int status, lua_KContext deadline)
{
    struct queue *queue = check_queue(L);
    if (queue->count > 0) return take(L, queue);
    if (queue->is_closed) return refuse(L, "closed");
    if (is_timed_out(L, status)) return refuse(L, "timeout");
    return nap(L, queue, &queue->getters, get_when_there_is_one, deadline);
}

static struct queue *check_value(lua_State *L)
{
    struct queue *queue = check_queue(L);
    luaL_argcheck(L, !lua_isnoneornil(L, 2), 2, "nil is no value: it means that the queue has ended");
    return queue;
}

/* queue:put(value [, seconds]) -> true | nil, "closed" | nil, "timeout"; waits while the queue is full */
static int queue_put(lua_State *L)
{
    struct queue *queue = check_value(L);
    lua_settop(L, 3);
    bool must_wait = !queue->is_closed && queue->count >= queue->capacity;
    return put_when_there_is_room(L, LUA_OK, must_wait ? (lua_KContext)tg_check_deadline(L, 3) : 0);
}

/* queue:try_put(value) -> true | nil, "closed" | nil, "full" */
static int queue_try_put(lua_State *L)
{
    struct queue *queue = check_value(L);
    if (queue->is_closed) return refuse(L, "closed");
    return queue->count < queue->capacity ? add(L, queue) : refuse(L, "full");
}

/* queue:get([seconds]) -> value | nil, "closed" | nil, "timeout"; waits while the queue is empty */
static int queue_get(lua_State *L)
{
    struct queue *queue = check_queue(L);
    lua_settop(L, 2);
    bool must_wait = !queue->is_closed && queue->count == 0;
    return get_when_there_is_one(L, LUA_OK, must_wait ? (lua_KContext)tg_check_deadline(L, 2) : 0);
}

/* queue:try_get() -> value | nil, "closed" | nil, "empty" */
static int queue_try_get(lua_State *L)
{
    struct queue *queue = check_queue(L);
    if (queue->count > 0) return take(L, queue);
    return refuse(L, queue->is_closed ? "closed" : "empty");
}

/* for value in queue do: until it is closed and empty */
static int queue_next(lua_State *L)
{
    check_queue(L);
    lua_settop(L, 1);
    return get_when_there_is_one(L, LUA_OK, (lua_KContext)TG_NEVER);
}

/* queue:close(): nothing comes in any more; what is in it can still be taken. */
static int queue_close(lua_State *L)
{
    struct queue *queue = check_queue(L);
    queue->is_closed = true;
    wake_all(&queue->getters);
    wake_all(&queue->putters);
    return 0;
}

/* #queue */
static int queue_length(lua_State *L)
{
    lua_pushinteger(L, check_queue(L)->count);
    return 1;
}

/* tide.queue(n) -> queue */
static int queue_new(lua_State *L)
{
    lua_Integer capacity = luaL_checkinteger(L, 1);
    luaL_argcheck(L, capacity > 0, 1, "a queue holds at least 1 value");
    struct queue *queue = lua_newuserdatauv(L, sizeof *queue, 1);
    *queue = (struct queue){.capacity = capacity, .first = 1};
    tg_list_init(&queue->getters);
    tg_list_init(&queue->putters);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, queue_name);
    return 1;
}

void tg_queue_library_install(struct tg_world *world, lua_State *L)
{
    (void)world;
    static const luaL_Reg methods[] = {
        {"put", queue_put},         {"get", queue_get},     {"try_put", queue_try_put},
        {"try_get", queue_try_get}, {"close", queue_close}, {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__call", queue_next}, {"__len", queue_length}, {"__close", queue_close}, {NULL, NULL}};
    luaL_newmetatable(L, queue_name);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    lua_pushcfunction(L, queue_new);
    lua_setfield(L, -2, "queue");
}
