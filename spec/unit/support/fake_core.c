#include "support/fake_core.h"

#include "support/fake_registry.h"

#include "core/dev.h"
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
    return TG_CONTAINER(script, struct fake_script, script)->core;
}

void fake_core_note(struct fake_core *core, const struct tg_conn *conn, const char *format, ...)
{
    if (core->is_journal_closed) return;
    char *end = core->journal + core->journal_bytes;
    size_t room = FAKE_JOURNAL_BYTES - core->journal_bytes;
    int length = conn ? snprintf(end, room, "%d ", conn->script_ref) : 0;
    va_list arguments;
    va_start(arguments, format);
    length += vsnprintf(end + length, room - (size_t)length, format, arguments);
    va_end(arguments);
    length += snprintf(end + length, room - (size_t)length, "\n");
    assert_true((size_t)length < room);
    core->journal_bytes += (size_t)length;
}

/* What the call answers: it waits when its hook said so. */
enum tg_outcome fake_core_outcome(struct fake_core *core)
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
    fake_core_note(core, conn, "authenticate");
    core->on_authenticate(core, conn);
    return core->is_authenticate_raising ? TG_FAILED : fake_core_outcome(core);
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
    fake_core_note(core, conn, "renew%s", envelope ? " with a token" : "");
    if (core->on_renew) core->on_renew(core, conn);
    return core->is_renew_raising ? TG_FAILED : fake_core_outcome(core);
}

static enum tg_outcome groups(struct tg_script *script, struct tg_conn *conn)
{
    struct fake_core *core = of_script(script);
    if (!core->on_groups) return TG_DONE;
    fake_core_note(core, conn, "groups");
    core->on_groups(core, conn);
    return core->is_groups_raising ? TG_FAILED : fake_core_outcome(core);
}

static enum tg_outcome connected(struct tg_script *script, struct tg_conn *conn)
{
    struct fake_core *core = of_script(script);
    fake_core_note(core, conn, "connected");
    if (core->on_connected) core->on_connected(core, conn);
    return core->is_connected_raising ? TG_FAILED : fake_core_outcome(core);
}

static enum tg_outcome message(struct tg_script *script, struct tg_conn *conn, const struct tg_action *action,
                               const struct tg_envelope *envelope)
{
    struct fake_core *core = of_script(script);
    fake_core_note(core, conn, "%s %.*s", action->is_event ? "event" : "message", TG_SLICE_ARG(action->name));
    if (core->on_message) core->on_message(core, conn, envelope);
    return fake_core_outcome(core);
}

static enum tg_outcome frame(struct tg_script *script, struct tg_conn *conn, struct tg_slice data,
                             bool is_binary)
{
    fake_core_note(of_script(script), conn, "%s %.*s", is_binary ? "binary" : "text", TG_SLICE_ARG(data));
    return fake_core_outcome(of_script(script));
}

static enum tg_outcome disconnected(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                                    struct tg_slice reason)
{
    struct fake_core *core = of_script(script);
    fake_core_note(core, conn, "disconnected %u %.*s", code, TG_SLICE_ARG(reason));
    if (core->on_disconnected) core->on_disconnected(core, conn);
    return fake_core_outcome(core);
}

static void cancel(struct tg_script *script, struct tg_conn *conn)
{
    (void)script;
    (void)conn;
}

static void forget(struct tg_script *script, struct tg_conn *conn)
{
    fake_core_note(of_script(script), conn, "forget");
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
    fake_core_note(core, subscription->conn, "subscribe %.*s", TG_SLICE_ARG(subscription->name));
    if (core->on_subscribe)
        core->on_subscribe(core, subscription);
    else if (!core->is_next_waiting)
        tg_topic_admit(subscription);
    return fake_core_outcome(core);
}

static enum tg_outcome unsubscribe(struct tg_script *script, struct tg_subscription *subscription,
                                   const char *reason)
{
    struct fake_core *core = of_script(script);
    fake_core_note(core, subscription->conn, "unsubscribe %.*s %s", TG_SLICE_ARG(subscription->name), reason);
    return fake_core_outcome(core);
}

static void forget_subscription(struct tg_script *script, struct tg_subscription *subscription)
{
    fake_core_note(of_script(script), subscription->conn, "forget %.*s", TG_SLICE_ARG(subscription->name));
    subscription->script_ref = 0;
}

const struct tg_script_ops fake_script_ops = {
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

/* ---- the whole ---- */

struct fake_core *fake_core_new_for(uint32_t max_connections)
{
    struct fake_core *core = calloc(1, sizeof *core);
    assert_non_null(core);
    tg_log_open(2, TG_LOG_TEXT, TG_LOG_OFF, tg_clock_system());
    tg_fake_clock_init(&core->clock, 1000000);
    core->loop.ops = &loop_ops;
    core->script = (struct fake_script){.script.ops = &fake_script_ops, .core = core};
    core->alarm_ms = TG_NEVER;
    assert_int_equal(tg_config_init(&core->config), TG_OK);
    tg_generation_init(&core->generation, 1, &core->script.script);
    tg_registry_init(&core->generation.registry, core->config.max_check_steps);
    fake_registry_fill(&core->generation.registry, 0);
    assert_int_equal(
        tg_worker_init(&core->worker, &core->config, &core->clock.clock, &core->loop, max_connections),
        TG_OK);
    tg_generation_serve(&core->generation, &core->worker);
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
    tg_generation_end(&core->generation);
    assert_true(tg_list_is_empty(&core->worker.generations));
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
    struct tg_generation *generation = tg_dev_serving(&core->worker, path);
    const struct tg_consumer *consumer = tg_registry_find(&generation->registry, path, &params);
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
    client->conn = tg_conn_add(&core->worker, generation, consumer, request, &client->transport);
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
