/* How a connection begins: each stage answers what the spec says, at once or when the spec has it end. */
#include "core/conn.h"

#include "core/group.h"
#include "core/user.h"

#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char ping[] = "{\"action\":\"ping\"}";

static void wait_for_it(struct fake_core *core, struct tg_conn *conn)
{
    (void)conn;
    core->is_next_waiting = true;
}

static void answer_at_once(struct fake_core *core, struct tg_conn *conn)
{
    (void)core;
    (void)conn;
}

static void join_lobby(struct fake_core *core, struct tg_conn *conn)
{
    (void)core;
    assert_int_equal(tg_group_join(conn, TG_GROUP_NAMED, TG_SLICE("lobby")), TG_OK);
}

static void turn_away(struct fake_core *core, struct tg_conn *conn)
{
    (void)core;
    tg_conn_close(conn, 4401, TG_SLICE("Unauthorized"));
}

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

static uint32_t members(struct fake_core *core)
{
    const struct tg_group *group = tg_group_find(&core->worker, TG_GROUP_NAMED, TG_SLICE("lobby"));
    return group ? tg_group_count(group) : 0;
}

static void goes_through_its_stages_in_order(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = answer_at_once;
    core->on_groups = join_lobby;
    fake_core_open(core, 0, "/chat");
    expect_journal(core, "1 authenticate\n1 groups\n1 connected\n");
    assert_int_equal(members(core), 1);
}

static void begins_each_stage_when_the_one_before_has_ended(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = core->on_groups = core->on_connected = wait_for_it;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, ping);
    expect_journal(core, "1 authenticate\n");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 groups\n");
    fake_client_say(client, ping);
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 connected\n");
    assert_int_equal(core->worker.metrics.inbox_messages, 2);
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 message ping\n1 message ping\n");
}

static void keeps_no_more_than_the_inbox_holds_meanwhile(void **state)
{
    struct fake_core *core = *state;
    core->config.inbox_messages = 2;
    core->on_authenticate = wait_for_it;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, ping);
    assert_true(client->is_reading);
    fake_client_say(client, ping);
    assert_false(client->is_reading);
    assert_int_equal(core->worker.metrics.inbox_full, 1);
    tg_conn_ended(client->conn, TG_DONE);
    assert_true(client->is_reading);
    expect_journal(core, "1 authenticate\n1 connected\n1 message ping\n1 message ping\n");
}

static void stops_where_a_stage_closes_the_connection(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = turn_away;
    core->on_groups = join_lobby;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, ping);
    fake_core_turn(core);
    expect_journal(core, "1 authenticate\n");
    expect_sent(client, "close 4401 Unauthorized\n");
    fake_client_vanish(client);
    expect_journal(core, "1 forget\n"); /* and `disconnected` does not run */
}

static void expect_refused(struct fake_core *core, struct fake_client *client)
{
    fake_core_turn(core);
    expect_sent(client, "close 1011 the consumer could not start\n");
    assert_int_equal(members(core), 0);
    fake_client_vanish(client);
}

static void closes_with_1011_when_a_stage_fails(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = answer_at_once;
    core->is_authenticate_raising = true;
    expect_refused(core, fake_core_open(core, 0, "/chat"));
    expect_journal(core, "1 authenticate\n1 forget\n");
    core->is_authenticate_raising = false;
    core->on_groups = join_lobby;
    core->is_groups_raising = true;
    expect_refused(core, fake_core_open(core, 0, "/chat"));
    expect_journal(core, "2 authenticate\n2 groups\n2 forget\n");
    core->is_groups_raising = false;
    core->is_connected_raising = true;
    expect_refused(core, fake_core_open(core, 0, "/chat"));
    expect_journal(core, "3 authenticate\n3 groups\n3 connected\n"
                         "3 disconnected 1011 the consumer could not start\n3 forget\n");
}

static void closes_with_1011_when_a_stage_fails_after_a_wait(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = wait_for_it;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    tg_conn_ended(client->conn, TG_FAILED);
    expect_refused(core, client);
    expect_journal(core, "1 authenticate\n1 forget\n");
}

static void does_not_go_on_for_a_client_that_is_leaving(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = wait_for_it;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    assert_true(tg_conn_peer_closing(client->conn, 1000, TG_SLICE("")));
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 authenticate\n");
    fake_client_vanish(client);
    expect_journal(core, "1 forget\n");
}

static void is_not_waited_for_by_a_server_that_goes_away_until_connected_runs(void **state)
{
    struct fake_core *core = *state;
    core->on_authenticate = wait_for_it;
    struct fake_client *first = fake_core_open(core, 0, "/chat");
    core->on_authenticate = NULL;
    core->on_groups = wait_for_it;
    struct fake_client *second = fake_core_open(core, 1, "/chat");
    core->on_groups = NULL;
    core->on_connected = wait_for_it;
    struct fake_client *third = fake_core_open(core, 2, "/chat");
    expect_journal(core, "1 authenticate\n2 groups\n3 connected\n");
    tg_worker_drain(&core->worker);
    fake_core_turn(core);
    expect_sent(first, "close 1001 the server is going away\n");
    expect_sent(second, "close 1001 the server is going away\n");
    expect_sent(third, "");
    tg_conn_ended(first->conn, TG_DONE);
    tg_conn_ended(third->conn, TG_DONE);
    fake_core_turn(core);
    expect_sent(third, "close 1001 the server is going away\n");
    expect_journal(core, "");
}

static void reads_the_text_of_an_id_and_nothing_else(void **state)
{
    (void)state;
    char text[TG_CONN_ID_BYTES];
    uint64_t id = 7;
    assert_true(tg_conn_id_read(tg_conn_id_text(0xfedcba9876543210, text), &id));
    assert_true(id == 0xfedcba9876543210);
    static const char *const others[] = {
        "", "a1", "fedcba987654321", "fedcba98765432100", "fedcba987654321g", "FEDCBA9876543210"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_false(tg_conn_id_read(tg_slice_of(others[i]), &id));
    assert_false(tg_conn_id_read((struct tg_slice){"fedcba987654321\0", 16}, &id));
    assert_true(id == 0xfedcba9876543210);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(goes_through_its_stages_in_order),
        TEST(begins_each_stage_when_the_one_before_has_ended),
        TEST(keeps_no_more_than_the_inbox_holds_meanwhile),
        TEST(stops_where_a_stage_closes_the_connection),
        TEST(closes_with_1011_when_a_stage_fails),
        TEST(closes_with_1011_when_a_stage_fails_after_a_wait),
        TEST(does_not_go_on_for_a_client_that_is_leaving),
        TEST(is_not_waited_for_by_a_server_that_goes_away_until_connected_runs),
        cmocka_unit_test(reads_the_text_of_an_id_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
