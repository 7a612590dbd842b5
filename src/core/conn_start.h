/* How a connection begins, stage after stage; each may wait, and the next begins when it has ended well.
 *
 *     AUTHENTICATE -> GROUPS -> CONNECTED -> READY
 *
 * The first finds out who the client is, loads what the connection is about, and asks whether it may
 * (script.h).
 *
 * Until the last stage has ended what the client sends waits in the inbox. Private to core; tg_conn_start
 * (conn.h) begins.
 */
#ifndef TG_CORE_CONN_START_H
#define TG_CORE_CONN_START_H

#include "core/conn.h"

/* The stage under way, or the last one when it has failed. */
enum tg_conn_stage {
    TG_STAGE_NONE,
    TG_STAGE_AUTHENTICATE, /* is in no group, is nobody's */
    TG_STAGE_GROUPS,
    TG_STAGE_CONNECTED, /* from here on `disconnected` will run */
    TG_STAGE_READY,
};

/* The stage under way has ended. */
void tg_conn_start_go_on(struct tg_conn *conn, enum tg_outcome outcome);

/* Whether it is let in: until then nothing goes to it but what the script itself has to tell it. */
static inline bool tg_conn_is_let_in(const struct tg_conn *conn)
{
    return conn->stage > TG_STAGE_AUTHENTICATE;
}

/* Whether a server that goes away lets it end: a client that is not let in yet loses nothing. */
bool tg_conn_start_is_worth_waiting(const struct tg_conn *conn);

#endif
