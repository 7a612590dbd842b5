/* The handle's one user value is a table with what can be read of it, made with the handle: so nothing has to
 * be looked up when the subscription has ended. */
#include "script/topic_handle.h"

#include "script/conn_handle.h"
#include "script/conn_request.h"
#include "script/handle.h"
#include "script/place.h"
#include "script/publish.h"

#include <lauxlib.h>
#include <string.h>

struct handle {
    struct tg_world *world;
    uint64_t conn_id, number;
    bool has_moved; /* the connection has, and the state with it */
};

static const struct tg_handle_kind kind;

static struct handle *check_handle(lua_State *L)
{
    return tg_handle_check(L, &kind);
}

/* The subscription, when its client gets what is sent now; NULL otherwise. While the authoriser runs it is
 * not yet one; while on_unsubscribe runs it still is. */
static struct tg_subscription *find(const struct handle *handle)
{
    struct tg_conn *conn =
        handle->world->worker ? tg_worker_find(handle->world->worker, handle->conn_id) : NULL;
    struct tg_subscription *subscription = conn ? tg_subscription_find_number(conn, handle->number) : NULL;
    bool is_live = subscription && (subscription->state == TG_SUBSCRIBED || subscription->is_told);
    return is_live ? subscription : NULL;
}

/* sub:send(message) -> true | nil, "closed" | nil, "full" */
static int topic_send(lua_State *L)
{
    const struct handle *handle = check_handle(L);
    lua_settop(L, 2);
    const struct tg_message_type *type = tg_conn_handle_check_message(L, 2, "sub:send");
    struct tg_subscription *subscription = find(handle);
    if (!subscription) return tg_push_result(L, TG_E_CLOSED);
    const struct tg_ref ref = {.topic = subscription->name};
    return tg_push_result(L, tg_conn_handle_send(handle->world, L, subscription->conn, 2, type, &ref));
}

/* sub:broadcast(message [, { exclude_current = }]) -> how many got it | nil, why */
static int topic_broadcast(lua_State *L)
{
    const struct handle *handle = check_handle(L);
    lua_settop(L, 3);
    static const char *const options[] = {"exclude_current", NULL};
    static const char method[] = "sub:broadcast";
    const struct tg_message_type *type = tg_publish_check_message(L, 2, method, "Topic:broadcast_event");
    struct tg_publication publication = {.to = TG_TO_GROUPS, .group_kind = TG_GROUP_TOPIC};
    publication.exclude_sender = tg_publish_check_options(L, 3, method, options, "exclude_current = true") &&
                                 tg_publish_excludes_current(L, 3, method);
    lua_getiuservalue(L, 1, 1);
    struct tg_slice name;
    lua_getfield(L, -1, "topic");
    name.data = lua_tolstring(L, -1, &name.length);
    struct tg_scratch *scratch = tg_scratch_push(handle->world, L);
    tg_publish_write(handle->world, L, 2, type, name, scratch, &publication);
    const struct tg_subscription *subscription = find(handle); /* `serialise` may have ended it */
    if (!subscription) return tg_push_result(L, TG_E_CLOSED);
    publication.groups = &subscription->key;
    publication.group_count = 1;
    publication.sender = handle->conn_id;
    publication.sender_user = subscription->conn->user_id;
    return tg_publish(handle->world, L, &publication);
}

/* sub:close() -> true | nil, "closed" */
static int topic_close(lua_State *L)
{
    struct tg_subscription *subscription = find(check_handle(L));
    return tg_push_result(L, subscription ? tg_topic_close(subscription) : TG_E_CLOSED);
}

/* sub.KEY: a method, or what is known. Upvalue 1: the methods. */
static int topic_index(lua_State *L)
{
    const struct handle *handle = check_handle(L);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    if (handle->has_moved && lua_type(L, 2) == LUA_TSTRING && strcmp(lua_tostring(L, 2), "state") == 0)
        return tg_place_error(L,
                              "sub.state moved to a later generation with its connection: what begins there "
                              "has it");
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int topic_newindex(lua_State *L)
{
    check_handle(L);
    return luaL_error(L, "sub.%s cannot be set: what belongs to a subscription goes into sub.state",
                      luaL_tolstring(L, 2, NULL));
}

static int topic_tostring(lua_State *L)
{
    const struct handle *handle = check_handle(L);
    lua_getiuservalue(L, 1, 1);
    lua_getfield(L, -1, "topic");
    lua_pushfstring(L, "subscription to %s%s", lua_tostring(L, -1), find(handle) ? "" : " (closed)");
    return 1;
}

static const luaL_Reg methods[] = {
    {"broadcast", topic_broadcast},
    {"send", topic_send},
    {"close", topic_close},
    {NULL, NULL},
};

static const struct tg_handle_kind kind = {
    .name = "tidegate.subscription",
    .meta = TG_REF_TOPIC_META,
    .misuse = "the methods of a subscription are called with a colon: sub:send(message), sub:close()",
    .methods = methods,
    .index = topic_index,
    .newindex = topic_newindex,
    .tostring = topic_tostring,
};

void tg_topic_handle_install(struct tg_world *world, lua_State *L)
{
    tg_handle_install(world, L, &kind);
}

/* Pushes { topic =, params =, conn =, state = }. [-0, +1, e] */
static void push_members(struct tg_world *world, lua_State *L, const struct tg_subscription *subscription)
{
    struct tg_params params;
    lua_createtable(L, 0, 4);
    lua_pushlstring(L, subscription->name.data, subscription->name.length);
    lua_setfield(L, -2, "topic");
    tg_route_match(subscription->topic->route, subscription->name, &params);
    tg_push_params(L, params.items, params.count);
    lua_setfield(L, -2, "params");
    tg_conn_handle_push(world, L, subscription->conn);
    lua_setfield(L, -2, "conn");
    lua_newtable(L);
    lua_setfield(L, -2, "state");
}

void tg_topic_handle_push(struct tg_world *world, lua_State *L, struct tg_subscription *subscription)
{
    if (tg_handle_push_kept(world, L, subscription->script_ref)) return;
    luaL_checkstack(L, 8, "too many values");
    struct handle *handle = tg_handle_new(world, L, &kind, sizeof *handle);
    *handle =
        (struct handle){.world = world, .conn_id = subscription->conn->id, .number = subscription->number};
    push_members(world, L, subscription);
    lua_setiuservalue(L, -2, 1);
    subscription->script_ref = tg_handle_keep(world, L);
}

void tg_topic_handle_push_state(lua_State *L, int index)
{
    lua_getiuservalue(L, index, 1);
    lua_pushliteral(L, "state");
    lua_rawget(L, -2);
    lua_replace(L, -2);
}

void tg_topic_handle_set_state(lua_State *L, int index)
{
    lua_getiuservalue(L, index, 1);
    lua_insert(L, -2);
    lua_setfield(L, -2, "state");
    lua_pop(L, 1);
}

void tg_topic_handle_retire(lua_State *L, int index)
{
    struct handle *handle = lua_touserdata(L, index);
    handle->has_moved = true;
    lua_getiuservalue(L, index, 1);
    lua_pushliteral(L, "state");
    lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}
