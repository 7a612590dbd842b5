/* The channel layer: what carries messages to groups and events to where their receivers are.
 *
 * layer_memory does it within this process; a broker's would do it between machines. Everything in a
 * publication is bytes, made by the sender, so that any layer can carry it; whoever gets it calls
 * tg_worker_deliver (core/deliver.h) for each worker.
 */
#ifndef TG_CORE_LAYER_H
#define TG_CORE_LAYER_H

#include "base/slice.h"
#include "base/status.h"
#include "core/group.h"
#include "wire/schema.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_publish { TG_PUBLISH_MESSAGE, TG_PUBLISH_EVENT };

enum tg_publish_to { TG_TO_GROUPS, TG_TO_CONN, TG_TO_CONSUMER, TG_TO_USER };

/* One message or event, and whom it is for. Borrows everything. */
struct tg_publication {
    enum tg_publish kind;
    struct tg_slice action;
    /* The whole frame's text, by the receiver's naming; data NULL: there is none, and nobody who would need
     * it. */
    struct tg_slice texts[TG_NAMINGS];
    /* The receivers are told whether it is theirs: each text ends before its last '}', and delivery appends
     * `,"is_mine":...,"is_current":...}`. */
    bool tells_whose;

    enum tg_publish_to to;
    enum tg_group_kind group_kind; /* TG_TO_GROUPS, as the next two */
    const struct tg_slice *groups;
    uint32_t group_count;
    uint64_t conn_id;         /* TG_TO_CONN */
    struct tg_slice consumer; /* TG_TO_CONSUMER: its name */
    struct tg_slice user;     /* TG_TO_USER: the id */

    uint64_t sender;             /* a connection's id; 0: nobody's */
    struct tg_slice sender_user; /* the id; empty: anonymous */
    bool exclude_sender;
};

struct tg_layer;

struct tg_layer_ops {
    /* TG_OK and how many got it, as far as this process knows. TG_E_IO, TG_E_FULL: nobody did. A connection
     * in several of the groups gets one copy. */
    enum tg_status (*publish)(struct tg_layer *layer, const struct tg_publication *publication,
                              uint64_t *receivers);
    /* The first member of a group has come to a worker. Not TG_OK: it is not let in. */
    enum tg_status (*subscribe)(struct tg_layer *layer, struct tg_worker *worker, enum tg_group_kind kind,
                                struct tg_slice name);
    /* The last has gone. */
    void (*unsubscribe)(struct tg_layer *layer, struct tg_worker *worker, enum tg_group_kind kind,
                        struct tg_slice name);
};

struct tg_layer {
    const struct tg_layer_ops *ops;
};

#endif
