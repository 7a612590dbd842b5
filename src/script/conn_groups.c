/* Names are read when no Lua code runs any more before they are used: what `serialise` of a message does to
 * the groups comes first. */
#include "script/conn_groups.h"

#include "base/log.h"
#include "core/group.h"
#include "core/worker.h"
#include "script/conn_handle.h"
#include "script/place.h"
#include "script/publish.h"

#include <lauxlib.h>

/* ---- joining and leaving ---- */

static enum tg_status join(lua_State *L, struct tg_conn *conn, int index, const char *what)
{
    struct tg_slice name = tg_publish_check_group(L, index, what);
    enum tg_status status = conn ? tg_group_join(conn, TG_GROUP_NAMED, name) : TG_E_CLOSED;
    if (status == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    return status;
}

int tg_conn_join(lua_State *L)
{
    struct tg_world *world;
    struct tg_conn *conn = tg_conn_handle_check(L, &world);
    return tg_push_result(L, join(L, conn, 2, "conn:join"));
}

int tg_conn_leave(lua_State *L)
{
    struct tg_world *world;
    struct tg_conn *conn = tg_conn_handle_check(L, &world);
    struct tg_slice name = tg_publish_check_group(L, 2, "conn:leave");
    if (!conn || conn->state != TG_CONN_OPEN) return tg_push_result(L, TG_E_CLOSED);
    lua_pushboolean(L, tg_group_leave(conn, TG_GROUP_NAMED, name));
    return 1;
}

void tg_conn_groups_add(lua_State *L, struct tg_conn *conn, int index, const char *what)
{
    enum tg_status status = join(L, conn, index, what);
    if (status == TG_E_FULL)
        tg_place_error(L, "%s: a connection is in at most %d groups (max_groups_per_connection)", what,
                       (int)conn->worker->config->max_groups_per_connection);
    if (status != TG_OK && status != TG_E_CLOSED)
        tg_place_error(L, "%s: the group '%s' cannot be joined: %s", what, lua_tostring(L, index),
                       tg_status_name(status));
}

void tg_conn_groups_push(lua_State *L, const struct tg_conn *conn)
{
    lua_newtable(L);
    const struct tg_membership *membership = tg_group_first_of(conn, TG_GROUP_NAMED);
    for (lua_Integer i = 1; membership; membership = tg_group_next_of(membership), i++) {
        struct tg_slice name = tg_group_name(membership->group);
        lua_pushlstring(L, name.data, name.length);
        lua_rawseti(L, -2, i);
    }
}

/* ---- broadcasting ---- */

enum { CONN = 1, MESSAGE, OPTIONS, BOX }; /* on the stack */

/* The names of the connection's own groups, which live as long as its memberships. */
static const struct tg_slice *own_groups(lua_State *L, const struct tg_conn *conn, struct tg_scratch *scratch,
                                         uint32_t *count)
{
    *count = 0;
    const struct tg_membership *first = tg_group_first_of(conn, TG_GROUP_NAMED), *membership;
    for (membership = first; membership; membership = tg_group_next_of(membership)) ++*count;
    struct tg_slice *names = tg_arena_calloc(&scratch->arena, *count + (size_t)1, sizeof *names);
    tg_world_check_memory(L, names);
    struct tg_slice *name = names;
    for (membership = first; membership; membership = tg_group_next_of(membership))
        *name++ = tg_group_name(membership->group);
    return names;
}

/* Fills in the groups. What is put on the stack stays there, since the names belong to it. */
static void address(lua_State *L, const struct tg_conn *conn, struct tg_scratch *scratch,
                    struct tg_publication *publication)
{
    if (lua_istable(L, OPTIONS) && lua_getfield(L, OPTIONS, "groups") != LUA_TNIL)
        publication->groups =
            tg_publish_groups(L, lua_gettop(L), "conn:broadcast", scratch, &publication->group_count);
    else
        publication->groups = own_groups(L, conn, scratch, &publication->group_count);
}

/* A broadcast that can reach nobody is most often a group that was forgotten. */
static void warn_of_no_groups(lua_State *L, struct tg_world *world, const struct tg_conn *conn,
                              struct tg_slice action)
{
    if (!tg_config_is_development(world->config)) return;
    tg_place_push(L);
    tg_log(TG_LOG_WARNING, "broadcast_without_groups", TG_LOG_CONN(conn), TG_LOG_STR("action", action),
           TG_LOG_S("source", lua_tostring(L, -1)));
}

int tg_conn_broadcast(lua_State *L)
{
    struct tg_world *world;
    struct tg_conn *conn = tg_conn_handle_check(L, &world);
    lua_settop(L, OPTIONS);
    static const char *const options[] = {"exclude_current", "groups", NULL};
    static const char method[] = "conn:broadcast";
    const struct tg_message_type *type = tg_publish_check_message(L, MESSAGE, method, "tide.broadcast_event");
    bool has_options = tg_publish_check_options(L, OPTIONS, method, options, "groups = \"name\"");
    bool excludes_sender = has_options && tg_publish_excludes_current(L, OPTIONS, method);
    if (!conn) return tg_push_result(L, TG_E_CLOSED);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_publication publication = {.to = TG_TO_GROUPS,
                                         .group_kind = TG_GROUP_NAMED,
                                         .sender = conn->id,
                                         .sender_user = conn->user_id,
                                         .exclude_sender = excludes_sender};
    tg_publish_write(world, L, MESSAGE, type, (struct tg_slice){0}, scratch, &publication);
    address(L, conn, scratch, &publication);
    if (publication.group_count == 0) warn_of_no_groups(L, world, conn, type->action);
    return tg_publish(world, L, &publication);
}
