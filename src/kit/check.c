/* Frames against what a consumer declares to send: the messages of its handlers' `output` and of its `sends`.
 */
#include "kit/app.h"
#include "kit/methods.h"
#include "script/message_type.h"
#include "script/scratch.h"
#include "script/to_lua.h"
#include "wire/json.h"
#include "wire/validate.h"

#include <lauxlib.h>

/* What tidegate sends by itself. */
static const struct tg_slice standard[] = {
    TG_SLICE("error"),          TG_SLICE("authentication"), TG_SLICE("complete"),
    TG_SLICE("group_complete"), TG_SLICE("event_complete"), TG_SLICE("subscribed"),
    TG_SLICE("unsubscribed"),
};

/* The consumer whose name is at `index`; NULL: raise_unknown. */
static const struct tg_consumer *find_consumer(lua_State *L, const struct tg_kit_app *app, int index)
{
    return tg_generations_find_consumer(&app->worker, tg_slice_of(luaL_checkstring(L, index)));
}

static int raise_unknown(lua_State *L, int index)
{
    return luaL_error(L, "there is no consumer called '%s'", lua_tostring(L, index));
}

static const struct tg_output *find(const struct tg_outputs *outputs, struct tg_slice action)
{
    for (uint32_t i = 0; i < outputs->count; i++)
        if (tg_slice_equal(outputs->items[i].action, action)) return &outputs->items[i];
    return NULL;
}

/* `relayed` is made to be what is returned for an event that the consumer hands on. */
static const struct tg_output *find_output(const struct tg_consumer *consumer, struct tg_slice action,
                                           struct tg_output *relayed)
{
    const struct tg_output *output = find(&consumer->sends, action);
    for (uint32_t i = 0; !output && i < consumer->action_count; i++)
        output = find(&consumer->ordered_actions[i]->outputs, action);
    for (uint32_t i = 0; !output && i < consumer->event_count; i++) {
        const struct tg_action *event = consumer->ordered_events[i];
        output = find(&event->outputs, action);
        if (!output && event->is_relay && tg_slice_equal(event->name, action)) {
            *relayed = (struct tg_output){.action = event->name, .payload = event->payload};
            output = relayed;
        }
    }
    return output;
}

static bool is_standard(struct tg_slice action)
{
    for (size_t i = 0; i < sizeof standard / sizeof standard[0]; i++)
        if (tg_slice_equal(standard[i], action)) return true;
    return false;
}

struct judge {
    const struct tg_consumer *consumer;
    const struct tg_output *output;
    struct tg_output relayed;
    struct tg_validation validation;
    struct tg_slice action; /* the one that was asked for */
    bool is_known;
};

/* Whose declarations count for a frame: the consumer's, or those of the topic that it belongs to. NULL: the
 * consumer hosts no such topic. */
static const struct tg_consumer *find_stream(const struct tg_consumer *consumer, struct tg_slice topic)
{
    struct tg_params params;
    if (!topic.data) return consumer;
    const struct tg_topic *found = tg_consumer_find_topic(consumer, topic, &params);
    return found ? &found->stream : NULL;
}

static bool knows(void *context, const struct tg_envelope *envelope)
{
    struct judge *judge = context;
    const struct tg_consumer *stream = find_stream(judge->consumer, envelope->topic);
    judge->output = stream ? find_output(stream, envelope->action, &judge->relayed) : NULL;
    judge->is_known = judge->output || is_standard(envelope->action);
    return true;
}

static enum tg_status judge_payload(void *context, struct tg_envelope *envelope)
{
    struct judge *judge = context;
    const struct tg_path path = {.key = TG_SLICE("payload")};
    if (!judge->output) return TG_OK;
    return tg_validate_payload(judge->output->payload, &envelope->payload, &path, &judge->validation);
}

/* The issues as a list of tables. */
static int push_issues(lua_State *L, struct tg_world *world, struct tg_scratch *scratch)
{
    struct tg_value value;
    struct tg_buf *text = &scratch->text;
    tg_buf_append_char(text, ']');
    if (text->has_failed || tg_json_parse(tg_buf_peek(text), UINT16_MAX, &scratch->arena, &value, NULL))
        return luaL_error(L, "not enough memory");
    luaL_pushfail(L);
    tg_world_push_refs(world, L);
    tg_push_value(L, lua_gettop(L), 0, &value);
    lua_remove(L, -2);
    return 2;
}

static int push_undeclared(lua_State *L)
{
    luaL_pushfail(L);
    lua_pushliteral(L, "undeclared");
    return 2;
}

/* app:check(consumer, text) -> true | nil, issues | nil, "undeclared" */
int tg_kit_check(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    struct tg_world *world = &tg_kit_host(app)->world;
    struct judge judge = {.consumer = find_consumer(L, app, 2)};
    if (!judge.consumer) return raise_unknown(L, 2);
    struct tg_slice text;
    text.data = luaL_checklstring(L, 3, &text.length);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_value message;
    if (judge.consumer->is_text) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (tg_json_parse(text, UINT16_MAX, &scratch->arena, &message, NULL) != TG_OK) return push_undeclared(L);
    struct tg_issues issues;
    struct tg_envelope envelope;
    tg_buf_append_char(&scratch->text, '[');
    tg_issues_init(&issues, &scratch->text, app->config.max_errors);
    judge.validation = (struct tg_validation){.arena = &scratch->arena,
                                              .issues = &issues,
                                              .naming = judge.consumer->naming,
                                              .is_exact = true,
                                              .max_steps = app->config.max_check_steps};
    const struct tg_envelope_judge ops = {.context = &judge, .knows = knows, .payload = judge_payload};
    enum tg_status status = tg_envelope_read(&message, &envelope, &ops, &issues);
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (!judge.is_known) return push_undeclared(L);
    if (status != TG_OK) return push_issues(L, world, scratch);
    lua_pushboolean(L, 1);
    return 1;
}

/* app:is_text(consumer) -> whether frames of its clients are texts, not messages */
int tg_kit_is_text(lua_State *L)
{
    const struct tg_consumer *consumer = find_consumer(L, tg_kit_check_open_app(L, 1), 2);
    if (!consumer) return raise_unknown(L, 2);
    lua_pushboolean(L, consumer->is_text);
    return 1;
}

/* app:text(message, consumer) -> text as clients of the consumer write it | nil: it is no message */
int tg_kit_text(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    const struct tg_message_type *type = tg_message_type_of_instance(L, 2);
    const struct tg_ref none = {0};
    if (!type) return 0;
    struct tg_world *world = tg_message_world_of_instance(L, 2); /* the app's, or the spec's own */
    const struct tg_consumer *consumer = find_consumer(L, app, 3);
    if (!consumer) return raise_unknown(L, 3);
    enum tg_naming naming = consumer->naming;
    tg_message_check_naming(L, type, naming);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_message_push_payload(world, L, 2, type);
    tg_message_write(world, L, lua_gettop(L), type, naming, &none, &scratch->text);
    if (scratch->text.has_failed) return luaL_error(L, "not enough memory");
    lua_pushlstring(L, scratch->text.data, scratch->text.length);
    return 1;
}
