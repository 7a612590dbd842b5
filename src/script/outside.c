/* What comes has the payload as it travels: `serialise` of its type does not run. The texts are written one
 * behind the other, and slices into them are taken when both are there.
 */
#include "script/outside.h"

#include "base/log.h"
#include "core/worker.h"
#include "script/message_type.h"
#include "script/payload.h"
#include "script/to_lua.h"

/* Reading one, and writing it as it travels. */
struct outside {
    struct tg_world *world;
    struct tg_publication *publication;
    struct tg_issues *issues;
    struct tg_arena *arena;
    const struct tg_message_type *type; /* as it is declared */
    struct tg_envelope envelope;
    struct tg_buf texts; /* owned */
    size_t first_bytes;  /* of the first text in it */
};

/* ---- what is declared ---- */

/* The event as the first of those whom it may reach declares it: each receiver asks its own schema again. */
static const struct tg_message_type *find_event(const struct outside *outside, struct tg_slice action)
{
    const struct tg_publication *publication = outside->publication;
    const struct tg_registry *registry = outside->world->registry;
    if (publication->to == TG_TO_CONN) {
        const struct tg_conn *conn = tg_worker_find(outside->world->worker, publication->conn_id);
        const struct tg_action *declared = conn ? tg_consumer_find_event(conn->consumer, action) : NULL;
        if (conn) return declared ? declared->script_type : NULL;
    }
    for (uint32_t i = 0; i < registry->consumer_count; i++) {
        const struct tg_consumer *consumer = registry->consumers[i];
        if (publication->to == TG_TO_CONSUMER && !tg_slice_equal(consumer->name, publication->consumer))
            continue;
        const struct tg_action *declared = tg_consumer_find_event(consumer, action);
        if (declared) return declared->script_type;
    }
    return NULL;
}

static const struct tg_message_type *find_output(const struct tg_outputs *outputs, struct tg_slice action)
{
    for (uint32_t i = 0; i < outputs->count; i++) {
        const struct tg_message_type *type = outputs->items[i].script_type;
        if (type->role != TG_ROLE_EVENT && tg_slice_equal(type->action, action)) return type;
    }
    return NULL;
}

/* The message as the first of the consumers declares it that may send it. */
static const struct tg_message_type *find_message(const struct outside *outside, struct tg_slice action)
{
    const struct tg_registry *registry = outside->world->registry;
    const struct tg_message_type *type = NULL;
    for (uint32_t i = 0; !type && i < registry->consumer_count; i++) {
        const struct tg_consumer *consumer = registry->consumers[i];
        type = find_output(&consumer->sends, action);
        for (uint32_t j = 0; !type && j < consumer->action_count; j++)
            type = find_output(&consumer->ordered_actions[j]->outputs, action);
        for (uint32_t j = 0; !type && j < consumer->event_count; j++)
            type = find_output(&consumer->ordered_events[j]->outputs, action);
    }
    return type;
}

/* ---- reading ---- */

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

static bool knows(void *context, const struct tg_envelope *envelope)
{
    struct outside *outside = context;
    outside->type = outside->publication->kind == TG_PUBLISH_EVENT ? find_event(outside, envelope->action)
                                                                   : find_message(outside, envelope->action);
    return outside->type != NULL;
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
        tg_validate_payload(outside->type->payload, &envelope->payload, &path, &validation);
    outside->world->worker->metrics.check_steps_hit += validation.has_hit_steps;
    envelope->calls = validation.calls;
    return status;
}

/* ---- writing ---- */

/* Appends the text with the names of `naming`; the payload is on top. Who gets a group message is told whose
 * it is, behind the text. */
static void write_text(struct outside *outside, lua_State *L, enum tg_naming naming)
{
    tg_message_write_head(outside->world, L, -1, outside->type, naming, &outside->texts);
    if (outside->type->role != TG_ROLE_GROUP_MESSAGE) tg_buf_append_char(&outside->texts, '}');
}

/* (refs): makes defaults, runs checks, and writes what there is then. */
static int write_body(lua_State *L)
{
    struct outside *outside = tg_task_of(L)->context;
    struct tg_world *world = outside->world;
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
    write_text(outside, L, TG_NAMING_DECLARED);
    outside->first_bytes = outside->texts.length;
    if (tg_generations_have_camel(world->worker) && !outside->type->clash.data) write_text(outside, L, TG_NAMING_CAMEL);
    return 0;
}

static void failed(void *context, const struct tg_failure *failure)
{
    const struct outside *outside = context;
    bool is_event = outside->publication->kind == TG_PUBLISH_EVENT;
    outside->world->worker->metrics.handler_errors++;
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, is_event ? "event_failed" : "broadcast_failed"),
           TG_LOG_STR("action", outside->type->action), TG_LOG_STR("error", failure->message),
           TG_LOG_STR("traceback", failure->traceback));
}

static void set_texts(const struct outside *outside)
{
    struct tg_slice all = tg_buf_peek(&outside->texts);
    struct tg_publication *publication = outside->publication;
    publication->action = outside->type->action;
    publication->tells_whose = outside->type->role == TG_ROLE_GROUP_MESSAGE;
    publication->texts[TG_NAMING_DECLARED] = (struct tg_slice){all.data, outside->first_bytes};
    publication->texts[TG_NAMING_CAMEL] = (struct tg_slice){0};
    if (all.length > outside->first_bytes)
        publication->texts[TG_NAMING_CAMEL] =
            (struct tg_slice){all.data + outside->first_bytes, all.length - outside->first_bytes};
}

/* From the value to the texts of the publication. */
static enum tg_status read_outside(struct tg_task_pool *pool, struct outside *outside, struct tg_value *value)
{
    static const struct tg_task_kind kind = {.failed = failed};
    const struct tg_envelope_judge judge = {outside, knows, check_payload};
    if (outside->publication->kind == TG_PUBLISH_EVENT) rename_handler(value);
    enum tg_status status = tg_envelope_read(value, &outside->envelope, &judge, outside->issues);
    if (status != TG_OK) return status;
    if (tg_task_run(pool, NULL, &kind, write_body, outside) != TG_DONE) return TG_E_SCRIPT;
    if (outside->texts.has_failed || outside->issues->out->has_failed) return TG_E_NO_MEMORY;
    if (outside->issues->count) return TG_E_INVALID;
    set_texts(outside);
    return TG_OK;
}

enum tg_status tg_outside_publish(struct tg_task_pool *pool, struct tg_value *value, struct tg_arena *arena,
                                  struct tg_publication *publication, struct tg_issues *issues,
                                  uint64_t *receivers)
{
    struct tg_layer *layer = pool->world->worker->layer;
    struct outside outside = {
        .world = pool->world, .publication = publication, .issues = issues, .arena = arena};
    tg_buf_init(&outside.texts);
    enum tg_status status = read_outside(pool, &outside, value);
    if (status == TG_OK) status = layer->ops->publish(layer, publication, receivers);
    tg_issues_finish(issues);
    tg_buf_deinit(&outside.texts);
    return status;
}
