/* Who is in which group, among the connections of one worker.
 *
 * Two kinds of names that never meet: those of the application, and the keys under which the subscribers of
 * one topic are found. Names are bytes, kept exactly. A group exists while it has members; joining and
 * leaving cost the same whatever its size.
 *
 * A connection is out of all its groups (not delivered to, counted or listed) as soon as it is not OPEN;
 * which they were can be read until it is freed, for its `disconnected`.
 */
#ifndef TG_CORE_GROUP_H
#define TG_CORE_GROUP_H

#include "base/buf.h"
#include "base/index.h"
#include "base/list.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_conn;
struct tg_worker;

enum tg_group_kind {
    TG_GROUP_NAMED, /* of the application */
    TG_GROUP_TOPIC, /* the subscribers of one topic: "<pattern>\0<name>" */
    TG_GROUP_KINDS,
};

/* Bytes of a name, and of the key of a topic. */
#define TG_GROUP_NAME_MAX 200
#define TG_GROUP_KEY_MAX 1024

struct tg_group;

/* That a connection is, or was, in a group. */
struct tg_membership {
    struct tg_index_node node; /* in tg_groups.memberships while it is in */
    struct tg_list in_group;   /* in the group's list of members while it is in */
    struct tg_list in_conn;    /* in conn->memberships, in the order of joining */
    struct tg_conn *conn;
    struct tg_group *group;
};

/* All groups of a worker. */
struct tg_groups {
    struct tg_index by_name[TG_GROUP_KINDS];
    struct tg_index memberships; /* by connection and group */
    struct tg_hash_seed seed;
};

void tg_groups_init(struct tg_groups *groups);
void tg_groups_deinit(struct tg_groups *groups); /* all connections must have ended */

/* TG_OK also when it is in already. TG_E_CLOSED: the connection is ending. TG_E_FULL: it is in
 * max_groups_per_connection (of the named; topics have a limit of their own). TG_E_TOO_LARGE: the name is.
 * TG_E_NO_MEMORY. Else what the layer said to the first member. Nothing has changed then. */
enum tg_status tg_group_join(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name);

/* False: it was not in. */
bool tg_group_leave(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name);

/* For conn.c. The connection has stopped being OPEN: it leaves all, and its memberships stay readable. */
void tg_group_leave_all(struct tg_conn *conn);

/* For conn.c. The connection is about to be freed: the memberships go too. */
void tg_group_forget(struct tg_conn *conn);

/* NULL: nobody is in it. */
struct tg_group *tg_group_find(const struct tg_worker *worker, enum tg_group_kind kind, struct tg_slice name);

struct tg_slice tg_group_name(const struct tg_group *group); /* borrowed */
enum tg_group_kind tg_group_kind(const struct tg_group *group);
uint32_t tg_group_count(const struct tg_group *group);

/* The members in the order in which they joined; NULL: no more. Nobody may join, leave or close meanwhile (a
 * connection that breaks does so at the end of the turn): who does such things takes the ids first. */
struct tg_membership *tg_group_first(const struct tg_group *group);
struct tg_membership *tg_group_next(const struct tg_membership *member);

/* Appends the members' ids, uint64_t each, for tg_worker_find. Check the buf's status. */
void tg_group_ids(const struct tg_group *group, struct tg_buf *out);

/* The groups of a connection in the order of joining, also those that it has left by ending; NULL: no more.
 */
struct tg_membership *tg_group_first_of(const struct tg_conn *conn, enum tg_group_kind kind);
struct tg_membership *tg_group_next_of(const struct tg_membership *membership);

#endif
