/* The handle's one user value is a table with what can be read of it, made with the handle: so nothing has to
 * be looked up when the subscription has ended. */
#include "script/topic_handle.h"

#include "script/conn_handle.h"
#include "script/conn_request.h"
#include "script/place.h"
#include "script/publish.h"

#include <lauxlib.h>
#include <string.h>

struct handle {
    struct tg_world *world;
    uint64_t conn_id, number;
};

static const char handle_name[] = "tidegate.subscription";

static struct handle *check_handle(lua_State *L)
{
    struct handle *handle = lua_touserdata(L, 1);
    if (handle && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, -1, handle_name);
        bool is_handle = lua_toboolean(L, -1);
        lua_pop(L, 2);
        if (is_handle) return handle;
    }
    luaL_error(L, "the methods of a subscription are called with a colon: sub:send(message), sub:close()");
    return NULL;
}

/* The subscription, when its client gets what is sent now; NULL otherwise. While the authoriser runs it is
 * not yet one; while on_unsubscribe runs it still is. */
static struct tg_subscription *find(const struct handle *handle)
{
    struct tg_conn *conn =
        handle->world->worker ? tg_worker_find(handle->world->worker, handle->conn_id) : NULL;
    struct tg_subscription *subscription = conn ? tg_topic_find_number(conn, handle->number) : NULL;
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

/* The sender's copy is left out when the options at 3 say so; raises others. */
static bool excludes_current(lua_State *L)
{
    if (lua_isnil(L, 3)) return false;
    if (!lua_istable(L, 3))
        tg_place_error(L, "sub:broadcast: expected a table of options, got a %s", luaL_typename(L, 3));
    for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
        const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
        if (strcmp(name, "exclude_current") != 0)
            tg_place_error(L, "sub:broadcast: unknown option '%s' (options: exclude_current)",
                           luaL_tolstring(L, -2, NULL));
        if (!lua_isboolean(L, -1))
            tg_place_error(L, "sub:broadcast: exclude_current is true or false, got a %s",
                           luaL_typename(L, -1));
    }
    return tg_table_flag(L, 3, "exclude_current");
}

/* sub:broadcast(message [, { exclude_current = }]) -> how many got it | nil, why */
static int topic_broadcast(lua_State *L)
{
    const struct handle *handle = check_handle(L);
    lua_settop(L, 3);
    const struct tg_message_type *type = tg_conn_handle_check_message(L, 2, "sub:broadcast");
    tg_publish_check_role(L, type, "sub:broadcast");
    struct tg_publication publication = {.to = TG_TO_GROUPS, .group_kind = TG_GROUP_TOPIC};
    publication.exclude_sender = excludes_current(L);
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
    check_handle(L);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
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

void tg_topic_handle_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"broadcast", topic_broadcast},
        {"send", topic_send},
        {"close", topic_close},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__newindex", topic_newindex},
        {"__tostring", topic_tostring},
        {NULL, NULL},
    };
    tg_world_push_refs(world, L);
    luaL_newlibtable(L, metamethods);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, topic_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, handle_name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, handle_name);
    tg_world_push_self(world, L);
    lua_rawseti(L, -2, 1); /* a handle holds its world */
    lua_rawseti(L, -2, TG_REF_TOPIC_META);
    lua_pop(L, 1);
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
    tg_world_push_refs(world, L);
    if (subscription->script_ref) {
        lua_rawgeti(L, -1, subscription->script_ref);
        lua_replace(L, -2);
        return;
    }
    luaL_checkstack(L, 8, "too many values");
    struct handle *handle = lua_newuserdatauv(L, sizeof *handle, 1);
    *handle = (struct handle){world, subscription->conn->id, subscription->number};
    push_members(world, L, subscription);
    lua_setiuservalue(L, -2, 1);
    lua_rawgeti(L, -2, TG_REF_TOPIC_META);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    subscription->script_ref = luaL_ref(L, -3);
    lua_replace(L, -2);
}
