/* What a client is told is told here; what runs in between, the authoriser and the hooks, is the script's.
 *
 * Invariant: at most one change of state is under way, conn->changing, and then nothing else of the
 * connection runs. A subscription is in the group of its topic exactly while it is SUBSCRIBED and the
 * connection is open.
 */
#include "core/topic.h"

#include "base/log.h"
#include "core/completion.h"
#include "core/conn_order.h"
#include "core/dispatch.h"
#include "core/group.h"
#include "core/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* From our refusal of the topic that a path is: there is nothing else on it. */
enum { CLOSE_COULD_NOT_START = 1011, CLOSE_FORBIDDEN = 4403, CLOSE_NOT_FOUND = 4404 };

static const struct tg_slice could_not_start = TG_SLICE("the consumer could not start");

static struct tg_script *script_of(const struct tg_conn *conn)
{
    return conn->generation->script;
}

/* ---- answers ---- */

/* {"action":"subscribed","topic":...,"ref":...} */
static void answer(struct tg_conn *conn, const char *action, const struct tg_ref *ref)
{
    struct tg_buf *out;
    if (tg_conn_begin(conn, &out) != TG_OK) return;
    tg_buf_printf(out, "{\"action\":\"%s\"", action);
    tg_message_write_ref(out, ref);
    tg_buf_append_char(out, '}');
    tg_conn_commit(conn, TG_OPCODE_TEXT);
}

static void answer_reason(struct tg_conn *conn, const char *reason, struct tg_slice detail,
                          const struct tg_ref *ref)
{
    const struct tg_detail told = {.reason = tg_slice_of(reason), .detail = detail};
    tg_log(TG_LOG_DEBUG, "topic_refused", TG_LOG_CONN(conn), TG_LOG_STR("topic", ref->topic),
           TG_LOG_S("reason", reason));
    tg_dispatch_answer_detail(conn, &told, ref);
}

/* The same with the topic's name in the sentence: "Unknown topic 'zzz:b'". */
static void answer_name(struct tg_conn *conn, const char *reason, const char *sentence,
                        const struct tg_ref *ref)
{
    char detail[64 + TG_TOPIC_NAME_MAX + 1];
    int head = snprintf(detail, 64, "%s '", sentence);
    size_t name_bytes = ref->topic.length < TG_TOPIC_NAME_MAX ? ref->topic.length : TG_TOPIC_NAME_MAX;
    memcpy(detail + head, ref->topic.data, name_bytes); /* with any NUL in it */
    detail[(size_t)head + name_bytes] = '\'';
    answer_reason(conn, reason, (struct tg_slice){detail, (size_t)head + name_bytes + 1}, ref);
}

static void answer_no_memory(struct tg_conn *conn, const struct tg_ref *ref)
{
    conn->worker->metrics.no_memory++;
    tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_CONN(conn), TG_LOG_STR("topic", ref->topic));
    tg_dispatch_answer_detail(conn, &(struct tg_detail){.detail = TG_SLICE("Failed to process message")},
                              ref);
}

/* The group did not let it in: memory is out, or the layer does not answer. */
static void answer_failure(struct tg_conn *conn, enum tg_status status, const struct tg_ref *ref)
{
    if (status == TG_E_NO_MEMORY) {
        answer_no_memory(conn, ref);
        return;
    }
    tg_log(TG_LOG_ERROR, "subscribe_failed", TG_LOG_CONN(conn), TG_LOG_STR("topic", ref->topic),
           TG_LOG_S("error", tg_status_name(status)));
    tg_dispatch_answer_detail(conn, &(struct tg_detail){.detail = TG_SLICE("Failed to process message")},
                              ref);
}

static void answer_too_many(struct tg_conn *conn, const struct tg_ref *ref)
{
    char detail[64];
    conn->worker->metrics.topics_full++;
    snprintf(detail, sizeof detail, "A connection has at most %u topics",
             (unsigned)conn->worker->config->max_topics_per_connection);
    answer_reason(conn, "too_many_topics", tg_slice_of(detail), ref);
}

/* ---- one change of state ---- */

/* Nothing of the topic comes to the client from now on. */
static void leave_group(struct tg_subscription *subscription, const char *reason)
{
    struct tg_conn *conn = subscription->conn;
    if (subscription->state != TG_SUBSCRIBED) return;
    subscription->state = TG_LEAVING;
    subscription->reason = reason;
    conn->worker->metrics.subscriptions--;
    tg_group_leave(conn, TG_GROUP_TOPIC, subscription->key);
}

