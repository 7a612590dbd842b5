/* A connection that leaves one generation for another: its tasks, its handles, and what code has kept for it.
 *
 *     old: release  what was spawned for it ends
 *          move_out conn.state, conn.user and the states of its subscriptions become bytes (plain.h)
 *     new: move_in  they become tables again; `migrate` may rewrite the state, then the object is loaded,
 *                   and `reloaded` runs
 *
 * What is no plain data stays behind, and is named in the log, once for each place in the code that has it.
 */
#ifndef TG_SCRIPT_CONN_MOVE_H
#define TG_SCRIPT_CONN_MOVE_H

#include "base/buf.h"
#include "core/script.h"

#include <stdint.h>

struct tg_host;
struct tg_task_pool;

/* What a generation has been told to have left behind: so much and no more. */
enum { TG_LEFT_BEHIND = 16 };

struct tg_left_behind {
    uint64_t told[TG_LEFT_BEHIND]; /* hashes */
    uint32_t count;
};

/* As core/script.h says; what belongs to a run that has not ended yet goes on with it. Nobody's are those of
 * the generation itself, some of which requests for routes may have begun. */
void tg_conn_move_release(struct tg_task_pool *pool, struct tg_conn *conn);
void tg_conn_move_release_nobodys(struct tg_task_pool *pool);
void tg_conn_move_expire(struct tg_conn *conn);
enum tg_status tg_conn_move_out(struct tg_host *host, struct tg_conn *conn, struct tg_buf *state);
enum tg_outcome tg_conn_move_in(struct tg_host *host, struct tg_conn *conn, struct tg_slice state,
                                uint32_t from);

#endif
