/* Connections between two loads of the code: what moves when, and what becomes of everything that was under
 * way. */
#include "core/move.h"

#include "core/credential.h"
#include "core/deliver.h"
#include "core/topic.h"
#include "support/alloc.h"
#include "support/fake_registry.h"
#include "support/fake_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char ping[] = "{\"action\":\"ping\"}";
static const char renewal[] = "{\"action\":\"authenticate\",\"payload\":{\"token\":\"t\"}}";
static const char seven[] = "{\"action\":\"seven\"}";

static struct fake_core *core;
static struct fake_reload *reload;

static int setup_for(uint32_t clients)
{
    core = fake_core_new_for(clients);
    core->config.heartbeat_seconds = 0;
    reload = fake_reload_new(core);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_for(FAKE_CLIENTS);
}

enum { CROWD = 600 };

static int setup_crowd(void **state)
{
    (void)state;
    setup_for(CROWD);
    core->is_journal_closed = true;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    core->on_message = NULL;
    core->on_disconnected = NULL;
    core->on_renew = NULL;
    fake_reload_free(reload);
    fake_core_free(core);
    return 0;
}

static void wait_always(struct fake_core *of, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    (void)envelope;
    of->is_next_waiting = true;
}

static void wait_in_hook(struct fake_core *of, struct tg_conn *conn)
{
    (void)conn;
    of->is_next_waiting = true;
}

/* The background's work, and no turn behind it. */
static void swap(void)
{
    tg_reload_request(&reload->core, "spec", true, NULL);
    fake_reload_finish(reload);
}

static void forget_journal(void)
{
    core->journal_bytes = 0;
}

static struct fake_client *open_one(const char *target)
{
    struct fake_client *client = fake_core_open(core, 0, target);
    fake_core_turn(core);
    forget_journal();
    return client;
}

/* ---- idle ones ---- */

static void an_idle_connection_moves_with_what_its_code_has_kept(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    swap();
    fake_core_turn(core);
    expect_journal(core, "retire 1\nbegin 2\n1 release\n1 out of 1\n1 into 2 from 1\nstop 1 reload\nend 1\n");
    assert_ptr_equal(client->conn->generation, core->worker.generation);
    assert_ptr_equal(client->conn->consumer,
                     tg_registry_find_consumer(&core->worker.generation->registry, TG_SLICE("chat")));
    assert_int_equal(core->worker.generation->connections, 1);
    assert_int_equal(core->worker.metrics.connections_moved, 1);
    fake_client_say(client, ping);
    expect_journal(core, "1 message ping\n");
    expect_sent(client, "");
}

static void a_message_moves_its_connection_first(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    reload->without = FAKE_SEVEN;
    swap();
    forget_journal();
    fake_client_say(client, ping);
    fake_client_say(client, seven); /* which the new code does not know */
    expect_journal(core, "");
    fake_core_turn(core);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\n1 message ping\nstop 1 reload\nend 1\n");
    assert_int_equal(core->worker.metrics.messages_invalid, 1);
    assert_int_equal(core->worker.metrics.inbox_messages, 0);
}

static void those_with_a_message_move_before_all_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < CROWD; i++) fake_core_open(core, i, "/chat");
    swap();
    fake_client_say(&core->clients[CROWD - 1], ping);
    fake_core_turn(core);
    assert_int_equal(core->clients[CROWD - 1].conn->generation->number, 2);
    assert_int_equal(core->clients[CROWD - 2].conn->generation->number, 1);
}

static void many_move_in_slices_of_several_turns(void **state)
{
    (void)state;
    for (size_t i = 0; i < CROWD; i++) fake_core_open(core, i, "/chat");
    fake_core_turn(core);
    swap();
    core->turns_requested = 0;
    fake_core_turn(core);
    assert_int_equal(core->worker.metrics.connections_moved, 48);
    assert_true(core->turns_requested > 0);
    fake_reload_turns(reload, 13);
    assert_int_equal(core->worker.metrics.connections_moved, CROWD);
    core->turns_requested = 0;
    fake_reload_turns(reload, 2);
    assert_int_equal(core->turns_requested, 0);
    assert_int_equal(core->worker.metrics.generations_alive, 1);
}

/* ---- handlers that wait ---- */

static void a_handler_ends_where_it_began_and_what_waits_behind_it_begins_in_the_new_code(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    fake_client_say(client, seven);
    swap();
    fake_core_turn(core);
    expect_journal(core, "1 message ping\nretire 1\nbegin 2\n1 release\n");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "");
    fake_core_turn(core);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\n1 message seven\nstop 1 reload\nend 1\n");
    tg_conn_ended(client->conn, TG_DONE);
}

