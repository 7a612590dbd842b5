/* A group is found by its name, a membership by its connection and its group: two indexes, no search.
 *
 * Invariants: a group is in `by_name` iff it has members, and `count` is their number. A membership is in
 * `memberships` and in its group's list iff its connection is OPEN; it is in its connection's list from the
 * join until it is left or the connection is freed, and so long it keeps its group's memory (`references`).
 */
#include "core/group.h"

#include "core/layer.h"
#include "core/worker.h"

#include <stdlib.h>
#include <string.h>

struct tg_group {
    struct tg_index_node node;
    struct tg_list members;
    uint64_t references; /* memberships that point here */
    uint32_t count;      /* of them those that are in */
    uint32_t kind;       /* enum tg_group_kind */
    size_t name_bytes;
    char name[];
};

void tg_groups_init(struct tg_groups *groups)
{
    *groups = (struct tg_groups){.seed = tg_hash_seed_random()};
}

void tg_groups_deinit(struct tg_groups *groups)
{
    for (int kind = 0; kind < TG_GROUP_KINDS; kind++) tg_index_deinit(&groups->by_name[kind]);
    tg_index_deinit(&groups->memberships);
}

/* ---- what a group is ---- */

struct tg_slice tg_group_name(const struct tg_group *group)
{
    return (struct tg_slice){group->name, group->name_bytes};
}

enum tg_group_kind tg_group_kind(const struct tg_group *group)
{
    return (enum tg_group_kind)group->kind;
}

uint32_t tg_group_count(const struct tg_group *group)
{
    return group->count;
}

static struct tg_group *find(const struct tg_groups *groups, enum tg_group_kind kind, struct tg_slice name,
                             uint64_t hash)
{
    struct tg_index_node *node = tg_index_first(&groups->by_name[kind], hash);
    for (; node; node = tg_index_next(node)) {
        struct tg_group *group = TG_CONTAINER(node, struct tg_group, node);
        if (tg_slice_equal(tg_group_name(group), name)) return group;
    }
    return NULL;
}

struct tg_group *tg_group_find(const struct tg_worker *worker, enum tg_group_kind kind, struct tg_slice name)
{
    return find(&worker->groups, kind, name, tg_hash(worker->groups.seed, name));
}

static struct tg_group *group_new(enum tg_group_kind kind, struct tg_slice name)
{
    struct tg_group *group = malloc(sizeof *group + name.length);
    if (!group) return NULL;
    *group = (struct tg_group){.kind = kind, .name_bytes = name.length};
    if (name.length) memcpy(group->name, name.data, name.length);
    tg_list_init(&group->members);
    return group;
}

/* ---- who is in ---- */

