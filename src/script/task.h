/* Tasks: every run of a handler or hook, each in a coroutine from a pool.
 *
 * A task ends in the call that began it, as long as nothing waits; what it raises is told in full. The
 * coroutine of a finished task is used again.
 */
#ifndef TG_SCRIPT_TASK_H
#define TG_SCRIPT_TASK_H

#include "script/world.h"

#include <stdbool.h>

enum { TG_TASK_POOL = 64 };

struct tg_task_pool {
    struct tg_world *world;
    struct {
        lua_State *thread;
        int ref; /* in the world's refs */
    } idle[TG_TASK_POOL];
    int count;
};

/* What a task raised, in words. Texts are borrowed until the next Lua call. */
struct tg_failure {
    bool is_declared;          /* tide.error: meant for the client */
    struct tg_slice code;      /* of a declared error */
    struct tg_slice detail;    /* of a declared error */
    struct tg_slice message;   /* the error as text */
    struct tg_slice traceback; /* begins with the message */
    char file[128];            /* innermost Lua function; "" when there is none */
    int line;
};

/* Runs `body(refs, context)` in a coroutine: a C function that finds the world's refs table at index 1
 * and `context` as light userdata at 2. TG_OK; TG_E_SCRIPT: it raised, and `on_failure(context, ...)`
 * has been called; TG_E_NO_MEMORY: not even that could be told. Never raises. */
enum tg_status tg_task_run(struct tg_task_pool *pool, lua_CFunction body, void *context,
                           void (*on_failure)(void *context, const struct tg_failure *failure));

#endif
