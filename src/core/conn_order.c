/* Events are begun by the worker's visit alone, one for each visit: so none runs inside the call of its
 * sender, and one that sends the next, to whomever, does not keep the loop from its other work.
 *
 * Invariants: is_inbox_blocked only while something runs beside which the first message of the inbox may not
 * be handled, so that it is read twice at most. A connection whose inbox begins with an event that may be
 * handled is in worker->eventful. While its move is due nothing begins. */
#include "core/conn_order.h"

#include "base/log.h"
#include "core/conn_flow.h"
#include "core/dispatch.h"
#include "core/event.h"
#include "core/topic.h"
#include "core/worker.h"

bool tg_conn_may_start(const struct tg_conn *conn, const struct tg_action *action)
{
    if (conn->running == 0) return true;
    return action && action == conn->running_action && conn->running < action->concurrency;
}

void tg_conn_note(struct tg_conn *conn, const struct tg_action *action, enum tg_outcome outcome)
{
    if (outcome != TG_WAITING) return;
    conn->running++;
    conn->running_action = action;
}

bool tg_conn_order_is_busy(const struct tg_conn *conn)
{
    return conn->running || conn->is_starting || conn->is_draining || conn->inbox.first ||
           conn->topics_to_leave || tg_move_is_due(conn);
}

void tg_conn_order_drop(struct tg_conn *conn)
{
    conn->worker->metrics.inbox_messages -= conn->inbox.count;
    conn->worker->metrics.inbox_events -= conn->inbox.event_count;
    conn->worker->metrics.inbox_bytes -= conn->inbox.bytes;
    tg_inbox_clear(&conn->inbox);
    conn->is_inbox_blocked = false;
}

void tg_conn_order_clear(struct tg_conn *conn)
{
    tg_conn_order_drop(conn);
    tg_conn_set_inbox_full(conn, false);
}

/* At half of what it holds we listen again. */
static void balance_inbox(struct tg_conn *conn)
{
    const struct tg_config *config = conn->worker->config;
    const struct tg_inbox *inbox = &conn->inbox;
    if (inbox->count >= config->inbox_messages || inbox->bytes >= config->inbox_max_bytes)
        tg_conn_set_inbox_full(conn, true);
    else if (inbox->count <= config->inbox_messages / 2 && inbox->bytes <= config->inbox_max_bytes / 2)
        tg_conn_set_inbox_full(conn, false);
}

static bool may_begin(const struct tg_conn *conn)
{
    if (conn->state != TG_CONN_OPEN || conn->is_starting || conn->is_draining) return false;
    if (conn->topics_to_leave > 0) return false;
    if (conn->running == 0) return true;
    return !conn->is_inbox_blocked && tg_conn_may_start(conn, conn->running_action);
}

/* The first of the inbox, which is a message. False: it may not be handled yet. */
static bool begin_message(struct tg_conn *conn)
{
    struct tg_inbox_message *message = tg_inbox_take(&conn->inbox);
    if (!tg_dispatch(conn, tg_inbox_text(message), message->is_binary)) {
        tg_inbox_put_back(&conn->inbox, message);
        conn->is_inbox_blocked = true;
        return false;
    }
    conn->worker->metrics.inbox_messages--;
    conn->worker->metrics.inbox_bytes -= message->length;
    tg_inbox_message_free(message);
    return true;
}

static bool begins_with_event(const struct tg_conn *conn)
{
    return conn->inbox.first && conn->inbox.first->event;
}

void tg_conn_order_wake(struct tg_conn *conn)
{
    if (!tg_list_is_linked(&conn->event_link)) tg_list_append(&conn->worker->eventful, &conn->event_link);
}

static void begin_all(struct tg_conn *conn)
{
    tg_topic_go_on(conn);
    while (may_begin(conn) && conn->inbox.first && !begins_with_event(conn))
        if (!begin_message(conn)) break;
    if (begins_with_event(conn) && conn->running == 0) tg_conn_order_wake(conn);
}

void tg_conn_order_go_on(struct tg_conn *conn)
{
    if (conn->running == 0) conn->is_inbox_blocked = false;
    if (tg_move_is_due(conn))
        tg_move_soon(conn);
    else
        begin_all(conn);
    balance_inbox(conn);
}

void tg_conn_order_keep(struct tg_conn *conn, struct tg_slice message, bool is_binary)
{
    if (conn->is_draining) return; /* it is not begun any more, and 1001 says so */
    if (tg_inbox_add(&conn->inbox, message, is_binary) != TG_OK) {
        tg_dispatch_answer_no_memory(conn, message);
        return;
    }
    conn->worker->metrics.inbox_messages++;
    conn->worker->metrics.inbox_bytes += message.length;
    tg_conn_order_go_on(conn);
}

/* ---- events ---- */

bool tg_conn_order_has_events(const struct tg_conn *conn)
{
    return conn->inbox.event_count > 0 || conn->is_event_running || conn->is_starting;
}

enum tg_status tg_conn_order_keep_event(struct tg_conn *conn, struct tg_slice action, uint64_t subscription,
                                        struct tg_payload *event)
{
    struct tg_worker *worker = conn->worker;
    const struct tg_inbox *inbox = &conn->inbox;
    size_t bytes = inbox->event_bytes + tg_payload_text(event).length;
    /* The only one may be as long as it likes. */
    bool is_too_much = inbox->event_count > 0 && bytes > worker->config->inbox_max_event_bytes;
    if (is_too_much || inbox->event_count >= worker->config->inbox_max_events) {
        worker->metrics.events_dropped++;
        tg_log(TG_LOG_DEBUG, "event_dropped", TG_LOG_CONN(conn), TG_LOG_STR("action", action));
        return TG_E_FULL;
    }
    enum tg_status status = tg_inbox_add_event(&conn->inbox, action, subscription, event);
    if (status != TG_OK) return status;
    worker->metrics.inbox_events++;
    tg_conn_order_wake(conn);
    return TG_OK;
}

void tg_conn_begin_event(struct tg_conn *conn)
{
    if (tg_move_is_due(conn)) {
        tg_move_soon(conn); /* and this comes again */
        return;
    }
    if (conn->topics_to_leave > 0 && conn->running == 0) tg_conn_order_go_on(conn);
    if (!begins_with_event(conn) || !may_begin(conn) || conn->running > 0) return;
    struct tg_inbox_message *message = tg_inbox_take(&conn->inbox);
    conn->worker->metrics.inbox_events--;
    tg_event_handle(conn, tg_inbox_text(message), message->subscription, message->event);
    tg_inbox_message_free(message);
    tg_conn_order_go_on(conn);
}

/* ---- calls ---- */

void tg_conn_call_begin(struct tg_conn *conn, struct tg_question *call)
{
    call->number = ++conn->call_count;
    tg_list_append(&conn->calls, &call->link);
}

bool tg_conn_call_answer(struct tg_conn *conn, uint64_t number, const struct tg_value *payload)
{
    for (struct tg_list *node = conn->calls.next; node != &conn->calls; node = node->next) {
        struct tg_question *call = TG_CONTAINER(node, struct tg_question, link);
        if (call->number != number) continue;
        tg_list_remove(&call->link);
        call->ended(call, TG_OK, payload);
        return true;
    }
    return false;
}

void tg_conn_order_end_calls(struct tg_conn *conn, enum tg_status status)
{
    for (struct tg_list *node; (node = tg_list_take_first(&conn->calls));) {
        struct tg_question *call = TG_CONTAINER(node, struct tg_question, link);
        call->ended(call, status, NULL);
    }
}
