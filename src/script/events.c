/* A sender is told at once what became of its event: a connection of this worker is given it without a detour
 * through the layer, so that the answer can say why not. */
#include "script/events.h"

#include "core/event.h"
#include "core/worker.h"
#include "script/conn_handle.h"
#include "script/place.h"
#include "script/publish.h"

#include <lauxlib.h>

static const struct tg_slice no_topic;

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* The type of the event at `index`; raises what is none, and while modules load. */
static const struct tg_message_type *check_event(lua_State *L, int index, const char *what)
{
    const struct tg_message_type *type = tg_publish_check_event(L, index, what);
    tg_publish_check_served(L, world_of(L), what, "connected");
    return type;
}

/* What became of the event for one connection. */
static int push_answer(lua_State *L, enum tg_status status)
{
    if (status == TG_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    luaL_pushfail(L);
    lua_pushstring(L, status == TG_E_NOT_FOUND ? "not handled"
                      : status == TG_E_INVALID ? "invalid"
                      : status == TG_E_FULL    ? "full"
                      : status == TG_E_IO      ? tg_publish_unreachable
                                               : "no such connection");
    return 2;
}

static enum tg_status send_to(struct tg_worker *worker, const struct tg_publication *publication)
{
    struct tg_conn *conn = tg_worker_find(worker, publication->conn_id);
    uint64_t receivers = 0;
    if (!conn) {
        enum tg_status status = worker->layer->ops->publish(worker->layer, publication, &receivers);
        return status == TG_OK && receivers == 0 ? TG_E_CLOSED : status;
    }
    struct tg_event event;
    tg_event_init(&event, worker, publication);
    enum tg_status status = tg_event_give(&event, conn);
    tg_event_deinit(&event);
    return status;
}

/* send_event(conn or id, event) -> true | nil, "no such connection" | "not handled" | "invalid" | "full" */
static int send_event(lua_State *L)
{
    enum { TARGET = 1, EVENT };
    struct tg_world *world = world_of(L);
    lua_settop(L, EVENT);
    const struct tg_message_type *type = check_event(L, EVENT, "tide.send_event");
    struct tg_publication publication = {.kind = TG_PUBLISH_EVENT, .to = TG_TO_CONN};
    bool is_id = tg_conn_handle_read_id(L, TARGET, &publication.conn_id);
    if (!is_id && lua_type(L, TARGET) == LUA_TSTRING) return push_answer(L, TG_E_CLOSED);
    if (!is_id)
        return tg_place_error(L, "tide.send_event: expected a connection or the id of one, got %s",
                              tg_place_push_kind(L, TARGET));
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_publish_write(world, L, EVENT, type, no_topic, scratch, &publication);
    return push_answer(L, send_to(world->worker, &publication));
}

/* broadcast_event(groups, consumer's name, event) -> how many connections got it | nil, why; one of the first
 * two is nil */
static int broadcast_event(lua_State *L)
{
    enum { GROUPS = 1, CONSUMER, EVENT };
    struct tg_world *world = world_of(L);
    lua_settop(L, EVENT);
    const struct tg_message_type *type = check_event(L, EVENT, "tide.broadcast_event");
    struct tg_publication publication = {.kind = TG_PUBLISH_EVENT, .to = TG_TO_GROUPS};
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_publish_write(world, L, EVENT, type, no_topic, scratch, &publication);
    if (lua_isnil(L, CONSUMER)) {
        publication.groups =
            tg_publish_groups(L, GROUPS, "tide.broadcast_event", scratch, &publication.group_count);
    } else {
        publication.to = TG_TO_CONSUMER;
        publication.consumer.data = lua_tolstring(L, CONSUMER, &publication.consumer.length);
    }
    return tg_publish(world, L, &publication);
}

void tg_events_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"send_event", send_event},
        {"broadcast_event", broadcast_event},
        {NULL, NULL},
    };
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
}
