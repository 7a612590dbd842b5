/* Subscriptions of a connection. The fake authoriser says yes, or waits until the spec says something. */
#include "core/topic.h"

#include "base/log.h"
#include "core/conn.h"
#include "core/layer.h"
#include "core/worker.h"
#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SUBSCRIBE_A "{\"action\":\"subscribe\",\"topic\":\"room:a\",\"ref\":\"1\"}"
#define UNSUBSCRIBE_A "{\"action\":\"unsubscribe\",\"topic\":\"room:a\",\"ref\":2}"
#define SAY_A "{\"action\":\"say\",\"payload\":\"hi\",\"topic\":\"room:a\",\"ref\":3}"
#define SUBSCRIBED_A "text {\"action\":\"subscribed\",\"topic\":\"room:a\",\"ref\":\"1\"}\n"
#define UNSUBSCRIBED_A "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\",\"ref\":2}\n"
#define COMPLETE(ref) "text {\"action\":\"complete\",\"ref\":" ref "}\n"
#define NOT_SUBSCRIBED_A                                                                                     \
    "text {\"action\":\"error\",\"payload\":{\"reason\":\"not_subscribed\",\"detail\":\"Not subscribed to "  \
    "'room:a'\"},\"topic\":\"room:a\",\"ref\":3}\n"

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

static struct fake_client *open(struct fake_core *core)
{
    struct fake_client *client = fake_core_open(core, 0, "/hub");
    assert_non_null(client);
    expect_journal(core, "1 connected\n");
    return client;
}

static struct fake_client *open_subscribed(struct fake_core *core)
{
    struct fake_client *client = open(core);
    fake_client_say(client, SUBSCRIBE_A);
    fake_core_turn(core);
    expect_journal(core, "1 subscribe room:a\n");
    expect_sent(client, SUBSCRIBED_A COMPLETE("\"1\""));
    return client;
}

static struct tg_subscription *room_a(const struct fake_client *client)
{
    return tg_subscription_find(client->conn, TG_SLICE("room:a"));
}

static uint32_t members_of_a(const struct fake_core *core)
{
    static const char key[] = "room:{name}\0room:a";
    const struct tg_group *group =
        tg_group_find(&core->worker, TG_GROUP_TOPIC, (struct tg_slice){key, sizeof key - 1});
    return group ? tg_group_count(group) : 0;
}

static void takes_messages_of_what_is_subscribed_to_until_it_is_left(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    assert_int_equal(members_of_a(core), 1);
    assert_int_equal(core->worker.metrics.subscriptions, 1);
    fake_client_say(client, SAY_A);
    fake_client_say(client, UNSUBSCRIBE_A);
    fake_client_say(client, SAY_A);
    fake_core_turn(core);
    expect_journal(core, "1 message say\n1 unsubscribe room:a client\n1 forget room:a\n");
    expect_sent(client, COMPLETE("3") UNSUBSCRIBED_A COMPLETE("2") NOT_SUBSCRIBED_A COMPLETE("3"));
    assert_int_equal(members_of_a(core), 0);
    assert_int_equal(core->worker.metrics.subscriptions, 0);
    assert_int_equal(core->worker.metrics.topic_frames_refused, 1);
}

static void answers_what_is_no_topic_without_asking_the_script(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"rooms:a\"}");
    fake_client_say(client, UNSUBSCRIBE_A);
    fake_core_turn(core);
    expect_journal(core, "");
    expect_sent(client, "text {\"action\":\"error\",\"payload\":{\"reason\":\"unknown_topic\",\"detail\":"
                        "\"Unknown topic 'rooms:a'\"},\"topic\":\"rooms:a\"}\n"
                        "text {\"action\":\"complete\"}\n" UNSUBSCRIBED_A COMPLETE("2"));
}

