/* How a connection lives. How it begins is conn_start.c's affair, what flows through it conn_flow.c's, who is
 * handled when conn_order.c's, what is due when conn_time.c's, and its last words conn_farewell.c's.
 *
 * Invariant: a CLOSING connection has its close frame in the outbox, or handed over, or the library sends one
 * of its own.
 */
#include "core/conn.h"

#include "base/log.h"
#include "core/conn_farewell.h"
#include "core/conn_flow.h"
#include "core/conn_order.h"
#include "core/conn_start.h"
#include "core/conn_time.h"
#include "core/dispatch.h"
#include "core/group.h"
#include "core/topic.h"
#include "core/user.h"
#include "core/worker.h"

#include <stdio.h>
#include <stdlib.h>

/* From a breach of the protocol to the end of TCP: 250 ms, less what the wheel may be late. */
enum { PROTOCOL_ERROR_MS = 200 };

/* Of a close frame, before its reason: the header and the code. */
enum { CLOSE_FRAME_HEAD = 4 };

enum { CLOSE_ABNORMAL = 1006, CLOSE_TRY_AGAIN_LATER = 1013 };

struct tg_slice tg_conn_id_text(uint64_t id, char text[TG_CONN_ID_BYTES])
{
    snprintf(text, TG_CONN_ID_BYTES, "%016llx", (unsigned long long)id);
    return (struct tg_slice){text, TG_CONN_ID_BYTES - 1};
}

bool tg_conn_id_read(struct tg_slice text, uint64_t *id)
{
    if (text.length != TG_CONN_ID_BYTES - 1) return false;
    uint64_t read = 0;
    for (size_t i = 0; i < text.length; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = text.data[i] ? strchr(digits, text.data[i]) : NULL;
        if (!digit) return false;
        read = read << 4 | (uint64_t)(digit - digits);
    }
    *id = read;
    return true;
}

/* ---- closing ---- */

/* What pages under development listen to is no generation of the application, and no conversation with it. */
static struct tg_recorder *recorder_of(const struct tg_conn *conn)
{
    return conn->generation->number ? conn->worker->recorder : NULL;
}

/* The reason is kept as a close frame would carry it, so that the hook reads what the client does. */
static void note_end(struct tg_conn *conn, enum tg_ender by, uint16_t code, struct tg_slice reason)
{
    struct tg_recorder *recorder = recorder_of(conn);
    conn->state = TG_CONN_CLOSING;
    conn->close_code = code;
    if (recorder) recorder->ops->closed(recorder, conn, by, reason);
    tg_group_leave_all(conn);
    tg_user_leave(conn);
    tg_conn_order_end_calls(conn, TG_E_CLOSED);
    unsigned char frame[2 + TG_CONTROL_PAYLOAD_MAX];
    size_t length = tg_frame_write_close(frame, code, reason.data, reason.length) - CLOSE_FRAME_HEAD;
    char *copy = length ? malloc(length) : NULL;
    if (!copy) return; /* a reason is a courtesy: without memory the code has to do */
    memcpy(copy, frame + CLOSE_FRAME_HEAD, length);
    conn->close_reason = copy;
    conn->close_reason_bytes = (uint8_t)length;
}

/* The close frame takes its place behind what is queued; no limit holds it back. */
static enum tg_status queue_close_frame(struct tg_conn *conn, uint16_t code, struct tg_slice reason)
{
    struct tg_buf *out = tg_outbox_begin(&conn->outbox, &conn->worker->segments);
    if (!out) return TG_E_NO_MEMORY;
    unsigned char frame[2 + TG_CONTROL_PAYLOAD_MAX];
    size_t length = tg_frame_write_close(frame, code, reason.data, reason.length);
    tg_buf_append(out, frame + 2, length - 2);
    size_t before = conn->outbox.queued_bytes;
    enum tg_status status = tg_outbox_commit(&conn->outbox, TG_OPCODE_CLOSE, SIZE_MAX, UINT32_MAX);
    conn->worker->metrics.outbox_bytes += conn->outbox.queued_bytes - before;
    return status;
}

void tg_conn_give_up(struct tg_conn *conn, struct tg_slice reason)
{
    tg_log(TG_LOG_WARNING, "client_given_up", TG_LOG_CONN(conn), TG_LOG_STR("reason", reason),
           TG_LOG_I("outbox_bytes", conn->outbox.queued_bytes));
    bool is_close_queued = conn->state == TG_CONN_CLOSING && conn->outbox.queued_messages > 0;
    struct tg_slice close_reason = {conn->close_reason, conn->close_reason_bytes};
    tg_conn_flow_clear(conn);
    if (conn->state == TG_CONN_OPEN)
        tg_conn_close(conn, CLOSE_TRY_AGAIN_LATER, reason);
    else if (is_close_queued && queue_close_frame(conn, conn->close_code, close_reason) != TG_OK)
        tg_conn_flow_break(conn);
    tg_conn_await_close(conn, conn->worker->config->close_timeout_ms);
}

