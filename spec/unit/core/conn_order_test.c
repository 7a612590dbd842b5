/* What a connection does while its handlers wait: here they are told to, and end when the spec says so. */
#include "core/conn.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char ping[] = "{\"action\":\"ping\"}";
static const char seven[] = "{\"action\":\"seven\"}";

static void wait_always(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    (void)envelope;
    core->is_next_waiting = true;
}

static int setup(void **state)
{
    struct fake_core *core = fake_core_new();
    core->on_message = wait_always;
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
    expect_journal(core, "1 connected\n");
    return client;
}

static void begins_a_message_when_the_one_before_has_ended(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_say(client, ping);
    fake_client_say(client, seven);
    fake_client_say(client, ping);
    expect_journal(core, "1 message ping\n");
    assert_int_equal(core->worker.metrics.inbox_messages, 2);
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 message seven\n");
    tg_conn_ended(client->conn, TG_FAILED);
    expect_journal(core, "1 message ping\n");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "");
    assert_int_equal(core->worker.metrics.inbox_messages, 0);
}

static void begins_no_message_before_connected_has_ended(void **state)
{
    struct fake_core *core = *state;
    core->is_next_waiting = true;
    struct fake_client *client = open(core);
    fake_client_say(client, ping);
    expect_journal(core, "");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 message ping\n");
}

static void closes_with_1011_when_connected_fails_after_a_wait(void **state)
{
    struct fake_core *core = *state;
    core->is_next_waiting = true;
    struct fake_client *client = open(core);
    fake_client_say(client, ping);
    tg_conn_ended(client->conn, TG_FAILED);
    fake_core_turn(core);
    expect_journal(core, "");
    expect_sent(client, "close 1011 the consumer could not start\n");
}

static void answers_for_a_message_that_cannot_be_kept(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_say(client, ping);
    assert_int_equal(tg_conn_send(client->conn, TG_OPCODE_TEXT, TG_SLICE("x")),
                     TG_OK); /* has a segment now */
    tg_alloc_fail_at(1);
    fake_client_say(client, seven);
    tg_alloc_fail_at(0);
    fake_core_turn(core);
    expect_sent(
        client,
        "text x\ntext {\"action\":\"error\",\"payload\":{\"detail\":\"Failed to process message\"}}\n");
    assert_int_equal(core->worker.metrics.no_memory, 1);
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 message ping\n");
}

static void drops_what_is_kept_when_it_closes(void **state)
{
    struct fake_core *core = *state;
    core->config.inbox_messages = 2;
    struct fake_client *client = open(core);
    for (int i = 0; i < 3; i++) fake_client_say(client, ping);
    assert_false(client->is_reading);
    assert_int_equal(tg_conn_close(client->conn, 1000, TG_SLICE("")), TG_OK);
    assert_true(client->is_reading); /* for the client's close frame */
    assert_int_equal(core->worker.metrics.inbox_messages, 0);
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 message ping\n");
}

static void stays_while_disconnected_waits(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    struct tg_conn *conn = client->conn;
    core->is_next_waiting = true;
    fake_client_vanish(client);
    expect_journal(core, "1 disconnected 1006 \n");
    assert_int_equal(tg_conn_send(conn, TG_OPCODE_TEXT, TG_SLICE("x")), TG_E_CLOSED);
    tg_conn_ended(conn, TG_DONE);
    expect_journal(core, "1 forget\n");
    assert_int_equal(core->worker.metrics.connections, 0);
}

static void says_1001_when_the_handlers_that_wait_have_ended(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_say(client, ping);
    fake_client_say(client, seven);
    tg_worker_drain(&core->worker);
    fake_client_say(client, seven);
    fake_core_turn(core);
    expect_sent(client, "");
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_sent(client, "close 1001 the server is going away\n");
    expect_journal(core, "1 message ping\n");
}

/* ---- calls ---- */

struct asked {
    struct tg_question question;
    int ended;
    enum tg_status status;
    int64_t answer;
};

static void call_ended(struct tg_question *question, enum tg_status status, const struct tg_value *payload)
{
    struct asked *asked = TG_CONTAINER(question, struct asked, question);
    asked->ended++;
    asked->status = status;
    asked->answer = payload ? payload->integer : -1;
}

static void gives_an_answer_to_its_call_past_the_inbox(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    struct asked first = {.question.ended = call_ended}, second = {.question.ended = call_ended};
    fake_client_say(client, ping);
    tg_conn_call_begin(client->conn, &first.question);
    tg_conn_call_begin(client->conn, &second.question);
    fake_client_say(client, seven);
    fake_client_say(client, "{\"action\":\"?\",\"payload\":5,\"ref\":\"s:2\"}");
    assert_int_equal(second.ended, 1);
    assert_int_equal(second.answer, 5);
    fake_client_say(client, "{\"action\":\"?\",\"ref\":\"s:1\"}");
    assert_int_equal(first.ended, 1);
    assert_int_equal(first.status, TG_OK);
    assert_int_equal(first.answer, -1);
    assert_int_equal(core->worker.metrics.inbox_messages, 1);
}

static void takes_only_its_own_numbers_for_answers(void **state)
{
    struct fake_core *core = *state;
    static const char *const others[] = {
        "\"s:2\"", "\"s:01\"", "\"s:\"", "\"s:1x\"", "\"S:1\"", "1", "\"s:99999999999999999999\""};
    struct fake_client *client = open(core);
    struct asked asked = {.question.ended = call_ended};
    core->on_message = NULL;
    tg_conn_call_begin(client->conn, &asked.question);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        char text[96];
        snprintf(text, sizeof text, "{\"action\":\"ping\",\"ref\":%s}", others[i]);
        fake_client_say(client, text);
        expect_journal(core, "1 message ping\n");
    }
    assert_int_equal(asked.ended, 0);
    assert_int_equal(tg_conn_close(client->conn, 1000, TG_SLICE("")), TG_OK);
    assert_int_equal(asked.ended, 1);
    assert_int_equal(asked.status, TG_E_CLOSED);
}

static void ends_calls_when_the_inbox_is_full(void **state)
{
    struct fake_core *core = *state;
    core->config.inbox_messages = 1;
    struct fake_client *client = open(core);
    struct asked asked = {.question.ended = call_ended};
    fake_client_say(client, ping);
    tg_conn_call_begin(client->conn, &asked.question);
    fake_client_say(client, seven);
    assert_int_equal(asked.ended, 1);
    assert_int_equal(asked.status, TG_E_FULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(begins_a_message_when_the_one_before_has_ended),
        TEST(begins_no_message_before_connected_has_ended),
        TEST(closes_with_1011_when_connected_fails_after_a_wait),
        TEST(answers_for_a_message_that_cannot_be_kept),
        TEST(drops_what_is_kept_when_it_closes),
        TEST(stays_while_disconnected_waits),
        TEST(says_1001_when_the_handlers_that_wait_have_ended),
        TEST(gives_an_answer_to_its_call_past_the_inbox),
        TEST(takes_only_its_own_numbers_for_answers),
        TEST(ends_calls_when_the_inbox_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
