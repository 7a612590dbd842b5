/* Everything that the signals read is written by the thread that they interrupt, so there is no race, only
 * order: the compiler must not move stores across the points where a signal may look, hence `volatile` and
 * the fences. lua_sethook is made to be called from a signal.
 *
 * A run is seen first by a tick that comes at some time after its beginning, so it gets its budget and up to
 * one tick more. The hook removes itself wherever no run is stopped: a coroutine that was hooked and is kept
 * may be resumed by another run. */
#include "script/watchdog.h"

#include "base/clock.h"
#include "base/log.h"
#include "script/embedded.h"
#include "script/place.h"

#include <errno.h>
#include <lauxlib.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    TICK_NS = 5 * 1000 * 1000, /* of CPU time */
    WARN_AGAIN_MS = 60 * 1000,
    TRACEBACK_LEVELS = 20,
    TRACEBACK_BYTES = 4096,
    EXIT_STUCK = 70, /* EX_SOFTWARE of sysexits.h */
};

enum ticking { TICK_CPU, TICK_WALL };

/* The second of the two permitted globals: whose run the thread is in (NULL: none), and its timers, which run
 * while a watchdog is open on it. One pair for all: with one each, whatever stands still would be counted
 * by all of them. */
static _Thread_local struct tg_watchdog *volatile current;
static _Thread_local struct {
    timer_t cpu, wall;
    uint32_t open; /* watchdogs */
} timers;

#if defined(__SANITIZE_THREAD__)
/* ThreadSanitizer holds signals back until the thread calls something of libc: a loop of Lua never does. This
 * is the function that it does not replace. */
int __sigaction(int number, const struct sigaction *action, struct sigaction *former);
#define sigaction(number, action, former) __sigaction(number, action, former)
#endif

static int signal_number(void)
{
    return SIGRTMIN + 3;
}

static uint64_t thread_cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- the hook ---- */

/* The outermost level of the stack. Each question costs as many steps as its level. */
static int last_level(lua_State *L)
{
    lua_Debug debug;
    int below = 0, above = 1;
    while (lua_getstack(L, above, &debug)) above *= 2;
    while (below + 1 < above) {
        int middle = below + (above - below) / 2;
        if (lua_getstack(L, middle, &debug))
            below = middle;
        else
            above = middle;
    }
    return below;
}

/* The Lua function that the run began with: "chat.lua:12"; "" for the body of a module. */
static void find_handler(lua_State *L, char *text, size_t bytes)
{
    enum { BELOW_HANDLER = 8 }; /* levels of C at most */
    lua_Debug debug;
    text[0] = '\0';
    int last = last_level(L);
    for (int level = last; level >= 0 && level > last - BELOW_HANDLER; level--) {
        if (!lua_getstack(L, level, &debug)) return;
        lua_getinfo(L, "S", &debug);
        if (debug.linedefined <= 0 || tg_is_own_chunk(debug.source)) continue;
        snprintf(text, bytes, "%s:%d", debug.short_src, debug.linedefined);
        return;
    }
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash ? hash : 1;
}

/* Whether this handler's slowness is to be told: not again within a minute. */
static bool is_news(struct tg_watchdog *watchdog, const char *handler)
{
    uint64_t hash = hash_of(handler), now_ms = tg_clock_monotonic_ms(tg_clock_system());
    size_t oldest = 0;
    for (size_t i = 0; i < TG_WATCHDOG_WARNED; i++) {
        if (watchdog->warned[i].handler == hash && watchdog->warned[i].until_ms > now_ms) return false;
        if (watchdog->warned[i].until_ms < watchdog->warned[oldest].until_ms) oldest = i;
    }
    watchdog->warned[oldest].handler = hash;
    watchdog->warned[oldest].until_ms = now_ms + WARN_AGAIN_MS;
    return true;
}

static void warn(struct tg_watchdog *watchdog, lua_State *L, lua_Debug *debug)
{
    char handler[160], source[160];
    find_handler(L, handler, sizeof handler);
    if (!handler[0] || !is_news(watchdog, handler)) return;
    lua_getinfo(L, "Sl", debug);
    snprintf(source, sizeof source, "%s:%d", debug->short_src, debug->currentline);
    tg_log(TG_LOG_WARNING, "handler_slow", TG_LOG_S("handler", handler), TG_LOG_S("source", source),
           TG_LOG_I("cpu_ms", watchdog->budget_ns / 2 / 1000000), TG_LOG_S("limit", watchdog->setting));
}