static void nothing_begins_beside_it_whatever_its_concurrency(void **state)
{
    (void)state;
    for (int generation = 0; generation < 2; generation++) {
        struct tg_action *action = tg_map_get(
            &tg_registry_find_consumer(&core->worker.generation->registry, TG_SLICE("chat"))->actions,
            TG_SLICE("ping"));
        action->concurrency = 4;
        if (generation == 1) break;
        core->on_message = wait_always;
        struct fake_client *client = open_one("/chat");
        for (int i = 0; i < 2; i++) fake_client_say(client, ping);
        assert_int_equal(client->conn->running, 2);
        swap();
        for (int i = 0; i < 3; i++) fake_client_say(client, ping);
        fake_core_turn(core);
        forget_journal();
        tg_conn_ended(client->conn, TG_DONE);
        fake_core_turn(core);
        expect_journal(core, "1 release\n");
        assert_int_equal(client->conn->running, 1);
        assert_int_equal(client->conn->inbox.count, 3);
    }
    struct tg_conn *conn = core->clients[0].conn;
    tg_conn_ended(conn, TG_DONE);
    fake_core_turn(core);
    assert_int_equal(conn->generation->number, 2);
    assert_int_equal(conn->running, 3);
    while (conn->running) tg_conn_ended(conn, TG_DONE);
}

/* A move in the middle of it cancelled the renewal, of which nobody was told: the client never heard an
 * answer, could not renew again, and its credential never expired. */
static void one_that_renews_ends_that_where_it_began(void **state)
{
    (void)state;
    core->on_renew = wait_in_hook;
    struct fake_client *client = open_one("/room");
    fake_client_say(client, renewal);
    swap();
    fake_core_turn(core);
    expect_journal(core, "1 renew with a token\nretire 1\nbegin 2\n1 release\n");
    fake_client_say(client, ping);
    tg_credential_asked(client->conn, TG_DONE);
    assert_false(client->conn->is_renewing);
    fake_core_turn(core);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\n1 message ping\nstop 1 reload\nend 1\n");
}

static void a_handler_that_sleeps_through_reloads_lands_in_the_newest(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    for (int i = 0; i < 3; i++) fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(core->worker.metrics.generations_alive, 2);
    forget_journal();
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 release\n1 out of 1\n1 into 4 from 1\nstop 1 reload\nend 1\n");
    assert_int_equal(core->worker.metrics.connections_moved, 1);
}

static void those_not_looked_at_go_straight_to_the_newest(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    swap();
    swap();
    forget_journal();
    fake_core_turn(core);
    expect_journal(core,
                   "1 release\n1 out of 1\n1 into 3 from 1\nstop 1 reload\nend 1\nstop 2 reload\nend 2\n");
    assert_int_equal(client->conn->generation->number, 3);
}

static void a_hook_that_waits_after_the_move_holds_the_inbox_and_the_next_move(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    reload->on_moved = wait_in_hook;
    swap();
    fake_client_say(client, ping);
    fake_core_turn(core);
    forget_journal();
    swap();
    reload->on_moved = NULL;
    fake_reload_turns(reload, 3);
    expect_journal(core, "retire 2\nbegin 3\n1 release\n");
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 release\n1 out of 2\n1 into 3 from 2\n1 message ping\nstop 2 reload\nend 2\n");
}

static void handlers_have_retire_seconds(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    swap();
    core->on_message = NULL;
    fake_client_say(client, seven);
    fake_core_turn(core);
    forget_journal();
    fake_core_sleep(core, core->config.retire_seconds * 1000ull - 100);
    expect_journal(core, "");
    fake_core_sleep(core, 200);
    expect_journal(core, "1 release\n1 expire\n1 release\n1 out of 1\n1 into 2 from 1\n1 message seven\n"
                         "stop 1 reload\nend 1\n");
    assert_int_equal(core->worker.metrics.handlers_retired, 1);
}

static void what_begins_to_wait_after_the_time_is_up_is_ended_at_once(void **state)
{
    (void)state;
    core->on_connected = wait_in_hook;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    core->config.retire_seconds = 0;
    swap();
    fake_core_sleep(core, 100);
    assert_int_equal(client->conn->state, TG_CONN_CLOSING);
    expect_sent(client, "close 1011 the consumer could not start\n");
}

