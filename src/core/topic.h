/* Topics: several streams over one connection, each subscribed to by its name.
 *
 *     (none) --subscribe--> SUBSCRIBING --admitted--> SUBSCRIBED --unsubscribe, close--> LEAVING --> (none)
 *                                \--refused--> (none)
 *
 * A change of state is one of the connection's things: it begins when nothing else runs, and what the client
 * sends meanwhile waits in the inbox, also while the authoriser or a hook waits. So no message can be handled
 * before its topic is subscribed to, and nothing runs twice. docs/protocol.md has the frames.
 */
#ifndef TG_CORE_TOPIC_H
#define TG_CORE_TOPIC_H

#include "core/conn.h"
#include "core/subscription.h"
#include "wire/message.h"

/* The longest name, and the longest pattern, in bytes. */
#define TG_TOPIC_NAME_MAX 200

/* ---- what dispatch asks ---- */

enum tg_topic_frame_kind {
    TG_FRAME_OWN,         /* of no topic: the consumer's own */
    TG_FRAME_MESSAGE,     /* in a topic that is subscribed to */
    TG_FRAME_SUBSCRIBE,   /* subscribe */
    TG_FRAME_UNSUBSCRIBE, /* unsubscribe */
    TG_FRAME_REFUSED,     /* none of these is possible */
};

struct tg_topic_frame {
    enum tg_topic_frame_kind kind;
    struct tg_slice name;                 /* of the topic; borrowed from the message, or the connection's */
    struct tg_subscription *subscription; /* NULL: not subscribed */
};

/* What a frame of `conn` with this action and topic is. */
struct tg_topic_frame tg_topic_frame_of(const struct tg_conn *conn, const struct tg_envelope *envelope);

/* Handles and answers one that is neither a message nor the consumer's own. False: others of the connection
 * run, and nothing has happened. */
bool tg_topic_frame_handle(struct tg_conn *conn, const struct tg_topic_frame *frame,
                           const struct tg_ref *ref);

/* ---- what conn.c tells ---- */

/* `connected` has returned: subscribes to the topic that the connection's path is, if it is one. */
void tg_topic_start(struct tg_conn *conn);

/* What was begun for a change of state has ended, after a wait. */
void tg_topic_ended(struct tg_conn *conn);

/* Begins what tg_topic_close asked for. To be called when nothing runs. */
void tg_topic_go_on(struct tg_conn *conn);

/* What the topic of a subscription is at this consumer, which may be that of newer code; NULL: it is gone. */
const struct tg_topic *tg_topic_at(const struct tg_subscription *subscription,
                                   const struct tg_consumer *consumer);

/* The connection is about to get another consumer: its subscriptions go on with the topics of that one. What
 * it does not host any more ends, and the client gets `unsubscribed`; no hook runs. */
void tg_topic_move(struct tg_conn *conn, const struct tg_consumer *consumer);

/* The connection has ended, and so has what ran for it: runs the next on_unsubscribe. TG_WAITING: call again
 * when it has ended; TG_DONE: none is left. */
enum tg_outcome tg_topic_leave_next(struct tg_conn *conn);

/* Drops what is left without a word. */
void tg_topic_drop(struct tg_conn *conn);

/* ---- what the script asks ---- */

/* The authoriser has said yes: joins the group, answers `subscribed`. Otherwise the status of the
 * group; it has been answered. */
enum tg_status tg_topic_admit(struct tg_subscription *subscription);

/* The authoriser has said no: answers `unauthorized`. `detail` empty: a sentence of ours. */
void tg_topic_refuse(struct tg_subscription *subscription, struct tg_slice detail);

/* The server ends it: nothing more comes to its client; `on_unsubscribe` runs when it is its turn, then comes
 * `unsubscribed`. TG_E_CLOSED: it has ended, or has not begun. */
enum tg_status tg_topic_close(struct tg_subscription *subscription);

#endif