/* Raises what the run is told, where the line is known with its place. [-0, +0, e] */
static void raise_stop(lua_State *L, const struct tg_watchdog *watchdog, const char *file, int line)
{
    if (line > 0) lua_pushfstring(L, "%s:%d: ", file, line);
    lua_pushfstring(L, "this takes more than %s, %d ms of CPU time", watchdog->setting,
                    (int)(watchdog->budget_ns / 1000000));
    if (line > 0) lua_concat(L, 2);
    lua_error(L);
}

static void stop_hook(lua_State *L, lua_Debug *debug)
{
    struct tg_watchdog *watchdog = current;
    if (watchdog && watchdog->state == TG_WATCHDOG_STOPPED) {
        /* Nobody can catch a yield. */
        if (lua_isyieldable(L)) {
            lua_yield(L, 0);
            return;
        }
        lua_getinfo(L, "Sl", debug);
        raise_stop(L, watchdog, debug->short_src, debug->currentline);
    }
    lua_sethook(L, NULL, 0, 0);
    if (!watchdog || watchdog->state != TG_WATCHDOG_HALF) return;
    watchdog->state = TG_WATCHDOG_WARNED_HALF;
    warn(watchdog, L, debug);
}

static void hook(lua_State *thread)
{
    lua_sethook(thread, stop_hook, LUA_MASKCOUNT, 1);
}

void tg_watchdog_hook(lua_Hook stop)
{
    lua_State *running = current ? current->running : NULL;
    if (running) lua_sethook(running, stop, LUA_MASKCOUNT, 1);
}

/* ---- the signals ---- */

static void trip(const struct tg_tripwire *wire)
{
    for (; wire; wire = wire->outer) memset(wire->bytes, '[', wire->length);
}

/* Once it is stopped, every tick hooks again: the run may have gone on in another coroutine. */
static void tick_cpu(struct tg_watchdog *watchdog)
{
    uint64_t now_ns = thread_cpu_ns();
    if (watchdog->seen_sequence != watchdog->sequence) {
        watchdog->seen_sequence = watchdog->sequence;
        watchdog->seen_ns = now_ns;
        return;
    }
    uint64_t spent_ns = now_ns - watchdog->seen_ns;
    if (spent_ns >= watchdog->budget_ns) {
        watchdog->state = TG_WATCHDOG_STOPPED;
        trip(watchdog->tripwire);
        hook(watchdog->running);
    } else if (spent_ns >= watchdog->budget_ns / 2 && watchdog->state <= TG_WATCHDOG_HALF) {
        watchdog->state = TG_WATCHDOG_HALF;
        hook(watchdog->running);
    }
}

/* The traceback as well as it can be had: the thread stands in the middle of a C function, but its list of
 * calls is whole, and nothing here allocates. */
static void describe(lua_State *L, char *text, size_t bytes)
{
    lua_Debug debug;
    size_t length = 0;
    text[0] = '\0';
    for (int level = 0; level < TRACEBACK_LEVELS && lua_getstack(L, level, &debug); level++) {
        lua_getinfo(L, "nSl", &debug);
        int added = snprintf(text + length, bytes - length, "%s%s:%d: in %s", level ? "\n" : "",
                             debug.short_src, debug.currentline, debug.name ? debug.name : "?");
        if (added < 0 || (size_t)added >= bytes - length) return;
        length += (size_t)added;
    }
}

static void find_line(lua_State *L, char *text, size_t bytes)
{
    lua_Debug debug;
    if (tg_place_find(L, 0, &debug))
        snprintf(text, bytes, "%s:%d", debug.short_src, debug.currentline);
    else
        snprintf(text, bytes, "?");
}

/* Not in order, but the order has ended: whoever restarts the program is served better than nobody. */
static void give_up(struct tg_watchdog *watchdog)
{
    char source[160], traceback[TRACEBACK_BYTES];
    find_line(watchdog->running, source, sizeof source);
    describe(watchdog->running, traceback, sizeof traceback);
    tg_log(TG_LOG_ERROR, "stuck", TG_LOG_S("source", source), TG_LOG_I("seconds", watchdog->stuck_seconds),
           TG_LOG_S("error", "a C function has not come back for watchdog_seconds: the program ends here"),
           TG_LOG_S("traceback", traceback));
    _exit(EXIT_STUCK);
}

static void tick_wall(struct tg_watchdog *watchdog)
{
    if (watchdog->stuck_seconds == 0) return;
    if (watchdog->stuck_sequence != watchdog->sequence) {
        watchdog->stuck_sequence = watchdog->sequence;
        watchdog->stuck_ticks = 0;
    } else if (++watchdog->stuck_ticks >= watchdog->stuck_seconds) {
        give_up(watchdog);
    }
}

