/* What Lua code raised, in words.
 *
 * An error object can be anything, a table whose __tostring raises included: it is described inside a
 * protected call, on the state's main thread.
 */
#ifndef TG_SCRIPT_FAILURE_H
#define TG_SCRIPT_FAILURE_H

#include "base/slice.h"
#include "base/status.h"
#include "script/world.h"

#include <stdbool.h>

/* Why a task failed. */
enum tg_failure_kind {
    TG_FAILED_RAISED,
    TG_FAILED_MEMORY, /* beyond lua_memory_mb */
    TG_FAILED_CPU,    /* beyond handler_cpu_ms */
};

/* Texts are borrowed until the next Lua call. */
struct tg_failure {
    enum tg_failure_kind kind;
    bool is_declared;          /* tide.error: meant for the client */
    struct tg_slice code;      /* of a declared error */
    struct tg_slice detail;    /* of a declared error */
    struct tg_slice message;   /* the error as text */
    struct tg_slice traceback; /* begins with the message */
    char file[128];            /* innermost Lua function; "" when there is none */
    int line;
};

/* Describes the error object on top of `thread`, whose stack is as it was when the error was raised, and
 * calls `tell`. Of a limit that was hit the object is not looked at. `origin`: where the task was spawned,
 * "chat.lua:12", which ends the traceback; NULL: nowhere. TG_E_SCRIPT; TG_E_NO_MEMORY: not even that could be
 * told. Never raises. */
enum tg_status tg_failure_tell(struct tg_world *world, lua_State *thread, enum tg_failure_kind kind,
                               const char *origin, void *context,
                               void (*tell)(void *context, const struct tg_failure *failure));

/* The event of the log: that of the limit that was hit, else `raised`. */
static inline const char *tg_failure_event(const struct tg_failure *failure, const char *raised)
{
    return failure->kind == TG_FAILED_CPU      ? "handler_cpu"
           : failure->kind == TG_FAILED_MEMORY ? "lua_memory"
                                               : raised;
}

/* CPU time of what has to be done after a failure and may run Lua: <close> variables, __tostring. */
enum { TG_AFTERMATH_CPU_MS = 10 };

#endif