/* The authoriser, or a hook, has ended. */
static void settle(struct tg_conn *conn)
{
    struct tg_subscription *subscription = conn->changing;
    bool is_over = subscription->state == TG_SUBSCRIBING || subscription->is_told;
    conn->changing = NULL;
    if (subscription->state == TG_SUBSCRIBING && !subscription->is_answered)
        tg_topic_refuse(subscription, (struct tg_slice){0});
    if (subscription->is_told) answer(conn, "unsubscribed", &subscription->ref);
    if (subscription->is_asked) tg_conn_complete(conn, TG_COMPLETE, &subscription->ref);
    if (is_over)
        tg_subscription_free(subscription);
    else
        tg_subscription_drop_ref(subscription);
}

static void note(struct tg_subscription *subscription, enum tg_outcome outcome)
{
    struct tg_conn *conn = subscription->conn;
    conn->changing = subscription;
    tg_conn_note(conn, NULL, outcome);
    if (outcome != TG_WAITING) settle(conn);
}

void tg_topic_ended(struct tg_conn *conn)
{
    if (conn->changing) settle(conn);
}

static enum tg_outcome run_unsubscribe(struct tg_subscription *subscription)
{
    struct tg_script *script = script_of(subscription->conn);
    subscription->is_told = true;
    return script->ops->unsubscribe(script, subscription, subscription->reason);
}

/* False: it has been refused. */
static bool subscribe(struct tg_conn *conn, struct tg_slice name, const struct tg_ref *ref, bool is_asked)
{
    struct tg_params params;
    const struct tg_topic *topic = tg_consumer_find_topic(conn->consumer, name, &params);
    if (conn->subscription_count >= conn->worker->config->max_topics_per_connection) {
        answer_too_many(conn, ref);
        return false;
    }
    struct tg_subscription *subscription = tg_subscription_new(conn, topic, name, ref);
    if (!subscription) {
        answer_no_memory(conn, ref);
        return false;
    }
    struct tg_script *script = script_of(conn);
    subscription->is_asked = is_asked;
    note(subscription, script->ops->subscribe(script, subscription));
    return true;
}

enum tg_status tg_topic_admit(struct tg_subscription *subscription)
{
    struct tg_conn *conn = subscription->conn;
    enum tg_status status = tg_group_join(conn, TG_GROUP_TOPIC, subscription->key);
    if (status == TG_OK) {
        subscription->state = TG_SUBSCRIBED;
        conn->worker->metrics.subscriptions++;
        answer(conn, "subscribed", &subscription->ref);
        return TG_OK;
    }
    subscription->is_answered = true;
    if (status == TG_E_CLOSED) return status;
    answer_failure(conn, status, &subscription->ref);
    if (conn->consumer->own_topic) tg_conn_close(conn, CLOSE_COULD_NOT_START, could_not_start);
    return status;
}

void tg_topic_refuse(struct tg_subscription *subscription, struct tg_slice detail)
{
    struct tg_conn *conn = subscription->conn;
    subscription->is_answered = true;
    if (conn->state != TG_CONN_OPEN) return; /* it has gone before */
    conn->worker->metrics.subscribes_refused++;
    if (detail.length)
        answer_reason(conn, "unauthorized", detail, &subscription->ref);
    else
        answer_name(conn, "unauthorized", "Not allowed to subscribe to", &subscription->ref);
    /* A path that is a topic is nothing without it. */
    if (conn->own_topic_name.data && tg_slice_equal(subscription->name, conn->own_topic_name))
        tg_conn_close(conn, CLOSE_FORBIDDEN, TG_SLICE("unauthorized"));
}

/* ---- frames ---- */

/* A new credential is the connection's affair, also where its path is a topic. */
static bool is_renewal(const struct tg_conn *conn, const struct tg_envelope *envelope)
{
    const struct tg_action *renewal = conn->consumer->renewal;
    return renewal && tg_slice_equal(envelope->action, renewal->name);
}

