/* What was declared of one consumer, or of one topic: its actions and events with their schemas, and what it
 * sends. It is constant once the code is loaded, and lies in the arena of its registry (registry.h).
 */
#ifndef TG_CORE_CONSUMER_H
#define TG_CORE_CONSUMER_H

#include "base/map.h"
#include "base/slice.h"
#include "core/entrance.h"
#include "core/handler.h"
#include "core/texts.h"
#include "wire/route.h"
#include "wire/schema.h"

#include <stdbool.h>
#include <stdint.h>

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
    bool is_renewal;          /* a client's new credential, for the authenticator (credential.h) */
    int script_ref;           /* the handler */
    int script_allow;         /* who may have it run; 0: everybody */
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

/* What is decided once, when a connection or a subscription begins: numbers that tell it from what another
 * load of the code declares there; 0: nothing is declared. */
enum tg_print {
    TG_PRINT_ADMIT,
    TG_PRINT_ORIGINS,
    TG_PRINT_AUTHENTICATE,
    TG_PRINT_PERMISSIONS,
    TG_PRINT_GROUPS,
    TG_PRINT_AUTHORISE, /* of topics */
    TG_PRINTS
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
    const struct tg_action *renewal; /* among the actions; NULL: clients cannot renew */
    struct tg_topic **topics;        /* that it hosts, in the order in which they are asked */
    uint32_t topic_count;
    const struct tg_topic *own_topic; /* its paths are this topic alone, which is the one in `topics` */
    bool is_topic;                    /* it is a topic's, see below */
    uint64_t prints[TG_PRINTS];
    struct tg_counters *counters; /* in the arena; made by tg_registry_add_consumer */
    void *script_data;            /* the script's own, in the arena */
};

/* One of several streams over a connection: "room:{room_name}". It handles messages as a consumer does, and
 * is one but for its paths: several consumers may host it. */
struct tg_topic {
    struct tg_consumer stream; /* first; its name is the pattern */
    struct tg_route *route;
};

/* The topic of `consumer` that `name` belongs to, and its parameters (borrowed from `name`); NULL: none. */
const struct tg_topic *tg_consumer_find_topic(const struct tg_consumer *consumer, struct tg_slice name,
                                              struct tg_params *params);

/* Who handles or relays the event; NULL: the consumer declares none of this name. */
const struct tg_action *tg_consumer_find_event(const struct tg_consumer *consumer, struct tg_slice name);

#endif
