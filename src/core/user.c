/* Invariants: a user is in `by_id` iff it has an OPEN connection, and those are its list. Its memory, with
 * the text that conn->user_id shows, lasts until the last connection that ever was its is freed; should the
 * user come back meanwhile, that is another struct.
 */
#include "core/user.h"

#include "core/worker.h"

#include <stdlib.h>
#include <string.h>

struct tg_user {
    struct tg_index_node node;
    struct tg_list conns;
    uint64_t references; /* connections that point here */
    uint32_t count;      /* of them those that are OPEN */
    size_t id_bytes;
    char id[];
};

void tg_users_init(struct tg_users *users)
{
    *users = (struct tg_users){.seed = tg_hash_seed_random()};
}

void tg_users_deinit(struct tg_users *users)
{
    tg_index_deinit(&users->by_id);
}

static struct tg_user *find(const struct tg_users *users, struct tg_slice id, uint64_t hash)
{
    struct tg_index_node *node = tg_index_first(&users->by_id, hash);
    for (; node; node = tg_index_next(node)) {
        struct tg_user *user = TG_CONTAINER(node, struct tg_user, node);
        if (tg_slice_equal((struct tg_slice){user->id, user->id_bytes}, id)) return user;
    }
    return NULL;
}

struct tg_user *tg_user_find(const struct tg_worker *worker, struct tg_slice id)
{
    return find(&worker->users, id, tg_hash(worker->users.seed, id));
}

static struct tg_user *user_new(struct tg_users *users, struct tg_slice id, uint64_t hash)
{
    struct tg_user *user = malloc(sizeof *user + id.length);
    if (!user) return NULL;
    *user = (struct tg_user){.id_bytes = id.length};
    memcpy(user->id, id.data, id.length);
    tg_list_init(&user->conns);
    if (tg_index_add(&users->by_id, &user->node, hash) != TG_OK) {
        free(user);
        return NULL;
    }
    return user;
}

enum tg_status tg_user_set(struct tg_conn *conn, struct tg_slice id)
{
    struct tg_users *users = &conn->worker->users;
    if (conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    if (conn->user) return TG_E_EXISTS;
    if (id.length == 0) return TG_OK;
    uint64_t hash = tg_hash(users->seed, id);
    struct tg_user *user = find(users, id, hash);
    if (!user) user = user_new(users, id, hash);
    if (!user) return TG_E_NO_MEMORY;
    user->references++;
    user->count++;
    tg_list_append(&user->conns, &conn->user_link);
    conn->user = user;
    conn->user_id = (struct tg_slice){user->id, user->id_bytes};
    return TG_OK;
}

void tg_user_leave(struct tg_conn *conn)
{
    if (!conn->user) return;
    tg_list_remove(&conn->user_link);
    if (--conn->user->count == 0) tg_index_remove(&conn->worker->users.by_id, &conn->user->node);
}

void tg_user_forget(struct tg_conn *conn)
{
    if (conn->user && --conn->user->references == 0) free(conn->user);
    conn->user = NULL;
    conn->user_id = (struct tg_slice){0};
}

uint32_t tg_user_count(const struct tg_user *user)
{
    return user->count;
}

struct tg_conn *tg_user_first(const struct tg_user *user)
{
    if (tg_list_is_empty(&user->conns)) return NULL;
    return TG_CONTAINER(user->conns.next, struct tg_conn, user_link);
}

struct tg_conn *tg_user_next(const struct tg_conn *conn)
{
    struct tg_list *next = conn->user_link.next;
    return next == &conn->user->conns ? NULL : TG_CONTAINER(next, struct tg_conn, user_link);
}

void tg_user_ids(const struct tg_user *user, struct tg_buf *out)
{
    for (const struct tg_conn *conn = tg_user_first(user); conn; conn = tg_user_next(conn))
        tg_buf_append(out, &conn->id, sizeof conn->id);
}
