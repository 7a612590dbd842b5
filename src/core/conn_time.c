/* One timer per connection. What it stands for follows from the state, in tg_conn_rearm:
 *   `disconnected` or on_unsubscribe waits     -> end it at the deadline (conn_farewell.c)
 *   only the client's close frame is awaited   -> drop at the deadline
 *   the kernel is full, or reading is paused   -> look every second whether anything moves
 *   otherwise                                  -> heartbeat
 * Receiving only notes the time; a heartbeat that comes too early arms itself again.
 */
#include "core/conn_time.h"

#include "core/conn_farewell.h"
#include "core/worker.h"

/* How often a stuck connection is looked at, and to what heartbeats are rounded so that those of many
 * connections come together: an idle gateway wakes four times a second. */
enum { WATCH_MS = 1000, HEARTBEAT_ROUND_MS = 250 };

enum { CLOSE_ABNORMAL = 1006 };

void tg_conn_rearm(struct tg_conn *conn)
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

void tg_conn_await_close(struct tg_conn *conn, uint32_t milliseconds)
{
    conn->is_close_awaited = true;
    conn->close_ms = tg_worker_now_ms(conn->worker) + milliseconds;
    tg_conn_rearm(conn);
}

/* A connection whose client takes nothing, or that we do not listen to. */
static void watch(struct tg_conn *conn)
{
    const struct tg_config *config = conn->worker->config;
    struct tg_transport *transport = conn->transport;
    uint64_t now_ms = tg_worker_now_ms(conn->worker);
    if (transport->ops->has_peer_left(transport)) {
        tg_conn_cut(conn, CLOSE_ABNORMAL, "");
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
        tg_conn_rearm(conn);
        return;
    }
    conn->worker->metrics.slow_clients++;
    tg_conn_give_up(conn, TG_SLICE("this client reads too slowly"));
}

static void beat(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    uint64_t silent_ms = tg_worker_now_ms(worker) - conn->heard_ms;
    if (conn->is_awaiting_pong) {
        worker->metrics.heartbeat_timeouts++;
        tg_conn_cut(conn, CLOSE_ABNORMAL, "heartbeat timeout");
        return;
    }
    if (silent_ms >= worker->config->heartbeat_seconds * 1000ull) {
        /* Not empty: the library does not tell of pongs without a payload. */
        conn->is_awaiting_pong = tg_conn_send(conn, TG_OPCODE_PING, TG_SLICE("hb")) == TG_OK;
    }
    tg_conn_rearm(conn);
}

void tg_conn_timer_fired(struct tg_timer *timer)
{
    struct tg_conn *conn = TG_CONTAINER(timer, struct tg_conn, timer);
    if (conn->is_leaving) {
        tg_conn_farewell_late(conn);
    } else if (conn->is_close_awaited) {
        conn->worker->metrics.close_timeouts++;
        tg_conn_cut(conn, conn->close_code, "");
    } else if (conn->is_awaiting_writable || conn->is_paused) {
        watch(conn);
    } else {
        beat(conn);
    }
}