/* ---- events ---- */

static void notify(const struct tg_conn *conn)
{
    const struct tg_publication publication = {
        .kind = TG_PUBLISH_EVENT,
        .action = TG_SLICE("notify"),
        .texts = {[TG_NAMING_DECLARED] = TG_SLICE("{\"action\":\"notify\",\"payload\":5}")},
        .to = TG_TO_CONN,
        .conn_id = conn->id,
    };
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 1);
}

static void an_event_that_waits_begins_in_the_new_code(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/events");
    notify(client->conn);
    swap();
    notify(client->conn);
    forget_journal();
    fake_reload_turns(reload, 2);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\nstop 1 reload\nend 1\n1 event notify\n"
                         "1 event notify\n");
    assert_int_equal(core->worker.metrics.inbox_events, 0);
}

/* It was judged by the code that the connection was about to leave: what new code sent to everybody while
 * they moved got lost on those that had not. */
static void an_event_that_only_the_new_code_knows_waits_for_the_move(void **state)
{
    (void)state;
    reload->without = FAKE_NOTIFY;
    fake_reload_expect(reload, TG_RELOAD_OK);
    struct fake_client *client = open_one("/events");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    core->on_message = NULL;
    reload->without = 0;
    swap();
    notify(client->conn);
    fake_reload_turns(reload, 2);
    notify(client->conn);
    forget_journal();
    tg_conn_ended(client->conn, TG_DONE);
    fake_reload_turns(reload, 3);
    expect_journal(core, "1 release\n1 out of 2\n1 into 3 from 2\nstop 2 reload\nend 2\n1 event notify\n"
                         "1 event notify\n");
}

static void an_event_behind_a_handler_waits_for_the_move(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/events");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    core->on_message = NULL;
    notify(client->conn);
    swap();
    fake_reload_turns(reload, 2);
    forget_journal();
    tg_conn_ended(client->conn, TG_DONE);
    fake_reload_turns(reload, 2);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\nstop 1 reload\nend 1\n1 event notify\n");
}

static void what_needs_no_script_reaches_those_that_have_not_moved(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/events");
    assert_int_equal(tg_group_join(client->conn, TG_GROUP_NAMED, TG_SLICE("all")), TG_OK);
    swap();
    forget_journal();
    const struct tg_slice group = TG_SLICE("all");
    struct tg_publication publication = {
        .kind = TG_PUBLISH_EVENT,
        .action = TG_SLICE("joined"),
        .texts = {[TG_NAMING_DECLARED] =
                      TG_SLICE("{\"action\":\"joined\",\"payload\":{\"user_name\":\"a\"}}")},
        .to = TG_TO_GROUPS,
        .group_kind = TG_GROUP_NAMED,
        .groups = &group,
        .group_count = 1,
    };
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 1);
    publication.kind = TG_PUBLISH_MESSAGE;
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 1);
    expect_journal(core, "");
    assert_int_equal(client->conn->generation->number, 1);
    fake_core_turn(core);
    expect_sent(client, "text {\"action\":\"joined\",\"payload\":{\"user_name\":\"a\"}}\n"
                        "text {\"action\":\"event_complete\"}\n"
                        "text {\"action\":\"joined\",\"payload\":{\"user_name\":\"a\"}}\n"
                        "text {\"action\":\"group_complete\"}\n");
}

/* ---- beginning and ending ---- */

static void a_connection_that_starts_ends_its_start_where_it_began(void **state)
{
    (void)state;
    core->on_groups = wait_in_hook;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, ping);
    swap();
    fake_core_turn(core);
    forget_journal();
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 connected\n1 release\n1 out of 1\n1 into 2 from 1\n1 message ping\n"
                         "stop 1 reload\nend 1\n");
}

