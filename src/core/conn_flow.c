/* Frames gather in the outbox; they are handed over at the end of the turn, in pieces, until the kernel is
 * full; then the transport tells when it is not.
 *
 * Invariant: is_paused iff the transport was told to stop reading.
 */
#include "core/conn_flow.h"

#include "base/log.h"
#include "core/conn_order.h"
#include "core/conn_time.h"
#include "core/worker.h"

/* ---- the outbox to the transport ---- */

void tg_conn_flow_break(struct tg_conn *conn)
{
    conn->is_broken = true;
    tg_worker_mark_dirty(conn->worker, conn);
}

static bool write_piece(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    struct tg_outbox_view view;
    if (!tg_outbox_peek(&conn->outbox, &worker->segments, &view)) return false;
    bool is_written = conn->transport->ops->write(conn->transport, view.bytes, view.length);
    worker->metrics.writes++;
    worker->metrics.bytes_sent += view.length;
    worker->metrics.outbox_bytes -= view.length;
    tg_outbox_sent(&conn->outbox, &worker->segments, &view);
    if (!is_written) tg_conn_flow_break(conn);
    return is_written;
}

/* The kernel is full: ask to be told when it is not, and watch whether it ever is. */
static void get_stuck(struct tg_conn *conn)
{
    conn->is_awaiting_writable = true;
    conn->progress_ms = tg_worker_now_ms(conn->worker);
    conn->acknowledged_bytes = conn->transport->ops->acknowledged_bytes(conn->transport);
    conn->transport->ops->ask_writable(conn->transport);
    tg_conn_rearm(conn);
}

void tg_conn_flow_pump(struct tg_conn *conn)
{
    if (conn->is_broken || conn->is_awaiting_writable) return;
    do {
        if (conn->transport->ops->is_choked(conn->transport)) {
            get_stuck(conn);
            return;
        }
    } while (write_piece(conn));
}

void tg_conn_flow_pump_all(struct tg_conn *conn)
{
    while (!conn->is_broken && write_piece(conn)) {
    }
}

void tg_conn_flow_clear(struct tg_conn *conn)
{
    conn->worker->metrics.outbox_bytes -= conn->outbox.queued_bytes;
    tg_outbox_clear(&conn->outbox, &conn->worker->segments);
}

/* ---- listening ---- */

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
    tg_conn_rearm(conn);
}

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

void tg_conn_flow_balance(struct tg_conn *conn)
{
    uint64_t high_water = conn->worker->config->outbox_high_water_bytes;
    bool is_open = conn->state == TG_CONN_OPEN;
    if (is_open && conn->outbox.queued_bytes > high_water)
        set_outbox_high(conn, true);
    else if (!is_open || conn->outbox.queued_bytes <= high_water / 2)
        set_outbox_high(conn, false);
}

/* ---- sending ---- */

/* What the outbox answered about a new frame, before which it held `before` bytes. */
static enum tg_status note_queued(struct tg_conn *conn, size_t before, enum tg_status status)
{
    struct tg_worker *worker = conn->worker;
    tg_worker_mark_dirty(worker, conn);
    if (status == TG_E_FULL) conn->is_full = true;
    if (status != TG_OK) return status;
    worker->metrics.outbox_bytes += conn->outbox.queued_bytes - before;
    if (conn->outbox.queued_bytes > worker->config->outbox_high_water_bytes ||
        conn->outbox.queued_messages > worker->config->outbox_max_messages / 2) {
        /* Not later: what the client has sent already would be handled first and answered on top; and a queue
         * that is full has to mean that the client does not take it. */
        tg_conn_flow_pump(conn);
        tg_conn_flow_balance(conn);
    }
    return TG_OK;
}

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
    if (status == TG_OK && (opcode == TG_OPCODE_TEXT || opcode == TG_OPCODE_BINARY))
        worker->metrics.messages_sent++;
    return note_queued(conn, before, status);
}

enum tg_status tg_conn_share(struct tg_conn *conn, struct tg_payload *payload)
{
    if (conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    if (conn->is_full) return TG_E_FULL;
    struct tg_worker *worker = conn->worker;
    size_t before = conn->outbox.queued_bytes;
    enum tg_status status =
        tg_outbox_share(&conn->outbox, &worker->segments, payload, worker->config->outbox_max_bytes,
                        worker->config->outbox_max_messages);
    if (status == TG_OK) worker->metrics.messages_sent++;
    return note_queued(conn, before, status);
}

enum tg_status tg_conn_send(struct tg_conn *conn, enum tg_opcode opcode, struct tg_slice payload)
{
    struct tg_buf *out;
    enum tg_status status = tg_conn_begin(conn, &out);
    if (status != TG_OK) return status;
    tg_buf_append_slice(out, payload);
    return tg_conn_commit(conn, opcode);
}
