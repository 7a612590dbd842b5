/* The key lies behind the struct, and the name is its end. Names are unique in a connection, since a name
 * belongs to the first topic of a consumer that accepts it: so a key is found by its name.
 *
 * Invariant: a subscription is in its connection's list and in both indexes from its making until it is
 * freed.
 */
#include "core/subscription.h"

#include "core/worker.h"

#include <stdlib.h>
#include <string.h>

void tg_subscriptions_init(struct tg_subscriptions *subscriptions)
{
    *subscriptions = (struct tg_subscriptions){.seed = tg_hash_seed_random()};
}

void tg_subscriptions_deinit(struct tg_subscriptions *subscriptions)
{
    tg_index_deinit(&subscriptions->by_name);
    tg_index_deinit(&subscriptions->by_number);
}

/* ---- finding ---- */

/* Neither number is chosen by a client. */
static uint64_t number_hash(const struct tg_conn *conn, uint64_t number)
{
    uint64_t hash = (conn->id ^ number * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

static uint64_t name_hash(const struct tg_conn *conn, struct tg_slice name)
{
    return number_hash(conn, tg_hash(conn->worker->subscriptions.seed, name));
}

struct tg_subscription *tg_subscription_find(const struct tg_conn *conn, struct tg_slice name)
{
    if (conn->subscription_count == 0) return NULL;
    const struct tg_index *index = &conn->worker->subscriptions.by_name;
    struct tg_index_node *node = tg_index_first(index, name_hash(conn, name));
    for (; node; node = tg_index_next(node)) {
        struct tg_subscription *subscription = TG_CONTAINER(node, struct tg_subscription, by_name);
        if (subscription->conn == conn && tg_slice_equal(subscription->name, name)) return subscription;
    }
    return NULL;
}

struct tg_subscription *tg_subscription_find_key(const struct tg_conn *conn, struct tg_slice key)
{
    const char *end = key.length ? memchr(key.data, '\0', key.length) : NULL;
    if (!end) return NULL;
    size_t head = (size_t)(end - key.data) + 1;
    struct tg_subscription *found =
        tg_subscription_find(conn, (struct tg_slice){key.data + head, key.length - head});
    return found && tg_slice_equal(found->key, key) ? found : NULL;
}

struct tg_subscription *tg_subscription_find_number(const struct tg_conn *conn, uint64_t number)
{
    const struct tg_index *index = &conn->worker->subscriptions.by_number;
    struct tg_index_node *node = tg_index_first(index, number_hash(conn, number));
    for (; node; node = tg_index_next(node)) {
        struct tg_subscription *subscription = TG_CONTAINER(node, struct tg_subscription, by_number);
        if (subscription->conn == conn && subscription->number == number) return subscription;
    }
    return NULL;
}

/* ---- the frame under way ---- */

void tg_subscription_drop_ref(struct tg_subscription *subscription)
{
    free(subscription->ref_text);
    subscription->ref_text = NULL;
    subscription->is_asked = false;
    subscription->ref = (struct tg_ref){.topic = subscription->name};
}

bool tg_subscription_keep_ref(struct tg_subscription *subscription, const struct tg_ref *ref)
{
    tg_subscription_drop_ref(subscription);
    subscription->ref.type = ref->type;
    subscription->ref.integer = ref->integer;
    if (ref->type != TG_REF_STRING) return true;
    subscription->ref_text = malloc(ref->string.length + 1);
    if (!subscription->ref_text) return false;
    memcpy(subscription->ref_text, ref->string.data, ref->string.length);
    subscription->ref.string = (struct tg_slice){subscription->ref_text, ref->string.length};
    return true;
}

/* ---- coming and going ---- */

static enum tg_status add(struct tg_subscription *subscription)
{
    struct tg_conn *conn = subscription->conn;
    struct tg_subscriptions *all = &conn->worker->subscriptions;
    enum tg_status status =
        tg_index_add(&all->by_name, &subscription->by_name, name_hash(conn, subscription->name));
    if (status != TG_OK) return status;
    status = tg_index_add(&all->by_number, &subscription->by_number, number_hash(conn, subscription->number));
    if (status != TG_OK) tg_index_remove(&all->by_name, &subscription->by_name);
    return status;
}

struct tg_subscription *tg_subscription_new(struct tg_conn *conn, const struct tg_topic *topic,
                                            struct tg_slice name, const struct tg_ref *ref)
{
    struct tg_slice pattern = topic->stream.name;
    size_t key_bytes = pattern.length + 1 + name.length;
    struct tg_subscription *subscription = calloc(1, sizeof *subscription + key_bytes);
    if (!subscription) return NULL;
    char *key = (char *)(subscription + 1);
    memcpy(key, pattern.data, pattern.length);
    memcpy(key + pattern.length + 1, name.data, name.length);
    subscription->key = (struct tg_slice){key, key_bytes};
    subscription->name = (struct tg_slice){key + pattern.length + 1, name.length};
    subscription->conn = conn;
    subscription->topic = topic;
    subscription->number = ++conn->subscriptions_made;
    if (!tg_subscription_keep_ref(subscription, ref) || add(subscription) != TG_OK) {
        free(subscription->ref_text);
        free(subscription);
        return NULL;
    }
    conn->subscription_count++;
    tg_list_append(&conn->subscriptions, &subscription->link);
    return subscription;
}

void tg_subscription_free(struct tg_subscription *subscription)
{
    struct tg_conn *conn = subscription->conn;
    struct tg_subscriptions *all = &conn->worker->subscriptions;
    struct tg_script *script = conn->generation->script;
    if (subscription->script_ref) script->ops->forget_subscription(script, subscription);
    tg_index_remove(&all->by_name, &subscription->by_name);
    tg_index_remove(&all->by_number, &subscription->by_number);
    tg_list_remove(&subscription->link);
    conn->subscription_count--;
    free(subscription->ref_text);
    free(subscription);
}
