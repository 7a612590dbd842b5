/* Invariant: the refs table lies at index 1 of every coroutine of the pool for good, and a finished task
 * leaves nothing above it. */
#include "script/task_pool.h"

#include "script/call.h"

#include <stdlib.h>

const char tg_task_marker = 0;

struct tg_task *tg_task_stranger(void)
{
    /* Never written after initialisation, but for `held`, which ends as it began. */
    static struct tg_task_pool strangers = {.marker = &tg_task_marker, .nobody.pool = &strangers};
    return &strangers.nobody;
}

void tg_task_claim_state(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    tg_task_set(lua_tothread(L, -1), tg_task_stranger()); /* new threads take it over */
    lua_pop(L, 1);
    tg_task_set(L, tg_task_stranger());
}

void tg_task_pool_init(struct tg_task_pool *pool, struct tg_world *world)
{
    *pool = (struct tg_task_pool){.marker = &tg_task_marker, .world = world};
    tg_list_init(&pool->idle);
    tg_list_init(&pool->ready);
    tg_list_init(&pool->tasks);
    tg_list_init(&pool->requests);
    world->tasks = pool;
    pool->nobody = pool->stopped = (struct tg_task){.pool = pool, .thread = world->L};
    tg_task_set(world->L, &pool->nobody); /* threads that are made take it over */
}

/* new_thread(task): anchors a thread with the refs table on its stack. */
static int new_thread(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    struct tg_world *world = task->pool->world;
    lua_State *thread = lua_newthread(L);
    task->ref = tg_world_keep(world, L);
    tg_world_push_refs(world, thread);
    task->thread = thread;
    if (world->is_borrowed) tg_world_note_thread(world, L, thread);
    return 0;
}

static struct tg_task *new_task(struct tg_task_pool *pool)
{
    struct tg_task *task = calloc(1, sizeof *task);
    if (!task) return NULL;
    task->pool = pool;
    tg_list_init(&task->link);
    tg_list_init(&task->siblings);
    tg_list_init(&task->nap.link);
    if (tg_call_protected(pool->world->L, new_thread, task, NULL) != LUA_OK) {
        free(task);
        return NULL;
    }
    tg_task_set(task->thread, task);
    return task;
}

void tg_task_renew(struct tg_task *task)
{
    lua_resetthread(task->thread);
    lua_settop(task->thread, 0);
    tg_world_push_refs(task->pool->world, task->thread);
}

static struct tg_task *take_idle(struct tg_task_pool *pool)
{
    struct tg_list *node = pool->idle.next;
    tg_list_remove(node);
    pool->idle_count--;
    return TG_CONTAINER(node, struct tg_task, link);
}

struct tg_task *tg_task_pool_take(struct tg_task_pool *pool)
{
    if (pool->idle_count == 0) return new_task(pool);
    struct tg_task *task = take_idle(pool);
    /* The debug library can reach into a thread that it has seen running. */
    if (lua_status(task->thread) != LUA_OK || lua_gettop(task->thread) != 1) tg_task_renew(task);
    return task;
}

static int forget_thread(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    tg_world_forget(task->pool->world, L, task->ref);
    return 0;
}

static void free_task(struct tg_task *task)
{
    /* Somebody may still hold the thread. */
    tg_task_set(task->thread, &task->pool->nobody);
    tg_call_protected(task->pool->world->L, forget_thread, task, NULL);
    free(task);
}

void tg_task_pool_give_back(struct tg_task *task)
{
    struct tg_task_pool *pool = task->pool;
    if (task->is_parked) {
        tg_list_remove(&task->siblings);
        pool->count--;
    }
    task->state = TG_TASK_ENDED;
    task->is_parking = task->is_parked = task->is_cancelled = task->is_unwinding = false;
    task->is_giving_way = false;
    task->held = 0;
    task->conn = NULL;
    task->context = NULL;
    task->origin = NULL;
    task->interrupted = NULL;
    task->arguments = 0;
    if (task->is_spent || pool->idle_count == TG_TASK_POOL) {
        free_task(task);
        return;
    }
    /* The one whose stack is warm is taken first. */
    tg_list_append(pool->idle.next, &task->link);
    pool->idle_count++;
}

void tg_task_pool_drain(struct tg_task_pool *pool)
{
    for (struct tg_list *node = pool->idle.next, *next; node != &pool->idle; node = next) {
        next = node->next;
        free(TG_CONTAINER(node, struct tg_task, link));
    }
    tg_list_init(&pool->idle);
    pool->idle_count = 0;
}
