/* Events: what parts of the application tell each other, on their way to the connections that get them.
 *
 * A publication goes to many (core/deliver.h):
 *
 *     tg_event_init(&event, worker, publication);
 *     for each receiver: if (tg_event_give(&event, conn) == TG_OK) count++;
 *     tg_event_deinit(&event);
 *
 * The consumer of each receiver says what it does with it. One that relays the event has it sent to the
 * client as it is; for one that handles it the event waits in the inbox, and is handled like a message, but
 * never before the end of the turn: nothing runs inside tg_event_give.
 */
#ifndef TG_CORE_EVENT_H
#define TG_CORE_EVENT_H

#include "core/conn.h"
#include "core/layer.h"
#include "wire/issue.h"

struct tg_event {
    struct tg_worker *worker;
    const struct tg_publication *publication;
    struct tg_payload *payloads[TG_NAMINGS]; /* owned; made when first needed */
    const struct tg_schema *judged;          /* which schema was asked last, and what it said */
    enum tg_status verdict;
};

/* Borrows both. */
void tg_event_init(struct tg_event *event, struct tg_worker *worker,
                   const struct tg_publication *publication);

void tg_event_deinit(struct tg_event *event);

/* TG_E_CLOSED: the connection is ending, or not accepted yet. TG_E_NOT_FOUND: its consumer declares no such
 * event. TG_E_INVALID: it is not what that consumer declares; logged once for all that declare the same.
 * TG_E_FULL: too many wait for this connection, or the client does not take what was sent. TG_E_NO_MEMORY. */
enum tg_status tg_event_give(struct tg_event *event, struct tg_conn *conn);

/* For conn_order.c. The turn of an event has come. */
void tg_event_handle(struct tg_conn *conn, struct tg_slice action, struct tg_payload *payload);

/* Counts and logs that `event` did not reach its handler; finishes the issues, which are in the style
 * TG_ISSUE_TEXT. */
void tg_event_tell_invalid(struct tg_conn *conn, const struct tg_action *event, struct tg_issues *issues);

#endif
