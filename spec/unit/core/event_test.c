/* Events from a publication to the handlers of their receivers, and the frames that say what is done. */
#include "core/event.h"

#include "core/deliver.h"
#include "core/group.h"
#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COMPLETE "text {\"action\":\"complete\"}\n"
#define EVENT_COMPLETE "text {\"action\":\"event_complete\"}\n"
#define JOINED "text {\"action\":\"joined\",\"payload\":{\"user_name\":\"ann\"}}\n"
#define JOINED_CAMEL "text {\"action\":\"joined\",\"payload\":{\"userName\":\"ann\"}}\n"

static const char ping[] = "{\"action\":\"ping\"}";

static int setup(void **state)
{
    *state = fake_core_new();
    return 0;
}

static int teardown(void **state)
{
    fake_core_free(*state);
    return 0;
}

static struct tg_conn *open_on(struct fake_core *core, size_t index, const char *path)
{
    struct fake_client *client = fake_core_open(core, index, path);
    assert_non_null(client);
    core->journal_bytes = 0;
    return client->conn;
}

static struct tg_publication notify_as(const char *text)
{
    return (struct tg_publication){.kind = TG_PUBLISH_EVENT,
                                   .action = TG_SLICE("notify"),
                                   .texts = {[TG_NAMING_DECLARED] = tg_slice_of(text)},
                                   .to = TG_TO_CONN};
}

static uint64_t tell(struct fake_core *core, uint64_t conn_id, const char *text)
{
    struct tg_publication publication = notify_as(text);
    publication.conn_id = conn_id;
    return tg_worker_deliver(&core->worker, &publication);
}

static const char notify[] = "{\"action\":\"notify\",\"payload\":1}";

static struct tg_publication join(void)
{
    return (struct tg_publication){
        .kind = TG_PUBLISH_EVENT,
        .action = TG_SLICE("joined"),
        .texts = {TG_SLICE("{\"action\":\"joined\",\"payload\":{\"user_name\":\"ann\"}}"),
                  TG_SLICE("{\"action\":\"joined\",\"payload\":{\"userName\":\"ann\"}}")},
        .to = TG_TO_CONN};
}

static uint64_t tell_joined(struct fake_core *core, uint64_t conn_id)
{
    struct tg_publication publication = join();
    publication.conn_id = conn_id;
    return tg_worker_deliver(&core->worker, &publication);
}

/* ---- when ---- */

static void begins_an_event_at_the_end_of_the_turn(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    assert_int_equal(tell(core, conn->id, notify), 1);
    expect_journal(core, "");
    assert_int_equal(core->worker.metrics.inbox_events, 1);
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n");
    expect_sent(&core->clients[0], EVENT_COMPLETE);
    assert_int_equal(core->worker.metrics.inbox_events, 0);
    assert_int_equal(core->worker.metrics.deliveries, 1);
}

static void tell_itself(struct fake_core *core, struct tg_conn *conn)
{
    assert_int_equal(tell(core, conn->id, notify), 1);
    assert_int_equal(tell_joined(core, conn->id), 1);
    expect_journal(core, "1 connected\n");
    tg_conn_send(conn, TG_OPCODE_TEXT, TG_SLICE("welcome"));
}

static void begins_none_before_connected_has_returned_not_even_a_relay(void **state)
{
    struct fake_core *core = *state;
    core->on_connected = tell_itself;
    struct fake_client *client = fake_core_open(core, 0, "/events");
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n");
    expect_sent(client, "text welcome\n" EVENT_COMPLETE JOINED EVENT_COMPLETE);
}

static void begins_none_while_connected_waits(void **state)
{
    struct fake_core *core = *state;
    core->is_next_waiting = true;
    struct tg_conn *conn = open_on(core, 0, "/events");
    assert_int_equal(tell(core, conn->id, notify), 1);
    fake_core_turn(core);
    expect_journal(core, "");
    tg_conn_ended(conn, TG_DONE);
    expect_journal(core, "");
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n");
}

enum { LONG_MS = 60 };

static void take_long(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    (void)envelope;
    core->clock.now_ms += LONG_MS;
}

/* Handlers that take long would keep the loop from everything else for 256 times as long. */
static void looks_after_everything_else_between_events_that_take_long(void **state)
{
    struct fake_core *core = *state;
    for (size_t i = 0; i < 3; i++) tell(core, open_on(core, i, "/events")->id, notify);
    core->on_message = take_long;
    uint32_t turns = core->turns_requested;
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n");
    expect_sent(&core->clients[0], EVENT_COMPLETE);
    assert_int_equal(core->turns_requested, turns + 1);
    fake_core_turn(core);
    fake_core_turn(core);
    expect_journal(core, "2 event notify\n3 event notify\n");
    core->on_message = NULL;
}

