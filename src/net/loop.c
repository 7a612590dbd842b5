/* libuv's order within a turn: timers, prepare, poll, check. What input produced is flushed in
 * check, right after the poll; what timers and other threads' wake-ups produced in prepare, before
 * the loop goes to sleep. So nothing waits for the next event, and nothing is flushed twice.
 *
 * A turn, for the metrics, is the time between two sleeps less what libuv says that it slept: the time at
 * which poll returned is nobody's to ask.
 *
 * Invariant: core sees one time within a turn, the one that libuv cached; the alarm is relative to it. */
#include "net/loop.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

/* For handles and cancelled requests to come back at the end, which takes a turn or two. */
enum { CLOSE_PATIENCE_MS = 200 };

struct tg_net_loop {
    struct tg_loop core;
    struct tg_clock clock;
    uv_loop_t uv;
    uv_timer_t alarm, patience;
    uv_prepare_t before_sleep;
    uv_check_t after_poll;
    uv_async_t wake;
    uv_signal_t terminate, interrupt, hangup;
    struct tg_worker *worker; /* borrowed */
    uint64_t turn_began_ns;   /* the last time before sleep, and what the loop had slept by then */
    uint64_t idle_ns;
    uint64_t woke_ms;  /* when the last sleep ended */
    bool follows_time; /* the invariant above does not hold */
    void (*on_signal)(void *context, int number);
    void *signal_context;
};

static struct tg_net_loop *of_core(struct tg_loop *core)
{
    return TG_CONTAINER(core, struct tg_net_loop, core);
}

static struct tg_net_loop *of_clock(struct tg_clock *clock)
{
    return TG_CONTAINER(clock, struct tg_net_loop, clock);
}

/* ---- core's loop and clock ---- */

static void ring(uv_timer_t *timer)
{
    tg_worker_alarm(((struct tg_net_loop *)timer->data)->worker);
}

