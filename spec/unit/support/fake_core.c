#include "support/fake_core.h"

#include "core/credential.h"
#include "core/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- loop ---- */

static struct fake_core *of_loop(struct tg_loop *loop)
{
    return TG_CONTAINER(loop, struct fake_core, loop);
}

static void set_alarm(struct tg_loop *loop, uint64_t deadline_ms)
{
    of_loop(loop)->alarm_ms = deadline_ms;
}

static void request_turn(struct tg_loop *loop)
{
    of_loop(loop)->turns_requested++;
}

static void stop(struct tg_loop *loop)
{
    of_loop(loop)->stops++;
}

static const struct tg_loop_ops loop_ops = {set_alarm, request_turn, stop};

/* ---- transport ---- */

static struct fake_client *of(struct tg_transport *transport)
{
    return (struct fake_client *)transport;
}

static const struct fake_client *of_const(const struct tg_transport *transport)
{
    return (const struct fake_client *)transport;
}

static bool write_frames(struct tg_transport *transport, unsigned char *frames, size_t bytes)
{
    struct fake_client *client = of(transport);
    if (client->is_write_failing) return false;
    assert_true(client->sent_bytes + bytes <= FAKE_SENT_BYTES);
    memcpy(client->sent + client->sent_bytes, frames, bytes);
    client->sent_bytes += bytes;
    client->room -= bytes < client->room ? bytes : client->room;
    client->writes++;
    memset(frames - TG_TRANSPORT_HEADROOM, 0xEE, TG_TRANSPORT_HEADROOM);
    return true;
}

static bool is_choked(const struct tg_transport *transport)
{
    return of_const(transport)->room == 0;
}

static void ask_writable(struct tg_transport *transport)
{
    of(transport)->writable_asked++;
}

static void set_reading(struct tg_transport *transport, bool is_on)
{
    struct fake_client *client = of(transport);
    assert_true(client->is_reading != is_on);
    client->is_reading = is_on;
    client->reading_changes++;
}

static uint64_t acknowledged_bytes(const struct tg_transport *transport)
{
    return of_const(transport)->acknowledged_bytes;
}

static bool has_peer_left(const struct tg_transport *transport)
{
    return of_const(transport)->has_peer_left;
}

static void drop(struct tg_transport *transport)
{
    of(transport)->drops++;
    fake_client_vanish(of(transport));
}

static const struct tg_transport_ops transport_ops = {
    write_frames, is_choked, ask_writable, set_reading, acknowledged_bytes, has_peer_left, drop,
};

/* ---- script ---- */

static struct fake_core *of_script(struct tg_script *script)
{
    return TG_CONTAINER(script, struct fake_core, script);
}

static void __attribute__((format(printf, 3, 4)))
note(struct fake_core *core, const struct tg_conn *conn, const char *format, ...)
{
    if (core->is_journal_closed) return;
    char *end = core->journal + core->journal_bytes;
    size_t room = FAKE_JOURNAL_BYTES - core->journal_bytes;
    int length = snprintf(end, room, "%d ", conn->script_ref);
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(end + length, room - (size_t)length, format, arguments);
    va_end(arguments);
    length += snprintf(end + length, room - (size_t)length, "\n");
    assert_true((size_t)length < room);
    core->journal_bytes += (size_t)length;
}

/* What the call answers: it waits when its hook said so. */
static enum tg_outcome fake_outcome(struct fake_core *core)
{
    bool is_waiting = core->is_next_waiting;
    core->is_next_waiting = false;
    return is_waiting ? TG_WAITING : TG_DONE;
}

static bool admit(struct tg_script *script, const struct tg_consumer *consumer,
                  const struct tg_request *request, struct tg_refusal *refusal)
{
    (void)consumer;
    return of_script(script)->on_admit(of_script(script), request, refusal);
}

/* Says nothing when nobody is interested, which is nearly always. */
static enum tg_outcome authenticate(struct tg_script *script, struct tg_conn *conn)
{
    struct fake_core *core = of_script(script);
    conn->script_ref = ++core->connections;
    if (!core->on_authenticate) return TG_DONE;
    note(core, conn, "authenticate");
    core->on_authenticate(core, conn);
    return core->is_authenticate_raising ? TG_FAILED : fake_outcome(core);
}

static void said(struct tg_script *script, struct tg_conn *conn)
{
    struct fake_core *core = of_script(script);
    if (core->on_said) core->on_said(core, conn);
}