static void one_that_closes_stays_to_its_end(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_disconnected = wait_in_hook;
    tg_conn_close(client->conn, 1000, TG_SLICE("bye"));
    swap();
    fake_core_turn(core);
    expect_journal(core, "retire 1\nbegin 2\n");
    struct tg_conn *conn = client->conn;
    fake_client_vanish(client);
    fake_reload_turns(reload, 2);
    expect_journal(core, "1 disconnected 1000 bye\n");
    tg_conn_ended(conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 forget\nstop 1 reload\nend 1\n");
}

static void disconnected_does_not_wait_beyond_retire_seconds(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_disconnected = wait_in_hook;
    core->config.retire_seconds = 1;
    swap();
    fake_client_vanish(client);
    fake_core_turn(core);
    forget_journal();
    fake_core_sleep(core, 1100);
    expect_journal(core, "1 forget\nstop 1 reload\nend 1\n");
}

static void one_that_closes_while_it_is_released_does_not_move(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    swap();
    tg_conn_close(client->conn, 1000, TG_SLICE("bye"));
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 message ping\nretire 1\nbegin 2\n");
}

static void a_drain_ends_those_that_have_not_moved(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    swap();
    forget_journal();
    tg_worker_drain(&core->worker);
    fake_core_turn(core);
    expect_journal(core, "stop 1 stop\nstop 2 stop\n");
    expect_sent(client, "close 1001 the server is going away\n");
}

/* ---- memory ---- */

static void without_memory_it_stays_and_is_tried_again(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    reload->is_move_failing = true;
    swap();
    fake_client_say(client, ping);
    fake_reload_turns(reload, 3);
    expect_journal(core, "retire 1\nbegin 2\n1 release\n");
    assert_int_equal(core->worker.metrics.moves_failed, 1);
    fake_core_sleep(core, 150);
    assert_int_equal(core->worker.metrics.moves_failed, 2);
    reload->is_move_failing = false;
    forget_journal();
    fake_core_sleep(core, 150);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\n1 message ping\nstop 1 reload\nend 1\n");
}

enum { SENTENCES = 3 };

/* A client sends three messages around a swap, while the n-th allocation fails: each is answered for, and the
 * client is there in the new code at the end. */
static enum tg_status talk_around_a_swap(size_t n)
{
    struct fake_client *client = fake_core_open(core, 0, "/hub");
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:a\"}");
    fake_core_turn(core);
    client->sent_bytes = 0;
    uint32_t number = core->worker.generation->number;
    swap();
    tg_alloc_fail_at(n);
    for (int i = 0; i < SENTENCES; i++)
        fake_client_say(client, "{\"action\":\"say\",\"topic\":\"room:a\",\"payload\":\"x\"}");
    fake_reload_turns(reload, 2);
    fake_core_sleep(core, 300);
    bool has_failed = tg_alloc_has_failed();
    tg_alloc_fail_at(0);
    assert_int_equal(client->conn->generation->number, number + 1);
    assert_int_equal(core->worker.metrics.inbox_messages, 0);
    assert_non_null(tg_subscription_find(client->conn, TG_SLICE("room:a")));
    client->sent_bytes = 0;
    fake_client_vanish(client);
    fake_reload_turns(reload, 2);
    fake_reload_work(reload);
    forget_journal();
    return has_failed ? TG_E_NO_MEMORY : TG_OK;
}

static void survives_every_allocation_that_fails(void **state)
{
    (void)state;
    size_t n = 1;
    while (talk_around_a_swap(n) == TG_E_NO_MEMORY) n++;
    assert_true(n > SENTENCES);
}

/* ---- consumers that are gone ---- */

static void a_connection_of_a_consumer_that_is_gone_is_closed(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->on_message = wait_always;
    fake_client_say(client, ping);
    reload->without = FAKE_CHAT;
    swap();
    fake_core_turn(core);
    expect_sent(client, ""); /* its handler may still answer */
    tg_conn_ended(client->conn, TG_DONE);
    fake_reload_turns(reload, 2);
    expect_sent(client, "close 1012 the consumer was removed\n");
    assert_int_equal(core->worker.metrics.connections_orphaned, 1);
}

static void or_stays_with_the_old_code(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/chat");
    core->config.gone_consumers = TG_GONE_STAY;
    reload->without = FAKE_CHAT;
    swap();
    fake_client_say(client, ping);
    fake_reload_turns(reload, 2);
    expect_journal(core, "retire 1\nbegin 2\n1 message ping\n");
    fake_client_say(client, seven);
    expect_journal(core, "1 message seven\n");
    fake_core_sleep(core, 2000ull * core->config.retire_seconds);
    expect_journal(core, "");
    assert_int_equal(core->worker.metrics.generations_alive, 2);
    fake_client_vanish(client);
    fake_core_turn(core);
    expect_journal(core, "1 disconnected 1006 \n1 forget\nstop 1 reload\nend 1\n");
}

