/* Ends runs of Lua code that take more CPU time than they may, and a program that is stuck in C.
 *
 *     lua_State *outer = tg_watchdog_enter(watchdog, thread, budget_ms);
 *     ... run Lua on `thread` ...
 *     tg_watchdog_leave(watchdog, outer);
 *     if (tg_watchdog_has_stopped(watchdog)) ...
 *
 * A run costs a few stores: two timers look at them from signals on the worker's own thread. One counts CPU
 * time, so it is silent while the thread sleeps; when a run has used its budget, it hooks the running
 * coroutine, which then yields to its resumer where it can, or raises. The other comes once a second: a run
 * that C has not given back for `stuck_seconds` is logged with its traceback, and the process ends.
 *
 * The timers are the thread's, not the watchdog's: several states may be watched on one thread, and a state
 * may be watched on one thread first and then on another.
 *
 * A hook comes only between instructions of Lua. C functions that may take long call tg_watchdog_check now
 * and then, or lay a tripwire where they cannot.
 */
#ifndef TG_SCRIPT_WATCHDOG_H
#define TG_SCRIPT_WATCHDOG_H

#include "base/status.h"

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

/* Runs whose slowness was logged a short while ago. */
enum { TG_WATCHDOG_WARNED = 16 };

enum tg_watchdog_state { TG_WATCHDOG_FINE, TG_WATCHDOG_HALF, TG_WATCHDOG_WARNED_HALF, TG_WATCHDOG_STOPPED };

struct tg_tripwire;

struct tg_watchdog {
    /* What a run is; written by its thread, read by the signals on the same thread. */
    lua_State *volatile running;
    volatile uint64_t sequence; /* of the run, never the same twice */
    volatile uint64_t budget_ns;
    volatile enum tg_watchdog_state state;
    struct tg_tripwire *volatile tripwire;

    /* The signals' own. */
    uint64_t seen_sequence, stuck_sequence;
    uint64_t seen_ns; /* CPU time of the thread when the run was seen first */
    uint32_t stuck_ticks;

    uint32_t stuck_seconds; /* 0: for ever */
    const char *setting;    /* the one that names the budget, for what is told */
    bool is_open;           /* the thread's timers look at its runs */
    struct {
        uint64_t handler; /* hash of its place; 0: none */
        uint64_t until_ms;
    } warned[TG_WATCHDOG_WARNED];
};

/* From now on the calling thread is the one that enters; its timers start with the first that is open there.
 * TG_E_IO: the system gives none. */
enum tg_status tg_watchdog_open(struct tg_watchdog *watchdog, struct tg_error *error);

/* On the thread that opened it, outside of runs. Nothing when it is not open. */
void tg_watchdog_close(struct tg_watchdog *watchdog);

/* A run begins on `thread`. Within another run it is a part of that one, and `budget_ms` is not looked at.
 * Returns what tg_watchdog_leave takes. */
lua_State *tg_watchdog_enter(struct tg_watchdog *watchdog, lua_State *thread, uint32_t budget_ms);

void tg_watchdog_leave(struct tg_watchdog *watchdog, lua_State *outer);

/* The budget of the current run begins only now: what was done so far was not the script's work. */
void tg_watchdog_restart(void);

/* Lua code of the current run goes on in `thread`; returns where it was. When the run has been stopped, the
 * thread stops at its next instruction. NULL and nothing where no run is. */
lua_State *tg_watchdog_switch(lua_State *thread);

/* Whether the run, or the last one, has used up its budget. */
static inline bool tg_watchdog_has_stopped(const struct tg_watchdog *watchdog)
{
    return watchdog->state == TG_WATCHDOG_STOPPED;
}

/* Whether the current run has. */
bool tg_watchdog_is_stopped(void);

/* Sets `stop` as the hook of the coroutine that runs, if any does, to be called at its next instruction. For
 * signals on the thread of the runs. */
void tg_watchdog_hook(lua_Hook stop);

/* Raises when it has. For C functions, between pieces of work. [-0, +0, e] */
void tg_watchdog_check(lua_State *L);

/* ---- tripwires ---- */

/* Bytes that a C function of others reads as it works, and that no longer mean anything when they are all
 * '[': Lua's matcher raises at the next item of such a pattern. When the run is stopped they become so. The
 * bytes are for this purpose alone. */
struct tg_tripwire {
    char *bytes;
    size_t length;
    struct tg_tripwire *outer;
};

/* The wire is the caller's; each that is laid must be taken up again, the last one first. */
void tg_tripwire_lay(struct tg_tripwire *wire, char *bytes, size_t length);
void tg_tripwire_take_up(const struct tg_tripwire *wire);

#endif