static void keeps_the_order_of_messages_and_events(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    core->is_next_waiting = true;
    tell(core, conn->id, notify);
    fake_client_say(&core->clients[0], ping);
    tell(core, conn->id, notify);
    fake_client_say(&core->clients[0], ping);
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n"); /* which waits */
    tg_conn_ended(conn, TG_DONE);
    expect_journal(core, "1 message ping\n");
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n1 message ping\n");
}

static void runs_an_event_alone_beside_actions_that_may_run_together(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    ((struct tg_action *)tg_map_get(&conn->consumer->actions, TG_SLICE("ping")))->concurrency = 2;
    core->is_next_waiting = true;
    fake_client_say(&core->clients[0], ping);
    tell(core, conn->id, notify);
    fake_client_say(&core->clients[0], ping);
    fake_core_turn(core);
    expect_journal(core, "1 message ping\n");
    core->is_next_waiting = true;
    tg_conn_ended(conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n"); /* which waits, and the second ping with it */
    tg_conn_ended(conn, TG_DONE);
    expect_journal(core, "1 message ping\n");
}

/* D3 of the founding server: a relay waited for a slow handler, and events were lost. */
static void relays_past_a_message_that_waits_but_not_past_an_event(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    core->is_next_waiting = true;
    fake_client_say(&core->clients[0], ping);
    assert_int_equal(tell_joined(core, conn->id), 1);
    fake_core_turn(core);
    expect_sent(&core->clients[0], JOINED EVENT_COMPLETE);
    tell(core, conn->id, notify);
    assert_int_equal(tell_joined(core, conn->id), 1);
    fake_core_turn(core);
    expect_sent(&core->clients[0], "");
    tg_conn_ended(conn, TG_DONE);
    core->is_next_waiting = true;
    fake_core_turn(core); /* the event waits now */
    assert_int_equal(tell_joined(core, conn->id), 1);
    expect_sent(&core->clients[0], "");
    tg_conn_ended(conn, TG_DONE);
    fake_core_turn(core);
    expect_sent(&core->clients[0], JOINED EVENT_COMPLETE JOINED EVENT_COMPLETE);
}

static void answer_with_the_next(struct fake_core *core, struct tg_conn *conn,
                                 const struct tg_envelope *envelope)
{
    (void)envelope;
    struct fake_client *other = &core->clients[conn == core->clients[0].conn];
    core->journal_bytes = 0;
    core->connections++;
    assert_int_equal(tell(core, other->conn->id, notify), 1);
}

/* Two connections that tell each other for ever do not keep the loop. */
static void ends_a_turn_however_many_events_events_send(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    open_on(core, 1, "/events");
    core->on_message = answer_with_the_next;
    core->connections = 0;
    tell(core, conn->id, notify);
    fake_core_turn(core);
    assert_int_equal(core->connections, 256);
    assert_int_equal(core->turns_requested, 1);
    fake_core_turn(core);
    assert_int_equal(core->connections, 512);
    core->journal_bytes = 0;
}

static void tell_itself_again(struct fake_core *core, struct tg_conn *conn,
                              const struct tg_envelope *envelope)
{
    (void)envelope;
    core->journal_bytes = 0;
    if (conn == core->clients[0].conn)
        assert_int_equal(tell(core, conn->id, notify), 1);
    else
        core->connections++;
}

/* One that tells itself for ever does not keep others from their events either. */
static void begins_one_event_of_each_connection_after_another(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    struct tg_conn *other = open_on(core, 1, "/events");
    core->on_message = tell_itself_again;
    core->connections = 0;
    tell(core, conn->id, notify);
    for (int i = 0; i < 100; i++) tell(core, other->id, notify);
    fake_core_turn(core);
    assert_int_equal(core->connections, 100);
    core->journal_bytes = 0;
}

/* ---- to whom ---- */

static enum tg_status give(struct fake_core *core, struct tg_conn *conn, const char *text)
{
    const struct tg_publication publication = notify_as(text);
    struct tg_event event;
    tg_event_init(&event, &core->worker, &publication);
    enum tg_status status = tg_event_give(&event, conn);
    tg_event_deinit(&event);
    return status;
}

static void says_why_nobody_got_it(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    struct tg_conn *other = open_on(core, 1, "/chat");
    assert_int_equal(give(core, other, notify), TG_E_NOT_FOUND);
    assert_int_equal(give(core, conn, "{\"action\":\"notify\",\"payload\":\"1\"}"), TG_E_INVALID);
    assert_int_equal(give(core, conn, "{\"action\":\"other\",\"payload\":1}"), TG_E_INVALID);
    assert_int_equal(give(core, conn, "nothing"), TG_E_INVALID);
    assert_int_equal(core->worker.metrics.events_invalid, 3);
    core->config.inbox_max_events = 2;
    for (int i = 0; i < 3; i++) assert_int_equal(give(core, conn, notify), i < 2 ? TG_OK : TG_E_FULL);
    assert_int_equal(core->worker.metrics.events_dropped, 1);
    tg_conn_close(conn, 1000, TG_SLICE(""));
    assert_int_equal(give(core, conn, notify), TG_E_CLOSED);
    assert_int_equal(core->worker.metrics.inbox_events, 0);
    assert_int_equal(core->worker.metrics.payload_bytes, 0);
    fake_core_turn(core);
    expect_journal(core, "");
    assert_int_equal(tell(core, 12345, notify), 0);
}

/* Nobody can be made to stop sending, so the client is read from as before. */
static void bounds_events_by_bytes_but_lets_the_only_one_be_long(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    core->config.inbox_max_event_bytes = 10;
    assert_int_equal(give(core, conn, notify), TG_OK);
    assert_int_equal(give(core, conn, notify), TG_E_FULL);
    assert_true(core->clients[0].is_reading);
    fake_core_turn(core);
    assert_int_equal(give(core, conn, notify), TG_OK);
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n1 event notify\n");
}

static void reaches_all_of_a_consumer_and_one_of_two_groups_once(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    open_on(core, 1, "/events");
    struct tg_conn *other = open_on(core, 2, "/chat");
    struct tg_publication publication = notify_as(notify);
    publication.to = TG_TO_CONSUMER;
    publication.consumer = TG_SLICE("events");
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 2);
    publication.consumer = TG_SLICE("nobody");
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 0);
    static const struct tg_slice groups[] = {TG_SLICE("a"), TG_SLICE("b")};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(tg_group_join(conn, TG_GROUP_NAMED, groups[i]), TG_OK);
        assert_int_equal(tg_group_join(other, TG_GROUP_NAMED, groups[i]), TG_OK);
    }
    publication.to = TG_TO_GROUPS;
    publication.groups = groups;
    publication.group_count = 2;
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 1);
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n2 event notify\n1 event notify\n");
}