static void until_there_are_too_many_generations(void **state)
{
    (void)state;
    core->config.max_generations = 2;
    core->config.gone_consumers = TG_GONE_STAY;
    struct fake_client *client = open_one("/chat");
    reload->without = FAKE_CHAT;
    swap();
    fake_reload_turns(reload, 2);
    tg_reload_request(&reload->core, "spec", true, NULL);
    fake_reload_work(reload);
    expect_sent(client, "close 1012 the consumer was removed\n");
    assert_int_equal(core->worker.generation->number, 2);
    fake_client_vanish(client);
    fake_core_turn(core);
    fake_reload_work(reload);
    assert_int_equal(core->worker.generation->number, 3);
}

static void a_consumer_that_speaks_otherwise_is_another_one(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/text");
    reload->without = FAKE_TEXT;
    swap();
    fake_reload_turns(reload, 2);
    expect_sent(client, "close 1012 the consumer was removed\n");
}

/* ---- topics ---- */

static struct fake_client *open_in_room(const char *target)
{
    struct fake_client *client = fake_core_open(core, 0, target);
    if (strcmp(target, "/hub") == 0)
        fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:a\"}");
    fake_core_turn(core);
    forget_journal();
    client->sent_bytes = 0;
    return client;
}

static void subscriptions_go_on_with_the_topics_of_the_new_code(void **state)
{
    (void)state;
    struct fake_client *client = open_in_room("/hub");
    swap();
    fake_core_turn(core);
    const struct tg_subscription *subscription = tg_subscription_find(client->conn, TG_SLICE("room:a"));
    assert_ptr_equal(subscription->topic,
                     tg_registry_find_topic(&core->worker.generation->registry, TG_SLICE("room:{name}")));
    forget_journal();
    fake_client_say(client, "{\"action\":\"say\",\"topic\":\"room:a\",\"payload\":\"x\"}");
    expect_journal(core, "1 message say\n");
    fake_client_say(client, "{\"action\":\"unsubscribe\",\"topic\":\"room:a\"}");
    fake_core_turn(core);
    expect_journal(core, "1 unsubscribe room:a client\n");
    expect_sent(client, "text {\"action\":\"complete\"}\n"
                        "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\"}\n"
                        "text {\"action\":\"complete\"}\n");
}

static void a_topic_gets_events_that_only_the_new_code_knows_before_it_has_moved(void **state)
{
    (void)state;
    reload->without = FAKE_NOTIFY;
    fake_reload_expect(reload, TG_RELOAD_OK);
    struct fake_client *client = open_in_room("/hub");
    reload->without = 0;
    swap();
    const struct tg_publication publication = {
        .kind = TG_PUBLISH_EVENT,
        .action = TG_SLICE("notify"),
        .texts = {[TG_NAMING_DECLARED] = TG_SLICE("{\"action\":\"notify\",\"payload\":5}")},
        .to = TG_TO_GROUPS,
        .group_kind = TG_GROUP_TOPIC,
        .groups = &tg_subscription_find(client->conn, TG_SLICE("room:a"))->key,
        .group_count = 1,
    };
    assert_int_equal(tg_worker_deliver(&core->worker, &publication), 1);
    forget_journal();
    fake_reload_turns(reload, 2);
    expect_journal(core, "1 release\n1 out of 2\n1 into 3 from 2\nstop 2 reload\nend 2\n"
                         "1 event notify\n");
    expect_sent(client, "text {\"action\":\"event_complete\"}\n");
}

static void a_topic_that_is_gone_ends_without_a_hook(void **state)
{
    (void)state;
    struct fake_client *client = open_in_room("/hub");
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:lobby\"}");
    reload->without = FAKE_ROOM;
    swap();
    fake_core_turn(core);
    assert_null(tg_subscription_find(client->conn, TG_SLICE("room:a")));
    assert_int_equal(client->conn->subscription_count, 1);
    assert_int_equal(core->worker.metrics.subscriptions, 1);
    expect_sent(client, "text {\"action\":\"subscribed\",\"topic\":\"room:lobby\"}\n"
                        "text {\"action\":\"complete\"}\n"
                        "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\"}\n");
}

static void a_path_that_is_a_topic_that_is_gone_is_closed(void **state)
{
    (void)state;
    struct fake_client *client = open_in_room("/alone/a");
    reload->without = FAKE_ROOM;
    swap();
    fake_reload_turns(reload, 2);
    expect_sent(client, "close 1012 the consumer was removed\n");
}

static void a_path_that_is_a_topic_moves_with_it(void **state)
{
    (void)state;
    struct fake_client *client = open_in_room("/alone/a");
    swap();
    fake_core_turn(core);
    forget_journal();
    fake_client_say(client, "{\"action\":\"say\",\"payload\":\"x\"}");
    expect_journal(core, "1 message say\n");
}

