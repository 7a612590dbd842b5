/* lua/tidegate/consumer.lua has checked the types of what is read here; the registry checks what only all
 * declarations together can show: an action or a path that stands twice. */
#include "script/declare.h"

#include "script/fingerprint.h"
#include "script/message_type.h"

#include <lauxlib.h>
#include <math.h>

static void *arena_calloc(struct tg_world *world, lua_State *L, size_t count, size_t bytes)
{
    return tg_world_check_memory(L, tg_arena_calloc(&world->registry->arena, count ? count : 1, bytes));
}

static struct tg_slice copy_text(struct tg_world *world, lua_State *L, int index)
{
    struct tg_slice text;
    text.data = luaL_checklstring(L, index, &text.length);
    text = tg_world_copy(world, L, text);
    return text;
}

/* An optional text field; empty when it is nil. */
static struct tg_slice get_text(struct tg_world *world, lua_State *L, int index, const char *name)
{
    struct tg_slice text = TG_SLICE("");
    if (lua_getfield(L, index, name) != LUA_TNIL) text = copy_text(world, L, -1);
    lua_pop(L, 1);
    return text;
}

/* Pushes the list under `name` and returns its length; nil counts as empty. [-0, +1, e] */
static uint32_t push_list(lua_State *L, int index, const char *name)
{
    return lua_getfield(L, index, name) == LUA_TTABLE ? (uint32_t)lua_rawlen(L, -1) : 0;
}

