/* One thread's share of the gateway: its loop, its connections, its code, its timers, its counters.
 *
 * Nothing below is shared between workers. A connection belongs to the worker that accepted it.
 *
 * Connection ids: the low TG_SLOT_BITS are an index into `slots`, the rest a serial number that is
 * never used twice, so that an id outlives its connection without harm.
 */
#ifndef TG_CORE_WORKER_H
#define TG_CORE_WORKER_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "core/attempts.h"
#include "core/completion.h"
#include "core/config.h"
#include "core/conn.h"
#include "core/fetch.h"
#include "core/group.h"
#include "core/keep.h"
#include "core/layer_memory.h"
#include "core/loop.h"
#include "core/metrics.h"
#include "core/move.h"
#include "core/recorder.h"
#include "core/reload.h"
#include "core/subscription.h"
#include "core/turn.h"
#include "core/user.h"
#include "core/watch.h"
#include "core/wheel.h"
#include "wire/issue.h"

#include <stdbool.h>
#include <stdint.h>

#define TG_SLOT_BITS 24

struct tg_worker {
    const struct tg_config *config; /* borrowed, as the next three */
    struct tg_clock *clock;
    struct tg_loop *loop;
    struct tg_generation *generation; /* that new connections get; NULL: none yet, or no more */
    struct tg_list generations;       /* alive, oldest first */
    struct tg_moves moves;
    struct tg_reload *reload;         /* borrowed, as the next; NULL: there is none */
    struct tg_background *background; /* NULL: what would run there runs at once */
    struct tg_background *hasher;     /* of passwords; NULL: at once */
    struct tg_streams *streams;       /* borrowed, as the next; NULL while there is no network */
    struct tg_processes *processes;
    struct tg_watches *watches;   /* of files; borrowed; NULL where there are none */
    struct tg_fetcher *fetcher;   /* outgoing HTTP; NULL where there is none */
    struct tg_dev *dev;           /* owned; NULL: it is not development (dev.h) */
    struct tg_recorder *recorder; /* borrowed; NULL: nothing is recorded */
    struct tg_metrics metrics;
    struct tg_attempts attempts; /* to log in that failed */
    uint64_t next_origin_log_ms; /* not earlier; and how many it has told of (origin.c) */
    uint64_t logged_origins;
    struct tg_turns turns;
    struct tg_times gc_steps;              /* of the script's collector, while the loop was idle */
    struct tg_times reloads;               /* from the request until the new code served */
    uint64_t issue_counts[TG_ISSUE_TYPES]; /* errors told to clients */
    struct tg_wheel wheel;
    uint64_t began_ms;
    uint64_t alarm_ms;        /* what the loop was asked for last */
    struct tg_list conns;     /* all, oldest first */
    struct tg_list dirty;     /* those with something to flush */
    struct tg_list eventful;  /* those with an event to begin, in turns */
    struct tg_list exchanges; /* requests to routes of HTTP, oldest first (exchange.h) */
    struct tg_segment_pool segments;
    struct tg_groups groups;
    struct tg_users users;
    struct tg_subscriptions subscriptions;
    struct tg_completions completions;
    struct tg_keeps keeps;  /* what scripts keep over reloads */
    struct tg_layer *layer; /* borrowed, never NULL; the next one unless somebody puts in another */
    struct tg_layer_memory layer_memory;
    uint64_t deliveries_begun;
    struct tg_arena arena;  /* of the message that is being handled */
    struct tg_buf issues;   /* what is wrong with it */
    struct tg_conn **slots; /* owned; NULL where free */
    uint32_t *free_slots;   /* owned stack of free indices */
    uint32_t slot_count, free_count;
    uint32_t max_connections;
    uint64_t next_serial;
    bool is_draining;
    bool is_over; /* drain_seconds have passed: nothing waits any more */
    struct tg_timer drain_timer;
};

/* `max_connections`: how many are accepted at most. */
enum tg_status tg_worker_init(struct tg_worker *worker, const struct tg_config *config,
                              struct tg_clock *clock, struct tg_loop *loop, uint32_t max_connections);

/* All connections must have ended. */
void tg_worker_deinit(struct tg_worker *worker);

static inline uint64_t tg_worker_now_ms(const struct tg_worker *worker)
{
    return tg_clock_monotonic_ms(worker->clock);
}

/* ---- connections ---- */

/* Whether one more may come; asked before an upgrade is accepted. */
bool tg_worker_has_room(const struct tg_worker *worker);

/* Gives the connection an id and a slot. TG_E_FULL, TG_E_NO_MEMORY. */
enum tg_status tg_worker_add(struct tg_worker *worker, struct tg_conn *conn);

void tg_worker_remove(struct tg_worker *worker, struct tg_conn *conn);

/* The connection with this id; NULL when it has ended. */
static inline struct tg_conn *tg_worker_find(const struct tg_worker *worker, uint64_t id)
{
    uint32_t slot = (uint32_t)(id & ((1u << TG_SLOT_BITS) - 1));
    struct tg_conn *conn = slot < worker->slot_count ? worker->slots[slot] : NULL;
    return conn && conn->id == id ? conn : NULL;
}

/* Has tg_conn_flush called at the end of the turn. */
void tg_worker_mark_dirty(struct tg_worker *worker, struct tg_conn *conn);

/* Somebody at `peer` (conn->request->peer) was refused for what should prove who they are. */
void tg_worker_note_attempt(struct tg_worker *worker, struct tg_slice peer);

/* 0: who is at `peer` may be asked. Else it has failed too often, is counted as refused, and may try again
 * after so many seconds. */
uint32_t tg_worker_refuse_attempt(struct tg_worker *worker, struct tg_slice peer);

/* ---- time ---- */

/* tg_wheel_arm, and the loop's alarm with it. */
void tg_worker_arm(struct tg_worker *worker, struct tg_timer *timer, uint64_t deadline_ms);

/* ---- what the loop calls ---- */

/* Fires what is due and asks for the next alarm. */
void tg_worker_alarm(struct tg_worker *worker);

/* Flushes until nothing is dirty; after FLUSH_ROUNDS it asks for another turn instead. */
void tg_worker_flush(struct tg_worker *worker);

/* The loop is about to sleep: the turn, which began when it woke, held it for `ns`. */
void tg_worker_end_turn(struct tg_worker *worker, uint64_t ns);

/* ---- the end ---- */

/* Tells every client 1001, once the handlers that wait for it have ended; stops the script; waits for both up
 * to drain_seconds, drops the rest, stops the loop. The server must have stopped listening. A second call
 * does nothing. */
void tg_worker_drain(struct tg_worker *worker);

/* An exchange has been closed. */
void tg_worker_exchange_closed(struct tg_worker *worker);

/* What a generation's stop began has ended. */
void tg_worker_script_stopped(struct tg_worker *worker);

#endif
