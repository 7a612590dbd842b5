/* How a connection lives.
 *
 * Sending: frames gather in the outbox; tg_conn_flush hands them over at the end of the turn, in pieces,
 * until the kernel is full; then the transport tells when it is not.
 *
 * Time: one timer per connection. What it stands for follows from the state, in `rearm`:
 *   `disconnected` waits                       -> end it at the deadline
 *   only the client's close frame is awaited   -> drop at the deadline
 *   the kernel is full, or reading is paused   -> look every second whether anything moves
 *   otherwise                                  -> heartbeat
 * Receiving only notes the time; a heartbeat that comes too early arms itself again.
 *
 * Invariants: is_paused iff the transport was told to stop reading; a CLOSING connection has its close
 * frame in the outbox, or handed over, or the library sends one of its own.
 */
#include "core/conn.h"

#include "base/log.h"
#include "core/conn_order.h"
#include "core/dispatch.h"
#include "core/worker.h"

#include <stdio.h>
#include <stdlib.h>

/* How often a stuck connection is looked at, and to what heartbeats are rounded so that those of many
 * connections come together: an idle gateway wakes four times a second. */
enum { WATCH_MS = 1000, HEARTBEAT_ROUND_MS = 250 };

/* From a breach of the protocol to the end of TCP: 250 ms, less what the wheel may be late. */
enum { PROTOCOL_ERROR_MS = 200 };

/* Of a close frame, before its reason: the header and the code. */
enum { CLOSE_FRAME_HEAD = 4 };

enum { CLOSE_ABNORMAL = 1006, CLOSE_TRY_AGAIN_LATER = 1013 };

static void timer_fired(struct tg_timer *timer);
struct tg_slice tg_conn_id_text(uint64_t id, char text[TG_CONN_ID_BYTES])
{
    snprintf(text, TG_CONN_ID_BYTES, "%016llx", (unsigned long long)id);
    return (struct tg_slice){text, TG_CONN_ID_BYTES - 1};
}

/* ---- time ---- */

static void rearm(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    const struct tg_config *config = worker->config;
    uint64_t now_ms = tg_worker_now_ms(worker);
    uint64_t deadline_ms;
    if (conn->is_close_awaited)
        deadline_ms = conn->close_ms;
    else if (conn->is_awaiting_writable || conn->is_paused)
        deadline_ms = now_ms + WATCH_MS;
    else if (config->heartbeat_seconds == 0)
        deadline_ms = TG_NEVER;
    else if (conn->is_awaiting_pong)
        deadline_ms = now_ms + config->heartbeat_timeout_seconds * 1000ull;
    else
        deadline_ms = (conn->heard_ms + config->heartbeat_seconds * 1000ull + HEARTBEAT_ROUND_MS - 1) /
                      HEARTBEAT_ROUND_MS * HEARTBEAT_ROUND_MS;
    if (deadline_ms == TG_NEVER)
        tg_wheel_disarm(&worker->wheel, &conn->timer);
    else
        tg_worker_arm(worker, &conn->timer, deadline_ms);
}

/* From now on only the client's close frame counts, for so long. */
static void await_close(struct tg_conn *conn, uint32_t milliseconds)
{
    conn->is_close_awaited = true;
    conn->close_ms = tg_worker_now_ms(conn->worker) + milliseconds;
    rearm(conn);
}

/* ---- the outbox to the transport ---- */

static void break_off(struct tg_conn *conn)
{
    conn->is_broken = true;
    tg_worker_mark_dirty(conn->worker, conn);
}

static bool write_piece(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    unsigned char *bytes;
    size_t length;
    if (!tg_outbox_peek(&conn->outbox, &bytes, &length)) return false;
    bool is_written = conn->transport->ops->write(conn->transport, bytes, length);
    worker->metrics.writes++;
    worker->metrics.bytes_sent += length;
    worker->metrics.outbox_bytes -= length;
    tg_outbox_sent(&conn->outbox, &worker->segments);
    if (!is_written) break_off(conn);
    return is_written;
}