static void set_alarm(struct tg_loop *core, uint64_t deadline_ms)
{
    struct tg_net_loop *loop = of_core(core);
    if (deadline_ms == TG_NEVER) {
        uv_timer_stop(&loop->alarm);
        return;
    }
    uint64_t now_ms = uv_now(&loop->uv);
    uv_timer_start(&loop->alarm, ring, deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

static void request_turn(struct tg_loop *core)
{
    uv_async_send(&of_core(core)->wake);
}

static void stop(struct tg_loop *core)
{
    uv_stop(&of_core(core)->uv);
}

static uint64_t cached_monotonic_ms(struct tg_clock *clock)
{
    struct tg_net_loop *loop = of_clock(clock);
    if (loop->follows_time) uv_update_time(&loop->uv);
    return uv_now(&loop->uv);
}

static uint64_t wall_ms(struct tg_clock *clock)
{
    (void)clock;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- libuv's callbacks ---- */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* What libuv counts as idle forgets what was slept before a signal, so a turn is also no longer than since
 * the sleep ended; that alone would be rounded to milliseconds. */
static void end_turn(struct tg_net_loop *loop)
{
    enum { NS_PER_MS = 1000 * 1000 };
    uint64_t now_ns = uv_hrtime(), idle_ns = uv_metrics_idle_time(&loop->uv);
    uint64_t passed_ns = now_ns - loop->turn_began_ns;
    uint64_t awake_ns = passed_ns - least(passed_ns, idle_ns - loop->idle_ns);
    uint64_t since_ns = now_ns - least(now_ns, loop->woke_ms * NS_PER_MS);
    loop->turn_began_ns = now_ns;
    loop->idle_ns = idle_ns;
    tg_worker_end_turn(loop->worker, least(awake_ns, since_ns));
}

static void flush_before_sleep(uv_prepare_t *handle)
{
    struct tg_net_loop *loop = handle->data;
    tg_worker_flush(loop->worker);
    end_turn(loop);
}

static void flush_after_poll(uv_check_t *handle)
{
    struct tg_net_loop *loop = handle->data;
    loop->woke_ms = uv_now(&loop->uv);
    tg_worker_flush(loop->worker);
}

/* The turn itself is what was wanted. */
static void woken(uv_async_t *handle)
{
    (void)handle;
}

static void caught(uv_signal_t *handle, int number)
{
    struct tg_net_loop *loop = handle->data;
    loop->on_signal(loop->signal_context, number);
}

/* ---- life ---- */

enum tg_status tg_net_loop_open(struct tg_net_loop **out, struct tg_error *error)
{
    static const struct tg_loop_ops ops = {set_alarm, request_turn, stop};
    struct tg_net_loop *loop = calloc(1, sizeof *loop);
    if (!loop) return tg_error_set(error, TG_E_NO_MEMORY, "no memory for the event loop");
    loop->core.ops = &ops;
    loop->clock = (struct tg_clock){cached_monotonic_ms, wall_ms};
    int failure = uv_loop_init(&loop->uv);
    if (failure) {
        free(loop);
        return tg_error_set(error, TG_E_IO, "the event loop cannot be made: %s", uv_strerror(failure));
    }
    uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
    /* These only link into the loop and cannot fail; the async handle needs a descriptor. */
    uv_timer_init(&loop->uv, &loop->alarm);
    uv_timer_init(&loop->uv, &loop->patience);
    uv_prepare_init(&loop->uv, &loop->before_sleep);
    uv_check_init(&loop->uv, &loop->after_poll);
    loop->alarm.data = loop->before_sleep.data = loop->after_poll.data = loop;
    failure = uv_async_init(&loop->uv, &loop->wake, woken);
    if (failure) {
        tg_net_loop_close(loop);
        return tg_error_set(error, TG_E_IO, "the event loop cannot be woken: %s", uv_strerror(failure));
    }
    *out = loop;
    return TG_OK;
}

static void close_handle(uv_handle_t *handle, void *patience)
{
    if (handle != patience && !uv_is_closing(handle)) uv_close(handle, NULL);
}

static void lose_patience(uv_timer_t *patience)
{
    uv_stop(patience->loop);
}

bool tg_net_loop_close(struct tg_net_loop *loop)
{
    uv_walk(&loop->uv, close_handle, &loop->patience);
    uv_update_time(&loop->uv);
    uv_timer_start(&loop->patience, lose_patience, CLOSE_PATIENCE_MS, 0);
    uv_unref((uv_handle_t *)&loop->patience);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_alive(&loop->uv)) return false;
    uv_close((uv_handle_t *)&loop->patience, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    int failure = uv_loop_close(&loop->uv);
    assert(failure == 0); /* a user of the loop left a handle behind */
    (void)failure;
    free(loop);
    return true;
}

struct tg_loop *tg_net_loop_core(struct tg_net_loop *loop)
{
    return &loop->core;
}

struct tg_clock *tg_net_loop_clock(struct tg_net_loop *loop)
{
    return &loop->clock;
}

void tg_net_loop_follow_time(struct tg_net_loop *loop)
{
    loop->follows_time = true;
}

void *tg_net_loop_uv(struct tg_net_loop *loop)
{
    return &loop->uv;
}

void tg_net_loop_attach(struct tg_net_loop *loop, struct tg_worker *worker)
{
    loop->worker = worker;
    loop->turn_began_ns = uv_hrtime();
    uv_prepare_start(&loop->before_sleep, flush_before_sleep);
    uv_check_start(&loop->after_poll, flush_after_poll);
}

static int catch (struct tg_net_loop *loop, uv_signal_t *handle, int number)
{
    int failure = uv_signal_init(&loop->uv, handle);
    if (failure) return failure;
    handle->data = loop;
    return uv_signal_start(handle, caught, number);
}

static enum tg_status tell_uncaught(int failure, struct tg_error *error)
{
    if (!failure) return TG_OK;
    return tg_error_set(error, TG_E_IO, "signals cannot be caught: %s", uv_strerror(failure));
}

enum tg_status tg_net_loop_catch_signals(struct tg_net_loop *loop,
                                         void (*on_signal)(void *context, int number), void *context,
                                         struct tg_error *error)
{
    loop->on_signal = on_signal;
    loop->signal_context = context;
    /* A client that is gone is told by the return value of the write. */
    signal(SIGPIPE, SIG_IGN);
    int failure = catch (loop, &loop->terminate, SIGTERM);
    if (!failure) failure = catch (loop, &loop->interrupt, SIGINT);
    return tell_uncaught(failure, error);
}

enum tg_status tg_net_loop_catch_hangup(struct tg_net_loop *loop, struct tg_error *error)
{
    return tell_uncaught(catch (loop, &loop->hangup, SIGHUP), error);
}

void tg_net_loop_run(struct tg_net_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}