void tg_conn_flush(struct tg_conn *conn)
{
    if (conn->is_full && conn->state == TG_CONN_OPEN) {
        /* Behind what is queued: a client that reads gets all of it, and then learns that the rest is lost.
         */
        conn->worker->metrics.outbox_full++;
        tg_conn_close(conn, CLOSE_TRY_AGAIN_LATER,
                      TG_SLICE("more was sent than this client's queue may hold"));
    }
    tg_conn_flow_pump(conn);
    if (conn->is_broken) {
        conn->transport->ops->drop(conn->transport);
        return;
    }
    tg_conn_flow_balance(conn);
    if (conn->state == TG_CONN_CLOSING && !conn->is_close_awaited && !conn->is_awaiting_writable)
        tg_conn_await_close(conn, conn->worker->config->close_timeout_ms);
}

void tg_conn_cut(struct tg_conn *conn, uint16_t code, const char *reason)
{
    if (conn->state == TG_CONN_OPEN) note_end(conn, TG_ENDED_BY_SERVER, code, tg_slice_of(reason));
    tg_conn_flow_clear(conn);
    tg_conn_flow_break(conn);
}

/* ---- what net tells ---- */

static struct tg_conn *conn_new(struct tg_worker *worker, const struct tg_consumer *consumer,
                                struct tg_request *request, struct tg_transport *transport)
{
    struct tg_conn *conn = calloc(1, sizeof *conn);
    if (!conn) return NULL;
    conn->worker = worker;
    conn->consumer = consumer;
    conn->request = request;
    conn->transport = transport;
    conn->heard_ms = tg_worker_now_ms(worker);
    tg_list_init(&conn->link);
    tg_list_init(&conn->generation_link);
    tg_list_init(&conn->dirty_link);
    tg_list_init(&conn->event_link);
    tg_list_init(&conn->tasks);
    tg_list_init(&conn->calls);
    tg_list_init(&conn->subscriptions);
    tg_list_init(&conn->memberships);
    tg_list_init(&conn->user_link);
    tg_outbox_init(&conn->outbox);
    tg_assembly_init(&conn->assembly);
    tg_timer_init(&conn->timer, tg_conn_timer_fired);
    return conn;
}

struct tg_conn *tg_conn_add(struct tg_worker *worker, struct tg_generation *generation,
                            const struct tg_consumer *consumer, struct tg_request *request,
                            struct tg_transport *transport)
{
    struct tg_conn *conn = conn_new(worker, consumer, request, transport);
    if (!conn || tg_worker_add(worker, conn) != TG_OK) {
        free(conn);
        free(request);
        return NULL;
    }
    tg_generation_take(generation, conn);
    tg_conn_rearm(conn);
    tg_log(TG_LOG_INFO, "connected", TG_LOG_CONN(conn), TG_LOG_STR("path", request->path),
           TG_LOG_STR("peer", request->peer));
    struct tg_recorder *recorder = recorder_of(conn);
    if (recorder) recorder->ops->opened(recorder, conn);
    return conn;
}

struct tg_conn *tg_conn_open(struct tg_worker *worker, struct tg_generation *generation,
                             const struct tg_consumer *consumer, struct tg_request *request,
                             struct tg_transport *transport)
{
    struct tg_conn *conn = tg_conn_add(worker, generation, consumer, request, transport);
    if (conn) tg_conn_start(conn);
    return conn;
}

/* The assembly refused a chunk: the status has the close code. */
static void refuse_message(struct tg_conn *conn, enum tg_status status)
{
    struct tg_metrics *metrics = &conn->worker->metrics;
    if (status == TG_E_TOO_LARGE) metrics->too_large++;
    if (status == TG_E_UTF8) metrics->bad_utf8++;
    if (status == TG_E_PROTOCOL) metrics->protocol_errors++;
    if (status == TG_E_NO_MEMORY) metrics->no_memory++;
    static const struct {
        enum tg_status status;
        struct tg_slice reason;
    } reasons[] = {
        {TG_E_TOO_LARGE, TG_SLICE("the message is longer than max_message_bytes")},
        {TG_E_UTF8, TG_SLICE("the text is not UTF-8")},
        {TG_E_PROTOCOL, TG_SLICE("fragments out of order")},
    };
    struct tg_slice reason = TG_SLICE("out of memory");
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status) reason = reasons[i].reason;
    tg_conn_close(conn, tg_status_close_code(status), reason);
}