/* The kernel is full: ask to be told when it is not, and watch whether it ever is. */
static void get_stuck(struct tg_conn *conn)
{
    conn->is_awaiting_writable = true;
    conn->progress_ms = tg_worker_now_ms(conn->worker);
    conn->acknowledged_bytes = conn->transport->ops->acknowledged_bytes(conn->transport);
    conn->transport->ops->ask_writable(conn->transport);
    rearm(conn);
}

/* Writes until the outbox is empty or the kernel is full. */
static void pump(struct tg_conn *conn)
{
    if (conn->is_broken || conn->is_awaiting_writable) return;
    do {
        if (conn->transport->ops->is_choked(conn->transport)) {
            get_stuck(conn);
            return;
        }
    } while (write_piece(conn));
}

/* Everything at once, whatever the kernel says: the transport keeps what does not fit. For the moment
 * before the library sends its own close frame. */
static void pump_all(struct tg_conn *conn)
{
    while (!conn->is_broken && write_piece(conn)) {
    }
}

/* Reading is off as long as either side is full. */
static void apply_pause(struct tg_conn *conn)
{
    bool is_paused = conn->is_outbox_high || conn->is_inbox_full;
    if (conn->is_paused == is_paused) return;
    conn->is_paused = is_paused;
    conn->transport->ops->set_reading(conn->transport, !is_paused);
    uint64_t now_ms = tg_worker_now_ms(conn->worker);
    if (is_paused) {
        tg_log(TG_LOG_DEBUG, "reading_paused", TG_LOG_CONN(conn),
               TG_LOG_I("outbox_bytes", conn->outbox.queued_bytes),
               TG_LOG_I("inbox_messages", conn->inbox.count));
    } else {
        /* While we did not read, a pong could not be heard. */
        conn->heard_ms = now_ms;
        conn->is_awaiting_pong = false;
    }
    rearm(conn);
}

/* ---- listening ---- */

static void set_outbox_high(struct tg_conn *conn, bool is_high)
{
    if (conn->is_outbox_high == is_high) return;
    conn->is_outbox_high = is_high;
    if (is_high) {
        conn->paused_ms = tg_worker_now_ms(conn->worker);
        conn->worker->metrics.reading_paused++;
    }
    apply_pause(conn);
}

void tg_conn_set_inbox_full(struct tg_conn *conn, bool is_full)
{
    if (conn->is_inbox_full == is_full) return;
    conn->is_inbox_full = is_full;
    if (is_full) conn->worker->metrics.inbox_full++;
    apply_pause(conn);
    if (is_full) tg_conn_order_end_calls(conn, TG_E_FULL);
}

/* Backpressure: above high water we stop listening to this client; at half of it we go on. */
static void balance_reading(struct tg_conn *conn)
{
    uint64_t high_water = conn->worker->config->outbox_high_water_bytes;
    bool is_open = conn->state == TG_CONN_OPEN;
    if (is_open && conn->outbox.queued_bytes > high_water)
        set_outbox_high(conn, true);
    else if (!is_open || conn->outbox.queued_bytes <= high_water / 2)
        set_outbox_high(conn, false);
}

static void clear_outbox(struct tg_conn *conn)
{
    conn->worker->metrics.outbox_bytes -= conn->outbox.queued_bytes;
    tg_outbox_clear(&conn->outbox, &conn->worker->segments);
}

