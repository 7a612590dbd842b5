/* One message of a connection after another: what is conn.c's own of the inbox, and of calls.
 *
 * Who may handle what now is decided by tg_conn_may_start (conn.h); what may not is kept, and handled when
 * tg_conn_ended has told that a handler has ended.
 */
#ifndef TG_CORE_CONN_ORDER_H
#define TG_CORE_CONN_ORDER_H

#include "core/conn.h"

/* Whether a message that comes now has to wait, at least for those before it. */
bool tg_conn_order_is_busy(const struct tg_conn *conn);

/* Keeps a message (copied) until its turn, which may be at once. */
void tg_conn_order_keep(struct tg_conn *conn, struct tg_slice message, bool is_binary);

/* Handles what may be handled, and listens again when there is room. */
void tg_conn_order_go_on(struct tg_conn *conn);

/* Drops what is kept; the first leaves reading as it is, for a connection without a socket. */
void tg_conn_order_drop(struct tg_conn *conn);
void tg_conn_order_clear(struct tg_conn *conn);

/* Ends all calls with `status`. */
void tg_conn_order_end_calls(struct tg_conn *conn, enum tg_status status);

#endif