static void an_authoriser_that_waits_ends_where_it_began(void **state)
{
    (void)state;
    struct fake_client *client = open_one("/hub");
    core->is_next_waiting = true;
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:a\"}");
    swap();
    fake_client_say(client, "{\"action\":\"say\",\"topic\":\"room:a\",\"payload\":\"x\"}");
    fake_core_turn(core);
    forget_journal();
    tg_topic_admit(client->conn->changing);
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\n1 message say\nstop 1 reload\nend 1\n");
}

static void a_topic_that_the_server_has_closed_is_told_by_the_new_code(void **state)
{
    (void)state;
    struct fake_client *client = open_in_room("/hub");
    tg_topic_close(tg_subscription_find(client->conn, TG_SLICE("room:a")));
    swap();
    forget_journal();
    fake_reload_turns(reload, 2);
    expect_journal(core, "1 release\n1 out of 1\n1 into 2 from 1\n1 unsubscribe room:a server\n"
                         "stop 1 reload\nend 1\n");
    expect_sent(client, "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\"}\n");
}

static void a_topic_that_the_server_has_closed_and_that_is_gone_ends_once(void **state)
{
    (void)state;
    struct fake_client *client = open_in_room("/hub");
    tg_topic_close(tg_subscription_find(client->conn, TG_SLICE("room:a")));
    reload->without = FAKE_ROOM;
    swap();
    fake_reload_turns(reload, 2);
    assert_int_equal(client->conn->topics_to_leave, 0);
    expect_sent(client, "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\"}\n");
    forget_journal();
    fake_client_say(client, "{\"action\":\"unsubscribe\",\"topic\":\"room:lobby\"}");
    expect_journal(core, "");
}

int main(void)
{
#define SPEC(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SPEC(an_idle_connection_moves_with_what_its_code_has_kept),
        SPEC(a_message_moves_its_connection_first),
        cmocka_unit_test_setup_teardown(those_with_a_message_move_before_all_others, setup_crowd, teardown),
        cmocka_unit_test_setup_teardown(many_move_in_slices_of_several_turns, setup_crowd, teardown),
        SPEC(a_handler_ends_where_it_began_and_what_waits_behind_it_begins_in_the_new_code),
        SPEC(nothing_begins_beside_it_whatever_its_concurrency),
        SPEC(one_that_renews_ends_that_where_it_began),
        SPEC(a_handler_that_sleeps_through_reloads_lands_in_the_newest),
        SPEC(those_not_looked_at_go_straight_to_the_newest),
        SPEC(a_hook_that_waits_after_the_move_holds_the_inbox_and_the_next_move),
        SPEC(handlers_have_retire_seconds),
        SPEC(what_begins_to_wait_after_the_time_is_up_is_ended_at_once),
        SPEC(an_event_that_waits_begins_in_the_new_code),
        SPEC(an_event_that_only_the_new_code_knows_waits_for_the_move),
        SPEC(an_event_behind_a_handler_waits_for_the_move),
        SPEC(what_needs_no_script_reaches_those_that_have_not_moved),
        SPEC(a_connection_that_starts_ends_its_start_where_it_began),
        SPEC(one_that_closes_stays_to_its_end),
        SPEC(disconnected_does_not_wait_beyond_retire_seconds),
        SPEC(one_that_closes_while_it_is_released_does_not_move),
        SPEC(a_drain_ends_those_that_have_not_moved),
        SPEC(without_memory_it_stays_and_is_tried_again),
        SPEC(survives_every_allocation_that_fails),
        SPEC(a_connection_of_a_consumer_that_is_gone_is_closed),
        SPEC(or_stays_with_the_old_code),
        SPEC(until_there_are_too_many_generations),
        SPEC(a_consumer_that_speaks_otherwise_is_another_one),
        SPEC(subscriptions_go_on_with_the_topics_of_the_new_code),
        SPEC(a_topic_gets_events_that_only_the_new_code_knows_before_it_has_moved),
        SPEC(a_topic_that_is_gone_ends_without_a_hook),
        SPEC(a_path_that_is_a_topic_that_is_gone_is_closed),
        SPEC(a_path_that_is_a_topic_moves_with_it),
        SPEC(an_authoriser_that_waits_ends_where_it_began),
        SPEC(a_topic_that_the_server_has_closed_is_told_by_the_new_code),
        SPEC(a_topic_that_the_server_has_closed_and_that_is_gone_ends_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
