/* The garbage collector of a Lua state: tuned to its heap, and stepped while the loop has nothing else to do.
 *
 * Lua collects by itself, a little with each allocation, which makes handlers pay for it. So garbage that has
 * gathered is collected in the pauses between messages, a bounded piece in each tick of the wheel. Where
 * there are no pauses nothing is stepped, and Lua goes on by itself; where there is no garbage nobody is
 * woken.
 */
#ifndef TG_SCRIPT_COLLECTOR_H
#define TG_SCRIPT_COLLECTOR_H

#include "core/worker.h"
#include "script/heap.h"

#include <lua.h>

struct tg_collector {
    lua_State *L; /* borrowed, as the next two */
    const struct tg_heap *heap;
    struct tg_worker *worker; /* NULL: it has not started, or has stopped */
    struct tg_timer timer;    /* armed while there is garbage to collect */
    uint64_t shown_bytes;     /* its share of metrics.script_heap_bytes */
    uint64_t tuned_bytes;     /* what the heap held when the collector was tuned */
    uint64_t alive_bytes;     /* what it held after the last collection, or less when it has shrunk since */
    bool is_disturbed;        /* code has run since the timer was armed */
};

/* Collects what loading has left behind: the only full collection, on the thread that has loaded. */
void tg_collector_prepare(struct tg_collector *collector, lua_State *L, const struct tg_heap *heap);

/* From now on it collects in the pauses of the worker. */
void tg_collector_start(struct tg_collector *collector, struct tg_worker *worker);

/* Lua code has run. Collects nothing; does nothing when it was not started. */
void tg_collector_note(struct tg_collector *collector);

/* Before the worker goes, or the state is closed. Does nothing when it was not started. */
void tg_collector_stop(struct tg_collector *collector);

#endif