/* Neither number is chosen by a client. */
static uint64_t pair_hash(const struct tg_conn *conn, const struct tg_group *group)
{
    uint64_t hash = (conn->id ^ (uint64_t)(uintptr_t)group * 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 32;
}

static struct tg_membership *find_membership(const struct tg_conn *conn, const struct tg_group *group)
{
    struct tg_index_node *node = tg_index_first(&conn->worker->groups.memberships, pair_hash(conn, group));
    for (; node; node = tg_index_next(node)) {
        struct tg_membership *membership = TG_CONTAINER(node, struct tg_membership, node);
        if (membership->conn == conn && membership->group == group) return membership;
    }
    return NULL;
}

static struct tg_membership *membership_of(const struct tg_conn *conn, enum tg_group_kind kind,
                                           struct tg_slice name)
{
    const struct tg_group *group = tg_group_find(conn->worker, kind, name);
    return group ? find_membership(conn, group) : NULL;
}

/* The group's first member comes: the group and the layer get to know of each other. */
static enum tg_status open_group(struct tg_worker *worker, struct tg_group *group, uint64_t hash)
{
    struct tg_index *by_name = &worker->groups.by_name[group->kind];
    if (tg_index_add(by_name, &group->node, hash) != TG_OK) return TG_E_NO_MEMORY;
    enum tg_status status =
        worker->layer->ops->subscribe(worker->layer, worker, tg_group_kind(group), tg_group_name(group));
    if (status != TG_OK)
        tg_index_remove(by_name, &group->node);
    else
        worker->metrics.groups++;
    return status;
}

static void close_group(struct tg_worker *worker, struct tg_group *group)
{
    tg_index_remove(&worker->groups.by_name[group->kind], &group->node);
    worker->metrics.groups--;
    worker->layer->ops->unsubscribe(worker->layer, worker, tg_group_kind(group), tg_group_name(group));
}

/* The connection is not in the group yet. */
static enum tg_status add_member(struct tg_conn *conn, struct tg_group *group)
{
    struct tg_groups *groups = &conn->worker->groups;
    struct tg_membership *membership = malloc(sizeof *membership);
    if (!membership) return TG_E_NO_MEMORY;
    membership->conn = conn;
    membership->group = group;
    if (tg_index_add(&groups->memberships, &membership->node, pair_hash(conn, group)) != TG_OK) {
        free(membership);
        return TG_E_NO_MEMORY;
    }
    tg_list_append(&group->members, &membership->in_group);
    tg_list_append(&conn->memberships, &membership->in_conn);
    group->references++;
    group->count++;
    if (group->kind == TG_GROUP_NAMED) conn->named_groups++;
    conn->worker->metrics.group_memberships++;
    return TG_OK;
}

/* The membership stays in the connection's list. */
static void remove_member(struct tg_membership *membership)
{
    struct tg_worker *worker = membership->conn->worker;
    struct tg_group *group = membership->group;
    tg_index_remove(&worker->groups.memberships, &membership->node);
    tg_list_remove(&membership->in_group);
    worker->metrics.group_memberships--;
    if (--group->count == 0) close_group(worker, group);
}

/* Whose lists it is in is the caller's affair. */
static void free_membership(struct tg_membership *membership)
{
    struct tg_group *group = membership->group;
    free(membership);
    if (--group->references == 0) free(group);
}

/* ---- coming and going ---- */

static enum tg_status join_new(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name,
                               uint64_t hash)
{
    struct tg_group *group = group_new(kind, name);
    if (!group) return TG_E_NO_MEMORY;
    enum tg_status status = open_group(conn->worker, group, hash);
    if (status != TG_OK) {
        free(group);
        return status;
    }
    status = add_member(conn, group);
    if (status != TG_OK) {
        close_group(conn->worker, group);
        free(group);
    }
    return status;
}

enum tg_status tg_group_join(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name)
{
    struct tg_worker *worker = conn->worker;
    if (conn->state != TG_CONN_OPEN) return TG_E_CLOSED;
    if (name.length > (kind == TG_GROUP_NAMED ? TG_GROUP_NAME_MAX : TG_GROUP_KEY_MAX)) return TG_E_TOO_LARGE;
    uint64_t hash = tg_hash(worker->groups.seed, name);
    struct tg_group *group = find(&worker->groups, kind, name, hash);
    if (group && find_membership(conn, group)) return TG_OK;
    if (kind == TG_GROUP_NAMED && conn->named_groups >= worker->config->max_groups_per_connection) {
        worker->metrics.groups_full++;
        return TG_E_FULL;
    }
    return group ? add_member(conn, group) : join_new(conn, kind, name, hash);
}

bool tg_group_leave(struct tg_conn *conn, enum tg_group_kind kind, struct tg_slice name)
{
    struct tg_membership *membership = membership_of(conn, kind, name);
    if (!membership) return false;
    if (kind == TG_GROUP_NAMED) conn->named_groups--;
    remove_member(membership);
    tg_list_remove(&membership->in_conn);
    free_membership(membership);
    return true;
}

void tg_group_leave_all(struct tg_conn *conn)
{
    for (struct tg_list *node = conn->memberships.next; node != &conn->memberships; node = node->next)
        remove_member(TG_CONTAINER(node, struct tg_membership, in_conn));
}

void tg_group_forget(struct tg_conn *conn)
{
    struct tg_list *end = &conn->memberships;
    for (struct tg_list *node = end->next, *next; node != end; node = next) {
        next = node->next;
        free_membership(TG_CONTAINER(node, struct tg_membership, in_conn));
    }
    tg_list_init(end);
}

/* ---- walking ---- */

struct tg_membership *tg_group_first(const struct tg_group *group)
{
    if (tg_list_is_empty(&group->members)) return NULL;
    return TG_CONTAINER(group->members.next, struct tg_membership, in_group);
}

struct tg_membership *tg_group_next(const struct tg_membership *member)
{
    struct tg_list *next = member->in_group.next;
    return next == &member->group->members ? NULL : TG_CONTAINER(next, struct tg_membership, in_group);
}

void tg_group_ids(const struct tg_group *group, struct tg_buf *out)
{
    for (const struct tg_membership *member = tg_group_first(group); member; member = tg_group_next(member))
        tg_buf_append(out, &member->conn->id, sizeof member->conn->id);
}

/* From `node` on, the first of the kind. */
static struct tg_membership *of_kind(const struct tg_list *node, const struct tg_conn *conn,
                                     enum tg_group_kind kind)
{
    for (; node != &conn->memberships; node = node->next) {
        struct tg_membership *membership = TG_CONTAINER(node, struct tg_membership, in_conn);
        if (tg_group_kind(membership->group) == kind) return membership;
    }
    return NULL;
}

struct tg_membership *tg_group_first_of(const struct tg_conn *conn, enum tg_group_kind kind)
{
    return of_kind(conn->memberships.next, conn, kind);
}

struct tg_membership *tg_group_next_of(const struct tg_membership *membership)
{
    return of_kind(membership->in_conn.next, membership->conn, tg_group_kind(membership->group));
}