static enum tg_outcome renew(struct tg_script *script, struct tg_conn *conn,
                             const struct tg_envelope *envelope)
{
    struct fake_core *core = of_script(script);
    note(core, conn, "renew%s", envelope ? " with a token" : "");
    if (core->on_renew) core->on_renew(core, conn);
    return core->is_renew_raising ? TG_FAILED : fake_outcome(core);
}

static enum tg_outcome groups(struct tg_script *script, struct tg_conn *conn)
{
    struct fake_core *core = of_script(script);
    if (!core->on_groups) return TG_DONE;
    note(core, conn, "groups");
    core->on_groups(core, conn);
    return core->is_groups_raising ? TG_FAILED : fake_outcome(core);
}

static enum tg_outcome connected(struct tg_script *script, struct tg_conn *conn)
{
    struct fake_core *core = of_script(script);
    note(core, conn, "connected");
    if (core->on_connected) core->on_connected(core, conn);
    return core->is_connected_raising ? TG_FAILED : fake_outcome(core);
}

static enum tg_outcome message(struct tg_script *script, struct tg_conn *conn, const struct tg_action *action,
                               const struct tg_envelope *envelope)
{
    struct fake_core *core = of_script(script);
    note(core, conn, "%s %.*s", action->is_event ? "event" : "message", TG_SLICE_ARG(action->name));
    if (core->on_message) core->on_message(core, conn, envelope);
    return fake_outcome(core);
}

static enum tg_outcome frame(struct tg_script *script, struct tg_conn *conn, struct tg_slice data,
                             bool is_binary)
{
    note(of_script(script), conn, "%s %.*s", is_binary ? "binary" : "text", TG_SLICE_ARG(data));
    return fake_outcome(of_script(script));
}

static enum tg_outcome disconnected(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                                    struct tg_slice reason)
{
    struct fake_core *core = of_script(script);
    note(core, conn, "disconnected %u %.*s", code, TG_SLICE_ARG(reason));
    if (core->on_disconnected) core->on_disconnected(core, conn);
    return fake_outcome(core);
}

static void cancel(struct tg_script *script, struct tg_conn *conn)
{
    (void)script;
    (void)conn;
}

static void forget(struct tg_script *script, struct tg_conn *conn)
{
    note(of_script(script), conn, "forget");
    assert_null(conn->transport);
    conn->script_ref = 0;
}

static void turn(struct tg_script *script)
{
    (void)script;
}

static bool has_more(struct tg_script *script)
{
    (void)script;
    return false;
}

static enum tg_status publish_event(struct tg_script *script, struct tg_value *event, struct tg_arena *arena,
                                    struct tg_publication *publication, struct tg_issues *issues,
                                    uint64_t *receivers)
{
    (void)script;
    (void)event;
    (void)arena;
    (void)publication;
    (void)issues;
    (void)receivers;
    return TG_OK;
}

static enum tg_status publish_message(struct tg_script *script, struct tg_value *message,
                                      struct tg_arena *arena, struct tg_publication *publication,
                                      struct tg_issues *issues, uint64_t *receivers)
{
    return publish_event(script, message, arena, publication, issues, receivers);
}

static enum tg_outcome stop_script(struct tg_script *script, const char *reason)
{
    (void)script;
    (void)reason;
    return TG_DONE;
}

static enum tg_outcome subscribe(struct tg_script *script, struct tg_subscription *subscription)
{
    struct fake_core *core = of_script(script);
    subscription->script_ref = 1;
    note(core, subscription->conn, "subscribe %.*s", TG_SLICE_ARG(subscription->name));
    if (core->on_subscribe)
        core->on_subscribe(core, subscription);
    else if (!core->is_next_waiting)
        tg_topic_admit(subscription);
    return fake_outcome(core);
}

static enum tg_outcome unsubscribe(struct tg_script *script, struct tg_subscription *subscription,
                                   const char *reason)
{
    struct fake_core *core = of_script(script);
    note(core, subscription->conn, "unsubscribe %.*s %s", TG_SLICE_ARG(subscription->name), reason);
    return fake_outcome(core);
}

static void forget_subscription(struct tg_script *script, struct tg_subscription *subscription)
{
    note(of_script(script), subscription->conn, "forget %.*s", TG_SLICE_ARG(subscription->name));
    subscription->script_ref = 0;
}

static const struct tg_script_ops script_ops = {
    .admit = admit,
    .authenticate = authenticate,
    .said = said,
    .renew = renew,
    .groups = groups,
    .connected = connected,
    .message = message,
    .frame = frame,
    .disconnected = disconnected,
    .cancel = cancel,
    .forget = forget,
    .turn = turn,
    .has_more = has_more,
    .publish_event = publish_event,
    .publish_message = publish_message,
    .stop = stop_script,
    .subscribe = subscribe,
    .unsubscribe = unsubscribe,
    .forget_subscription = forget_subscription,
};