/* ---- what ---- */

static void keep_key_id(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    assert_int_equal(envelope->payload->length, 1);
    core->connections = (int)envelope->payload->members[0].key_id;
}

/* D4 of the founding server: what was relayed had other names than what was answered. */
static void relays_names_as_the_client_reads_them_and_handles_them_as_declared(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/camel");
    core->on_message = keep_key_id;
    assert_int_equal(tell_joined(core, conn->id), 1);
    struct tg_publication left = join();
    left.action = TG_SLICE("left");
    left.texts[TG_NAMING_DECLARED] = TG_SLICE("{\"action\":\"left\",\"payload\":{\"user_name\":\"ann\"}}");
    left.conn_id = conn->id;
    assert_int_equal(tg_worker_deliver(&core->worker, &left), 1);
    fake_core_turn(core);
    expect_sent(&core->clients[0], JOINED_CAMEL);
    expect_journal(core, "1 event left\n");
    assert_int_equal(core->connections, 6);
    struct tg_publication unsayable = join();
    unsayable.texts[TG_NAMING_CAMEL] = (struct tg_slice){0};
    unsayable.conn_id = conn->id;
    assert_int_equal(tg_worker_deliver(&core->worker, &unsayable), 0);
}

static void counts_events_beside_messages(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    tell(core, conn->id, notify);
    tell_joined(core, conn->id);
    fake_core_turn(core);
    core->journal_bytes = 0;
    assert_int_equal(tg_consumer_find_event(conn->consumer, TG_SLICE("notify"))->handler->messages, 1);
    assert_int_equal(tg_consumer_find_event(conn->consumer, TG_SLICE("joined"))->handler->messages, 1);
}

/* ---- the end ---- */

