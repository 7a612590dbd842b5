/* The one door for lua_resume of tasks, resume_task, and for what ends a suspended one, unwind_task.
 *
 * Invariants: a task is in `ready` iff it is READY. A WAITING task has a wait that points back to it, until
 * one of the two lets go. */
#include "script/task.h"

#include "script/blame.h"
#include "script/call.h"
#include "script/libs/coroutine.h"
#include "script/place.h"
#include "script/task_pool.h"

#include <lauxlib.h>

/* What waits and is woken by the thousand shares the loop with everything else. */
enum { TASKS_PER_TURN = 64 };

static const struct tg_failure no_memory = {.message = TG_SLICE("not enough memory")};

/* ---- the end of a task ---- */

static void finish(struct tg_task *task, enum tg_task_ending ending)
{
    const struct tg_task_kind *kind = task->kind;
    void *context = task->context;
    struct tg_task_pool *pool = task->pool;
    bool is_told = task->is_parked && kind->ended;
    tg_task_pool_give_back(task);
    if (is_told) kind->ended(pool, context, ending);
}

/* What it raised, or the result of lua_resetthread, is on top of the thread. */
static void tell(struct tg_task *task, enum tg_failure_kind kind)
{
    struct tg_world *world = task->pool->world;
    world->worker->metrics.handler_cpu_hit += kind == TG_FAILED_CPU;
    world->worker->metrics.lua_memory_hit += kind == TG_FAILED_MEMORY;
    if (tg_failure_tell(world, task->thread, kind, task->origin, task->context, task->kind->failed) ==
        TG_E_NO_MEMORY)
        task->kind->failed(task->context, &no_memory);
}

/* Closes the <close> variables of the coroutine, those of the innermost that it runs first. It is not used
 * again: one that stood in xpcall would keep its message handler, which lua_resetthread forgets to forget. */
static int close_variables(struct tg_task *task, uint32_t budget_ms)
{
    struct tg_world *world = task->pool->world;
    lua_State *thread = task->thread;
    task->is_unwinding = true;
    world->heap->has_refused = false;
    if (world->watchdog->is_open) lua_sethook(thread, NULL, 0, 0); /* else it is somebody else's */
    lua_State *outer = tg_watchdog_enter(world->watchdog, thread, budget_ms);
    bool is_in_time = lua_status(thread) != LUA_YIELD || tg_coroutine_unwind(thread);
    int outcome = lua_resetthread(thread);
    tg_watchdog_leave(world->watchdog, outer);
    tg_world_restart_collector(world);
    return is_in_time ? outcome : LUA_ERRRUN;
}

static enum tg_failure_kind kind_of(const struct tg_task *task, int outcome)
{
    const struct tg_world *world = task->pool->world;
    if (tg_watchdog_has_stopped(world->watchdog)) return TG_FAILED_CPU;
    return outcome == LUA_ERRMEM && world->heap->has_refused ? TG_FAILED_MEMORY : TG_FAILED_RAISED;
}

/* push_yield(task): what to say of a coroutine that yielded where it must not. */
static int push_yield(lua_State *L)
{
    struct tg_task *task = lua_touserdata(L, 1);
    const struct tg_world *world = task->pool->world;
    luaL_checkstack(task->thread, 1, NULL);
    if (tg_watchdog_has_stopped(world->watchdog))
        lua_pushfstring(L, "this takes more than handler_cpu_ms, %d ms of CPU time",
                        (int)world->config->handler_cpu_ms);
    else
        tg_blame_push_yield(L); /* by a C module: our yield refuses */
    lua_xmove(L, task->thread, 1);
    return 0;
}

/* The error object is on top of the thread, unless the coroutine yielded. */
static void fail(struct tg_task *task, int outcome)
{
    lua_State *L = task->pool->world->L;
    enum tg_failure_kind kind = kind_of(task, outcome);
    bool has_object = outcome != LUA_YIELD || tg_call_protected(L, push_yield, task, NULL) == LUA_OK;
    if (task->kind->settle) task->kind->settle(task, TG_TASK_FAILED, has_object);
    tell(task, kind);
    task->is_spent = true;
    /* A hook that raises leaves its coroutine without hooks for good. Nothing could stop what its <close>
     * variables do, so they are not closed. */
    if (kind != TG_FAILED_CPU || outcome == LUA_YIELD) close_variables(task, TG_AFTERMATH_CPU_MS);
    if (kind == TG_FAILED_MEMORY) lua_gc(L, LUA_GCCOLLECT);
}