/* ---- the registry ---- */

static struct tg_consumer *declare(struct fake_core *core, const char *name, const char *path)
{
    struct tg_registry *registry = &core->generation.registry;
    struct tg_consumer *consumer = tg_arena_calloc(&registry->arena, 1, sizeof *consumer);
    consumer->name = tg_slice_of(name);
    assert_int_equal(tg_registry_add_consumer(registry, consumer), TG_OK);
    assert_int_equal(tg_registry_add_path(registry, consumer, tg_slice_of(path), NULL), TG_OK);
    return consumer;
}

static void handle(struct fake_core *core, struct tg_consumer *consumer, const char *name,
                   const struct tg_schema *payload)
{
    struct tg_registry *registry = &core->generation.registry;
    struct tg_action *action = tg_arena_calloc(&registry->arena, 1, sizeof *action);
    action->name = tg_slice_of(name);
    action->payload = payload;
    assert_int_equal(tg_registry_add_action(registry, consumer, action, NULL), TG_OK);
}

static void handle_event(struct fake_core *core, struct tg_consumer *consumer, const char *name,
                         const struct tg_schema *payload, bool is_relay)
{
    struct tg_registry *registry = &core->generation.registry;
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
static void declare_camel(struct fake_core *core)
{
    struct tg_arena *arena = &core->generation.registry.arena;
    struct tg_schema *rename = new_user(arena);
    struct tg_schema *checked = tg_schema_new(arena, TG_SCHEMA_STRING);
    checked->script_check = 9;
    struct tg_consumer *camel = declare(core, "camel", "/camel");
    camel->naming = TG_NAMING_CAMEL;
    handle(core, camel, "rename", rename);
    handle(core, camel, "checked", checked);
    handle_event(core, camel, "joined", rename, true);
    handle_event(core, camel, "left", rename, false);
}

/* Whose clients renew what lets them in. */
static void declare_room(struct fake_core *core)
{
    struct tg_registry *registry = &core->generation.registry;
    struct tg_schema *credential = tg_schema_new(&registry->arena, TG_SCHEMA_OBJECT);
    credential->object.fields = tg_arena_calloc(&registry->arena, 1, sizeof *credential->object.fields);
    credential->object.fields[0] = (struct tg_schema_field){
        .name = TG_SLICE("token"), .key_id = 7, .schema = tg_schema_new(&registry->arena, TG_SCHEMA_STRING)};
    credential->object.count = 1;
    assert_int_equal(tg_schema_seal_object(&registry->arena, credential, NULL), TG_OK);
    struct tg_consumer *room = declare(core, "room", "/room");
    struct tg_action *renewal = tg_arena_calloc(&registry->arena, 1, sizeof *renewal);
    *renewal =
        (struct tg_action){.name = TG_SLICE(TG_RENEWAL_ACTION), .payload = credential, .is_renewal = true};
    assert_int_equal(tg_registry_add_action(registry, room, renewal, NULL), TG_OK);
    handle(core, room, "ping", tg_schema_new(&registry->arena, TG_SCHEMA_NULL));
}

static void declare_events(struct fake_core *core)
{
    struct tg_arena *arena = &core->generation.registry.arena;
    struct tg_consumer *events = declare(core, "events", "/events");
    events->sends_completion = true;
    handle(core, events, "ping", tg_schema_new(arena, TG_SCHEMA_NULL));
    handle_event(core, events, "notify", tg_schema_new(arena, TG_SCHEMA_INTEGER), false);
    handle_event(core, events, "joined", new_user(arena), true);
}

static struct tg_topic *declare_topic(struct fake_core *core, const char *pattern)
{
    struct tg_registry *registry = &core->generation.registry;
    struct tg_topic *topic = tg_arena_calloc(&registry->arena, 1, sizeof *topic);
    topic->stream.name = tg_slice_of(pattern);
    assert_int_equal(tg_registry_add_topic(registry, topic, NULL), TG_OK);
    return topic;
}

static void declare_topics(struct fake_core *core)
{
    struct tg_registry *registry = &core->generation.registry;
    struct tg_topic *room = declare_topic(core, "room:{name}"), *lobby = declare_topic(core, "room:lobby");
    handle(core, &room->stream, "say", tg_schema_new(&registry->arena, TG_SCHEMA_STRING));
    handle_event(core, &room->stream, "notify", tg_schema_new(&registry->arena, TG_SCHEMA_INTEGER), false);
    struct tg_consumer *hub = declare(core, "hub", "/hub");
    hub->sends_completion = true;
    assert_int_equal(tg_registry_host_topic(registry, hub, room, NULL), TG_OK);
    assert_int_equal(tg_registry_host_topic(registry, hub, lobby, NULL), TG_OK);
    struct tg_consumer *alone = declare(core, "alone", "/alone/{name}");
    assert_int_equal(tg_registry_host_topic(registry, alone, room, NULL), TG_OK);
    alone->own_topic = room;
}

static void declare_all(struct fake_core *core)
{
    static const struct tg_value seven = {.type = TG_VALUE_INTEGER, .integer = 7};
    struct tg_arena *arena = &core->generation.registry.arena;
    struct tg_schema *say = tg_schema_new(arena, TG_SCHEMA_OBJECT);
    say->object.fields = tg_arena_calloc(arena, 1, sizeof *say->object.fields);
    say->object.fields[0] = (struct tg_schema_field){
        .name = TG_SLICE("content"), .key_id = 5, .schema = tg_schema_new(arena, TG_SCHEMA_STRING)};
    say->object.count = 1;
    assert_int_equal(tg_schema_seal_object(arena, say, NULL), TG_OK);
    struct tg_schema *with_default = tg_schema_new(arena, TG_SCHEMA_INTEGER);
    with_default->default_value = &seven;
    struct tg_consumer *chat = declare(core, "chat", "/chat");
    handle(core, chat, "say", say);
    handle(core, chat, "ping", tg_schema_new(arena, TG_SCHEMA_NULL));
    handle(core, chat, "seven", with_default);
    declare_camel(core);
    declare_topics(core);
    declare_events(core);
    declare_room(core);
    declare(core, "text", "/text")->is_text = true;
    declare(core, "binary", "/binary")->takes_binary = true;
    declare(core, "strict", "/strict")->has_strict_frames = true;
}

/* ---- the whole ---- */

struct fake_core *fake_core_new_for(uint32_t max_connections)
{
    struct fake_core *core = calloc(1, sizeof *core);
    assert_non_null(core);
    tg_log_open(2, TG_LOG_TEXT, TG_LOG_OFF, tg_clock_system());
    tg_fake_clock_init(&core->clock, 1000000);
    core->loop.ops = &loop_ops;
    core->script.ops = &script_ops;
    core->alarm_ms = TG_NEVER;
    assert_int_equal(tg_config_init(&core->config), TG_OK);
    core->generation = (struct tg_generation){.number = 1, .script = &core->script};
    tg_registry_init(&core->generation.registry, core->config.max_check_steps);
    declare_all(core);
    assert_int_equal(
        tg_worker_init(&core->worker, &core->config, &core->clock.clock, &core->loop, max_connections),
        TG_OK);
    core->worker.generation = &core->generation;
    core->client_count = max_connections > FAKE_CLIENTS ? max_connections : FAKE_CLIENTS;
    core->clients = calloc(core->client_count, sizeof *core->clients);
    assert_non_null(core->clients);
    for (size_t i = 0; i < core->client_count; i++) {
        core->clients[i].sent = malloc(FAKE_SENT_BYTES);
        assert_non_null(core->clients[i].sent);
    }
    return core;
}

struct fake_core *fake_core_new(void)
{
    return fake_core_new_for(FAKE_CLIENTS);
}

void fake_core_free(struct fake_core *core)
{
    for (size_t i = 0; i < core->client_count; i++) {
        if (core->clients[i].conn) fake_client_vanish(&core->clients[i]);
        free(core->clients[i].sent);
    }
    assert_int_equal(core->worker.metrics.connections, 0);
    assert_int_equal(core->worker.metrics.outbox_bytes, 0);
    assert_int_equal(core->worker.metrics.groups, 0);
    assert_int_equal(core->worker.metrics.group_memberships, 0);
    assert_true(tg_list_is_empty(&core->worker.conns));
    assert_true(tg_list_is_empty(&core->worker.dirty));
    tg_worker_deinit(&core->worker);
    assert_int_equal(core->worker.metrics.payload_bytes, 0);
    tg_registry_deinit(&core->generation.registry);
    tg_config_deinit(&core->config);
    free(core->clients);
    free(core);
}

struct fake_client *fake_core_add(struct fake_core *core, size_t index, const char *target)
{
    struct fake_client *client = &core->clients[index];
    const char *query = strchr(target, '?');
    struct tg_slice path = {target, query ? (size_t)(query - target) : strlen(target)};
    struct tg_params params;
    const struct tg_consumer *consumer = tg_registry_find(&core->generation.registry, path, &params);
    assert_non_null(consumer);
    assert_null(client->conn);
    *client = (struct fake_client){
        .transport.ops = &transport_ops, .sent = client->sent, .room = SIZE_MAX, .is_reading = true};
    struct tg_request *request =
        tg_request_new(&(struct tg_request){.path = path,
                                            .query = tg_slice_of(query ? query + 1 : ""),
                                            .peer = TG_SLICE("127.0.0.1:1"),
                                            .params = params.items,
                                            .param_count = params.count});
    if (!request) return NULL;
    client->conn = tg_conn_add(&core->worker, &core->generation, consumer, request, &client->transport);
    return client->conn ? client : NULL;
}

struct fake_client *fake_core_open(struct fake_core *core, size_t index, const char *target)
{
    struct fake_client *client = fake_core_add(core, index, target);
    if (client) tg_conn_start(client->conn);
    return client;
}

void fake_core_turn(struct fake_core *core)
{
    tg_worker_flush(&core->worker);
}

void fake_core_sleep(struct fake_core *core, uint64_t milliseconds)
{
    uint64_t end_ms = core->clock.now_ms + milliseconds;
    while (core->alarm_ms <= end_ms) {
        if (core->alarm_ms > core->clock.now_ms) core->clock.now_ms = core->alarm_ms;
        core->alarm_ms = TG_NEVER;
        tg_worker_alarm(&core->worker);
        fake_core_turn(core);
    }
    core->clock.now_ms = end_ms;
}

/* ---- what a client does ---- */

void fake_client_send(struct fake_client *client, struct tg_slice bytes, bool is_binary)
{
    tg_conn_receive(client->conn, &(struct tg_chunk){bytes, true, true, is_binary});
}

void fake_client_say(struct fake_client *client, const char *text)
{
    fake_client_send(client, tg_slice_of(text), false);
}

void fake_client_choke(struct fake_client *client, size_t room)
{
    client->room = room;
}

void fake_client_read_all(struct fake_client *client)
{
    client->room = SIZE_MAX;
    client->acknowledged_bytes++;
    if (client->writable_asked) tg_conn_writable(client->conn);
    client->writable_asked = 0;
}

void fake_client_vanish(struct fake_client *client)
{
    struct tg_conn *conn = client->conn;
    client->conn = NULL;
    tg_conn_closed(conn);
}

/* ---- what it got ---- */

static const char *name_of(unsigned opcode)
{
    switch (opcode) {
    case TG_OPCODE_TEXT:
        return "text";
    case TG_OPCODE_BINARY:
        return "binary";
    case TG_OPCODE_PING:
        return "ping";
    case TG_OPCODE_CLOSE:
        return "close";
    default:
        return "?";
    }
}

/* Appends one frame as a line; returns the frame's length. */
static size_t describe_frame(const unsigned char *frame_bytes, size_t available, struct tg_buf *lines)
{
    assert_true(available >= 2 && (frame_bytes[0] & 0xF0) == 0x80 && frame_bytes[1] <= 126);
    size_t header = frame_bytes[1] == 126 ? 4 : 2;
    size_t length = header == 4 ? (size_t)frame_bytes[2] << 8 | frame_bytes[3] : frame_bytes[1];
    assert_true(header + length <= available);
    const unsigned char *payload = frame_bytes + header;
    unsigned opcode = frame_bytes[0] & 0x0F;
    tg_buf_printf(lines, "%s ", name_of(opcode));
    size_t skipped = 0;
    if (opcode == TG_OPCODE_CLOSE) {
        assert_true(length >= 2);
        tg_buf_printf(lines, "%d ", payload[0] << 8 | payload[1]);
        skipped = 2;
    }
    tg_buf_append(lines, payload + skipped, length - skipped);
    tg_buf_append_char(lines, '\n');
    return header + length;
}

void expect_sent(struct fake_client *client, const char *expected)
{
    struct tg_buf lines;
    tg_buf_init(&lines);
    for (size_t at = 0; at < client->sent_bytes;)
        at += describe_frame(client->sent + at, client->sent_bytes - at, &lines);
    client->sent_bytes = 0;
    tg_buf_append_char(&lines, '\0');
    bool is_equal = strcmp(lines.data, expected) == 0;
    if (!is_equal) print_error("sent:\n%sexpected:\n%s", lines.data, expected);
    tg_buf_deinit(&lines);
    assert_true(is_equal);
}

void expect_journal(struct fake_core *core, const char *expected)
{
    core->journal[core->journal_bytes] = '\0';
    core->journal_bytes = 0;
    assert_string_equal(core->journal, expected);
}
