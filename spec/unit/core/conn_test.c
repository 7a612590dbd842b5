#include "core/conn.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { HIGH_WATER = 1000, MAX_BYTES = 4000, MAX_MESSAGES = 100 };

static int setup(void **state)
{
    struct fake_core *core = fake_core_new();
    core->config.outbox_high_water_bytes = HIGH_WATER;
    core->config.outbox_max_bytes = MAX_BYTES;
    core->config.outbox_max_messages = MAX_MESSAGES;
    core->config.heartbeat_seconds = 30;
    core->config.heartbeat_timeout_seconds = 10;
    core->config.slow_client_seconds = 20;
    core->config.pause_seconds = 60;
    core->config.close_timeout_ms = 3000;
    core->config.drain_seconds = 10;
    *state = core;
    return 0;
}

static int teardown(void **state)
{
    fake_core_free(*state);
    return 0;
}

static struct fake_client *open(struct fake_core *core)
{
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    assert_non_null(client);
    fake_core_turn(core);
    expect_journal(core, "1 connected\n");
    return client;
}

static enum tg_status send(struct fake_client *client, const char *text)
{
    return tg_conn_send(client->conn, TG_OPCODE_TEXT, tg_slice_of(text));
}

/* A frame of exactly `bytes`, header included. */
static enum tg_status send_frame(struct fake_client *client, size_t bytes)
{
    char payload[MAX_BYTES];
    size_t header = bytes - 2 < 126 ? 2 : 4;
    memset(payload, 'x', sizeof payload);
    return tg_conn_send(client->conn, TG_OPCODE_TEXT, (struct tg_slice){payload, bytes - header});
}

/* ---- flush ---- */

static void sends_all_frames_of_a_turn_in_one_write(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    send(client, "one");
    send(client, "two");
    tg_conn_send(client->conn, TG_OPCODE_BINARY, TG_SLICE("three"));
    assert_int_equal(client->writes, 0);
    fake_core_turn(core);
    assert_int_equal(client->writes, 1);
    expect_sent(client, "text one\ntext two\nbinary three\n");
    assert_int_equal(core->worker.metrics.messages_sent, 3);
    assert_int_equal(core->worker.metrics.bytes_sent, 5 + 5 + 7);
    assert_int_equal(core->worker.metrics.outbox_bytes, 0);
}

static void writes_nothing_while_the_kernel_is_full_and_goes_on_in_order(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send(client, "one");
    fake_core_turn(core);
    send(client, "two");
    fake_core_turn(core);
    assert_int_equal(client->writes, 0);
    assert_int_equal(client->writable_asked, 1);
    assert_int_equal(core->worker.metrics.outbox_bytes, 10);
    fake_client_read_all(client);
    fake_core_turn(core);
    expect_sent(client, "text one\ntext two\n");
}

static void puts_a_close_behind_what_is_queued(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    send(client, "last words");
    assert_int_equal(tg_conn_close(client->conn, 4000, TG_SLICE("bye")), TG_OK);
    assert_int_equal(tg_conn_close(client->conn, 4001, TG_SLICE("again")), TG_E_CLOSED);
    assert_int_equal(send(client, "too late"), TG_E_CLOSED);
    fake_core_turn(core);
    fake_core_turn(core);
    assert_int_equal(client->writes, 1);
    expect_sent(client, "text last words\nclose 4000 bye\n");
    fake_client_vanish(client);
    expect_journal(core, "1 disconnected 4000 bye\n1 forget\n");
}

static void writes_a_close_frame_as_rfc_6455_has_it(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    tg_conn_close(client->conn, 1000, TG_SLICE("ok"));
    fake_core_turn(core);
    assert_int_equal(client->sent_bytes, 6);
    assert_memory_equal(client->sent, "\x88\x04\x03\xE8ok", 6);
}

/* A reason of more than 123 bytes was cut between two characters in the close frame, but at byte 123 for
 * `disconnected`: a hook could be handed half a character. */
static void cuts_a_long_reason_alike_for_the_client_and_for_the_hook(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    char reason[TG_CLOSE_REASON_MAX + 2], kept[TG_CLOSE_REASON_MAX], line[200];
    memset(reason, 'x', sizeof reason);
    memcpy(reason + TG_CLOSE_REASON_MAX - 1, "\xC3\xA9", 2);
    memcpy(kept, reason, sizeof kept - 1);
    kept[sizeof kept - 1] = '\0';
    tg_conn_close(client->conn, 1000, (struct tg_slice){reason, sizeof reason});
    fake_core_turn(core);
    snprintf(line, sizeof line, "close 1000 %s\n", kept);
    expect_sent(client, line);
    fake_client_vanish(client);
    snprintf(line, sizeof line, "1 disconnected 1000 %s\n1 forget\n", kept);
    expect_journal(core, line);
}

