/* What flows through a connection: from its outbox to the transport, and whether its client is listened to.
 *
 * Private to conn.c, conn_order.c and conn_flow.c; whoever sends calls tg_conn_begin and the like (conn.h).
 */
#ifndef TG_CORE_CONN_FLOW_H
#define TG_CORE_CONN_FLOW_H

#include "core/conn.h"

/* Writes until the outbox is empty or the kernel is full. */
void tg_conn_flow_pump(struct tg_conn *conn);

/* Everything at once, whatever the kernel says: the transport keeps what does not fit. For the moment
 * before the library sends its own close frame. */
void tg_conn_flow_pump_all(struct tg_conn *conn);

/* Drops what is queued. */
void tg_conn_flow_clear(struct tg_conn *conn);

/* Only the drop is left, at the end of the turn. */
void tg_conn_flow_break(struct tg_conn *conn);

/* Backpressure: above high water we stop listening to this client; at half of it, or when it is ending, we
 * go on. */
void tg_conn_flow_balance(struct tg_conn *conn);

/* Reading stops, or goes on unless the outbox is against it. */
void tg_conn_set_inbox_full(struct tg_conn *conn, bool is_full);

#endif
