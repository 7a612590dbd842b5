/* All moves happen here, in one place of the turn: nobody's code is on the stack then, and a connection that
 * must wait is looked at again when what it waits for has told core (tg_move_soon).
 *
 * Invariant: a connection whose move is due is in `conns` or `busy` of its generation, or in worker->moves;
 * and when it is in `busy`, something of it runs that will end, or the retry is armed.
 */
#include "core/move.h"

#include "base/log.h"
#include "core/conn_farewell.h"
#include "core/conn_order.h"
#include "core/topic.h"
#include "core/worker.h"

/* So many connections are looked at, for so long, twice in a turn: before messages are handled, and after. It
 * takes some 30 us to move one. */
enum { MOVES_AT_ONCE = 48, MOVES_MS = 2 };

/* When those that had no memory are tried again. */
enum { RETRY_MS = 100 };

/* What a connection has kept is seldom more; a bigger buffer is given back. */
enum { KEEP_STATE_BYTES = 64 * 1024 };

enum { CLOSE_SERVICE_RESTART = 1012 };

static void retry(struct tg_timer *timer)
{
    struct tg_worker *worker = TG_CONTAINER(timer, struct tg_worker, moves.retry);
    for (struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g))
        if (g->state == TG_GENERATION_RETIRING) tg_list_move_all(&g->conns, &g->busy);
    worker->loop->ops->request_turn(worker->loop);
}

void tg_moves_init(struct tg_moves *moves)
{
    tg_list_init(&moves->next);
    tg_buf_init(&moves->state);
    tg_timer_init(&moves->retry, retry);
}

void tg_moves_deinit(struct tg_worker *worker)
{
    tg_wheel_disarm(&worker->wheel, &worker->moves.retry);
    tg_buf_deinit(&worker->moves.state);
}

bool tg_move_may_be_due(const struct tg_conn *conn)
{
    return conn->generation->state == TG_GENERATION_RETIRING && !conn->is_staying;
}

void tg_move_soon(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    if (conn->state != TG_CONN_OPEN || worker->is_draining) return;
    tg_list_remove(&conn->generation_link);
    tg_list_append(&worker->moves.next, &conn->generation_link);
    worker->loop->ops->request_turn(worker->loop);
}

/* ---- one connection ---- */

/* Whether one can stand for the other: a client speaks JSON with both or with neither, and a path that is a
 * topic stays that topic. */
static bool is_alike(const struct tg_consumer *before, const struct tg_consumer *after)
{
    const struct tg_topic *was = before->own_topic, *is = after->own_topic;
    if (before->is_text != after->is_text || !was != !is) return false;
    return !was || tg_slice_equal(was->stream.name, is->stream.name);
}

/* The consumer of the same name, if it still is what it was; NULL: it is gone. */
static const struct tg_consumer *find_consumer(const struct tg_conn *conn)
{
    const struct tg_registry *registry = &conn->worker->generation->registry;
    const struct tg_consumer *found = tg_registry_find_consumer(registry, conn->consumer->name);
    return found && is_alike(conn->consumer, found) ? found : NULL;
}

const struct tg_consumer *tg_move_consumer(const struct tg_conn *conn)
{
    const struct tg_consumer *next = tg_move_is_due(conn) ? find_consumer(conn) : NULL;
    return next ? next : conn->consumer;
}

static bool is_idle(const struct tg_conn *conn)
{
    return conn->state == TG_CONN_OPEN && conn->running == 0 && !conn->is_starting && !conn->is_renewing &&
           !conn->changing && !conn->is_draining;
}

static void put_off(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    worker->metrics.moves_failed++;
    tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_CONN(conn), TG_LOG_S("action", "move"));
    tg_worker_arm(worker, &worker->moves.retry, tg_worker_now_ms(worker) + RETRY_MS);
}

/* From here on the connection is the newer generation's. */
static void carry(struct tg_conn *conn, const struct tg_consumer *consumer)
{
    tg_generation_lose(conn);
    tg_generation_take(conn->worker->generation, conn);
    tg_topic_move(conn, consumer);
    conn->consumer = consumer;
    conn->running_action = NULL;
    conn->is_inbox_blocked = false;
    conn->worker->metrics.connections_moved++;
}