static void stop_waiting(struct tg_task *task)
{
    struct tg_wait *wait = task->wait;
    if (!wait) return;
    task->wait = NULL;
    wait->task = NULL;
    wait->cancel(wait);
}

/* Ends a task that is suspended. What its <close> variables raise is told, and changes nothing. */
static void unwind_task(struct tg_task *task)
{
    task->is_spent = true;
    int outcome = close_variables(task, task->pool->world->config->handler_cpu_ms);
    if (outcome != LUA_OK) tell(task, kind_of(task, outcome));
}

/* What it waited for, and what it was about to take, is others' again. */
static void let_go(struct tg_task *task)
{
    task->is_cancelled = true;
    stop_waiting(task);
    tg_list_remove(&task->link);
    if (task->nap.lost) task->nap.lost(task->nap.context);
    task->nap.lost = NULL;
}

static void end_cancelled(struct tg_task *task)
{
    let_go(task);
    unwind_task(task);
    if (task->kind->settle) task->kind->settle(task, TG_TASK_CANCELLED, 0);
    finish(task, TG_TASK_CANCELLED);
}

/* ---- running ---- */

/* A slice of wall time is what it costs the loop; reading the thread's CPU time is a system call. */
static void note_held(struct tg_task *task, uint64_t from_ns, uint64_t to_ns)
{
    struct tg_turns *turns = &task->pool->world->worker->turns;
    if (task->kind->held)
        task->kind->held(task->context, from_ns, to_ns);
    else
        tg_turn_note(turns, &turns->tasks, to_ns - from_ns);
}

static int resume_task(struct tg_task *task, int arguments, int *results)
{
    struct tg_world *world = task->pool->world;
    task->state = TG_TASK_RUNNING;
    task->is_parking = task->is_giving_way = false;
    world->heap->has_refused = false;
    lua_State *outer = tg_watchdog_enter(world->watchdog, task->thread, world->config->handler_cpu_ms);
    uint64_t from_ns = tg_turn_now_ns();
    int outcome = lua_resume(task->thread, NULL, arguments, results);
    note_held(task, from_ns, tg_turn_now_ns());
    tg_watchdog_leave(world->watchdog, outer);
    return outcome;
}

static struct tg_list *owner_list(struct tg_task_pool *pool, struct tg_conn *conn)
{
    return conn ? &conn->tasks : &pool->tasks;
}

/* From the first wait on a task is one of its owner's. */
static void join_owner(struct tg_task *task)
{
    struct tg_list *tasks =
        task->kind->is_request ? &task->pool->requests : owner_list(task->pool, task->conn);
    task->is_parked = true;
    task->pool->count++;
    tg_list_append(tasks, &task->siblings);
}

static void wake_if_giving_way(struct tg_task *task)
{
    if (!task->is_giving_way) return;
    task->is_giving_way = false;
    tg_task_wake(&task->nap.wait);
}

static enum tg_outcome park(struct tg_task *task)
{
    task->state = TG_TASK_WAITING;
    if (task->is_parked) {
        wake_if_giving_way(task);
        return TG_WAITING;
    }
    if (task->kind->park && !task->kind->park(task)) {
        stop_waiting(task);
        unwind_task(task);
        task->kind->failed(task->context, &no_memory);
        finish(task, TG_TASK_FAILED);
        return TG_FAILED;
    }
    join_owner(task);
    wake_if_giving_way(task);
    return TG_WAITING;
}

/* Runs on until the task ends or waits. */
static enum tg_outcome step(struct tg_task *task, int arguments)
{
    int results;
    int outcome = resume_task(task, arguments, &results);
    tg_world_restart_collector(task->pool->world);
    if (outcome == LUA_YIELD && task->is_parking) return park(task);
    if (outcome == LUA_OK) {
        if (task->kind->settle) task->kind->settle(task, TG_TASK_DONE, lua_gettop(task->thread) - 1);
        lua_settop(task->thread, 1);
        finish(task, TG_TASK_DONE);
        return TG_DONE;
    }
    fail(task, outcome);
    finish(task, TG_TASK_FAILED);
    return TG_FAILED;
}