static void asks_the_more_particular_topic_first(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:lobby\"}");
    const struct tg_subscription *lobby = tg_subscription_find(client->conn, TG_SLICE("room:lobby"));
    assert_string_equal(lobby->topic->stream.name.data, "room:lobby");
}

static void keeps_everything_until_the_authoriser_has_answered(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    core->is_next_waiting = true;
    fake_client_say(client, SUBSCRIBE_A);
    fake_client_say(client, SAY_A);
    fake_client_say(client, SUBSCRIBE_A);
    expect_journal(core, "1 subscribe room:a\n");
    assert_int_equal(members_of_a(core), 0);
    assert_int_equal(tg_topic_admit(room_a(client)), TG_OK);
    expect_journal(core, "");
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_journal(core, "1 message say\n");
    expect_sent(client, SUBSCRIBED_A COMPLETE("\"1\"") COMPLETE("3") SUBSCRIBED_A COMPLETE("\"1\""));
}

static void refuses_what_the_script_neither_admits_nor_refuses(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    core->is_next_waiting = true;
    fake_client_say(client, SUBSCRIBE_A);
    tg_conn_ended(client->conn, TG_FAILED);
    fake_core_turn(core);
    expect_journal(core, "1 subscribe room:a\n1 forget room:a\n");
    expect_sent(
        client,
        "text {\"action\":\"error\",\"payload\":{\"reason\":\"unauthorized\",\"detail\":"
        "\"Not allowed to subscribe to 'room:a'\"},\"topic\":\"room:a\",\"ref\":\"1\"}\n" COMPLETE("\"1\""));
    assert_int_equal(core->worker.metrics.subscribes_refused, 1);
    assert_int_equal(client->conn->subscription_count, 0);
}

static void lets_a_client_go_while_the_authoriser_waits(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    core->is_next_waiting = true;
    fake_client_say(client, SUBSCRIBE_A);
    fake_client_vanish(client);
    expect_journal(core, "1 subscribe room:a\n1 forget room:a\n1 disconnected 1006 \n1 forget\n");
}

static void count_error(void *context, enum tg_log_level level, const char *event,
                        const struct tg_log_field *fields)
{
    (void)level;
    (void)event;
    (void)fields;
    ++*(int *)context;
}

/* That it has gone is nobody's failure, and nobody's refusal. */
static void does_not_admit_a_client_that_is_closing(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    int errors = 0;
    struct tg_log_diversion before =
        tg_log_divert((struct tg_log_diversion){count_error, &errors, TG_LOG_ERROR});
    core->is_next_waiting = true;
    fake_client_say(client, SUBSCRIBE_A);
    tg_conn_close(client->conn, 1000, TG_SLICE(""));
    assert_int_equal(tg_topic_admit(room_a(client)), TG_E_CLOSED);
    tg_conn_ended(client->conn, TG_DONE);
    tg_log_divert(before);
    fake_client_vanish(client);
    expect_journal(core, "1 subscribe room:a\n1 forget room:a\n1 disconnected 1000 \n1 forget\n");
    assert_int_equal(core->worker.metrics.subscriptions, 0);
    assert_int_equal(errors, 0);
}

static void does_not_count_who_leaves_before_the_authoriser_has_answered(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    core->is_next_waiting = true;
    fake_client_say(client, SUBSCRIBE_A);
    tg_conn_close(client->conn, 1000, TG_SLICE(""));
    tg_conn_ended(client->conn, TG_FAILED);
    assert_int_equal(core->worker.metrics.subscribes_refused, 0);
}

static void tells_names_with_a_nul_whole(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    fake_client_say(client, "{\"action\":\"say\",\"topic\":\"room:\\u0000b\"}");
    fake_core_turn(core);
    expect_sent(client, "text {\"action\":\"error\",\"payload\":{\"reason\":\"not_subscribed\",\"detail\":"
                        "\"Not subscribed to 'room:\\u0000b'\"},\"topic\":\"room:\\u0000b\"}\n"
                        "text {\"action\":\"complete\"}\n");
}

