/* The application of the fake core.
 *
 * Consumers: /chat (actions `say` with an object {content}, `ping` without payload, `seven` whose payload
 * is 7 by default), /camel (in camel case: `rename` with an object {user_name},
 * `checked`, a string with the script's check 9; it relays the event `joined` and handles `left`, objects
 * {user_name}), /events (action `ping`; handles the event `notify`, an integer, relays `joined`; sends
 * completions), /hub (hosts the topics room:{name}, action `say`, event `notify`, and room:lobby; sends
 * completions), /alone/{name} (the topic room:{name} alone), /room (actions `ping`, and `authenticate` by
 * which clients renew), /text, /binary, /strict.
 */
#ifndef TG_UNIT_SUPPORT_FAKE_REGISTRY_H
#define TG_UNIT_SUPPORT_FAKE_REGISTRY_H

#include "core/registry.h"

/* What another load of it may be without. */
enum {
    FAKE_CHAT = 1,    /* the consumer is called "talk" */
    FAKE_ROOM = 2,    /* the topic is room:{id}, which is another one */
    FAKE_TEXT = 4,    /* the consumer speaks JSON */
    FAKE_SEVEN = 8,   /* /chat has no such action */
    FAKE_NOTIFY = 16, /* nobody has such an event */
};

/* Into a registry that has nothing. */
void fake_registry_fill(struct tg_registry *registry, unsigned without);

#endif
