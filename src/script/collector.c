/* A step is Lua's own, bounded by what it does and not by the clock: some 50,000 objects and fields are
 * looked at, which takes some 0.1 ms. What Lua cannot divide, the end of marking, looks at the stacks of all
 * coroutines once more.
 *
 * Invariant: the timer is armed iff there is as much garbage as is worth a collection, or one is under way
 * that the timer began. */
#include "script/collector.h"

#include "core/turn.h"

enum {
    GARBAGE_BYTES = 1024 * 1024, /* so much Lua lets come together by itself, in small heaps */
    WORTH_BYTES = 256 * 1024,    /* so much is collected when there is time */
    PAUSE_MIN = 200,             /* per cent of what is alive */
    PAUSE_MAX = 1000,
    STEPS = 2, /* in one tick */
};

/* A collection costs as much as there is alive, so it is put off until GARBAGE_BYTES of garbage may have come
 * together, or as much as there is alive, whichever is more: small heaps would be collected all the time. */
static void tune(struct tg_collector *collector)
{
    uint64_t alive = collector->heap->bytes ? collector->heap->bytes : 1;
    uint64_t pause = 100 + 100ull * GARBAGE_BYTES / alive;
    if (pause < PAUSE_MIN) pause = PAUSE_MIN;
    if (pause > PAUSE_MAX) pause = PAUSE_MAX;
    lua_gc(collector->L, LUA_GCINC, (int)pause, 0, 0);
    collector->tuned_bytes = collector->heap->bytes;
}

static void show_heap(struct tg_collector *collector)
{
    uint64_t bytes = collector->heap->bytes;
    collector->worker->metrics.script_heap_bytes += bytes - collector->shown_bytes;
    collector->shown_bytes = bytes;
    if (bytes < collector->alive_bytes) collector->alive_bytes = bytes;
    if (bytes > 2 * collector->tuned_bytes || bytes < collector->tuned_bytes / 2) tune(collector);
}

/* A quarter of what is alive, so that large heaps are not walked for crumbs. */
static bool is_worth_it(const struct tg_collector *collector)
{
    uint64_t garbage = collector->heap->bytes - collector->alive_bytes;
    return garbage >= WORTH_BYTES && garbage >= collector->alive_bytes / 4;
}

static void arm(struct tg_collector *collector)
{
    struct tg_worker *worker = collector->worker;
    collector->is_disturbed = false;
    tg_worker_arm(worker, &collector->timer, tg_worker_now_ms(worker) + TG_WHEEL_TICK_MS);
}

/* True: that was the end of a collection. */
static bool step(struct tg_collector *collector)
{
    uint64_t from_ns = tg_turn_now_ns();
    bool has_ended = false;
    for (int i = 0; i < STEPS && !has_ended; i++) has_ended = lua_gc(collector->L, LUA_GCSTEP, 0);
    tg_times_note(&collector->worker->gc_steps, tg_turn_now_ns() - from_ns);
    return has_ended;
}

static void ring(struct tg_timer *timer)
{
    struct tg_collector *collector = TG_CONTAINER(timer, struct tg_collector, timer);
    if (!lua_gc(collector->L, LUA_GCISRUNNING)) return; /* a script has stopped it */
    if (!collector->is_disturbed && step(collector)) {
        collector->worker->metrics.gc_cycles++;
        collector->alive_bytes = collector->heap->bytes;
    } else {
        arm(collector);
    }
    show_heap(collector);
}

void tg_collector_prepare(struct tg_collector *collector, lua_State *L, const struct tg_heap *heap)
{
    *collector = (struct tg_collector){.L = L, .heap = heap};
    tg_timer_init(&collector->timer, ring);
    lua_gc(L, LUA_GCCOLLECT);
    collector->alive_bytes = heap->bytes;
    tune(collector);
}

void tg_collector_start(struct tg_collector *collector, struct tg_worker *worker)
{
    collector->worker = worker;
    show_heap(collector);
}

void tg_collector_note(struct tg_collector *collector)
{
    if (!collector->worker) return; /* a state that is borrowed */
    collector->is_disturbed = true;
    show_heap(collector);
    if (!tg_list_is_linked(&collector->timer.link) && is_worth_it(collector)) arm(collector);
}

void tg_collector_stop(struct tg_collector *collector)
{
    if (!collector->worker) return;
    tg_wheel_disarm(&collector->worker->wheel, &collector->timer);
    collector->worker->metrics.script_heap_bytes -= collector->shown_bytes;
    collector->worker = NULL;
}
