/* Tasks: every run of Lua code, each in a coroutine from a pool.
 *
 *     begin -> RUNNING --ends--> told, and its coroutine used again
 *     spawn -> READY      ^ |
 *                |        | tg_task_wait
 *                |        | v
 *                +----> READY <--tg_task_wake-- WAITING
 *
 * A task that waits costs its coroutine and this struct. What is woken is resumed by the next tg_task_turn,
 * in the order of the wakes; so no task ever runs inside another, however they wake and cancel each other.
 *
 * A task belongs to a connection or to the generation, and is cancelled with it: it never continues,
 * its <close> variables are closed. One that runs code of its own meanwhile ends at its next wait.
 */
#ifndef TG_SCRIPT_TASK_H
#define TG_SCRIPT_TASK_H

#include "base/list.h"
#include "core/conn.h"
#include "core/wheel.h"
#include "script/failure.h"
#include "script/world.h"

#include <stdbool.h>

struct tg_task;
struct tg_task_pool;

/* ---- waiting ---- */

/* Embedded in whatever a task waits for; owned by who embeds it. */
struct tg_wait {
    struct tg_task *task; /* who waits; NULL: nobody (any more) */
    /* The task gives up (cancelled or timed out): stop what was begun. `task` is NULL already. */
    void (*cancel)(struct tg_wait *wait);
};

/* Raises a sentence at the user's line where nobody can wait: while loading, in a check, a default, a
 * comparator, a callback of gsub, in a task that was cancelled... For what must not begin something in vain.
 * Returns the running task. [-0, +0, e] */
struct tg_task *tg_task_check_wait(lua_State *L);

/* Whether that would raise nothing. [-0, +0, -] */
bool tg_task_can_wait(lua_State *L);

/* `return tg_task_wait(L, &x->wait, k, context);` parks the running task until tg_task_wake; then `k`
 * continues, with the stack as it was, and pushes the results. Raises like tg_task_check_wait. What may end
 * before it is waited for has to be looked at first: only a parked task can be woken. */
int tg_task_wait(lua_State *L, struct tg_wait *wait, lua_KFunction k, lua_KContext context);

/* The wait of a task ends early: what it waited for is cancelled, and the wait raises `text`, a literal. A
 * wait that is over and has not returned raises it as well. False: the task does not wait, or was
 * interrupted. */
bool tg_task_interrupt(struct tg_task *task, const char *text);

/* Makes the task ready: resumed before the loop waits again, in the order of the wakes. Nothing when nobody
 * waits. Runs no Lua itself. */
void tg_task_wake(struct tg_wait *wait);

/* A wait that needs no memory, since each task has one of its own: for time to pass, or in a list. */
struct tg_nap {
    struct tg_wait wait;
    struct tg_timer timer;
    struct tg_list link; /* in the list of who wakes it earlier; unlinked by every end of the wait */
    bool is_timed_out;
    /* When a task that was woken is cancelled before it goes on: wake somebody else. Set between
     * tg_task_check_wait and tg_task_nap, for one wait; NULL: nothing is lost. */
    void (*lost)(void *context);
    void *context;
};

/* Waits like tg_task_wait, in `list` unless it is NULL, at most until `deadline_ms` (TG_NEVER: no end; 0:
 * until the others that are ready have run). */
int tg_task_nap(lua_State *L, struct tg_list *list, uint64_t deadline_ms, lua_KFunction k,
                lua_KContext context);

/* Wakes it, before its time. */
void tg_task_end_nap(struct tg_nap *nap);

/* ---- tasks ---- */

enum tg_task_state { TG_TASK_ENDED, TG_TASK_READY, TG_TASK_RUNNING, TG_TASK_WAITING };

enum tg_task_ending { TG_TASK_DONE, TG_TASK_FAILED, TG_TASK_CANCELLED };

/* What a task is run for. Every field may be NULL but `failed`; none raises or runs Lua. */
struct tg_task_kind {
    bool is_request; /* somebody outside waits for it: it is not one of the generation's own */
    /* What a wait raises that it cannot pass on, since the body calls without a continuation; NULL: the
     * function that is in the way is named. */
    const char *at_once;
    /* The first wait: what `context` borrows from the stack and from the message has to be copied, and
     * task->context set. False without memory: the task is cancelled. */
    bool (*park)(struct tg_task *task);
    /* It ran without a break between these two times, tg_turn_now_ns. Before any of the others is called. */
    void (*held)(void *context, uint64_t from_ns, uint64_t to_ns);
    /* Its results, or its error, are the `count` topmost values of its thread. */
    void (*settle)(struct tg_task *task, enum tg_task_ending ending, int count);
    /* What it raised. */
    void (*failed)(void *context, const struct tg_failure *failure);
    /* A task that has waited is over, and the struct belongs to others. */
    void (*ended)(struct tg_task_pool *pool, void *context, enum tg_task_ending ending);
};

