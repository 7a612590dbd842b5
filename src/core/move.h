/* How connections come from a generation that retires to the one that serves.
 *
 * A retired generation's connections are looked at one after the other, some in each turn. Looking at one
 * cancels its tasks that are no handlers; it moves when none of these runs or waits, at once or when the last
 * has ended. From the swap on nothing begins in the old generation: what comes for a connection waits in its
 * inbox, and has it looked at next. One whose start has not ended ends it where it began, and one that is
 * closing stays to the end.
 */
#ifndef TG_CORE_MOVE_H
#define TG_CORE_MOVE_H

#include "base/buf.h"
#include "base/list.h"
#include "core/wheel.h"

#include <stdbool.h>

struct tg_conn;
struct tg_consumer;
struct tg_worker;

struct tg_moves {
    struct tg_list next;   /* connections that are looked at before all others */
    struct tg_buf state;   /* of the one that moves */
    struct tg_timer retry; /* for those that had no memory */
};

void tg_moves_init(struct tg_moves *moves);
void tg_moves_deinit(struct tg_worker *worker); /* all connections must have ended */

/* Whether the connection's generation has retired and it has not moved: nothing may begin. */
#define tg_move_is_due(conn) ((conn)->generation != (conn)->worker->generation && tg_move_may_be_due(conn))
bool tg_move_may_be_due(const struct tg_conn *conn);

/* Whose handlers get what comes for the connection now: its own consumer, or where a move is due the one that
 * it will have. */
const struct tg_consumer *tg_move_consumer(const struct tg_conn *conn);

/* Has one that is due looked at in this turn, or the next. */
void tg_move_soon(struct tg_conn *conn);

/* Looks at connections, as many as a turn is given. */
void tg_moves_turn(struct tg_worker *worker);

/* Whether there are more. */
bool tg_moves_have_more(const struct tg_worker *worker);

#endif
