/* What core asks of the event loop that carries a worker. net/loop runs it on libuv; tests fake it.
 *
 * The loop promises to call, always on the worker's thread:
 *   tg_worker_alarm  when the alarm has come,
 *   tg_worker_flush  at the end of each turn, whatever the turn was for.
 */
#ifndef TG_CORE_LOOP_H
#define TG_CORE_LOOP_H

#include <stdint.h>

struct tg_loop;

struct tg_loop_ops {
    /* One alarm per loop, at this monotonic time; a new call replaces it; TG_NEVER takes it away. */
    void (*set_alarm)(struct tg_loop *loop, uint64_t deadline_ms);
    /* Runs another turn at once instead of waiting for an event. */
    void (*request_turn)(struct tg_loop *loop);
    /* Ends the loop after this turn. */
    void (*stop)(struct tg_loop *loop);
};

struct tg_loop {
    const struct tg_loop_ops *ops;
};

#endif