static void does_not_repeat_a_name_that_is_too_long(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open(core);
    char text[TG_TOPIC_NAME_MAX + 64];
    snprintf(text, sizeof text, "{\"action\":\"say\",\"topic\":\"%0*d\",\"ref\":{}}", TG_TOPIC_NAME_MAX + 1,
             0);
    fake_client_say(client, text);
    fake_core_turn(core);
    expect_sent(client, "text {\"action\":\"error\",\"payload\":[{\"type\":\"string_type\",\"loc\":[\"ref\"],"
                        "\"msg\":\"Input should be a valid string\"}]}\ntext {\"action\":\"complete\"}\n");
}

static void leaves_each_topic_before_disconnected_one_after_another(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:b\"}");
    expect_journal(core, "1 subscribe room:b\n");
    struct tg_conn *conn = client->conn;
    core->is_next_waiting = true;
    fake_client_vanish(client);
    expect_journal(core, "1 unsubscribe room:a closed\n");
    tg_conn_ended(conn, TG_DONE);
    expect_journal(core,
                   "1 forget room:a\n1 unsubscribe room:b closed\n1 forget room:b\n1 disconnected 1006 \n"
                   "1 forget\n");
}

static void ends_a_farewell_that_waits_too_long_and_goes_on(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    core->is_next_waiting = true;
    fake_client_vanish(client);
    expect_journal(core, "1 unsubscribe room:a closed\n");
    fake_core_sleep(core, core->config.disconnected_timeout_ms + 1000);
    expect_journal(core, "1 forget room:a\n1 disconnected 1006 \n1 forget\n");
    assert_int_equal(core->worker.metrics.handler_timeouts, 1);
}

/* The hook of room:a waits, and that of room:b will. */
static struct tg_conn *vanish_from_two(struct fake_core *core)
{
    struct fake_client *client = open_subscribed(core);
    struct tg_conn *conn = client->conn;
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:b\"}");
    core->is_next_waiting = true;
    fake_client_vanish(client);
    core->is_next_waiting = true;
    expect_journal(core, "1 subscribe room:b\n1 unsubscribe room:a closed\n");
    return conn;
}

/* A hundred topics whose hooks hang must not keep a connection for a hundred times as long. */
static void gives_the_farewells_of_all_topics_the_time_of_one(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *conn = vanish_from_two(core);
    fake_core_sleep(core, core->config.disconnected_timeout_ms / 2);
    tg_conn_ended(conn, TG_DONE);
    expect_journal(core, "1 forget room:a\n1 unsubscribe room:b closed\n");
    core->is_next_waiting = true; /* `disconnected`, whose time is its own */
    fake_core_sleep(core, core->config.disconnected_timeout_ms / 2 + 1000);
    expect_journal(core, "1 forget room:b\n1 disconnected 1006 \n");
    assert_int_equal(core->worker.metrics.handler_timeouts, 1);
    fake_core_sleep(core, core->config.disconnected_timeout_ms + 1000);
    expect_journal(core, "1 forget\n");
    assert_int_equal(core->worker.metrics.handler_timeouts, 2);
}

static void ends_at_once_what_waits_when_the_time_for_farewells_is_over(void **state)
{
    struct fake_core *core = *state;
    vanish_from_two(core);
    fake_core_sleep(core, core->config.disconnected_timeout_ms + 1000);
    expect_journal(core, "1 forget room:a\n1 unsubscribe room:b closed\n1 forget room:b\n"
                         "1 disconnected 1006 \n1 forget\n");
    assert_int_equal(core->worker.metrics.handler_timeouts, 2);
}

static void is_left_by_the_server_at_the_end_of_the_turn(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    assert_int_equal(tg_topic_close(room_a(client)), TG_OK);
    assert_int_equal(tg_topic_close(room_a(client)), TG_E_CLOSED);
    assert_int_equal(members_of_a(core), 0);
    expect_journal(core, "");
    fake_core_turn(core);
    expect_journal(core, "1 unsubscribe room:a server\n1 forget room:a\n");
    expect_sent(client, "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\"}\n");
}