enum tg_outcome tg_task_run(struct tg_task_pool *pool, struct tg_conn *conn, const struct tg_task_kind *kind,
                            lua_CFunction body, void *context)
{
    struct tg_task *task = tg_task_pool_take(pool);
    if (!task) {
        kind->failed(context, &no_memory);
        return TG_FAILED;
    }
    task->conn = conn;
    task->origin_run = ++pool->runs;
    task->kind = kind;
    task->context = context;
    lua_pushcfunction(task->thread, body);
    lua_pushvalue(task->thread, 1);
    return step(task, 1);
}

struct tg_task *tg_task_spawn(struct tg_task_pool *pool, struct tg_conn *conn,
                              const struct tg_task_kind *kind, void *context)
{
    struct tg_task *task = tg_task_pool_take(pool);
    if (!task) return NULL;
    task->conn = conn;
    task->kind = kind;
    task->context = context;
    task->state = TG_TASK_READY;
    join_owner(task);
    tg_list_append(&pool->ready, &task->link);
    return task;
}

static void go_on(struct tg_task *task)
{
    if (task->is_cancelled) {
        end_cancelled(task);
        return;
    }
    task->nap.lost = NULL;
    step(task, lua_status(task->thread) == LUA_YIELD ? 0 : task->arguments);
}

void tg_task_turn(struct tg_task_pool *pool)
{
    struct tg_list batch;
    tg_list_init(&batch);
    for (int i = 0; i < TASKS_PER_TURN && !tg_list_is_empty(&pool->ready); i++)
        tg_list_append(&batch, tg_list_take_first(&pool->ready));
    for (struct tg_list *node; (node = tg_list_take_first(&batch));)
        go_on(TG_CONTAINER(node, struct tg_task, link));
}

/* ---- waiting ---- */

/* Whether a wait can be passed on to who runs the task. */
static bool is_open(lua_State *L, const struct tg_task *task)
{
    bool is_nobody = task == &task->pool->nobody;
    bool is_at_once = !is_nobody && task->kind && task->kind->at_once;
    return !is_nobody && !is_at_once && !task->is_unwinding && !task->held && lua_isyieldable(L);
}

bool tg_task_can_wait(lua_State *L)
{
    const struct tg_task *task = tg_task_of(L);
    return is_open(L, task) && !task->is_cancelled;
}

struct tg_task *tg_task_check_wait(lua_State *L)
{
    struct tg_task *task = tg_task_of(L);
    if (!is_open(L, task)) tg_blame_raise(L, task);
    if (task->is_cancelled) luaL_error(L, "the task was cancelled");
    return task;
}

static int wait_is_over(lua_State *L, int status, lua_KContext context)
{
    struct tg_task *task = tg_task_of(L);
    const char *interrupted = task->interrupted;
    task->interrupted = NULL;
    if (interrupted) {
        tg_place_push(L);
        lua_pushfstring(L, "%s: %s", lua_tostring(L, -1), interrupted);
        return lua_error(L);
    }
    return task->goes_on(L, status, context);
}

int tg_task_wait(lua_State *L, struct tg_wait *wait, lua_KFunction k, lua_KContext context)
{
    struct tg_task *task = tg_task_check_wait(L);
    task->wait = wait;
    task->is_parking = true;
    task->goes_on = k;
    wait->task = task;
    return lua_yieldk(L, 0, context, wait_is_over);
}

static void make_ready(struct tg_task *task)
{
    task->state = TG_TASK_READY;
    tg_list_append(&task->pool->ready, &task->link);
}

bool tg_task_interrupt(struct tg_task *task, const char *text)
{
    bool is_over = task->state == TG_TASK_READY && lua_status(task->thread) == LUA_YIELD;
    if (task->interrupted || (task->state != TG_TASK_WAITING && !is_over)) return false;
    task->interrupted = text;
    if (is_over) return true; /* it has not gone on yet */
    stop_waiting(task);
    make_ready(task);
    return true;
}

