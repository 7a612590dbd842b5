#include "support/fake_registry.h"

#include "core/credential.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tg_consumer *declare(struct tg_registry *registry, const char *name, const char *path)
{
    struct tg_consumer *consumer = tg_arena_calloc(&registry->arena, 1, sizeof *consumer);
    consumer->name = tg_slice_of(name);
    assert_int_equal(tg_registry_add_consumer(registry, consumer), TG_OK);
    assert_int_equal(tg_registry_add_path(registry, consumer, tg_slice_of(path), NULL), TG_OK);
    return consumer;
}

static void handle(struct tg_registry *registry, struct tg_consumer *consumer, const char *name,
                   const struct tg_schema *payload)
{
    struct tg_action *action = tg_arena_calloc(&registry->arena, 1, sizeof *action);
    action->name = tg_slice_of(name);
    action->payload = payload;
    assert_int_equal(tg_registry_add_action(registry, consumer, action, NULL), TG_OK);
}

static void handle_event(struct tg_registry *registry, struct tg_consumer *consumer, const char *name,
                         const struct tg_schema *payload, bool is_relay)
{
    struct tg_action *event = tg_arena_calloc(&registry->arena, 1, sizeof *event);
    event->name = tg_slice_of(name);
    event->payload = payload;
    event->is_relay = is_relay;
    assert_int_equal(tg_registry_add_event(registry, consumer, event, NULL), TG_OK);
}

/* An object {user_name}. */
static struct tg_schema *new_user(struct tg_arena *arena)
{
    struct tg_schema *user = tg_schema_new(arena, TG_SCHEMA_OBJECT);
    user->object.fields = tg_arena_calloc(arena, 1, sizeof *user->object.fields);
    user->object.fields[0] = (struct tg_schema_field){
        .name = TG_SLICE("user_name"), .key_id = 6, .schema = tg_schema_new(arena, TG_SCHEMA_STRING)};
    user->object.count = 1;
    assert_int_equal(tg_schema_seal_object(arena, user, NULL), TG_OK);
    return user;
}

/* What a message may ask of validation beyond a fixed shape: names in camel case, the script's own checks. */
static void declare_camel(struct tg_registry *registry)
{
    struct tg_arena *arena = &registry->arena;
    struct tg_schema *rename = new_user(arena);
    struct tg_schema *checked = tg_schema_new(arena, TG_SCHEMA_STRING);
    checked->script_check = 9;
    struct tg_consumer *camel = declare(registry, "camel", "/camel");
    camel->naming = TG_NAMING_CAMEL;
    handle(registry, camel, "rename", rename);
    handle(registry, camel, "checked", checked);
    handle_event(registry, camel, "joined", rename, true);
    handle_event(registry, camel, "left", rename, false);
}

static void declare_events(struct tg_registry *registry, unsigned without)
{
    struct tg_arena *arena = &registry->arena;
    struct tg_consumer *events = declare(registry, "events", "/events");
    events->sends_completion = true;
    handle(registry, events, "ping", tg_schema_new(arena, TG_SCHEMA_NULL));
    if (!(without & FAKE_NOTIFY))
        handle_event(registry, events, "notify", tg_schema_new(arena, TG_SCHEMA_INTEGER), false);
    handle_event(registry, events, "joined", new_user(arena), true);
}

static struct tg_topic *declare_topic(struct tg_registry *registry, const char *pattern)
{
    struct tg_topic *topic = tg_arena_calloc(&registry->arena, 1, sizeof *topic);
    topic->stream.name = tg_slice_of(pattern);
    assert_int_equal(tg_registry_add_topic(registry, topic, NULL), TG_OK);
    return topic;
}

static void declare_topics(struct tg_registry *registry, unsigned without)
{
    const char *pattern = without & FAKE_ROOM ? "room:{id}" : "room:{name}";
    struct tg_topic *room = declare_topic(registry, pattern), *lobby = declare_topic(registry, "room:lobby");
    handle(registry, &room->stream, "say", tg_schema_new(&registry->arena, TG_SCHEMA_STRING));
    if (!(without & FAKE_NOTIFY))
        handle_event(registry, &room->stream, "notify", tg_schema_new(&registry->arena, TG_SCHEMA_INTEGER),
                     false);
    struct tg_consumer *hub = declare(registry, "hub", "/hub");
    hub->sends_completion = true;
    assert_int_equal(tg_registry_host_topic(registry, hub, room, NULL), TG_OK);
    assert_int_equal(tg_registry_host_topic(registry, hub, lobby, NULL), TG_OK);
    struct tg_consumer *alone =
        declare(registry, "alone", without & FAKE_ROOM ? "/alone/{id}" : "/alone/{name}");
    assert_int_equal(tg_registry_host_topic(registry, alone, room, NULL), TG_OK);
    alone->own_topic = room;
}

/* Whose clients renew what lets them in. */
static void declare_room(struct tg_registry *registry)
{
    struct tg_arena *arena = &registry->arena;
    struct tg_schema *credential = tg_schema_new(arena, TG_SCHEMA_OBJECT);
    credential->object.fields = tg_arena_calloc(arena, 1, sizeof *credential->object.fields);
    credential->object.fields[0] = (struct tg_schema_field){
        .name = TG_SLICE("token"), .key_id = 7, .schema = tg_schema_new(arena, TG_SCHEMA_STRING)};
    credential->object.count = 1;
    assert_int_equal(tg_schema_seal_object(arena, credential, NULL), TG_OK);
    struct tg_consumer *room = declare(registry, "room", "/room");
    struct tg_action *renewal = tg_arena_calloc(arena, 1, sizeof *renewal);
    *renewal =
        (struct tg_action){.name = TG_SLICE(TG_RENEWAL_ACTION), .payload = credential, .is_renewal = true};
    assert_int_equal(tg_registry_add_action(registry, room, renewal, NULL), TG_OK);
    handle(registry, room, "ping", tg_schema_new(arena, TG_SCHEMA_NULL));
}

void fake_registry_fill(struct tg_registry *registry, unsigned without)
{
    static const struct tg_value seven = {.type = TG_VALUE_INTEGER, .integer = 7};
    struct tg_arena *arena = &registry->arena;
    struct tg_schema *say = tg_schema_new(arena, TG_SCHEMA_OBJECT);
    say->object.fields = tg_arena_calloc(arena, 1, sizeof *say->object.fields);
    say->object.fields[0] = (struct tg_schema_field){
        .name = TG_SLICE("content"), .key_id = 5, .schema = tg_schema_new(arena, TG_SCHEMA_STRING)};
    say->object.count = 1;
    assert_int_equal(tg_schema_seal_object(arena, say, NULL), TG_OK);
    struct tg_schema *with_default = tg_schema_new(arena, TG_SCHEMA_INTEGER);
    with_default->default_value = &seven;
    struct tg_consumer *chat = declare(registry, without & FAKE_CHAT ? "talk" : "chat", "/chat");
    handle(registry, chat, "say", say);
    handle(registry, chat, "ping", tg_schema_new(arena, TG_SCHEMA_NULL));
    if (!(without & FAKE_SEVEN)) handle(registry, chat, "seven", with_default);
    declare_camel(registry);
    declare_topics(registry, without);
    declare_events(registry, without);
    declare_room(registry);
    declare(registry, "text", "/text")->is_text = !(without & FAKE_TEXT);
    declare(registry, "binary", "/binary")->takes_binary = true;
    declare(registry, "strict", "/strict")->has_strict_frames = true;
}
