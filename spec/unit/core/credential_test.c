/* How long a client is who it said to be: what ends, what is asked again, and what renews beside the rest. */
#include "core/credential.h"

#include "core/conn.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char token[] = "{\"action\":\"authenticate\",\"payload\":{\"token\":\"t\"}}";
static const char ping[] = "{\"action\":\"ping\"}";

/* What the authenticator of the spec says: good for so long, from now. */
static struct tg_validity good;
static int64_t good_for_ms;

static int setup(void **state)
{
    *state = fake_core_new();
    good = (struct tg_validity){INT64_MAX, 0, 0};
    good_for_ms = INT64_MAX;
    return 0;
}

static int teardown(void **state)
{
    fake_core_free(*state);
    return 0;
}

static enum tg_status set(struct fake_core *core, struct tg_conn *conn)
{
    int64_t now_ms = (int64_t)tg_clock_wall_ms(&core->clock.clock);
    good.expires_at_ms = good_for_ms == INT64_MAX ? INT64_MAX : now_ms + good_for_ms;
    return tg_credential_set(conn, &good);
}

static void let_in(struct fake_core *core, struct tg_conn *conn)
{
    assert_int_equal(set(core, conn), TG_OK);
}

static void wait_for_it(struct fake_core *core, struct tg_conn *conn)
{
    (void)conn;
    core->is_next_waiting = true;
}

/* A client of /room, which can renew, whose credential is good for `milliseconds`. */
static struct fake_client *open_for(struct fake_core *core, int64_t milliseconds)
{
    good_for_ms = milliseconds;
    core->on_authenticate = let_in;
    struct fake_client *client = fake_core_open(core, 0, "/room");
    core->is_journal_closed = false;
    return client;
}

static void closes_when_it_expires(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    fake_core_sleep(core, 4990);
    expect_sent(client, "");
    fake_core_sleep(core, 20);
    expect_sent(client, "close 4401 expired\n");
    assert_int_equal(core->worker.metrics.credentials_expired, 1);
}

static void puts_up_with_it_for_the_grace(void **state)
{
    struct fake_core *core = *state;
    good.grace_ms = 3000;
    struct fake_client *client = open_for(core, 5000);
    fake_core_sleep(core, 7990);
    expect_sent(client, "");
    fake_core_sleep(core, 20);
    expect_sent(client, "close 4401 expired\n");
}

static void costs_nothing_where_nothing_ends(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, INT64_MAX);
    assert_null(client->conn->credential);
}

static void believes_the_wall_clock_not_the_loop(void **state)
{
    struct fake_core *core = *state;
    core->config.heartbeat_seconds = 0;
    struct fake_client *client = open_for(core, 5000);
    core->clock.wall_offset_ms -= 60000; /* somebody has set it back */
    fake_core_sleep(core, 10000);
    expect_sent(client, "");
    fake_core_sleep(core, 55100);
    expect_sent(client, "close 4401 expired\n");
}

static void renewed(struct fake_core *core, struct tg_conn *conn)
{
    good_for_ms = 10000;
    assert_int_equal(set(core, conn), TG_OK);
}

static void lives_on_when_it_is_renewed(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    core->on_renew = renewed;
    fake_core_sleep(core, 4000);
    fake_client_say(client, token);
    expect_journal(core, "1 authenticate\n1 connected\n1 renew with a token\n");
    fake_core_sleep(core, 9980);
    expect_sent(client, "");
    fake_core_sleep(core, 40);
    expect_sent(client, "close 4401 expired\n");
}

static void lets_an_answer_come_that_is_under_way_when_it_expires(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    core->on_renew = wait_for_it;
    fake_client_say(client, token);
    fake_core_sleep(core, 6000);
    expect_sent(client, "");
    tg_credential_asked(client->conn, TG_DONE); /* and it was no */
    fake_core_sleep(core, 20);
    expect_sent(client, "close 4401 expired\n");
}

static void wait_in_message(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    (void)envelope;
    core->is_next_waiting = true;
}

static void is_renewed_beside_a_handler_that_waits(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    core->on_message = wait_in_message;
    core->on_renew = wait_for_it;
    fake_client_say(client, ping);
    fake_client_say(client, ping);
    fake_client_say(client, token);
    expect_journal(core, "1 authenticate\n1 connected\n1 message ping\n1 renew with a token\n");
    tg_credential_asked(client->conn, TG_DONE);
    expect_journal(core, "");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 message ping\n");
    tg_conn_ended(client->conn, TG_DONE);
}

static void is_renewed_once_at_a_time_and_in_order(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    core->on_renew = wait_for_it;
    fake_client_say(client, token);
    fake_client_say(client, token);
    fake_client_say(client, ping);
    expect_journal(core, "1 authenticate\n1 connected\n1 renew with a token\n");
    assert_int_equal(core->worker.metrics.inbox_messages, 2);
    tg_credential_asked(client->conn, TG_FAILED);
    expect_journal(core, "1 renew with a token\n1 message ping\n");
    tg_credential_asked(client->conn, TG_DONE);
    expect_sent(client, "");
    assert_int_equal(core->worker.metrics.inbox_messages, 0);
}

