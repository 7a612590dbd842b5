/* One load of the code: what it declared, who runs it, and which connections it has.
 *
 *     LOADED --serve--> SERVING --another serves--> RETIRING --nobody left--> STOPPING --on_stop done-->
 * ended
 *
 * Several are alive at once: the newest serves, and those before it retire, each until its last connection
 * has moved to the newest (move.h) or has ended. Then its hooks of on_stop run with "reload", and it is
 * closed in the background. Nothing outside may point into its registry but what belongs to it: connections,
 * their subscriptions and their runs.
 */
#ifndef TG_CORE_GENERATION_H
#define TG_CORE_GENERATION_H

#include "base/list.h"
#include "core/background.h"
#include "core/registry.h"
#include "core/wheel.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_conn;
struct tg_script;
struct tg_worker;

enum tg_generation_state {
    TG_GENERATION_LOADED, /* no worker's yet */
    TG_GENERATION_SERVING,
    TG_GENERATION_RETIRING,
    TG_GENERATION_STOPPING, /* its hooks of on_stop run */
    TG_GENERATION_STOPPED,  /* ends with the turn */
};

struct tg_generation {
    uint32_t number; /* from 1; 0: core/dev.c, which is none of the application */
    struct tg_registry registry;
    struct tg_script *script;
    struct tg_worker *worker; /* NULL until it serves, and when it has ended */
    struct tg_list link;      /* in worker->generations */
    struct tg_list conns;     /* all of them; when it retires, those not looked at since */
    struct tg_list busy;      /* those looked at that stay until something has ended */
    uint32_t connections;     /* in both, and in worker->moves */
    uint8_t state;            /* enum tg_generation_state */
    bool is_over;             /* its time is up: what still runs is ended */
    bool is_last;             /* and nobody stays, whatever gone_consumers says */
    bool is_stop_awaited;     /* its hooks of on_stop run */
    uint64_t began_ms;
    struct tg_timer timer; /* until when it may retire, then stop */
    struct tg_job closing;
};

/* Whoever makes a generation fills its registry himself. */
void tg_generation_init(struct tg_generation *generation, uint32_t number, struct tg_script *script);

/* From now on the worker's new connections get this one, and the one before retires. Takes it: the script is
 * closed when the last has left. */
void tg_generation_serve(struct tg_generation *generation, struct tg_worker *worker);

/* What its script's `stop` began has ended. */
void tg_generation_script_stopped(struct tg_generation *generation);

/* The time of one that retires is up: what runs in it is ended, its on_stop too. Connections that stay
 * because their consumer is gone are closed when it `is_last`. */
void tg_generation_expire(struct tg_generation *generation, bool is_last);

/* Takes it from its worker, whatever still waits; no connection may be left. Nothing when it has none. */
void tg_generation_end(struct tg_generation *generation);

/* Has its script close one that has ended or never served, in the background (NULL: now). */
void tg_generation_close(struct tg_generation *generation, struct tg_background *background);

/* "serving", "retiring" or "stopping". */
const char *tg_generation_state_name(const struct tg_generation *generation);

/* A connection becomes its own; leaves it. */
void tg_generation_take(struct tg_generation *generation, struct tg_conn *conn);
void tg_generation_lose(struct tg_conn *conn);

/* ---- all that are alive, oldest first; NULL: no more ---- */

struct tg_generation *tg_generation_first(const struct tg_worker *worker);
struct tg_generation *tg_generation_next(const struct tg_generation *generation);

/* Whether some consumer's names are in camel case: a publication has to be written so, too. */
bool tg_generations_have_camel(const struct tg_worker *worker);

/* The newest consumer of this name that connections may have; NULL: none. */
const struct tg_consumer *tg_generations_find_consumer(const struct tg_worker *worker, struct tg_slice name);

/* ---- what the worker calls ---- */

/* Goes on with what has stopped waiting, moves connections, and ends the generations that nobody needs. */
void tg_generations_turn(struct tg_worker *worker);

/* Whether one of them has more for another turn. */
bool tg_generations_have_more(const struct tg_worker *worker);

/* The server stops: each runs its on_stop. */
void tg_generations_stop(struct tg_worker *worker);

/* Whether one waits for its on_stop. */
bool tg_generations_are_stopping(const struct tg_worker *worker);

/* ---- the end of the program ---- */

/* Ends all, while there is still a worker, whose connections have gone; then, without one, closes them. */
void tg_generations_end(struct tg_worker *worker, struct tg_list *ended);
void tg_generations_close(struct tg_list *ended);

#endif
