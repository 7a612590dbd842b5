/* A hashed timing wheel: every deadline of a worker, at the cost of a list insertion.
 *
 * Policy: deadlines are rounded up to TG_WHEEL_TICK_MS, so a timer never fires early and fires at
 * most one tick late (plus the loop's own delay). Timers that lie beyond one turn of the wheel stay
 * in their slot and are passed over until their turn comes. Nothing allocates.
 */
#ifndef TG_CORE_WHEEL_H
#define TG_CORE_WHEEL_H

#include "base/list.h"

#include <stdint.h>

enum { TG_WHEEL_TICK_MS = 10, TG_WHEEL_SLOTS = 4096 }; /* one turn: 41 s */

#define TG_NEVER UINT64_MAX

struct tg_timer {
    struct tg_list link;
    uint64_t deadline_ms; /* monotonic */
    void (*fire)(struct tg_timer *timer);
};

struct tg_wheel {
    struct tg_list slots[TG_WHEEL_SLOTS];
    uint64_t occupied[TG_WHEEL_SLOTS / 64]; /* a bit per slot that may hold timers */
    uint64_t tick;                          /* all ticks up to this one have been fired */
    uint64_t count;
};

void tg_wheel_init(struct tg_wheel *wheel, uint64_t now_ms);

/* `fire` runs on the worker's thread, with the timer already disarmed: it may arm it again, free its
 * owner, or arm and disarm others. */
void tg_timer_init(struct tg_timer *timer, void (*fire)(struct tg_timer *timer));

/* Arms, or moves when armed. A deadline whose tick has been fired already fires with the next tick, so
 * that a timer which keeps arming itself for the past cannot hold the loop. */
void tg_wheel_arm(struct tg_wheel *wheel, struct tg_timer *timer, uint64_t deadline_ms);

/* Does nothing when the timer is not armed. */
void tg_wheel_disarm(struct tg_wheel *wheel, struct tg_timer *timer);

/* Fires what is due, earlier ticks first, in the order of arming within one; after a sleep longer than
 * a turn the turns are mixed. What is armed meanwhile never fires in the same advance. */
void tg_wheel_advance(struct tg_wheel *wheel, uint64_t now_ms);

/* When to advance next: the start of the next occupied slot's tick, which may turn out to hold only
 * later turns or nothing any more; TG_NEVER when nothing is armed. */
uint64_t tg_wheel_next_ms(const struct tg_wheel *wheel);

#endif