struct tg_task {
    struct tg_task_pool *pool;
    lua_State *thread;  /* the refs table at index 1 for good */
    int ref;            /* of the thread, in the world's refs */
    uint8_t state;      /* enum tg_task_state */
    bool is_parking;    /* the yield under way is a wait of ours */
    bool is_parked;     /* has waited at least once, or was spawned */
    bool is_giving_way; /* the wait is over as soon as it has begun */
    bool is_cancelled;
    bool is_unwinding;    /* <close> variables of a cancelled task are being closed */
    bool is_spent;        /* its coroutine is not used again */
    uint32_t held;        /* coroutines of its own that it runs where they cannot pass a wait on */
    struct tg_conn *conn; /* its owner; NULL: the generation */
    uint64_t
        origin_run; /* the number of the run that it is, or that it was spawned for, however indirectly */
    struct tg_list link;     /* among those that are ready, or in the pool */
    struct tg_list siblings; /* in its owner's list, while it is parked */
    struct tg_wait *wait;    /* what it waits for */
    const char *interrupted; /* what the wait raises; NULL: it ends as it should */
    lua_KFunction goes_on;   /* after the wait */
    struct tg_nap nap;
    const struct tg_task_kind *kind;
    void *context;
    const char *origin; /* borrowed from the context: where it was spawned; NULL: nowhere */
    int arguments;      /* of the function that a spawned task begins with */
};

enum { TG_TASK_POOL = 64 };

struct tg_task_pool {
    const char *marker; /* &tg_task_marker; first, see tg_task_of */
    struct tg_world *world;
    struct tg_list idle;     /* at most TG_TASK_POOL */
    struct tg_list ready;    /* to be resumed or unwound */
    struct tg_list tasks;    /* of the generation */
    struct tg_list requests; /* that belong to no connection, but to a request from outside */
    uint32_t idle_count;
    uint32_t count;        /* that are parked or spawned */
    uint64_t runs;         /* ever */
    struct tg_task nobody; /* stands on threads that run no task */
    /* Stands on coroutines in which the watchdog raised. They have no hooks any more, so nothing could stop
     * what their <close> variables do: nobody closes them. */
    struct tg_task stopped;
};

/* Before any Lua code runs in the world. [-0, +0, -] */
void tg_task_pool_init(struct tg_task_pool *pool, struct tg_world *world);

/* Cancels what is left, and gives back what is not Lua's. Before lua_close. */
void tg_task_pool_deinit(struct tg_task_pool *pool);

/* Its address tells the tasks of this code from those of another copy of it, which may run in the same state:
 * a spec inside the gateway has both. */
extern const char tg_task_marker;

/* Stands for threads that no world here knows, in a state that is borrowed; its pool has no world. */
struct tg_task *tg_task_stranger(void);

/* Before anything else in a state that no copy of this code has made: what its threads hold in the place of a
 * task is not even zero. [-0, +0, -] */
void tg_task_claim_state(lua_State *L);

/* The task whose code runs on `L`, in a coroutine of its own too; pool->nobody where none does. Of a thread
 * that is not ours, the stranger. */
static inline struct tg_task *tg_task_of(lua_State *L)
{
    struct tg_task *task = *(struct tg_task **)lua_getextraspace(L);
    return task && task->pool->marker == &tg_task_marker ? task : tg_task_stranger();
}

static inline void tg_task_set(lua_State *L, struct tg_task *task)
{
    *(struct tg_task **)lua_getextraspace(L) = task;
}

/* Runs `body(refs)` for `conn` (NULL: the generation) in a coroutine, until it ends or waits: a C function
 * that finds the world's refs table at index 1 and `context` through tg_task_of. TG_FAILED: kind->failed has
 * been called, with context, even without memory. Never raises. */
enum tg_outcome tg_task_run(struct tg_task_pool *pool, struct tg_conn *conn, const struct tg_task_kind *kind,
                            lua_CFunction body, void *context);

/* A new task that is READY: whoever asks puts a function and task->arguments on its stack, above the refs
 * table. NULL without memory. */
struct tg_task *tg_task_spawn(struct tg_task_pool *pool, struct tg_conn *conn,
                              const struct tg_task_kind *kind, void *context);

/* The task never continues. It ends in the next turn; one that runs, at its next wait. */
void tg_task_cancel(struct tg_task *task);

/* Ends one that does not run now. */
void tg_task_end(struct tg_task *task);

/* Ends all tasks of a connection (NULL: of the generation) now. */
void tg_task_cancel_all(struct tg_task_pool *pool, struct tg_conn *conn);

/* Ends now those in `tasks`, whose `siblings` have been put there from lists of owners. */
void tg_task_end_all(struct tg_task_pool *pool, struct tg_list *tasks);

/* As tg_task_cancel_all, but no Lua code runs: <close> variables stay open. For a state that is being closed.
 */
void tg_task_abandon_all(struct tg_task_pool *pool, struct tg_conn *conn);

/* Resumes what is ready, some TASKS_PER_TURN of them. */
void tg_task_turn(struct tg_task_pool *pool);

#endif