static void is_left_by_the_server_before_the_next_message(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    tg_topic_close(room_a(client));
    fake_client_say(client, SAY_A);
    fake_core_turn(core);
    expect_journal(core, "1 unsubscribe room:a server\n1 forget room:a\n");
    expect_sent(client,
                "text {\"action\":\"unsubscribed\",\"topic\":\"room:a\"}\n" NOT_SUBSCRIBED_A COMPLETE("3"));
}

static void is_left_by_the_server_when_what_runs_has_ended(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    core->is_next_waiting = true;
    fake_client_say(client, SAY_A);
    tg_topic_close(room_a(client));
    fake_client_say(client, SUBSCRIBE_A);
    fake_core_turn(core);
    expect_journal(core, "1 message say\n");
    tg_conn_ended(client->conn, TG_DONE);
    expect_journal(core, "1 unsubscribe room:a server\n1 forget room:a\n1 subscribe room:a\n");
    assert_int_equal(members_of_a(core), 1);
}

static void holds_so_many_topics_and_no_more(void **state)
{
    struct fake_core *core = *state;
    core->config.max_topics_per_connection = 1;
    struct fake_client *client = open_subscribed(core);
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:b\"}");
    fake_core_turn(core);
    expect_journal(core, "");
    expect_sent(client,
                "text {\"action\":\"error\",\"payload\":{\"reason\":\"too_many_topics\",\"detail\":\"A "
                "connection has at most 1 topics\"},\"topic\":\"room:b\"}\n"
                "text {\"action\":\"complete\"}\n");
    assert_int_equal(core->worker.metrics.topics_full, 1);
}

static void gets_events_of_its_topic_while_it_is_subscribed(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = open_subscribed(core);
    static const char key[] = "room:{name}\0room:a";
    const struct tg_slice groups[] = {{key, sizeof key - 1}};
    struct tg_publication publication = {.kind = TG_PUBLISH_EVENT,
                                         .action = TG_SLICE("notify"),
                                         .to = TG_TO_GROUPS,
                                         .group_kind = TG_GROUP_TOPIC,
                                         .groups = groups,
                                         .group_count = 1};
    publication.texts[TG_NAMING_DECLARED] =
        TG_SLICE("{\"action\":\"notify\",\"payload\":1,\"topic\":\"room:a\"}");
    uint64_t receivers = 0;
    core->worker.layer->ops->publish(core->worker.layer, &publication, &receivers);
    assert_int_equal(receivers, 1);
    fake_core_turn(core);
    expect_journal(core, "1 event notify\n");
    expect_sent(client, "text {\"action\":\"event_complete\"}\n");
    core->worker.layer->ops->publish(core->worker.layer, &publication, &receivers);
    tg_topic_close(room_a(client));
    fake_core_turn(core);
    expect_journal(core, "1 unsubscribe room:a server\n1 forget room:a\n"); /* the event came too late */
}

static void subscribes_a_path_that_is_a_topic_by_itself(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = fake_core_open(core, 0, "/alone/a");
    fake_client_say(client, "{\"action\":\"say\",\"payload\":\"hi\"}");
    fake_core_turn(core);
    expect_journal(core, "1 connected\n1 subscribe room:a\n1 message say\n");
    expect_sent(client, "text {\"action\":\"subscribed\",\"topic\":\"room:a\"}\n");
    assert_int_equal(members_of_a(core), 1);
}

static void closes_a_path_whose_topic_is_none(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *client = fake_core_open(core, 0, "/alone/a:b");
    fake_core_turn(core);
    expect_journal(core, "1 connected\n");
    expect_sent(client, "text {\"action\":\"error\",\"payload\":{\"reason\":\"unknown_topic\",\"detail\":"
                        "\"Unknown topic 'room:a:b'\"},\"topic\":\"room:a:b\"}\nclose 4404 unknown topic\n");
}