/* The reason is kept as a close frame would carry it, so that the hook reads what the client does. */
static void note_end(struct tg_conn *conn, uint16_t code, struct tg_slice reason)
{
    conn->state = TG_CONN_CLOSING;
    conn->close_code = code;
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

/* The client does not take what it asked for. What is queued is dropped, so that the close frame is the
 * next thing that it reads, should it read again in time. */
static void give_up(struct tg_conn *conn, struct tg_slice reason)
{
    tg_log(TG_LOG_WARNING, "client_given_up", TG_LOG_CONN(conn), TG_LOG_STR("reason", reason),
           TG_LOG_I("outbox_bytes", conn->outbox.queued_bytes));
    bool is_close_queued = conn->state == TG_CONN_CLOSING && conn->outbox.queued_messages > 0;
    struct tg_slice close_reason = {conn->close_reason, conn->close_reason_bytes};
    clear_outbox(conn);
    if (conn->state == TG_CONN_OPEN)
        tg_conn_close(conn, CLOSE_TRY_AGAIN_LATER, reason);
    else if (is_close_queued && queue_close_frame(conn, conn->close_code, close_reason) != TG_OK)
        break_off(conn);
    await_close(conn, conn->worker->config->close_timeout_ms);
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
    pump(conn);
    if (conn->is_broken) {
        conn->transport->ops->drop(conn->transport);
        return;
    }
    balance_reading(conn);
    if (conn->state == TG_CONN_CLOSING && !conn->is_close_awaited && !conn->is_awaiting_writable)
        await_close(conn, conn->worker->config->close_timeout_ms);
}

/* ---- the timer ---- */

static void drop(struct tg_conn *conn, uint16_t code, const char *reason)
{
    if (conn->state == TG_CONN_OPEN) note_end(conn, code, tg_slice_of(reason));
    clear_outbox(conn);
    break_off(conn);
}

/* A connection whose client takes nothing, or that we do not listen to. */
static void watch(struct tg_conn *conn)
{
    const struct tg_config *config = conn->worker->config;
    struct tg_transport *transport = conn->transport;
    uint64_t now_ms = tg_worker_now_ms(conn->worker);
    if (transport->ops->has_peer_left(transport)) {
        drop(conn, CLOSE_ABNORMAL, "");
        return;
    }
    uint64_t acknowledged_bytes = transport->ops->acknowledged_bytes(transport);
    if (acknowledged_bytes != conn->acknowledged_bytes) {
        conn->acknowledged_bytes = acknowledged_bytes;
        conn->progress_ms = now_ms;
    }
    bool is_still =
        conn->is_awaiting_writable && now_ms - conn->progress_ms >= config->slow_client_seconds * 1000ull;
    bool is_paused_too_long =
        conn->is_outbox_high && now_ms - conn->paused_ms >= config->pause_seconds * 1000ull;
    if (!is_still && !is_paused_too_long) {
        rearm(conn);
        return;
    }
    conn->worker->metrics.slow_clients++;
    give_up(conn, TG_SLICE("this client reads too slowly"));
}

static void beat(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    uint64_t silent_ms = tg_worker_now_ms(worker) - conn->heard_ms;
    if (conn->is_awaiting_pong) {
        worker->metrics.heartbeat_timeouts++;
        drop(conn, CLOSE_ABNORMAL, "heartbeat timeout");
        return;
    }
    if (silent_ms >= worker->config->heartbeat_seconds * 1000ull) {
        /* Not empty: the library does not tell of pongs without a payload. */
        conn->is_awaiting_pong = tg_conn_send(conn, TG_OPCODE_PING, TG_SLICE("hb")) == TG_OK;
    }
    rearm(conn);
}

/* `disconnected` waits, for a while. */
static void await_farewell(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    conn->is_leaving = true;
    tg_worker_arm(worker, &conn->timer, tg_worker_now_ms(worker) + worker->config->disconnected_timeout_ms);
}

static void free_conn(struct tg_conn *conn);

static void timer_fired(struct tg_timer *timer)
{
    struct tg_conn *conn = TG_CONTAINER(timer, struct tg_conn, timer);
    if (conn->is_leaving) {
        conn->worker->metrics.handler_timeouts++;
        tg_log(TG_LOG_WARNING, "handler_timeout", TG_LOG_CONN(conn), TG_LOG_S("action", "disconnected"),
               TG_LOG_I("timeout_ms", conn->worker->config->disconnected_timeout_ms));
        free_conn(conn);
    } else if (conn->is_close_awaited) {
        conn->worker->metrics.close_timeouts++;
        drop(conn, conn->close_code, "");
    } else if (conn->is_awaiting_writable || conn->is_paused) {
        watch(conn);
    } else {
        beat(conn);
    }
}

/* ---- what net tells ---- */

static struct tg_conn *conn_new(struct tg_worker *worker, struct tg_generation *generation,
                                const struct tg_consumer *consumer, struct tg_request *request,
                                struct tg_transport *transport)
{
    struct tg_conn *conn = calloc(1, sizeof *conn);
    if (!conn) return NULL;
    conn->worker = worker;
    conn->generation = generation;
    conn->consumer = consumer;
    conn->request = request;
    conn->transport = transport;
    conn->heard_ms = tg_worker_now_ms(worker);
    tg_list_init(&conn->link);
    tg_list_init(&conn->dirty_link);
    tg_list_init(&conn->tasks);
    tg_list_init(&conn->calls);
    tg_outbox_init(&conn->outbox);
    tg_assembly_init(&conn->assembly);
    tg_timer_init(&conn->timer, timer_fired);
    return conn;
}

/* `connected` has answered. */
static void started(struct tg_conn *conn, enum tg_outcome outcome)
{
    conn->is_starting = outcome == TG_WAITING;
    if (outcome == TG_FAILED) tg_conn_close(conn, 1011, TG_SLICE("the consumer could not start"));
}

struct tg_conn *tg_conn_open(struct tg_worker *worker, struct tg_generation *generation,
                             const struct tg_consumer *consumer, struct tg_request *request,
                             struct tg_transport *transport)
{
    struct tg_conn *conn = conn_new(worker, generation, consumer, request, transport);
    if (!conn || tg_worker_add(worker, conn) != TG_OK) {
        free(conn);
        free(request);
        return NULL;
    }
    rearm(conn);
    tg_log(TG_LOG_INFO, "connected", TG_LOG_CONN(conn), TG_LOG_STR("path", request->path),
           TG_LOG_STR("peer", request->peer));
    conn->is_connected_called = true;
    started(conn, generation->script->ops->connected(generation->script, conn));
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

/* ---- the end of the server ---- */

static const struct tg_slice going_away = TG_SLICE("the server is going away");

void tg_conn_drain(struct tg_conn *conn)
{
    if (conn->state != TG_CONN_OPEN) return;
    conn->is_draining = true;
    tg_conn_order_clear(conn);
    if (conn->running == 0 && !conn->is_starting) tg_conn_close(conn, 1001, going_away);
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
    if (!tg_list_is_empty(&conn->calls) && tg_dispatch_answer(conn, message, conn->assembly.is_binary)) {
        tg_assembly_done(&conn->assembly);
        return;
    }
    if (tg_conn_order_is_busy(conn))
        tg_conn_order_keep(conn, message, conn->assembly.is_binary);
    else
        tg_dispatch(conn, message, conn->assembly.is_binary);
    tg_assembly_done(&conn->assembly);
}

void tg_conn_heard(struct tg_conn *conn)
{
    conn->heard_ms = tg_worker_now_ms(conn->worker);
    if (!conn->is_awaiting_pong) return;
    conn->is_awaiting_pong = false;
    rearm(conn);
}

void tg_conn_writable(struct tg_conn *conn)
{
    conn->is_awaiting_writable = false;
    tg_worker_mark_dirty(conn->worker, conn);
    rearm(conn);
}

bool tg_conn_peer_closing(struct tg_conn *conn, uint16_t code, struct tg_slice reason)
{
    pump_all(conn);
    if (conn->state != TG_CONN_OPEN) return false;
    note_end(conn, code, reason);
    tg_conn_order_clear(conn);
    await_close(conn, conn->worker->config->close_timeout_ms);
    return true;
}

void tg_conn_protocol_error(struct tg_conn *conn)
{
    conn->worker->metrics.protocol_errors++;
    clear_outbox(conn);
    if (conn->state == TG_CONN_OPEN)
        note_end(conn, tg_status_close_code(TG_E_PROTOCOL), TG_SLICE("protocol error"));
    await_close(conn, PROTOCOL_ERROR_MS);
}

static void free_conn(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    struct tg_slice reason = {conn->close_reason, conn->close_reason_bytes};
    tg_log(TG_LOG_INFO, "disconnected", TG_LOG_CONN(conn), TG_LOG_I("code", conn->close_code),
           TG_LOG_STR("reason", reason));
    script->ops->cancel(script, conn); /* what `disconnected` started */
    script->ops->forget(script, conn);
    tg_worker_remove(conn->worker, conn);
    tg_assembly_deinit(&conn->assembly);
    free(conn->close_reason);
    free(conn->request);
    free(conn);
}

void tg_conn_closed(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    if (conn->state == TG_CONN_OPEN) note_end(conn, CLOSE_ABNORMAL, (struct tg_slice){0});
    conn->state = TG_CONN_CLOSED;
    clear_outbox(conn);
    tg_conn_order_drop(conn);
    conn->transport = NULL;
    tg_list_remove(&conn->dirty_link);
    tg_wheel_disarm(&conn->worker->wheel, &conn->timer);
    script->ops->cancel(script, conn);
    struct tg_slice reason = {conn->close_reason, conn->close_reason_bytes};
    enum tg_outcome outcome = TG_DONE;
    if (conn->is_connected_called)
        outcome = script->ops->disconnected(script, conn, conn->close_code, reason);
    if (outcome == TG_WAITING && !conn->worker->is_over)
        await_farewell(conn);
    else
        free_conn(conn);
}

void tg_conn_drop(struct tg_conn *conn)
{
    if (conn->transport)
        conn->transport->ops->drop(conn->transport);
    else
        free_conn(conn);
}

void tg_conn_ended(struct tg_conn *conn, enum tg_outcome outcome)
{
    if (conn->is_leaving) {
        free_conn(conn);
        return;
    }
    if (conn->state == TG_CONN_CLOSED) return; /* it was late already, and goes with its connection */
    if (conn->is_starting)
        started(conn, outcome);
    else
        conn->running--;
    if (conn->is_draining)
        tg_conn_drain(conn);
    else
        tg_conn_order_go_on(conn);
}

/* ---- what script and dispatch ask ---- */

enum tg_status tg_conn_begin(struct tg_conn *conn, struct tg_buf **out)
{
    if (conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    if (conn->is_full) return TG_E_FULL;
    *out = tg_outbox_begin(&conn->outbox, &conn->worker->segments);
    return *out ? TG_OK : TG_E_NO_MEMORY;
}

enum tg_status tg_conn_commit(struct tg_conn *conn, enum tg_opcode opcode)
{
    struct tg_worker *worker = conn->worker;
    size_t before = conn->outbox.queued_bytes;
    enum tg_status status = tg_outbox_commit(&conn->outbox, opcode, worker->config->outbox_max_bytes,
                                             worker->config->outbox_max_messages);
    tg_worker_mark_dirty(worker, conn);
    if (status == TG_E_FULL) conn->is_full = true;
    if (status != TG_OK) return status;
    worker->metrics.outbox_bytes += conn->outbox.queued_bytes - before;
    if (opcode == TG_OPCODE_TEXT || opcode == TG_OPCODE_BINARY) worker->metrics.messages_sent++;
    if (conn->outbox.queued_bytes > worker->config->outbox_high_water_bytes ||
        conn->outbox.queued_messages > worker->config->outbox_max_messages / 2) {
        /* Not later: what the client has sent already would be handled first and answered on top; and a queue
         * that is full has to mean that the client does not take it. */
        pump(conn);
        balance_reading(conn);
    }
    return TG_OK;
}

enum tg_status tg_conn_send(struct tg_conn *conn, enum tg_opcode opcode, struct tg_slice payload)
{
    struct tg_buf *out;
    enum tg_status status = tg_conn_begin(conn, &out);
    if (status != TG_OK) return status;
    tg_buf_append_slice(out, payload);
    return tg_conn_commit(conn, opcode);
}

enum tg_status tg_conn_close(struct tg_conn *conn, uint16_t code, struct tg_slice reason)
{
    if (conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    if (queue_close_frame(conn, code, reason) != TG_OK) conn->is_broken = true;
    note_end(conn, code, reason);
    tg_conn_order_clear(conn); /* RFC 6455 5.5.1: after a close frame data means nothing */
    set_outbox_high(conn, false);
    tg_worker_mark_dirty(conn->worker, conn);
    return TG_OK;
}
