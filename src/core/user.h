/* Connections by the id of their user, a text, among those of one worker.
 *
 * A connection gets its user once, while it is OPEN, and is found under it until it is not; the id stays
 * readable in conn->user_id until the connection is freed. Without an id it is anonymous, and nobody's.
 */
#ifndef TG_CORE_USER_H
#define TG_CORE_USER_H

#include "base/buf.h"
#include "base/index.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdint.h>

struct tg_conn;
struct tg_worker;
struct tg_user;

/* All users of a worker that are here. */
struct tg_users {
    struct tg_index by_id;
    struct tg_hash_seed seed;
};

void tg_users_init(struct tg_users *users);
void tg_users_deinit(struct tg_users *users); /* all connections must have ended */

/* `id` is copied; empty: the connection stays anonymous. TG_E_CLOSED: it is ending. TG_E_EXISTS: it has a
 * user. TG_E_NO_MEMORY. */
enum tg_status tg_user_set(struct tg_conn *conn, struct tg_slice id);

/* For conn.c. The connection has stopped being OPEN: it is not found any more. */
void tg_user_leave(struct tg_conn *conn);

/* For conn.c. The connection is about to be freed. */
void tg_user_forget(struct tg_conn *conn);

/* NULL: no connection is this user's. */
struct tg_user *tg_user_find(const struct tg_worker *worker, struct tg_slice id);

uint32_t tg_user_count(const struct tg_user *user);

/* The user's connections, oldest first; NULL: no more. None may be closed meanwhile, as with groups. */
struct tg_conn *tg_user_first(const struct tg_user *user);
struct tg_conn *tg_user_next(const struct tg_conn *conn);

/* Appends the connections' ids, uint64_t each, for tg_worker_find. Check the buf's status. */
void tg_user_ids(const struct tg_user *user, struct tg_buf *out);

#endif
