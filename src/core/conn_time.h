/* What is due on a connection, and when: heartbeats, clients that do not move, close frames that do not come.
 *
 * Private to the files of the connection.
 */
#ifndef TG_CORE_CONN_TIME_H
#define TG_CORE_CONN_TIME_H

#include "core/conn.h"

/* Arms the timer for what the connection's state asks for. */
void tg_conn_rearm(struct tg_conn *conn);

/* From now on only the client's close frame counts, for so long. */
void tg_conn_await_close(struct tg_conn *conn, uint32_t milliseconds);

/* The timer of a connection is due. */
void tg_conn_timer_fired(struct tg_timer *timer);

/* ---- conn.c: what it comes to ---- */

/* The client does not take what it asked for. What is queued is dropped, so that the close frame is the next
 * thing that it reads, should it read again in time. */
void tg_conn_give_up(struct tg_conn *conn, struct tg_slice reason);

/* Ends TCP without a close frame, at the end of the turn; `code` and `reason` are for the log and the hook.
 */
void tg_conn_cut(struct tg_conn *conn, uint16_t code, const char *reason);

#endif