static void move(struct tg_conn *conn, const struct tg_consumer *consumer)
{
    struct tg_worker *worker = conn->worker;
    struct tg_buf *state = &worker->moves.state;
    struct tg_script *before = conn->generation->script, *after = worker->generation->script;
    uint32_t from = conn->generation->number;
    tg_buf_truncate(state, 0);
    if (before->ops->move_out(before, conn, state) != TG_OK) {
        put_off(conn);
        return;
    }
    carry(conn, consumer);
    if (worker->recorder) worker->recorder->ops->moved(worker->recorder, conn);
    tg_log(TG_LOG_DEBUG, "moved", TG_LOG_CONN(conn), TG_LOG_I("from_generation", from));
    tg_conn_note(conn, NULL, after->ops->move_in(after, conn, tg_buf_peek(state), from));
    if (state->capacity > KEEP_STATE_BYTES) tg_buf_deinit(state);
    tg_conn_order_go_on(conn);
}

/* Its consumer is gone, and nothing of it runs any more. */
static void close_orphan(struct tg_conn *conn)
{
    conn->worker->metrics.connections_orphaned++;
    tg_conn_close(conn, CLOSE_SERVICE_RESTART, TG_SLICE("the consumer was removed"));
}

static void stay(struct tg_conn *conn)
{
    conn->is_staying = true;
    conn->worker->metrics.connections_orphaned++;
    tg_log(TG_LOG_INFO, "stays", TG_LOG_CONN(conn));
    tg_conn_order_go_on(conn);
}

/* The time of its generation is up. The connection may be gone when this returns. */
static void end_late(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    if (conn->is_leaving) {
        tg_conn_farewell_late(conn);
        return;
    }
    if (conn->state != TG_CONN_OPEN) return; /* until close_timeout_ms at most */
    conn->worker->metrics.handlers_retired++;
    tg_log(TG_LOG_WARNING, "handlers_retired", TG_LOG_CONN(conn),
           TG_LOG_I("retire_seconds", conn->worker->config->retire_seconds));
    script->ops->expire(script, conn);
}

/* Cancels what is no handler, and moves the connection when nothing else runs. */
static void leave(struct tg_conn *conn, const struct tg_consumer *consumer)
{
    struct tg_script *script = conn->generation->script;
    script->ops->release(script, conn);
    if (is_idle(conn)) {
        if (consumer)
            move(conn, consumer);
        else
            close_orphan(conn);
    } else if (conn->generation->is_over) {
        end_late(conn);
    }
}

static void look_at(struct tg_conn *conn)
{
    struct tg_generation *from = conn->generation;
    bool may_stay = conn->worker->config->gone_consumers == TG_GONE_STAY && !from->is_last;
    tg_list_remove(&conn->generation_link);
    tg_list_append(&from->busy, &conn->generation_link);
    if (conn->is_staying && may_stay) return;
    conn->is_staying = false;
    if (conn->state != TG_CONN_OPEN) {
        if (from->is_over) end_late(conn);
        return;
    }
    const struct tg_consumer *consumer = find_consumer(conn);
    if (!consumer && may_stay)
        stay(conn);
    else
        leave(conn, consumer);
}

/* ---- all of them ---- */

static struct tg_conn *next_of(const struct tg_worker *worker)
{
    const struct tg_list *list = &worker->moves.next;
    const struct tg_generation *g = tg_generation_first(worker);
    for (; g && tg_list_is_empty(list) && g->state != TG_GENERATION_SERVING; g = tg_generation_next(g))
        list = &g->conns;
    return tg_list_is_empty(list) ? NULL : TG_CONTAINER(list->next, struct tg_conn, generation_link);
}

void tg_moves_turn(struct tg_worker *worker)
{
    if (worker->is_draining) return;
    uint64_t end_ms = tg_worker_now_ms(worker) + MOVES_MS;
    for (int i = 0; i < MOVES_AT_ONCE; i++) {
        struct tg_conn *conn = next_of(worker);
        if (!conn) return;
        look_at(conn);
        if (tg_worker_now_ms(worker) >= end_ms) return;
    }
}

bool tg_moves_have_more(const struct tg_worker *worker)
{
    return !worker->is_draining && next_of(worker) != NULL;
}
