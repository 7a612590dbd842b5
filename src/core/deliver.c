/* A delivery has a number, and a connection the number of the last one that it got: that is how a connection
 * in several of the groups is known to have its copy.
 *
 * A broken write or a full queue only marks the connection, which ends at the end of the turn (conn_flow.c);
 * so the members may be walked while their outboxes are filled.
 */
#include "core/deliver.h"

#include "core/completion.h"
#include "core/conn_start.h"
#include "core/event.h"
#include "core/payload.h"
#include "core/user.h"
#include "core/worker.h"

/* Whose a message is, from where its receiver stands. */
enum { IS_MINE = 1, IS_CURRENT = 2, VARIANTS = 4 };

static const struct tg_slice tails[VARIANTS] = {
    [0] = TG_SLICE(",\"is_mine\":false,\"is_current\":false}"),
    [IS_MINE] = TG_SLICE(",\"is_mine\":true,\"is_current\":false}"),
    [IS_CURRENT] = TG_SLICE(",\"is_mine\":false,\"is_current\":true}"),
    [IS_MINE | IS_CURRENT] = TG_SLICE(",\"is_mine\":true,\"is_current\":true}"),
};

struct delivery {
    struct tg_worker *worker;
    const struct tg_publication *publication;
    const struct tg_user *sender_user; /* NULL: anonymous, or not here */
    uint64_t receivers;
    struct tg_payload *payloads[TG_NAMINGS][VARIANTS]; /* made when the first needs them */
    struct tg_event event;
};

/* What this receiver gets; NULL without memory. */
static struct tg_payload *payload_for(struct delivery *delivery, const struct tg_conn *conn)
{
    const struct tg_publication *publication = delivery->publication;
    unsigned variant = 0;
    if (publication->tells_whose) {
        if (conn->user && conn->user == delivery->sender_user) variant |= IS_MINE;
        if (conn->id == publication->sender) variant |= IS_CURRENT;
    }
    enum tg_naming naming = conn->consumer->naming;
    struct tg_payload **payload = &delivery->payloads[naming][variant];
    if (!*payload)
        *payload = tg_payload_new(&delivery->worker->metrics.payload_bytes, TG_OPCODE_TEXT,
                                  publication->texts[naming],
                                  publication->tells_whose ? tails[variant] : (struct tg_slice){0});
    return *payload;
}

static void deliver_message(struct delivery *delivery, struct tg_conn *conn)
{
    if (!delivery->publication->texts[conn->consumer->naming].data) return;
    struct tg_payload *payload = payload_for(delivery, conn);
    enum tg_status status = payload ? tg_conn_share(conn, payload) : TG_E_NO_MEMORY;
    if (status == TG_E_NO_MEMORY) delivery->worker->metrics.no_memory++;
    if (status != TG_OK) return;
    delivery->receivers++;
    if (delivery->publication->to == TG_TO_GROUPS) tg_conn_complete(conn, TG_GROUP_COMPLETE, NULL);
}

static void deliver_to(struct delivery *delivery, struct tg_conn *conn)
{
    const struct tg_publication *publication = delivery->publication;
    if (publication->exclude_sender && conn->id == publication->sender) return;
    if (publication->kind == TG_PUBLISH_MESSAGE)
        deliver_message(delivery, conn);
    else if (tg_event_give(&delivery->event, conn) == TG_OK)
        delivery->receivers++;
}

/* The membership behind the next one, and the connection of the next. */
static void prefetch_behind(const struct tg_membership *member)
{
    const struct tg_membership *next = tg_group_next(member);
    if (!next) return;
    __builtin_prefetch(next->in_group.next);
    tg_conn_prefetch(next->conn);
}

static void deliver_to_groups(struct delivery *delivery)
{
    const struct tg_publication *publication = delivery->publication;
    uint64_t number = ++delivery->worker->deliveries_begun;
    for (uint32_t i = 0; i < publication->group_count; i++) {
        const struct tg_group *group =
            tg_group_find(delivery->worker, publication->group_kind, publication->groups[i]);
        struct tg_membership *member = group ? tg_group_first(group) : NULL;
        for (; member; member = tg_group_next(member)) {
            prefetch_behind(member);
            if (member->conn->delivery == number) continue;
            member->conn->delivery = number;
            deliver_to(delivery, member->conn);
        }
    }
}

static void deliver_to_consumer(struct delivery *delivery)
{
    struct tg_list *conns = &delivery->worker->conns;
    for (struct tg_list *node = conns->next; node != conns; node = node->next) {
        struct tg_conn *conn = TG_CONTAINER(node, struct tg_conn, link);
        if (tg_conn_is_let_in(conn) && tg_slice_equal(conn->consumer->name, delivery->publication->consumer))
            deliver_to(delivery, conn);
    }
}

static void deliver_to_user(struct delivery *delivery)
{
    const struct tg_user *user = tg_user_find(delivery->worker, delivery->publication->user);
    struct tg_conn *conn = user ? tg_user_first(user) : NULL;
    for (; conn; conn = tg_user_next(conn)) deliver_to(delivery, conn);
}

static void deliver_to_conn(struct delivery *delivery)
{
    struct tg_conn *conn = tg_worker_find(delivery->worker, delivery->publication->conn_id);
    if (conn) deliver_to(delivery, conn);
}

uint64_t tg_worker_deliver(struct tg_worker *worker, const struct tg_publication *publication)
{
    struct delivery delivery = {.worker = worker, .publication = publication};
    tg_event_init(&delivery.event, worker, publication);
    if (publication->tells_whose && publication->sender_user.length)
        delivery.sender_user = tg_user_find(worker, publication->sender_user);
    switch (publication->to) {
    case TG_TO_GROUPS:
        deliver_to_groups(&delivery);
        break;
    case TG_TO_CONSUMER:
        deliver_to_consumer(&delivery);
        break;
    case TG_TO_USER:
        deliver_to_user(&delivery);
        break;
    case TG_TO_CONN:
        deliver_to_conn(&delivery);
        break;
    }
    for (int naming = 0; naming < TG_NAMINGS; naming++)
        for (int variant = 0; variant < VARIANTS; variant++)
            tg_payload_unref(delivery.payloads[naming][variant]);
    tg_event_deinit(&delivery.event);
    worker->metrics.broadcasts++;
    worker->metrics.deliveries += delivery.receivers;
    return delivery.receivers;
}