static enum tg_status refuse_everybody(struct tg_layer *layer, struct tg_worker *worker,
                                       enum tg_group_kind kind, struct tg_slice name)
{
    (void)layer;
    (void)worker;
    (void)kind;
    (void)name;
    return TG_E_IO;
}

/* There is nothing else on such a path: the client is to come back when it may work again. */
static void closes_a_path_whose_topic_cannot_be_subscribed_to(void **state)
{
    struct fake_core *core = *state;
    struct tg_layer_ops ops = *core->worker.layer->ops;
    ops.subscribe = refuse_everybody;
    core->worker.layer_memory.layer.ops = &ops;
    struct fake_client *client = fake_core_open(core, 0, "/alone/a");
    fake_core_turn(core);
    expect_sent(client, "text {\"action\":\"error\",\"payload\":{\"detail\":\"Failed to process message\"},"
                        "\"topic\":\"room:a\"}\nclose 1011 the consumer could not start\n");
    fake_client_vanish(client);
}

/* ---- without memory ---- */

static enum tg_status converse(void *context)
{
    struct fake_core *core = context;
    struct fake_client *client = fake_core_open(core, 0, "/hub");
    bool is_whole = false;
    if (client) {
        fake_client_say(client, SUBSCRIBE_A);
        is_whole = room_a(client) != NULL;
        fake_client_say(client, UNSUBSCRIBE_A);
        fake_core_turn(core);
        if (client->conn) fake_client_vanish(client);
    }
    client = fake_core_open(core, 1, "/alone/a");
    if (client) {
        fake_core_turn(core);
        if (client->conn) fake_client_vanish(client);
    }
    assert_int_equal(core->worker.metrics.subscriptions, 0);
    assert_int_equal(members_of_a(core), 0);
    core->journal_bytes = 0;
    core->clients[0].sent_bytes = core->clients[1].sent_bytes = 0;
    return tg_alloc_has_failed() ? TG_E_NO_MEMORY : is_whole ? TG_OK : TG_E_INVALID;
}

static void leaves_nothing_behind_when_memory_is_out(void **state)
{
    tg_alloc_sweep(converse, *state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(takes_messages_of_what_is_subscribed_to_until_it_is_left),
        TEST(answers_what_is_no_topic_without_asking_the_script),
        TEST(asks_the_more_particular_topic_first),
        TEST(keeps_everything_until_the_authoriser_has_answered),
        TEST(refuses_what_the_script_neither_admits_nor_refuses),
        TEST(lets_a_client_go_while_the_authoriser_waits),
        TEST(does_not_admit_a_client_that_is_closing),
        TEST(does_not_count_who_leaves_before_the_authoriser_has_answered),
        TEST(tells_names_with_a_nul_whole),
        TEST(does_not_repeat_a_name_that_is_too_long),
        TEST(leaves_each_topic_before_disconnected_one_after_another),
        TEST(ends_a_farewell_that_waits_too_long_and_goes_on),
        TEST(gives_the_farewells_of_all_topics_the_time_of_one),
        TEST(ends_at_once_what_waits_when_the_time_for_farewells_is_over),
        TEST(is_left_by_the_server_at_the_end_of_the_turn),
        TEST(is_left_by_the_server_before_the_next_message),
        TEST(is_left_by_the_server_when_what_runs_has_ended),
        TEST(holds_so_many_topics_and_no_more),
        TEST(gets_events_of_its_topic_while_it_is_subscribed),
        TEST(subscribes_a_path_that_is_a_topic_by_itself),
        TEST(closes_a_path_whose_topic_is_none),
        TEST(closes_a_path_whose_topic_cannot_be_subscribed_to),
        TEST(leaves_nothing_behind_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
