/* One message or event of a connection after another: what is conn.c's own of the inbox, and of calls.
 *
 * Who may handle what now is decided by tg_conn_may_start (conn.h); what may not is kept, and handled when
 * tg_conn_ended has told that a handler has ended. Events are always kept: the worker begins them at the end
 * of the turn (tg_conn_begin_event in conn.h).
 */
#ifndef TG_CORE_CONN_ORDER_H
#define TG_CORE_CONN_ORDER_H

#include "core/conn.h"

/* Whether a message that comes now has to wait, at least for those before it. */
bool tg_conn_order_is_busy(const struct tg_conn *conn);

/* Keeps a message (copied) until its turn, which may be at once. */
void tg_conn_order_keep(struct tg_conn *conn, struct tg_slice message, bool is_binary);

/* Takes the first message out, before its turn: of a connection that is being authenticated, which gets no
 * events. NULL: there is none. The caller frees it. */
struct tg_inbox_message *tg_conn_order_take_first(struct tg_conn *conn);

/* Whether an event that comes now has to wait for others: whatever is sent on for it comes behind theirs. */
bool tg_conn_order_has_events(const struct tg_conn *conn);

/* Keeps an event of `action` (copied; takes a reference to `event`) until its turn; `subscription`: the
 * number of the topic's that it is for, 0: none. TG_E_FULL: as many wait as may, which is counted.
 * TG_E_NO_MEMORY.
 */
enum tg_status tg_conn_order_keep_event(struct tg_conn *conn, struct tg_slice action, uint64_t subscription,
                                        struct tg_payload *event);

/* Has the worker visit the connection at the end of the turn. */
void tg_conn_order_wake(struct tg_conn *conn);

/* Handles the messages that may be handled, and listens again when there is room. */
void tg_conn_order_go_on(struct tg_conn *conn);

/* Drops what is kept; the first leaves reading as it is, for a connection without a socket. */
void tg_conn_order_drop(struct tg_conn *conn);
void tg_conn_order_clear(struct tg_conn *conn);

/* Ends all calls with `status`. */
void tg_conn_order_end_calls(struct tg_conn *conn, enum tg_status status);

#endif
