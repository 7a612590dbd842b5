/* The topics' hooks have the time of one among them: a client with many, whose hooks all hang, is gone as
 * soon as one with none. What still waits when it is over is ended at once. `disconnected` has its own time.
 *
 * Invariant: is_leaving while a hook waits, and then the timer is armed for close_ms.
 */
#include "core/conn_farewell.h"

#include "base/log.h"
#include "core/credential.h"
#include "core/group.h"
#include "core/topic.h"
#include "core/user.h"
#include "core/worker.h"

#include <stdlib.h>

void tg_conn_free(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    struct tg_slice reason = {conn->close_reason, conn->close_reason_bytes};
    tg_log(TG_LOG_INFO, "disconnected", TG_LOG_CONN(conn), TG_LOG_I("code", conn->close_code),
           TG_LOG_STR("reason", reason));
    script->ops->cancel(script, conn); /* what `disconnected` started */
    tg_topic_drop(conn);
    script->ops->forget(script, conn);
    tg_worker_remove(conn->worker, conn);
    tg_group_forget(conn);
    tg_user_forget(conn);
    tg_credential_forget(conn);
    tg_assembly_deinit(&conn->assembly);
    free(conn->close_reason);
    free(conn->request);
    free(conn);
}

/* The next hook of the end: those of the topics, then `disconnected`. */
static enum tg_outcome run_farewell(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    struct tg_slice reason = {conn->close_reason, conn->close_reason_bytes};
    if (tg_topic_leave_next(conn) == TG_WAITING) return TG_WAITING;
    if (!conn->is_connected_called) return TG_DONE;
    conn->is_connected_called = false;
    return script->ops->disconnected(script, conn, conn->close_code, reason);
}

/* Whether the hook that waits is a topic's: its subscription is there until it has ended. */
static bool is_topics(const struct tg_conn *conn)
{
    return !tg_list_is_empty(&conn->subscriptions);
}

static void end_late(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    conn->worker->metrics.handler_timeouts++;
    tg_log(TG_LOG_WARNING, "handler_timeout", TG_LOG_CONN(conn),
           TG_LOG_S("action", is_topics(conn) ? "on_unsubscribe" : "disconnected"),
           TG_LOG_I("timeout_ms", conn->worker->config->disconnected_timeout_ms));
    script->ops->cancel(script, conn);
}

/* A hook waits. False: there is no time for it. */
static bool await(struct tg_conn *conn)
{
    struct tg_worker *worker = conn->worker;
    uint64_t now_ms = tg_worker_now_ms(worker);
    if (!conn->is_leaving || !is_topics(conn))
        conn->close_ms = now_ms + worker->config->disconnected_timeout_ms;
    conn->is_leaving = true;
    if (now_ms >= conn->close_ms) return false;
    tg_worker_arm(worker, &conn->timer, conn->close_ms);
    return true;
}

void tg_conn_farewell(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    while (run_farewell(conn) == TG_WAITING) {
        if (conn->worker->is_over)
            script->ops->cancel(script, conn);
        else if (await(conn))
            return;
        else
            end_late(conn);
    }
    tg_conn_free(conn);
}

void tg_conn_farewell_late(struct tg_conn *conn)
{
    end_late(conn);
    tg_conn_farewell(conn);
}
