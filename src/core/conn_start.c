/* A stage that refuses closes the connection and has ended well: what closes it decides the code. One that
 * failed has told the client what it may know. */
#include "core/conn_start.h"

#include "core/worker.h"

static enum tg_outcome begin_stage(struct tg_conn *conn)
{
    struct tg_script *script = conn->generation->script;
    switch (conn->stage) {
    case TG_STAGE_AUTHENTICATE:
        return script->ops->authenticate(script, conn);
    case TG_STAGE_GROUPS:
        return script->ops->groups(script, conn);
    case TG_STAGE_CONNECTED:
        conn->is_connected_called = true;
        return script->ops->connected(script, conn);
    default:
        return TG_DONE;
    }
}

void tg_conn_start_go_on(struct tg_conn *conn, enum tg_outcome outcome)
{
    conn->is_starting = true;
    while (outcome == TG_DONE && conn->stage < TG_STAGE_READY && conn->state == TG_CONN_OPEN &&
           !conn->is_draining) {
        conn->stage++;
        outcome = begin_stage(conn);
    }
    tg_arena_reset(&conn->worker->arena); /* what scripts asked of the request: no message is under way */
    conn->is_starting = outcome == TG_WAITING;
    if (outcome == TG_FAILED) tg_conn_close(conn, 1011, TG_SLICE("the consumer could not start"));
}

void tg_conn_start(struct tg_conn *conn)
{
    tg_conn_start_go_on(conn, TG_DONE);
}

bool tg_conn_start_is_worth_waiting(const struct tg_conn *conn)
{
    return conn->is_starting && conn->stage == TG_STAGE_CONNECTED;
}