static void begins_none_when_the_connection_ends_or_the_server_stops(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = open_on(core, 0, "/events");
    struct tg_conn *waiting = open_on(core, 1, "/events");
    tell(core, conn->id, notify);
    fake_client_vanish(&core->clients[0]);
    expect_journal(core, "1 disconnected 1006 \n1 forget\n");
    core->is_next_waiting = true;
    fake_client_say(&core->clients[1], ping);
    tell(core, waiting->id, notify);
    tg_worker_drain(&core->worker);
    assert_int_equal(tell(core, waiting->id, notify), 0);
    tg_conn_ended(waiting, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "2 message ping\n");
    assert_int_equal(core->worker.metrics.inbox_events, 0);
}

/* ---- completion ---- */

static void refuse_and_close(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)core;
    (void)envelope;
    tg_conn_close(conn, 1000, TG_SLICE("bye"));
}

static void ends_each_data_frame_with_one_complete(void **state)
{
    struct fake_core *core = *state;
    open_on(core, 0, "/events");
    struct fake_client *client = &core->clients[0];
    fake_client_say(client, ping);
    fake_client_say(client, "{\"action\":\"ping\",\"ref\":\"7\"}");
    fake_core_turn(core);
    expect_sent(client, COMPLETE "text {\"action\":\"complete\",\"ref\":\"7\"}\n");
    fake_client_say(client, "{\"action\":\"nope\",\"ref\":7}");
    fake_client_send(client, TG_SLICE("bytes"), true);
    fake_core_turn(core);
    expect_sent(client, "text {\"action\":\"error\",\"payload\":[{\"type\":\"union_tag_invalid\",\"loc\":"
                        "[\"action\"],\"msg\":\"Input tag 'nope' found using 'action' does not match any of "
                        "the expected tags\"}],\"ref\":7}\ntext {\"action\":\"complete\",\"ref\":7}\n"
                        "text {\"action\":\"error\",\"payload\":{\"detail\":\"Binary frames are not "
                        "accepted\"}}\n" COMPLETE);
    core->on_message = refuse_and_close;
    fake_client_say(client, ping);
    fake_core_turn(core);
    expect_sent(client, "close 1000 bye\n");
    core->journal_bytes = 0;
}

/* ---- without memory ---- */

static void give_everything(struct fake_core *core)
{
    struct fake_client *client = fake_core_open(core, 0, "/events");
    if (!client) return;
    tell(core, client->conn->id, notify);
    tell_joined(core, client->conn->id);
    fake_core_turn(core);
    if (client->conn) tell_joined(core, client->conn->id);
    fake_core_turn(core);
    if (client->conn) fake_client_vanish(client);
}

/* Whatever allocation fails, nothing is left behind, and the next connection gets its events. */
static void survives_the_failure_of_any_allocation(void **state)
{
    (void)state;
    bool has_failed = true;
    size_t failures = 0;
    for (size_t n = 1; has_failed; n++) {
        struct fake_core *core = fake_core_new();
        tg_alloc_fail_at(n);
        give_everything(core);
        has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        failures += has_failed;
        core->journal_bytes = 0;
        core->connections = 0;
        core->clients[0].sent_bytes = 0;
        give_everything(core);
        expect_journal(core, "1 connected\n1 event notify\n1 disconnected 1006 \n1 forget\n");
        expect_sent(&core->clients[0], EVENT_COMPLETE JOINED EVENT_COMPLETE JOINED EVENT_COMPLETE);
        fake_core_free(core);
    }
    assert_true(failures > 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begins_an_event_at_the_end_of_the_turn),
        TEST(begins_none_before_connected_has_returned_not_even_a_relay),
        TEST(begins_none_while_connected_waits),
        TEST(looks_after_everything_else_between_events_that_take_long),
        TEST(keeps_the_order_of_messages_and_events),
        TEST(runs_an_event_alone_beside_actions_that_may_run_together),
        TEST(relays_past_a_message_that_waits_but_not_past_an_event),
        TEST(ends_a_turn_however_many_events_events_send),
        TEST(begins_one_event_of_each_connection_after_another),
        TEST(says_why_nobody_got_it),
        TEST(bounds_events_by_bytes_but_lets_the_only_one_be_long),
        TEST(reaches_all_of_a_consumer_and_one_of_two_groups_once),
        TEST(relays_names_as_the_client_reads_them_and_handles_them_as_declared),
        TEST(counts_events_beside_messages),
        TEST(begins_none_when_the_connection_ends_or_the_server_stops),
        TEST(ends_each_data_frame_with_one_complete),
        cmocka_unit_test(survives_the_failure_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
