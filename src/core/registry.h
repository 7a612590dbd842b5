/* What one load of the code declared: consumers, their paths, their actions, the topics that they host.
 *
 * The script layer fills it while it loads; afterwards it is constant. Everything lies in the
 * registry's arena. What belongs to the script (`script_ref`, `script_data`) means nothing to core.
 */
#ifndef TG_CORE_REGISTRY_H
#define TG_CORE_REGISTRY_H

#include "base/arena.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"
#include "core/entrance.h"
#include "core/handler.h"
#include "wire/route.h"
#include "wire/schema.h"

#include <stdbool.h>
#include <stdint.h>

/* A list of texts in the arena. */
struct tg_texts {
    const struct tg_slice *items;
    uint32_t count;
};

/* A message that a client may get. */
struct tg_output {
    struct tg_slice action;
    const struct tg_schema *payload; /* of kind TG_SCHEMA_NULL when there is none */
    bool is_for_groups;              /* it says whose it is */
    const void *script_type;         /* what was declared of it; the script's own, in the arena */
};

struct tg_outputs {
    const struct tg_output *items;
    uint32_t count;
};

/* A message that a client may send, or an event that others may, and who handles it. */
struct tg_action {
    struct tg_slice name;
    const struct tg_schema *payload; /* of kind TG_SCHEMA_NULL when there is none */
    bool is_event;
    bool is_relay;            /* an event that goes to the client as it is: nobody handles it */
    int script_ref;           /* the handler */
    const void *script_type;  /* what was declared of the message; the script's own, in the arena */
    uint32_t script_name_key; /* the name, as the script keeps it */
    uint32_t concurrency;     /* so many messages of a connection at once; 0 counts as 1 */
    uint64_t timeout_ms;      /* of the handler; 0: handler_timeout_ms */
    struct tg_slice summary, description;
    struct tg_texts tags;
    struct tg_outputs outputs;  /* the declared replies */
    struct tg_slice source;     /* file:line of the handler */
    struct tg_handler *handler; /* its counters, in the arena; made by tg_registry_add_action */
};

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

struct tg_consumer {
    struct tg_slice name, description;
    struct tg_texts tags;
    struct tg_slice source;             /* file:line of the declaration */
    bool is_text;                       /* frames go to the script as they are: no JSON, no actions */
    bool takes_binary;                  /* has a handler for binary frames */
    enum tg_naming naming;              /* how clients write the names of fields */
    bool sends_completion;              /* frames that say what is done: core/completion.h */
    bool has_strict_frames;             /* a frame type without handler closes with 1003 */
    struct tg_entrance entrance;        /* who may come in */
    struct tg_texts headers;            /* request headers kept beside the common ones, lower case */
    struct tg_outputs sends;            /* what the hooks send */
    struct tg_map actions;              /* name -> struct tg_action */
    struct tg_action **ordered_actions; /* as declared */
    uint32_t action_count;
    struct tg_map events; /* the same of events, which have names of their own */
    struct tg_action **ordered_events;
    uint32_t event_count;
    struct tg_topic **topics; /* that it hosts, in the order in which they are asked */
    uint32_t topic_count;
    const struct tg_topic *own_topic; /* its paths are this topic alone, which is the one in `topics` */
    bool is_topic;                    /* it is a topic's, see below */
    uint64_t authenticate_print, groups_print; /* what tells them from others, over generations; 0: none */
    struct tg_counters *counters;              /* in the arena; made by tg_registry_add_consumer */
    void *script_data;                         /* the script's own, in the arena */
};

/* One of several streams over a connection: "room:{room_name}". It handles messages as a consumer does, and
 * is one but for its paths: several consumers may host it. */
struct tg_topic {
    struct tg_consumer stream; /* first; its name is the pattern */
    struct tg_route *route;
};

/* One path and who serves it. */
struct tg_endpoint {
    struct tg_route *route;
    struct tg_consumer *consumer;
};

struct tg_registry {
    struct tg_arena arena;
    struct tg_hash_seed seed;
    struct tg_patterns patterns;    /* of all schemas */
    struct tg_consumer **consumers; /* as declared */
    uint32_t consumer_count;
    struct tg_topic **topics; /* as declared */
    uint32_t topic_count;
    struct tg_endpoint *endpoints; /* in the order in which they are asked */
    uint32_t endpoint_count;
    bool has_camel; /* some consumer's naming is TG_NAMING_CAMEL */
};

/* `max_check_steps`: what one match of a pattern may take. */
void tg_registry_init(struct tg_registry *registry, uint32_t max_check_steps);

void tg_registry_deinit(struct tg_registry *registry);

/* Adds a consumer that lies in the registry's arena, before its actions and paths: its map is begun
 * here. TG_E_NO_MEMORY. */
enum tg_status tg_registry_add_consumer(struct tg_registry *registry, struct tg_consumer *consumer);

/* Adds a topic that lies in the arena and whose stream has its name, likewise. TG_E_INVALID: a bad pattern.
 * TG_E_EXISTS: another topic has it, and their subscribers would be one group; `error` names both sources. */
enum tg_status tg_registry_add_topic(struct tg_registry *registry, struct tg_topic *topic,
                                     struct tg_error *error);

/* The topic with this pattern, or NULL. */
const struct tg_topic *tg_registry_find_topic(const struct tg_registry *registry, struct tg_slice pattern);

/* Has the consumer host the topic. TG_E_EXISTS: it hosts one that accepts the same names. */
enum tg_status tg_registry_host_topic(struct tg_registry *registry, struct tg_consumer *consumer,
                                      struct tg_topic *topic, struct tg_error *error);

/* The topic of `consumer` that `name` belongs to, and its parameters (borrowed from `name`); NULL: none. */
const struct tg_topic *tg_consumer_find_topic(const struct tg_consumer *consumer, struct tg_slice name,
                                              struct tg_params *params);

/* Adds an action to a consumer. TG_E_EXISTS: the action is there; `error` names both sources. */
enum tg_status tg_registry_add_action(struct tg_registry *registry, struct tg_consumer *consumer,
                                      struct tg_action *action, struct tg_error *error);

/* The same for an event. */
enum tg_status tg_registry_add_event(struct tg_registry *registry, struct tg_consumer *consumer,
                                     struct tg_action *event, struct tg_error *error);

/* Who handles or relays the event; NULL: the consumer declares none of this name. */
const struct tg_action *tg_consumer_find_event(const struct tg_consumer *consumer, struct tg_slice name);

/* The consumer of this name, or NULL. */
const struct tg_consumer *tg_registry_find_consumer(const struct tg_registry *registry, struct tg_slice name);

/* Adds a path (copied). TG_E_INVALID: a bad pattern, or one without a parameter of the consumer's own topic.
 * TG_E_EXISTS: a path is there that accepts the
 * same; `error` names both patterns and both sources. */
enum tg_status tg_registry_add_path(struct tg_registry *registry, struct tg_consumer *consumer,
                                    struct tg_slice pattern, struct tg_error *error);

/* Who serves `path`, and its parameters (values borrowed from `path`); NULL: nobody. */
const struct tg_consumer *tg_registry_find(const struct tg_registry *registry, struct tg_slice path,
                                           struct tg_params *params);

#endif