void tg_task_wake(struct tg_wait *wait)
{
    struct tg_task *task = wait->task;
    if (!task) return;
    wait->task = NULL;
    task->wait = NULL;
    make_ready(task);
}

static void end_nap(struct tg_nap *nap)
{
    struct tg_task *task = TG_CONTAINER(nap, struct tg_task, nap);
    tg_list_remove(&nap->link);
    tg_wheel_disarm(&task->pool->world->worker->wheel, &nap->timer);
}

static void nap_cancelled(struct tg_wait *wait)
{
    struct tg_nap *nap = TG_CONTAINER(wait, struct tg_nap, wait);
    nap->lost = NULL; /* nobody had woken it */
    end_nap(nap);
}

static void nap_over(struct tg_timer *timer)
{
    struct tg_nap *nap = TG_CONTAINER(timer, struct tg_nap, timer);
    nap->is_timed_out = true;
    tg_task_end_nap(nap);
}

void tg_task_end_nap(struct tg_nap *nap)
{
    end_nap(nap);
    tg_task_wake(&nap->wait);
}

/* Goes to the end of the queue. */
static int give_way(lua_State *L, struct tg_task *task, lua_KFunction k, lua_KContext context)
{
    task->is_giving_way = true;
    return tg_task_wait(L, &task->nap.wait, k, context);
}

int tg_task_nap(lua_State *L, struct tg_list *list, uint64_t deadline_ms, lua_KFunction k,
                lua_KContext context)
{
    struct tg_task *task = tg_task_check_wait(L);
    tg_timer_init(&task->nap.timer, nap_over);
    task->nap.wait.cancel = nap_cancelled;
    task->nap.is_timed_out = false;
    if (deadline_ms == 0) return give_way(L, task, k, context);
    if (list) tg_list_append(list, &task->nap.link);
    if (deadline_ms != TG_NEVER) tg_worker_arm(task->pool->world->worker, &task->nap.timer, deadline_ms);
    return tg_task_wait(L, &task->nap.wait, k, context);
}

/* ---- cancelling ---- */

void tg_task_cancel(struct tg_task *task)
{
    if (task->is_cancelled || task->state == TG_TASK_ENDED) return;
    task->is_cancelled = true;
    if (task->state != TG_TASK_WAITING) return; /* runs, or is in the queue already */
    stop_waiting(task);
    make_ready(task);
}

void tg_task_end(struct tg_task *task)
{
    struct tg_world *world = task->pool->world;
    lua_State *outer = tg_watchdog_enter(world->watchdog, world->L, world->config->handler_cpu_ms);
    tg_list_remove(&task->siblings);
    end_cancelled(task);
    tg_watchdog_leave(world->watchdog, outer);
}

void tg_task_end_all(struct tg_task_pool *pool, struct tg_list *tasks)
{
    struct tg_world *world = pool->world;
    if (tg_list_is_empty(tasks)) return;
    /* One budget for all of them together. */
    lua_State *outer = tg_watchdog_enter(world->watchdog, world->L, world->config->handler_cpu_ms);
    /* What a <close> variable spawns meanwhile comes behind, and ends without having begun. */
    for (struct tg_list *node; (node = tg_list_take_first(tasks));)
        end_cancelled(TG_CONTAINER(node, struct tg_task, siblings));
    tg_watchdog_leave(world->watchdog, outer);
}

void tg_task_cancel_all(struct tg_task_pool *pool, struct tg_conn *conn)
{
    tg_task_end_all(pool, owner_list(pool, conn));
}

void tg_task_abandon_all(struct tg_task_pool *pool, struct tg_conn *conn)
{
    for (struct tg_list *node; (node = tg_list_take_first(owner_list(pool, conn)));) {
        struct tg_task *task = TG_CONTAINER(node, struct tg_task, siblings);
        let_go(task);
        task->is_spent = true;
        if (task->kind->settle) task->kind->settle(task, TG_TASK_CANCELLED, 0);
        finish(task, TG_TASK_CANCELLED);
    }
}

void tg_task_pool_deinit(struct tg_task_pool *pool)
{
    tg_task_cancel_all(pool, NULL);
    tg_task_pool_drain(pool);
}