/* ---- backpressure ---- */

static void stops_reading_above_high_water_and_resumes_at_half(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send_frame(client, HIGH_WATER);
    assert_true(client->is_reading);
    send_frame(client, 10);
    assert_false(client->is_reading);
    send_frame(client, 10);
    fake_core_turn(core);
    assert_int_equal(client->reading_changes, 1);
    assert_int_equal(core->worker.metrics.reading_paused, 1);
    fake_client_read_all(client);
    fake_core_turn(core);
    assert_true(client->is_reading);
    assert_int_equal(client->reading_changes, 2);
}

static void refuses_a_frame_over_a_limit_and_closes_behind_the_others(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    for (int i = 0; i < MAX_MESSAGES; i++) assert_int_equal(send(client, ""), TG_OK);
    assert_int_equal(send(client, "over"), TG_E_FULL);
    assert_int_equal(send(client, "over"), TG_E_FULL);
    fake_core_turn(core);
    assert_int_equal(core->worker.metrics.outbox_full, 1);
    fake_client_read_all(client);
    fake_core_turn(core);
    client->sent_bytes -= MAX_MESSAGES * 2; /* the empty frames before */
    memmove(client->sent, client->sent + MAX_MESSAGES * 2, client->sent_bytes);
    expect_sent(client, "close 1013 more was sent than this client's queue may hold\n");
}

static void refuses_a_frame_over_the_limit_of_bytes(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    assert_int_equal(send_frame(client, MAX_BYTES - 2), TG_OK);
    assert_int_equal(send_frame(client, 3), TG_E_FULL);
    assert_int_equal(core->worker.metrics.outbox_bytes, MAX_BYTES - 2);
}

static void gives_up_a_client_that_takes_nothing(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send(client, "never read");
    fake_core_turn(core);
    fake_core_sleep(core, 19000);
    assert_int_equal(core->worker.metrics.slow_clients, 0);
    fake_core_sleep(core, 2100);
    assert_int_equal(core->worker.metrics.slow_clients, 1);
    assert_int_equal(client->drops, 0);
    fake_core_sleep(core, 3100);
    assert_int_equal(client->drops, 1);
    assert_int_equal(client->sent_bytes, 0);
    expect_journal(core, "1 disconnected 1013 this client reads too slowly\n1 forget\n");
}

static void keeps_a_client_that_reads_slowly(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send(client, "read at last");
    fake_core_turn(core);
    for (int i = 0; i < 10; i++) {
        fake_core_sleep(core, 15000);
        client->acknowledged_bytes++;
    }
    fake_client_read_all(client);
    fake_core_turn(core);
    expect_sent(client, "text read at last\n");
    assert_int_equal(core->worker.metrics.slow_clients, 0);
}

static void gives_up_a_client_that_keeps_us_from_reading_too_long(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send_frame(client, HIGH_WATER + 1);
    for (int i = 0; i < 58; i++) {
        fake_core_sleep(core, 1000);
        client->acknowledged_bytes++;
    }
    assert_int_equal(core->worker.metrics.slow_clients, 0);
    fake_core_sleep(core, 2100);
    assert_int_equal(core->worker.metrics.slow_clients, 1);
    fake_client_read_all(client);
    fake_core_turn(core);
    expect_sent(client, "close 1013 this client reads too slowly\n");
}

/* A client that was told to close and took nothing lost its close frame with the rest of the queue: when it
 * read again in time, it waited for a frame that was not there and saw 1006. */
static void still_sends_the_close_frame_of_a_client_that_was_given_up_while_closing(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send(client, "much");
    tg_conn_close(client->conn, 4000, TG_SLICE("bye"));
    fake_core_turn(core);
    fake_core_sleep(core, 21100);
    assert_int_equal(core->worker.metrics.slow_clients, 1);
    fake_client_read_all(client);
    fake_core_turn(core);
    expect_sent(client, "close 4000 bye\n");
    fake_core_sleep(core, 3100);
    expect_journal(core, "1 disconnected 4000 bye\n1 forget\n");
}

static void notices_that_a_client_left_while_we_did_not_read(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_choke(client, 0);
    send_frame(client, HIGH_WATER + 1);
    client->has_peer_left = true;
    fake_core_sleep(core, 1100);
    assert_int_equal(client->drops, 1);
    expect_journal(core, "1 disconnected 1006 \n1 forget\n");
}

