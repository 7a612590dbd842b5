/* Runs of handlers and hooks: the arguments made, the Lua function called, its reply sent, its failure told.
 *
 * A run lies on the C stack of who begins it, and moves to the heap when its code waits for the first time.
 */
#ifndef TG_SCRIPT_RUN_H
#define TG_SCRIPT_RUN_H

#include "core/conn.h"
#include "script/declare.h"
#include "script/task.h"
#include "wire/message.h"

#include <stdbool.h>

/* One run of Lua code for one connection. */
struct tg_run {
    struct tg_world *world;
    struct tg_conn *conn;
    const struct tg_action *action;       /* NULL: a hook or a raw frame */
    struct tg_subscription *subscription; /* that it belongs to; NULL: to none */
    const struct tg_envelope *envelope;   /* borrowed; NULL once the code has waited */
    struct tg_ref ref;                    /* of the message; borrowed until the code waits, copied then */
    const char *what;                     /* "connected", ...; for the log */
    struct tg_slice data;                 /* borrowed until the arguments are made */
    uint16_t code;
    bool is_binary;
    bool answers;               /* what goes wrong is told to the client */
    bool is_farewell;           /* core watches over its time */
    bool is_data;               /* a data frame of the client began it: `complete` ends it */
    bool is_authentication;     /* in a frame of its own (admission.c) */
    bool is_renewal;            /* such a one, beside the handlers (core/credential.h) */
    bool is_late;               /* its time is over */
    bool is_retired;            /* because its generation's is */
    uint32_t from;              /* of `reloaded`: the generation that had the connection */
    struct tg_timer timer;      /* of that */
    struct tg_task *task;       /* once it has waited */
    struct tg_handler *handler; /* whose counters note it */
    uint64_t began_ns, held_ns; /* when it first ran; how long the loop was its own since */
};

static inline bool tg_run_is_event(const struct tg_run *run)
{
    return run->action && run->action->is_event;
}

static inline const struct tg_hooks *tg_hooks_of(const struct tg_conn *conn)
{
    return conn->consumer->script_data;
}

/* Each runs one kind of function of the consumer; core/script.h says what for. */
enum tg_outcome tg_run_message(struct tg_task_pool *pool, struct tg_run *run);
enum tg_outcome tg_run_frame(struct tg_task_pool *pool, struct tg_run *run);
enum tg_outcome tg_run_connected(struct tg_task_pool *pool, struct tg_run *run);
enum tg_outcome tg_run_disconnected(struct tg_task_pool *pool, struct tg_run *run);

/* The run of a task that has waited; NULL: it is one that was spawned. */
struct tg_run *tg_run_of_task(const struct tg_task *task);

/* The time of its generation is up: it ends as one whose own time is. */
void tg_run_retire(struct tg_run *run);

/* ---- for bodies of other kinds of runs ---- */

/* Runs `body(refs)`. */
enum tg_outcome tg_run_task(struct tg_task_pool *pool, struct tg_run *run, lua_CFunction body);

/* The same of a body that cannot wait: TG_DONE or TG_FAILED. */
enum tg_outcome tg_run_at_once(struct tg_task_pool *pool, struct tg_run *run, lua_CFunction body);

/* The run whose body is running. */
struct tg_run *tg_run_of(lua_State *L);

/* The end of a body: calls the hook that lies below its `arguments`, and raises when it returns a message. */
int tg_run_call_hook(lua_State *L, int arguments);

/* The end of a body: calls the hook `reloaded` where there is one, whose time begins now. */
int tg_run_call_reloaded(lua_State *L);

/* Where its consumer, or its topic, is declared. */
const char *tg_run_source(const struct tg_run *run);

/* Pushes the handle of its connection; the world's refs lie at 1. [-0, +1, e] */
void tg_run_push_conn(lua_State *L, struct tg_run *run);

#endif
