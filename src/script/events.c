/* A sender is told at once what became of its event: a connection of this worker is given it without a detour
 * through the layer, so that the answer can say why not. */
#include "script/events.h"

#include "base/log.h"
#include "core/event.h"
#include "core/worker.h"
#include "script/conn_handle.h"
#include "script/payload.h"
#include "script/place.h"
#include "script/publish.h"
#include "script/to_lua.h"

#include <lauxlib.h>

/* ---- from Lua ---- */

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

/* ---- from outside ---- */

/* Seed 001 calls the action of an event its handler: both are read, and `action` wins. */
static void rename_handler(struct tg_value *event)
{
    if (event->type != TG_VALUE_OBJECT || tg_value_get(event, TG_SLICE("action"))) return;
    for (uint32_t i = 0; i < event->length; i++) {
        struct tg_member *member = &event->members[i];
        if (!tg_slice_equal(tg_member_key(member), TG_SLICE("handler"))) continue;
        member->key = "action";
        member->key_length = sizeof "action" - 1;
    }
}

/* Reading one event, and writing it as it travels. */
struct outside {
    struct tg_world *world;
    struct tg_publication *publication;
    struct tg_issues *issues;
    struct tg_arena *arena;
    const struct tg_action *declared;
    struct tg_envelope envelope;
    struct tg_buf texts; /* owned */
    size_t first_bytes;  /* of the first text in it */
};

/* The event as the first of those whom it may reach declares it: each receiver asks its own schema again. */
static const struct tg_action *find_declared(const struct outside *outside, struct tg_slice action)
{
    const struct tg_publication *publication = outside->publication;
    const struct tg_registry *registry = outside->world->registry;
    if (publication->to == TG_TO_CONN) {
        const struct tg_conn *conn = tg_worker_find(outside->world->worker, publication->conn_id);
        if (conn) return tg_consumer_find_event(conn->consumer, action);
    }
    for (uint32_t i = 0; i < registry->consumer_count; i++) {
        const struct tg_consumer *consumer = registry->consumers[i];
        if (publication->to == TG_TO_CONSUMER && !tg_slice_equal(consumer->name, publication->consumer))
            continue;
        const struct tg_action *declared = tg_consumer_find_event(consumer, action);
        if (declared) return declared;
    }
    return NULL;
}

static bool knows(void *context, const struct tg_envelope *envelope)
{
    struct outside *outside = context;
    outside->declared = find_declared(outside, envelope->action);
    return outside->declared != NULL;
}

static enum tg_status check_payload(void *context, struct tg_envelope *envelope)
{
    struct outside *outside = context;
    const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_validation validation = {.arena = outside->arena,
                                       .issues = outside->issues,
                                       .naming = TG_NAMING_DECLARED,
                                       .max_steps = outside->world->config->max_check_steps};
    enum tg_status status =
        tg_validate_payload(outside->declared->payload, &envelope->payload, &path, &validation);
    outside->world->worker->metrics.check_steps_hit += validation.has_hit_steps;
    envelope->calls = validation.calls;
    return status;
}

/* Appends the text with the names of `naming`; the payload is on top. */
static void write_text(struct outside *outside, lua_State *L, const struct tg_message_type *type,
                       enum tg_naming naming)
{
    tg_message_write_head(outside->world, L, -1, type, naming, &outside->texts);
    tg_buf_append_char(&outside->texts, '}');
}

/* (refs): makes defaults, runs checks, and writes what there is then. */
static int write_body(lua_State *L)
{
    struct outside *outside = tg_task_of(L)->context;
    struct tg_world *world = outside->world;
    const struct tg_message_type *type = outside->declared->script_type;
    lua_rawgeti(L, 1, TG_REF_KEYS);
    lua_createtable(L, 0, 1);
    if (outside->envelope.payload) {
        tg_push_value(L, 1, 2, outside->envelope.payload);
        lua_setfield(L, 3, "payload");
    }
    const struct tg_payload_work work = {
        .world = world, .arena = outside->arena, .issues = outside->issues, .holder = 3};
    if (outside->envelope.calls) tg_payload_work(&work, L, outside->envelope.calls);
    if (outside->issues->count) return 0;
    lua_getfield(L, 3, "payload");
    write_text(outside, L, type, TG_NAMING_DECLARED);
    outside->first_bytes = outside->texts.length;
    if (world->registry->has_camel && !type->clash.data) write_text(outside, L, type, TG_NAMING_CAMEL);
    return 0;
}

static void failed(void *context, const struct tg_failure *failure)
{
    const struct outside *outside = context;
    outside->world->worker->metrics.handler_errors++;
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, "event_failed"),
           TG_LOG_STR("action", outside->declared->name), TG_LOG_STR("error", failure->message),
           TG_LOG_STR("traceback", failure->traceback));
}

/* From the value to the texts of the publication. */
static enum tg_status read_outside(struct tg_task_pool *pool, struct outside *outside, struct tg_value *event)
{
    static const struct tg_task_kind kind = {.failed = failed};
    const struct tg_envelope_judge judge = {outside, knows, check_payload};
    rename_handler(event);
    enum tg_status status = tg_envelope_read(event, &outside->envelope, &judge, outside->issues);
    if (status != TG_OK) return status;
    if (tg_task_run(pool, NULL, &kind, write_body, outside) != TG_DONE) return TG_E_SCRIPT;
    if (outside->texts.has_failed || outside->issues->out->has_failed) return TG_E_NO_MEMORY;
    if (outside->issues->count) return TG_E_INVALID;
    struct tg_slice all = tg_buf_peek(&outside->texts);
    struct tg_publication *publication = outside->publication;
    publication->kind = TG_PUBLISH_EVENT;
    publication->action = outside->declared->name;
    publication->texts[TG_NAMING_DECLARED] = (struct tg_slice){all.data, outside->first_bytes};
    publication->texts[TG_NAMING_CAMEL] = (struct tg_slice){0};
    if (all.length > outside->first_bytes)
        publication->texts[TG_NAMING_CAMEL] =
            (struct tg_slice){all.data + outside->first_bytes, all.length - outside->first_bytes};
    return TG_OK;
}

enum tg_status tg_events_publish_outside(struct tg_task_pool *pool, struct tg_value *event,
                                         struct tg_arena *arena, struct tg_publication *publication,
                                         struct tg_issues *issues, uint64_t *receivers)
{
    struct tg_layer *layer = pool->world->worker->layer;
    struct outside outside = {
        .world = pool->world, .publication = publication, .issues = issues, .arena = arena};
    tg_buf_init(&outside.texts);
    enum tg_status status = read_outside(pool, &outside, event);
    if (status == TG_OK) status = layer->ops->publish(layer, publication, receivers);
    tg_issues_finish(issues);
    tg_buf_deinit(&outside.texts);
    return status;
}