static void on_tick(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    struct tg_watchdog *watchdog = current;
    if (!watchdog) return;
    int kept_errno = errno;
    if (info->si_value.sival_int == TICK_CPU)
        tick_cpu(watchdog);
    else
        tick_wall(watchdog);
    errno = kept_errno;
}

/* ---- life ---- */

static int make_timer(timer_t *timer, clockid_t clock, enum ticking ticking, struct timespec every)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signal_number()};
    event.sigev_value.sival_int = (int)ticking;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid); /* glibc of Debian 12 has no name for it */
    if (timer_create(clock, &event, timer) != 0) return -1;
    const struct itimerspec spec = {.it_interval = every, .it_value = every};
    return timer_settime(*timer, 0, &spec, NULL);
}

/* A thread that holds all signals back lets these through. */
static bool admit_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigset_t set;
    sigemptyset(&action.sa_mask);
    sigemptyset(&set);
    sigaddset(&set, signal_number());
    return sigaction(signal_number(), &action, NULL) == 0 && pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0;
}

static enum tg_status start_timers(struct tg_error *error)
{
    const struct timespec tick = {.tv_nsec = TICK_NS}, second = {.tv_sec = 1};
    if (!admit_signals() || make_timer(&timers.cpu, CLOCK_THREAD_CPUTIME_ID, TICK_CPU, tick) != 0)
        return tg_error_set(error, TG_E_IO, "the watchdog's timers cannot be made: %s", strerror(errno));
    if (make_timer(&timers.wall, CLOCK_MONOTONIC, TICK_WALL, second) != 0) {
        timer_delete(timers.cpu);
        return tg_error_set(error, TG_E_IO, "the watchdog's timers cannot be made: %s", strerror(errno));
    }
    return TG_OK;
}

enum tg_status tg_watchdog_open(struct tg_watchdog *watchdog, struct tg_error *error)
{
    if (timers.open == 0 && start_timers(error) != TG_OK) return TG_E_IO;
    timers.open++;
    watchdog->is_open = true;
    return TG_OK;
}

void tg_watchdog_close(struct tg_watchdog *watchdog)
{
    if (!watchdog->is_open) return;
    watchdog->is_open = false;
    if (--timers.open > 0) return;
    timer_delete(timers.cpu);
    timer_delete(timers.wall);
}

/* ---- runs ---- */

lua_State *tg_watchdog_enter(struct tg_watchdog *watchdog, lua_State *thread, uint32_t budget_ms)
{
    if (current) return tg_watchdog_switch(thread);
    watchdog->running = thread;
    watchdog->sequence++;
    watchdog->budget_ns = budget_ms * 1000000ull;
    watchdog->state = TG_WATCHDOG_FINE;
    watchdog->tripwire = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    current = watchdog;
    return NULL;
}

void tg_watchdog_leave(struct tg_watchdog *watchdog, lua_State *outer)
{
    if (outer) {
        tg_watchdog_switch(outer);
        return;
    }
    current = NULL;
    atomic_signal_fence(memory_order_seq_cst);
    watchdog->running = NULL;
}

void tg_watchdog_restart(void)
{
    struct tg_watchdog *watchdog = current;
    if (!watchdog) return;
    watchdog->sequence++;
    atomic_signal_fence(memory_order_seq_cst);
    watchdog->state = TG_WATCHDOG_FINE;
}

lua_State *tg_watchdog_switch(lua_State *thread)
{
    struct tg_watchdog *watchdog = current;
    if (!watchdog) return NULL;
    lua_State *left = watchdog->running;
    watchdog->running = thread;
    atomic_signal_fence(memory_order_seq_cst);
    if (watchdog->state == TG_WATCHDOG_STOPPED) hook(thread);
    return left;
}

bool tg_watchdog_is_stopped(void)
{
    return current && current->state == TG_WATCHDOG_STOPPED;
}

void tg_watchdog_check(lua_State *L)
{
    lua_Debug debug;
    if (!tg_watchdog_is_stopped()) return;
    if (lua_getstack(L, 1, &debug))
        lua_getinfo(L, "Sl", &debug);
    else
        debug.currentline = 0;
    raise_stop(L, current, debug.short_src, debug.currentline);
}

/* ---- tripwires ---- */

void tg_tripwire_lay(struct tg_tripwire *wire, char *bytes, size_t length)
{
    struct tg_watchdog *watchdog = current;
    if (!watchdog) return;
    *wire = (struct tg_tripwire){bytes, length, watchdog->tripwire};
    atomic_signal_fence(memory_order_seq_cst);
    watchdog->tripwire = wire;
    if (watchdog->state == TG_WATCHDOG_STOPPED) trip(wire);
}

void tg_tripwire_take_up(const struct tg_tripwire *wire)
{
    if (current) current->tripwire = wire->outer;
}
