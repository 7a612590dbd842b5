/* That a connection is subscribed to a topic, or about to be: what is kept of it, and how it is found.
 *
 * What becomes of it, and what the client is told, is topic.c's affair. A connection has its subscriptions in
 * a list, in the order of the subscribes; finding one costs the same however many there are.
 */
#ifndef TG_CORE_SUBSCRIPTION_H
#define TG_CORE_SUBSCRIPTION_H

#include "base/index.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_conn;
struct tg_topic;

enum tg_subscription_state { TG_SUBSCRIBING, TG_SUBSCRIBED, TG_LEAVING };

struct tg_subscription {
    struct tg_list link; /* in conn->subscriptions, in the order of the subscribes */
    struct tg_index_node by_name, by_number;
    struct tg_conn *conn;
    const struct tg_topic *topic;
    uint64_t number;      /* of the connection's subscriptions, never used twice */
    struct tg_slice key;  /* "<pattern>\0<name>", of the group of its subscribers */
    struct tg_slice name; /* the end of the key */
    struct tg_ref ref;    /* of the frame under way, and its copy */
    char *ref_text;       /* owned; NULL: none is under way, or its ref is no text */
    const char *reason;   /* of leaving: "client", "server" or "closed" */
    uint8_t state;        /* enum tg_subscription_state */
    bool is_asked;        /* a frame of the client asked for the change under way: `complete` ends it */
    bool is_answered;     /* a refusal is queued */
    bool is_told;         /* on_unsubscribe has begun */
    int script_ref;       /* the script's handle; 0: none yet */
};

/* All subscriptions of a worker. */
struct tg_subscriptions {
    struct tg_index by_name, by_number; /* of a connection */
    struct tg_hash_seed seed;
};

void tg_subscriptions_init(struct tg_subscriptions *subscriptions);
void tg_subscriptions_deinit(struct tg_subscriptions *subscriptions); /* all connections must have ended */

/* The subscription of this name, with this group key, or with this number; NULL: none. */
struct tg_subscription *tg_subscription_find(const struct tg_conn *conn, struct tg_slice name);
struct tg_subscription *tg_subscription_find_key(const struct tg_conn *conn, struct tg_slice key);
struct tg_subscription *tg_subscription_find_number(const struct tg_conn *conn, uint64_t number);

/* One that is SUBSCRIBING, in the connection's list; the name and the ref are copied. There must be none of
 * this name. NULL without memory. */
struct tg_subscription *tg_subscription_new(struct tg_conn *conn, const struct tg_topic *topic,
                                            struct tg_slice name, const struct tg_ref *ref);

/* Takes it out of the list and frees it; the script forgets its handle. */
void tg_subscription_free(struct tg_subscription *subscription);

/* Keeps what the frame under way is called (copied). False without memory. */
bool tg_subscription_keep_ref(struct tg_subscription *subscription, const struct tg_ref *ref);

/* No frame is under way any more. */
void tg_subscription_drop_ref(struct tg_subscription *subscription);

#endif