static void waits_for_the_start_to_end(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = wait_for_it;
    struct fake_client *client = fake_core_open(core, 0, "/room");
    fake_client_say(client, token);
    expect_journal(core, "1 authenticate\n");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 connected\n1 renew with a token\n");
}

static void is_an_unknown_action_where_nobody_authenticates(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, token);
    expect_journal(core, "1 connected\n");
    fake_core_turn(core);
    assert_int_equal(core->worker.metrics.messages_invalid, 1);
    assert_true(client->sent_bytes > 0);
    client->sent_bytes = 0;
}

static void is_checked_like_any_message(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    fake_client_say(client, "{\"action\":\"authenticate\"}");
    expect_journal(core, "1 authenticate\n1 connected\n");
    assert_int_equal(core->worker.metrics.messages_invalid, 1);
    fake_core_turn(core);
    client->sent_bytes = 0;
}

static void asks_again_every_so_often(void **state)
{
    struct fake_core *core = *state;
    good.ask_every_ms = 60000;
    core->config.heartbeat_seconds = 0;
    struct fake_client *client = open_for(core, INT64_MAX);
    fake_core_sleep(core, 185000);
    expect_journal(core, "1 authenticate\n1 connected\n1 renew\n1 renew\n1 renew\n");
    assert_int_equal(core->worker.metrics.credentials_asked_again, 3);
    core->is_renew_raising = true;
    fake_core_sleep(core, 60000);
    expect_sent(client, "close 1011 the credential could not be checked\n");
}

static void takes_the_token_out_of_the_first_message(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = wait_for_it;
    struct fake_client *client = fake_core_open(core, 0, "/room");
    struct tg_buf found;
    tg_buf_init(&found);
    assert_int_equal(tg_credential_take_first(client->conn, &found), TG_E_NOT_FOUND);
    fake_client_say(client, token);
    fake_client_say(client, ping);
    assert_int_equal(tg_credential_take_first(client->conn, &found), TG_OK);
    assert_true(tg_slice_equal(tg_buf_peek(&found), TG_SLICE("t")));
    assert_int_equal(tg_credential_take_first(client->conn, &found), TG_E_INVALID);
    assert_int_equal(core->worker.metrics.inbox_messages, 0);
    tg_buf_deinit(&found);
    tg_conn_ended(client->conn, TG_DONE);
}

static void changes_nothing_without_memory(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, INT64_MAX);
    struct tg_slice first = TG_SLICE("first");
    good_for_ms = 5000;
    tg_alloc_fail_at(1);
    assert_int_equal(set(core, client->conn), TG_E_NO_MEMORY);
    assert_null(client->conn->credential);
    tg_alloc_fail_at(2);
    assert_int_equal(tg_credential_keep_token(client->conn, first), TG_E_NO_MEMORY);
    tg_alloc_fail_at(0);
    assert_int_equal(tg_credential_keep_token(client->conn, first), TG_OK);
    tg_alloc_fail_at(1);
    assert_int_equal(tg_credential_keep_token(client->conn, TG_SLICE("second")), TG_E_NO_MEMORY);
    tg_alloc_fail_at(0);
    assert_true(tg_slice_equal(tg_credential_token(client->conn), first));
    assert_int_equal(set(core, client->conn), TG_OK);
    fake_core_sleep(core, 5020);
    expect_sent(client, "close 4401 expired\n");
}

static void goes_with_its_connection(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_for(core, 5000);
    core->on_renew = wait_for_it;
    fake_client_say(client, token);
    fake_client_vanish(client);
    fake_core_sleep(core, 10000);
    assert_int_equal(core->worker.wheel.count, 0);
}

int main(void)
{
#define SPEC(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest specs[] = {
        SPEC(closes_when_it_expires),
        SPEC(puts_up_with_it_for_the_grace),
        SPEC(costs_nothing_where_nothing_ends),
        SPEC(believes_the_wall_clock_not_the_loop),
        SPEC(lives_on_when_it_is_renewed),
        SPEC(lets_an_answer_come_that_is_under_way_when_it_expires),
        SPEC(is_renewed_beside_a_handler_that_waits),
        SPEC(is_renewed_once_at_a_time_and_in_order),
        SPEC(waits_for_the_start_to_end),
        SPEC(is_an_unknown_action_where_nobody_authenticates),
        SPEC(is_checked_like_any_message),
        SPEC(asks_again_every_so_often),
        SPEC(takes_the_token_out_of_the_first_message),
        SPEC(changes_nothing_without_memory),
        SPEC(goes_with_its_connection),
    };
    return cmocka_run_group_tests_name("a credential", specs, NULL, NULL);
}