/* ---- heartbeat ---- */

static void pings_after_silence_and_lets_any_bytes_answer(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_core_sleep(core, 29900);
    expect_sent(client, "");
    fake_core_sleep(core, 400);
    expect_sent(client, "ping hb\n");
    tg_conn_heard(client->conn);
    fake_core_sleep(core, 29900);
    expect_sent(client, "");
    fake_core_sleep(core, 400);
    expect_sent(client, "ping hb\n");
    fake_core_sleep(core, 9000);
    fake_client_say(client, "{\"action\":\"ping\"}");
    fake_core_sleep(core, 20000);
    assert_int_equal(client->drops, 0);
}

static void drops_a_client_that_does_not_answer_a_ping(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_core_sleep(core, 39900);
    assert_int_equal(client->drops, 0);
    fake_core_sleep(core, 400);
    assert_int_equal(client->drops, 1);
    assert_int_equal(core->worker.metrics.heartbeat_timeouts, 1);
    expect_journal(core, "1 disconnected 1006 heartbeat timeout\n1 forget\n");
}

static void never_pings_without_a_heartbeat(void **state)
{
    struct fake_core *core = *state;
    core->config.heartbeat_seconds = 0;
    struct fake_client *client = open(core);
    fake_core_sleep(core, 24 * 3600 * 1000);
    expect_sent(client, "");
    assert_int_equal(client->drops, 0);
}

static void lets_the_heartbeat_stand_still_while_reading_is_off(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_core_sleep(core, 30100);
    expect_sent(client, "ping hb\n");
    fake_client_choke(client, 0);
    send_frame(client, HIGH_WATER + 1);
    for (int i = 0; i < 40; i++) {
        client->acknowledged_bytes++;
        fake_core_sleep(core, 1000);
    }
    assert_int_equal(core->worker.metrics.heartbeat_timeouts, 0);
    fake_client_read_all(client);
    fake_core_turn(core);
    client->sent_bytes = 0;
    fake_core_sleep(core, 29900);
    expect_sent(client, "");
    fake_core_sleep(core, 400);
    expect_sent(client, "ping hb\n");
}

/* ---- every way to end ---- */

static void lets_the_library_echo_the_close_of_a_client(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    send(client, "first");
    assert_true(tg_conn_peer_closing(client->conn, 4000, TG_SLICE("done")));
    expect_sent(client, "text first\n");
    assert_int_equal(send(client, "late"), TG_E_CLOSED);
    fake_client_vanish(client);
    expect_journal(core, "1 disconnected 4000 done\n1 forget\n");
}

static void drops_a_client_that_closed_and_does_not_leave(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    tg_conn_peer_closing(client->conn, 1005, TG_SLICE(""));
    fake_core_sleep(core, 3100);
    assert_int_equal(client->drops, 1);
    expect_journal(core, "1 disconnected 1005 \n1 forget\n");
}

static void drops_a_client_that_does_not_answer_our_close(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    tg_conn_close(client->conn, 1000, TG_SLICE(""));
    fake_core_turn(core);
    fake_core_sleep(core, 2900);
    assert_int_equal(client->drops, 0);
    fake_core_sleep(core, 200);
    assert_int_equal(client->drops, 1);
    assert_int_equal(core->worker.metrics.close_timeouts, 1);
    expect_journal(core, "1 disconnected 1000 \n1 forget\n");
}

static void keeps_our_code_when_both_close_at_once(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    tg_conn_close(client->conn, 4000, TG_SLICE("ours"));
    assert_false(tg_conn_peer_closing(client->conn, 4001, TG_SLICE("theirs")));
    expect_sent(client, "close 4000 ours\n");
    fake_client_vanish(client);
    expect_journal(core, "1 disconnected 4000 ours\n1 forget\n");
}

static void drops_a_client_that_broke_the_protocol_within_250_ms(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    send(client, "never sent");
    assert_true(tg_conn_protocol_error(client->conn));
    fake_core_sleep(core, 250);
    assert_int_equal(client->drops, 1);
    assert_int_equal(client->sent_bytes, 0);
    assert_int_equal(core->worker.metrics.protocol_errors, 1);
    expect_journal(core, "1 disconnected 1002 protocol error\n1 forget\n");
}