struct tg_topic_frame tg_topic_frame_of(const struct tg_conn *conn, const struct tg_envelope *envelope)
{
    struct tg_topic_frame frame = {.kind = TG_FRAME_OWN, .name = envelope->topic};
    if (!frame.name.data && is_renewal(conn, envelope)) return frame;
    if (!frame.name.data) frame.name = conn->own_topic_name;
    if (conn->consumer->topic_count == 0 || !frame.name.data) return frame;
    struct tg_params params;
    bool is_known =
        frame.name.length <= TG_TOPIC_NAME_MAX && tg_consumer_find_topic(conn->consumer, frame.name, &params);
    frame.kind = TG_FRAME_REFUSED;
    if (!is_known) return frame;
    frame.subscription = tg_subscription_find(conn, frame.name);
    if (tg_slice_equal(envelope->action, TG_SLICE("subscribe")))
        frame.kind = TG_FRAME_SUBSCRIBE;
    else if (tg_slice_equal(envelope->action, TG_SLICE("unsubscribe")))
        frame.kind = TG_FRAME_UNSUBSCRIBE;
    else if (frame.subscription && frame.subscription->state == TG_SUBSCRIBED)
        frame.kind = TG_FRAME_MESSAGE;
    return frame;
}

static void refuse(struct tg_conn *conn, const struct tg_ref *ref)
{
    struct tg_params params;
    conn->worker->metrics.topic_frames_refused++;
    if (ref->topic.length > TG_TOPIC_NAME_MAX) {
        struct tg_ref without = *ref;
        without.topic = (struct tg_slice){0};
        answer_reason(conn, "unknown_topic", TG_SLICE("The name of a topic has at most 200 bytes"), &without);
    } else if (tg_consumer_find_topic(conn->consumer, ref->topic, &params)) {
        answer_name(conn, "not_subscribed", "Not subscribed to", ref);
    } else {
        answer_name(conn, "unknown_topic", "Unknown topic", ref);
    }
}

static bool unsubscribe(struct tg_subscription *subscription, const struct tg_ref *ref)
{
    if (!tg_subscription_keep_ref(subscription, ref)) {
        answer_no_memory(subscription->conn, ref);
        return false;
    }
    subscription->is_asked = true;
    leave_group(subscription, "client");
    note(subscription, run_unsubscribe(subscription));
    return true;
}

bool tg_topic_frame_handle(struct tg_conn *conn, const struct tg_topic_frame *frame, const struct tg_ref *ref)
{
    struct tg_ref own = *ref;
    own.topic = frame->name;
    bool is_begun = false; /* ends by itself, with `complete` */
    if (!tg_conn_may_start(conn, NULL)) return false;
    if (frame->kind == TG_FRAME_REFUSED)
        refuse(conn, &own);
    else if (frame->kind == TG_FRAME_SUBSCRIBE && frame->subscription)
        answer(conn, "subscribed", &own);
    else if (frame->kind == TG_FRAME_SUBSCRIBE)
        is_begun = subscribe(conn, frame->name, &own, true);
    else if (frame->subscription)
        is_begun = unsubscribe(frame->subscription, &own);
    else
        answer(conn, "unsubscribed", &own);
    if (!is_begun) tg_conn_complete(conn, TG_COMPLETE, ref);
    return true;
}

/* ---- the topic that a path is ---- */

/* Its name: the pattern with the parameters of the path in their places. */
static enum tg_status write_name(const struct tg_conn *conn, struct tg_buf *name)
{
    const struct tg_route *route = conn->consumer->own_topic->route;
    for (uint32_t i = 0; i < route->count; i++) {
        struct tg_slice text = route->segments[i].text;
        for (uint32_t k = 0; route->segments[i].is_param && k < conn->request->param_count; k++)
            if (tg_slice_equal(conn->request->params[k].name, route->segments[i].text))
                text = conn->request->params[k].value;
        if (i > 0) tg_buf_append_char(name, ':');
        tg_buf_append_slice(name, text);
    }
    return name->has_failed ? TG_E_NO_MEMORY : TG_OK;
}

