/* What a handler or a hook has done: its counters. They lie in the arena of the registry that declares it and
 * are found by a pointer, so that counting a message costs an addition.
 */
#ifndef TG_CORE_HANDLER_H
#define TG_CORE_HANDLER_H

#include "base/slice.h"
#include "core/times.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_handler {
    struct tg_slice consumer; /* its name, or a topic's pattern; empty: tasks that a script spawned */
    struct tg_slice name;     /* the action, the event, or the hook: "connected" */
    bool is_hook, is_event;
    bool is_topic;         /* `consumer` is a topic's pattern */
    bool is_route;         /* of HTTP: `consumer` is its path, `name` its method */
    uint64_t messages;     /* or requests that it was given; of an event: given or relayed */
    struct tg_times wall;  /* from its begin to its end, waits included */
    struct tg_times held;  /* the same without the waits: how long the loop was its own */
    uint64_t turn_number;  /* of the turn that turn_ns belongs to */
    uint64_t turn_held_ns; /* in that turn */
};

/* ---- of a consumer ---- */

enum tg_hook {
    TG_HOOK_CONNECTED,
    TG_HOOK_DISCONNECTED,
    TG_HOOK_RECEIVE,
    TG_HOOK_BINARY,
    TG_HOOK_AUTHENTICATE,
    TG_HOOK_GROUPS,
    TG_HOOK_SUBSCRIBE, /* of topics: authorise and on_subscribe */
    TG_HOOK_UNSUBSCRIBE,
    TG_HOOK_ADMIT,
    TG_HOOK_MIGRATE, /* when it comes from another generation */
    TG_HOOK_RELOADED,
    TG_HOOKS
};

struct tg_counters {
    uint64_t messages_invalid;
    struct tg_handler hooks[TG_HOOKS];
};

#endif