static void lets_no_close_frame_follow_ours_when_a_client_breaks_the_protocol(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *queued = open(core), *sent = fake_core_open(core, 1, "/chat");
    tg_conn_close(queued->conn, 4000, TG_SLICE("queued"));
    assert_true(tg_conn_protocol_error(queued->conn));
    tg_conn_close(sent->conn, 4000, TG_SLICE("sent"));
    fake_core_turn(core);
    assert_false(tg_conn_protocol_error(sent->conn));
    expect_sent(queued, "");
    expect_sent(sent, "close 4000 sent\n");
    fake_core_sleep(core, 250);
    assert_int_equal(queued->drops + sent->drops, 2);
    assert_int_equal(core->worker.metrics.protocol_errors, 2);
}

static void tells_1006_when_tcp_ends_without_a_word(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    send(client, "never sent");
    fake_client_vanish(client);
    expect_journal(core, "1 disconnected 1006 \n1 forget\n");
}

static void drops_a_socket_that_cannot_be_written(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    client->is_write_failing = true;
    send(client, "lost");
    fake_core_turn(core);
    assert_int_equal(client->drops, 1);
    expect_journal(core, "1 disconnected 1006 \n1 forget\n");
}

static void closes_with_1011_when_connected_raises(void **state)
{
    struct fake_core *core = *state;
    core->is_connected_raising = true;
    struct fake_client *client = open(core);
    expect_sent(client, "close 1011 the consumer could not start\n");
    fake_client_vanish(client);
    expect_journal(core, "1 disconnected 1011 the consumer could not start\n1 forget\n");
}

static void runs_no_handler_for_what_comes_after_a_close(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    tg_conn_close(client->conn, 1000, TG_SLICE(""));
    fake_client_say(client, "{\"action\":\"ping\"}");
    expect_journal(core, "");
}

static void closes_with_the_code_of_what_is_wrong_with_a_message(void **state)
{
    struct fake_core *core = *state;
    core->config.max_message_bytes = 8;
    struct fake_client *client = open(core);
    fake_client_say(client, "123456789");
    fake_core_turn(core);
    expect_sent(client, "close 1009 the message is longer than max_message_bytes\n");
    fake_client_vanish(client);
    client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, "\xFF");
    fake_core_turn(core);
    expect_sent(client, "close 1007 the text is not UTF-8\n");
}

/* ---- without memory ---- */

static void is_dropped_when_its_close_frame_finds_no_memory(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    tg_alloc_fail_at(1);
    tg_conn_close(client->conn, 1000, TG_SLICE(""));
    tg_alloc_fail_at(0);
    fake_core_turn(core);
    assert_int_equal(client->drops, 1);
    expect_journal(core, "1 disconnected 1000 \n1 forget\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(sends_all_frames_of_a_turn_in_one_write),
        TEST(writes_nothing_while_the_kernel_is_full_and_goes_on_in_order),
        TEST(puts_a_close_behind_what_is_queued),
        TEST(writes_a_close_frame_as_rfc_6455_has_it),
        TEST(cuts_a_long_reason_alike_for_the_client_and_for_the_hook),
        TEST(stops_reading_above_high_water_and_resumes_at_half),
        TEST(refuses_a_frame_over_a_limit_and_closes_behind_the_others),
        TEST(refuses_a_frame_over_the_limit_of_bytes),
        TEST(gives_up_a_client_that_takes_nothing),
        TEST(keeps_a_client_that_reads_slowly),
        TEST(gives_up_a_client_that_keeps_us_from_reading_too_long),
        TEST(still_sends_the_close_frame_of_a_client_that_was_given_up_while_closing),
        TEST(notices_that_a_client_left_while_we_did_not_read),
        TEST(pings_after_silence_and_lets_any_bytes_answer),
        TEST(drops_a_client_that_does_not_answer_a_ping),
        TEST(never_pings_without_a_heartbeat),
        TEST(lets_the_heartbeat_stand_still_while_reading_is_off),
        TEST(lets_the_library_echo_the_close_of_a_client),
        TEST(drops_a_client_that_closed_and_does_not_leave),
        TEST(drops_a_client_that_does_not_answer_our_close),
        TEST(keeps_our_code_when_both_close_at_once),
        TEST(drops_a_client_that_broke_the_protocol_within_250_ms),
        TEST(lets_no_close_frame_follow_ours_when_a_client_breaks_the_protocol),
        TEST(tells_1006_when_tcp_ends_without_a_word),
        TEST(drops_a_socket_that_cannot_be_written),
        TEST(closes_with_1011_when_connected_raises),
        TEST(runs_no_handler_for_what_comes_after_a_close),
        TEST(closes_with_the_code_of_what_is_wrong_with_a_message),
        TEST(is_dropped_when_its_close_frame_finds_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