static struct tg_texts get_texts(struct tg_world *world, lua_State *L, int index, const char *name)
{
    uint32_t count = push_list(L, index, name);
    struct tg_slice *items = arena_calloc(world, L, count, sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        items[i] = copy_text(world, L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return (struct tg_texts){items, count};
}

/* Raises when a type has no names in camel case and the consumer needs them. */
static void check_names(lua_State *L, const struct tg_consumer *consumer, const struct tg_message_type *type)
{
    if (consumer->naming == TG_NAMING_CAMEL && type->clash.data)
        luaL_error(L,
                   "%s: the message '%s' has no names in camel case, which consumer '%s' (%s) asks for: %s",
                   type->source.data, type->action.data, consumer->name.data, consumer->source.data,
                   type->clash.data);
}

static struct tg_outputs get_types(struct tg_world *world, lua_State *L, int index, const char *name,
                                   const struct tg_consumer *consumer)
{
    uint32_t count = push_list(L, index, name);
    struct tg_output *items = arena_calloc(world, L, count, sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        const struct tg_message_type *type = tg_message_type_of_table(L, lua_gettop(L));
        check_names(L, consumer, type);
        items[i] = (struct tg_output){type->action, type->payload, type->role == TG_ROLE_GROUP_MESSAGE, type};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return (struct tg_outputs){items, count};
}

/* Keeps the value under `name`; 0 when it is nil. */
static int keep_field(struct tg_world *world, lua_State *L, int index, const char *name)
{
    if (lua_getfield(L, index, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return 0;
    }
    return tg_world_keep(world, L);
}

static void check(lua_State *L, enum tg_status status, const struct tg_error *error)
{
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status != TG_OK) luaL_error(L, "%s", error->text);
}

/* The seconds under `name` in milliseconds; nil counts as 0. */
static uint64_t get_ms(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    uint64_t milliseconds = (uint64_t)ceil(luaL_optnumber(L, -1, 0) * 1000);
    lua_pop(L, 1);
    return milliseconds;
}

/* The action table on top, as an action of a client's or an event. */
static struct tg_action *read_action(struct tg_world *world, lua_State *L, const struct tg_consumer *consumer)
{
    int index = lua_gettop(L);
    struct tg_action *action = arena_calloc(world, L, 1, sizeof *action);
    lua_getfield(L, index, "type");
    const struct tg_message_type *type = tg_message_type_of_table(L, lua_gettop(L));
    lua_pop(L, 1);
    action->is_relay = tg_table_flag(L, index, "is_relay");
    if (type->role != TG_ROLE_EVENT || action->is_relay) check_names(L, consumer, type);
    action->script_type = type;
    action->name = type->action;
    lua_pushlstring(L, type->action.data, type->action.length);
    action->script_name_key = tg_world_key_id(world, L);
    action->payload = type->payload;
    action->summary = get_text(world, L, index, "summary");
    action->description = get_text(world, L, index, "description");
    action->tags = get_texts(world, L, index, "tags");
    action->outputs = get_types(world, L, index, "outputs", consumer);
    action->source = get_text(world, L, index, "source");
    lua_getfield(L, index, "concurrency");
    action->concurrency = (uint32_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    action->timeout_ms = get_ms(L, index, "timeout");
    action->is_renewal = tg_table_flag(L, index, "is_renewal");
    return action;
}

/* What is listed under `name`; `add` is tg_registry_add_action or its like for events. */
static void declare_actions(struct tg_world *world, lua_State *L, int index, const char *name,
                            struct tg_consumer *consumer,
                            enum tg_status (*add)(struct tg_registry *, struct tg_consumer *,
                                                  struct tg_action *, struct tg_error *))
{
    struct tg_error error;
    uint32_t count = push_list(L, index, name);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        struct tg_action *action = read_action(world, L, consumer);
        check(L, add(world->registry, consumer, action, &error), &error);
        action->script_ref = keep_field(world, L, lua_gettop(L), "handler"); /* now it will be forgotten */
        action->script_allow = keep_field(world, L, lua_gettop(L), "allow");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

static void declare_paths(struct tg_world *world, lua_State *L, int index, struct tg_consumer *consumer)
{
    uint32_t count = push_list(L, index, "paths");
    for (uint32_t i = 0; i < count; i++) {
        struct tg_slice path;
        struct tg_error error;
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        path.data = luaL_checklstring(L, -1, &path.length);
        enum tg_status status = tg_registry_add_path(world->registry, consumer, path, &error);
        if (status == TG_E_INVALID) luaL_error(L, "%s: %s", consumer->source.data, error.text);
        check(L, status, &error);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Names, and functions that return some. */
static void declare_groups(struct tg_world *world, lua_State *L, int index, struct tg_hooks *hooks)
{
    hooks->group_count = push_list(L, index, "groups");
    hooks->groups = arena_calloc(world, L, hooks->group_count, sizeof *hooks->groups);
    for (uint32_t i = 0; i < hooks->group_count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        if (lua_isfunction(L, -1)) {
            hooks->groups[i].function = tg_world_keep(world, L);
        } else {
            hooks->groups[i].name = copy_text(world, L, -1);
            lua_pop(L, 1);
        }
    }
    lua_pop(L, 1);
}

static uint64_t print_field(lua_State *L, int index, const char *name)
{
    lua_getfield(L, index, name);
    uint64_t print = tg_fingerprint(L, -1);
    lua_pop(L, 1);
    return print;
}

static void declare_hooks(struct tg_world *world, lua_State *L, int index, struct tg_hooks *hooks)
{
    hooks->object = keep_field(world, L, index, "object");
    hooks->connected = keep_field(world, L, index, "connected");
    hooks->disconnected = keep_field(world, L, index, "disconnected");
    hooks->receive = keep_field(world, L, index, "receive");
    hooks->binary = keep_field(world, L, index, "binary");
    hooks->before = keep_field(world, L, index, "before");
    hooks->admit = keep_field(world, L, index, "admit");
    hooks->authenticate = keep_field(world, L, index, "authenticate");
    hooks->migrate = keep_field(world, L, index, "migrate");
    hooks->reloaded = keep_field(world, L, index, "reloaded");
    hooks->load_object = keep_field(world, L, index, "load_object");
    hooks->permissions = keep_field(world, L, index, "permissions");
    hooks->authentication_timeout_ms = get_ms(L, index, "authentication_timeout");
    hooks->grace_ms = get_ms(L, index, "grace");
    hooks->ask_every_ms = get_ms(L, index, "reauthenticate_seconds");
    hooks->sends_authentication = tg_table_flag(L, index, "send_authentication");
    declare_groups(world, L, index, hooks);
}

/* The origins lie in the arena as texts, and what was read of them points there. */
static void declare_origins(struct tg_world *world, lua_State *L, int index, struct tg_consumer *consumer)
{
    struct tg_texts texts = get_texts(world, L, index, "origins");
    struct tg_origin *origins = arena_calloc(world, L, texts.count, sizeof *origins);
    for (uint32_t i = 0; i < texts.count; i++) {
        const char *fault = tg_origin_read_pattern(texts.items[i], &origins[i]);
        if (fault)
            luaL_error(L, "%s: the origin \"%s\" %s", consumer->source.data, texts.items[i].data, fault);
    }
    consumer->entrance.origins = origins;
    consumer->entrance.origin_count = texts.count;
}

static void declare_entrance(struct tg_world *world, lua_State *L, int index, struct tg_consumer *consumer)
{
    const struct tg_hooks *hooks = consumer->script_data;
    struct tg_entrance *entrance = &consumer->entrance;
    struct tg_texts subprotocols = get_texts(world, L, index, "subprotocols");
    declare_origins(world, L, index, consumer);
    entrance->requires_origin = tg_table_flag(L, index, "require_origin");
    entrance->subprotocols = subprotocols.items;
    entrance->subprotocol_count = subprotocols.count;
    entrance->credentials = get_texts(world, L, index, "credentials");
    entrance->has_admit = hooks->admit != 0;
    entrance->authenticates = hooks->admit || hooks->authenticate;
    consumer->prints[TG_PRINT_ADMIT] = print_field(L, index, "admit");
    consumer->prints[TG_PRINT_ORIGINS] = print_field(L, index, "origins");
    consumer->prints[TG_PRINT_AUTHENTICATE] = print_field(L, index, "authenticate");
    consumer->prints[TG_PRINT_PERMISSIONS] = print_field(L, index, "permissions");
    consumer->prints[TG_PRINT_GROUPS] = print_field(L, index, "groups");
}

/* ---- topics ---- */

const char tg_declare_topic_key = 0;

/* Compiles the topic on top, once however many consumers host it. */
static struct tg_topic *declare_topic(struct tg_world *world, lua_State *L)
{
    int index = lua_gettop(L);
    lua_rawgetp(L, index, &tg_declare_topic_key);
    struct tg_topic *topic = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (topic) return topic;
    topic = arena_calloc(world, L, 1, sizeof *topic);
    struct tg_topic_hooks *hooks = arena_calloc(world, L, 1, sizeof *hooks);
    struct tg_consumer *stream = &topic->stream;
    stream->name = get_text(world, L, index, "name");
    stream->description = get_text(world, L, index, "description");
    stream->tags = get_texts(world, L, index, "tags");
    stream->source = get_text(world, L, index, "source");
    stream->sends = get_types(world, L, index, "sends", stream);
    stream->script_data = hooks;
    struct tg_error error;
    enum tg_status status = tg_registry_add_topic(world->registry, topic, &error);
    if (status == TG_E_INVALID) luaL_error(L, "%s: %s", stream->source.data, error.text);
    check(L, status, &error);
    lua_pushvalue(L, index);
    hooks->object = tg_world_keep(world, L);
    hooks->authorise = keep_field(world, L, index, "authorise");
    stream->prints[TG_PRINT_AUTHORISE] = print_field(L, index, "authorise");
    hooks->on_subscribe = keep_field(world, L, index, "on_subscribe");
    hooks->on_unsubscribe = keep_field(world, L, index, "on_unsubscribe");
    declare_actions(world, L, index, "actions", stream, tg_registry_add_action);
    declare_actions(world, L, index, "events", stream, tg_registry_add_event);
    lua_pushlightuserdata(L, topic);
    lua_rawsetp(L, index, &tg_declare_topic_key);
    return topic;
}

static void check_listed_names(lua_State *L, int index, const char *name, const struct tg_consumer *consumer)
{
    uint32_t count = push_list(L, index, name);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        check_names(L, consumer, tg_message_type_of_table(L, lua_gettop(L)));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Of "actions" or "events", what goes to a client or comes from one. */
static void check_action_names(lua_State *L, int index, const char *name, const struct tg_consumer *consumer)
{
    uint32_t count = push_list(L, index, name);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        int action = lua_gettop(L);
        check_listed_names(L, action, "outputs", consumer);
        lua_getfield(L, action, "type");
        const struct tg_message_type *type = tg_message_type_of_table(L, lua_gettop(L));
        if (type->role != TG_ROLE_EVENT || tg_table_flag(L, action, "is_relay"))
            check_names(L, consumer, type);
        lua_pop(L, 2);
    }
    lua_pop(L, 1);
}

/* Raises when a type of the topic on top has no names in camel case and the consumer needs them. */
static void check_topic_names(lua_State *L, const struct tg_consumer *consumer)
{
    int index = lua_gettop(L);
    check_listed_names(L, index, "sends", consumer);
    check_action_names(L, index, "actions", consumer);
    check_action_names(L, index, "events", consumer);
}

static void declare_topics(struct tg_world *world, lua_State *L, int index, struct tg_consumer *consumer)
{
    struct tg_error error;
    uint32_t count = push_list(L, index, "topics");
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        struct tg_topic *topic = declare_topic(world, L);
        if (consumer->naming == TG_NAMING_CAMEL) check_topic_names(L, consumer);
        check(L, tg_registry_host_topic(world->registry, consumer, topic, &error), &error);
        if (tg_table_flag(L, index, "is_topic")) consumer->own_topic = topic;
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

void tg_declare_consumer(struct tg_world *world, lua_State *L, int index)
{
    index = lua_absindex(L, index);
    struct tg_consumer *consumer = arena_calloc(world, L, 1, sizeof *consumer);
    struct tg_hooks *hooks = arena_calloc(world, L, 1, sizeof *hooks);
    consumer->name = get_text(world, L, index, "name");
    consumer->description = get_text(world, L, index, "description");
    consumer->tags = get_texts(world, L, index, "tags");
    consumer->source = get_text(world, L, index, "source");
    consumer->is_text = tg_table_flag(L, index, "is_text");
    consumer->has_strict_frames = tg_table_flag(L, index, "strict_frames");
    consumer->headers = get_texts(world, L, index, "headers");
    consumer->sends_completion = tg_table_flag(L, index, "send_completion");
    consumer->naming = tg_table_flag(L, index, "camelize") ? TG_NAMING_CAMEL : TG_NAMING_DECLARED;
    consumer->sends = get_types(world, L, index, "sends", consumer);
    consumer->script_data = hooks;
    check(L, tg_registry_add_consumer(world->registry, consumer), NULL);
    declare_hooks(world, L, index, hooks);
    consumer->takes_binary = hooks->binary != 0;
    declare_entrance(world, L, index, consumer);
    declare_actions(world, L, index, "actions", consumer, tg_registry_add_action);
    declare_actions(world, L, index, "events", consumer, tg_registry_add_event);
    declare_topics(world, L, index, consumer);
    declare_paths(world, L, index, consumer);
}
