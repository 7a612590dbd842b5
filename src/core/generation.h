/* One load of the code: what it declared, who runs it, and which connections it has.
 *
 *     LOADED --serve--> SERVING --another serves--> RETIRING --nobody left--> STOPPING --on_stop done--> ended
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
    uint32_t number; /* from 1 */
    struct tg_registry registry;
    struct tg_script *script;
    struct tg_worker *worker; /* NULL until it serves, and when it has ended */
    struct tg_list link;      /* in worker->generations */
    struct tg_list conns;     /* all of them; when it retires, those not looked at since */
    struct tg_list busy;      /* those looked at that stay until something has ended */
    uint32_t connections;     /* in both, and in worker->moves */
    uint8_t state;            /* enum tg_generation_state */
    bool is_over;             /* its time is up: nothing is waited for */
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

/* Has its time end now: whatever runs in it is ended, its on_stop too. */
void tg_generation_expire(struct tg_generation *generation);

/* "serving", "retiring" or "stopping". */
const char *tg_generation_state_name(const struct tg_generation *generation);

/* ---- all that are alive, oldest first ---- */

/* The one in front of `link`'s: for (g = tg_generation_first(worker); g; g = tg_generation_next(g)). */
struct tg_generation *tg_generation_first(const struct tg_worker *worker);
struct tg_generation *tg_generation_next(const struct tg_generation *generation);

uint32_t tg_generations_alive(const struct tg_worker *worker);

/* Whether some consumer's names are in camel case: a publication has to be written so, too. */
bool tg_generations_have_camel(const struct tg_worker *worker);

/* The newest consumer of this name that connections may have; NULL: none. */
const struct tg_consumer *tg_generations_find_consumer(const struct tg_worker *worker, struct tg_slice name);

/* ---- what the worker calls ---- */

/* Goes on with what has stopped waiting, and ends what nobody needs any more. */
void tg_generations_turn(struct tg_worker *worker);

/* Whether one of them has more for another turn. */
bool tg_generations_have_more(const struct tg_worker *worker);

/* The server stops: each runs its on_stop. */
void tg_generations_stop(struct tg_worker *worker);

/* Whether one waits for its on_stop. */
bool tg_generations_are_stopping(const struct tg_worker *worker);

/* ---- the end of the program ---- */

/* Ends all, while there is still a worker whose connections have gone; then, without one, closes them. */
void tg_generations_end(struct tg_worker *worker, struct tg_list *ended);
void tg_generations_close(struct tg_list *ended);

#endif