void tg_topic_start(struct tg_conn *conn)
{
    if (!conn->consumer->own_topic || conn->state != TG_CONN_OPEN) return;
    struct tg_buf name;
    struct tg_params params;
    tg_buf_init(&name);
    if (write_name(conn, &name) != TG_OK) {
        tg_buf_deinit(&name);
        answer_no_memory(conn, &(struct tg_ref){0});
        tg_conn_close(conn, CLOSE_COULD_NOT_START, could_not_start);
        return;
    }
    conn->own_topic_name = tg_buf_peek(&name); /* the connection's from now on */
    const struct tg_ref ref = {.topic = conn->own_topic_name};
    if (ref.topic.length <= TG_TOPIC_NAME_MAX && tg_consumer_find_topic(conn->consumer, ref.topic, &params)) {
        if (!subscribe(conn, ref.topic, &ref, false))
            tg_conn_close(conn, CLOSE_COULD_NOT_START, could_not_start);
        return;
    }
    refuse(conn, &ref);
    tg_conn_close(conn, CLOSE_NOT_FOUND, TG_SLICE("unknown topic"));
}

/* ---- the server ends it ---- */

enum tg_status tg_topic_close(struct tg_subscription *subscription)
{
    struct tg_conn *conn = subscription->conn;
    if (subscription->state != TG_SUBSCRIBED || conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    leave_group(subscription, "server");
    conn->topics_to_leave++;
    tg_conn_order_wake(conn);
    return TG_OK;
}

/* The first that leaves and has not been told. */
static struct tg_subscription *next_to_leave(const struct tg_conn *conn)
{
    for (struct tg_list *node = conn->subscriptions.next; node != &conn->subscriptions; node = node->next) {
        struct tg_subscription *subscription = TG_CONTAINER(node, struct tg_subscription, link);
        if (subscription->state == TG_LEAVING && !subscription->is_told) return subscription;
    }
    return NULL;
}

void tg_topic_go_on(struct tg_conn *conn)
{
    while (conn->topics_to_leave > 0 && conn->running == 0 && !conn->changing &&
           conn->state == TG_CONN_OPEN) {
        conn->topics_to_leave--;
        struct tg_subscription *subscription = next_to_leave(conn);
        note(subscription, run_unsubscribe(subscription));
    }
}

/* ---- other code ---- */

/* Nobody is left who has it. */
static void end_gone(struct tg_subscription *subscription)
{
    struct tg_conn *conn = subscription->conn;
    if (subscription->state == TG_LEAVING) conn->topics_to_leave--;
    leave_group(subscription, "reload");
    answer(conn, "unsubscribed", &subscription->ref);
    tg_subscription_free(subscription);
}

const struct tg_topic *tg_topic_at(const struct tg_subscription *subscription,
                                   const struct tg_consumer *consumer)
{
    struct tg_params params;
    if (consumer == subscription->conn->consumer) return subscription->topic;
    const struct tg_topic *topic = tg_consumer_find_topic(consumer, subscription->name, &params);
    if (!topic || !tg_slice_equal(topic->stream.name, subscription->topic->stream.name)) return NULL;
    return topic;
}

void tg_topic_move(struct tg_conn *conn, const struct tg_consumer *consumer)
{
    for (struct tg_list *node = conn->subscriptions.next, *next; node != &conn->subscriptions; node = next) {
        struct tg_subscription *subscription = TG_CONTAINER(node, struct tg_subscription, link);
        const struct tg_topic *topic = tg_topic_at(subscription, consumer);
        next = node->next;
        if (topic)
            subscription->topic = topic;
        else
            end_gone(subscription);
    }
}

/* ---- the end ---- */

enum tg_outcome tg_topic_leave_next(struct tg_conn *conn)
{
    conn->changing = NULL;
    for (struct tg_list *node = conn->subscriptions.next, *next; node != &conn->subscriptions; node = next) {
        struct tg_subscription *subscription = TG_CONTAINER(node, struct tg_subscription, link);
        next = node->next;
        bool has_hook_left = subscription->state != TG_SUBSCRIBING && !subscription->is_told;
        leave_group(subscription, "closed");
        if (has_hook_left && run_unsubscribe(subscription) == TG_WAITING) return TG_WAITING;
        tg_subscription_free(subscription);
    }
    return TG_DONE;
}

void tg_topic_drop(struct tg_conn *conn)
{
    for (struct tg_list *node = conn->subscriptions.next, *next; node != &conn->subscriptions; node = next) {
        struct tg_subscription *subscription = TG_CONTAINER(node, struct tg_subscription, link);
        next = node->next;
        leave_group(subscription, "closed");
        tg_subscription_free(subscription);
    }
    free((char *)conn->own_topic_name.data);
}
