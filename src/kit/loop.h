/* The loop of an app: no descriptors, no real time. A turn is what the app does about one thing that
 * happened; the clock stands still unless it is told to move, and stops at every timer on its way.
 *
 * Everything happens in one order: what was posted first comes first, timers by their time and then in the
 * order in which they were armed.
 */
#ifndef TG_KIT_LOOP_H
#define TG_KIT_LOOP_H

#include "base/clock.h"
#include "base/list.h"
#include "core/loop.h"
#include "core/worker.h"

#include <stdbool.h>

/* Embedded in what happens; owned by who embeds it. */
struct tg_kit_event {
    struct tg_list link;
    void (*happen)(struct tg_kit_event *event);
};

struct tg_kit_loop {
    struct tg_loop core; /* first */
    struct tg_fake_clock clock;
    struct tg_worker *worker; /* borrowed */
    uint64_t alarm_ms;
    uint64_t began_ms;
    struct tg_list events;
    bool wants_turn;
    bool is_stopped; /* the worker has drained */
    bool has_ended;  /* some connection, since links were let go of (app.c) */
};

void tg_kit_loop_init(struct tg_kit_loop *loop, struct tg_worker *worker);

void tg_kit_event_init(struct tg_kit_event *event, void (*happen)(struct tg_kit_event *event));

/* Has it happen in a turn of its own; nothing when it is posted already. */
void tg_kit_post(struct tg_kit_loop *loop, struct tg_kit_event *event);

/* So many turns in a row may be asked for with nothing having happened. */
enum { TG_KIT_TURNS = 10000 };

/* Turns until nothing is left to do. False: the code asks for more than TG_KIT_TURNS. */
bool tg_kit_run(struct tg_kit_loop *loop);

/* Moves to the next timer, if it comes before or at `until_ms`, and runs. `*has_moved` false: there is none,
 * and the clock stands at `until_ms`. False: as tg_kit_run. */
bool tg_kit_step(struct tg_kit_loop *loop, uint64_t until_ms, bool *has_moved);

static inline uint64_t tg_kit_now_ms(const struct tg_kit_loop *loop)
{
    return loop->clock.now_ms;
}

#endif