void tg_conn_receive(struct tg_conn *conn, const struct tg_chunk *chunk)
{
    tg_conn_heard(conn);
    if (conn->state != TG_CONN_OPEN) return; /* RFC 6455 5.5.1: after a close frame data means nothing */
    struct tg_slice message;
    bool is_whole = false;
    enum tg_status status = tg_assembly_feed(&conn->assembly, chunk, conn->worker->config->max_message_bytes,
                                             &message, &is_whole);
    if (status != TG_OK) {
        refuse_message(conn, status);
        return;
    }
    if (!is_whole) return;
    conn->worker->metrics.messages_received++;
    conn->worker->metrics.bytes_received += message.length;
    struct tg_recorder *recorder = recorder_of(conn);
    if (recorder) recorder->ops->received(recorder, conn, message, conn->assembly.is_binary);
    if (!tg_list_is_empty(&conn->calls) && tg_dispatch_answer(conn, message, conn->assembly.is_binary)) {
        tg_assembly_done(&conn->assembly);
        return;
    }
    bool is_binary = conn->assembly.is_binary;
    bool is_handled = tg_conn_order_is_busy(conn) ? tg_dispatch_renewal(conn, message, is_binary)
                                                  : tg_dispatch(conn, message, is_binary);
    if (!is_handled) tg_conn_order_keep(conn, message, is_binary);
    tg_assembly_done(&conn->assembly);
}

void tg_conn_heard(struct tg_conn *conn)
{
    conn->heard_ms = tg_worker_now_ms(conn->worker);
    if (!conn->is_awaiting_pong) return;
    conn->is_awaiting_pong = false;
    tg_conn_rearm(conn);
}

void tg_conn_writable(struct tg_conn *conn)
{
    conn->is_awaiting_writable = false;
    tg_worker_mark_dirty(conn->worker, conn);
    tg_conn_rearm(conn);
}

bool tg_conn_peer_closing(struct tg_conn *conn, uint16_t code, struct tg_slice reason)
{
    tg_conn_flow_pump_all(conn);
    if (conn->state != TG_CONN_OPEN) return false;
    note_end(conn, TG_ENDED_BY_CLIENT, code, reason);
    tg_conn_order_clear(conn);
    tg_conn_await_close(conn, conn->worker->config->close_timeout_ms);
    return true;
}

bool tg_conn_protocol_error(struct tg_conn *conn)
{
    bool has_closed = conn->state == TG_CONN_CLOSING && conn->outbox.queued_messages == 0;
    conn->worker->metrics.protocol_errors++;
    tg_conn_flow_clear(conn);
    if (conn->state == TG_CONN_OPEN)
        note_end(conn, TG_ENDED_BY_SERVER, tg_status_close_code(TG_E_PROTOCOL), TG_SLICE("protocol error"));
    tg_conn_await_close(conn, PROTOCOL_ERROR_MS);
    return !has_closed;
}

void tg_conn_closed(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    if (conn->state == TG_CONN_OPEN) note_end(conn, TG_ENDED_BY_CLIENT, CLOSE_ABNORMAL, (struct tg_slice){0});
    conn->state = TG_CONN_CLOSED;
    tg_conn_flow_clear(conn);
    tg_conn_order_drop(conn);
    conn->transport = NULL;
    tg_list_remove(&conn->dirty_link);
    tg_wheel_disarm(&conn->worker->wheel, &conn->timer);
    script->ops->cancel(script, conn);
    tg_conn_farewell(conn);
}

void tg_conn_drop(struct tg_conn *conn)
{
    if (conn->transport)
        conn->transport->ops->drop(conn->transport);
    else
        tg_conn_free(conn);
}

void tg_conn_ended(struct tg_conn *conn, enum tg_outcome outcome)
{
    if (conn->is_leaving) {
        tg_conn_farewell(conn);
        return;
    }
    if (conn->state == TG_CONN_CLOSED) return; /* it was late already, and goes with its connection */
    if (conn->is_starting) {
        tg_conn_start_go_on(conn, outcome);
    } else {
        conn->running--;
        if (conn->running == 0) conn->is_event_running = false;
        tg_topic_ended(conn);
    }
    if (conn->is_draining)
        tg_conn_drain(conn);
    else
        tg_conn_order_go_on(conn);
}

/* ---- the end of the server ---- */

static const struct tg_slice going_away = TG_SLICE("the server is going away");

void tg_conn_drain(struct tg_conn *conn)
{
    if (conn->state != TG_CONN_OPEN) return;
    conn->is_draining = true;
    tg_conn_order_clear(conn);
    if (conn->running == 0 && !tg_conn_start_is_worth_waiting(conn)) tg_conn_close(conn, 1001, going_away);
}

/* ---- what script and dispatch ask ---- */

enum tg_status tg_conn_close(struct tg_conn *conn, uint16_t code, struct tg_slice reason)
{
    if (conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    if (queue_close_frame(conn, code, reason) != TG_OK) conn->is_broken = true;
    note_end(conn, TG_ENDED_BY_SERVER, code, reason);
    tg_conn_order_clear(conn);  /* RFC 6455 5.5.1: after a close frame data means nothing */
    tg_conn_flow_balance(conn); /* listens again: the client's own close frame has to come */
    tg_worker_mark_dirty(conn->worker, conn);
    return TG_OK;
}
