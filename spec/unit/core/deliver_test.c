/* What reaches whom, through the layer that a worker has from the start. */
#include "core/deliver.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = fake_core_new();
    return 0;
}

static int tear_down(void **state)
{
    fake_core_free(*state);
    return 0;
}

static struct tg_conn *open_in(struct fake_core *core, size_t i, const char *path, const char *group)
{
    struct tg_conn *conn = fake_core_open(core, i, path)->conn;
    if (group) assert_int_equal(tg_group_join(conn, TG_GROUP_NAMED, tg_slice_of(group)), TG_OK);
    return conn;
}

static uint64_t publish(struct fake_core *core, const struct tg_publication *publication)
{
    uint64_t receivers = UINT64_MAX;
    struct tg_layer *layer = core->worker.layer;
    assert_int_equal(layer->ops->publish(layer, publication, &receivers), TG_OK);
    return receivers;
}

static const struct tg_slice rooms[] = {TG_SLICE("room"), TG_SLICE("hall"), TG_SLICE("nobody")};

/* {"action":"hi"} to `room`. */
static struct tg_publication hi(void)
{
    return (struct tg_publication){
        .action = TG_SLICE("hi"),
        .texts = {TG_SLICE("{\"action\":\"hi\"}"), TG_SLICE("{\"action\":\"HI\"}")},
        .groups = rooms,
        .group_count = 1,
    };
}

static void expect_all(struct fake_core *core, const char *a, const char *b, const char *c)
{
    fake_core_turn(core);
    expect_sent(&core->clients[0], a);
    expect_sent(&core->clients[1], b);
    expect_sent(&core->clients[2], c);
}

#define HI "text {\"action\":\"hi\"}\n"

static void reaches_the_members_of_a_group_and_nobody_else(void **state)
{
    struct fake_core *core = *state;
    open_in(core, 0, "/chat", "room");
    open_in(core, 1, "/chat", "hall");
    open_in(core, 2, "/chat", "room");
    struct tg_publication publication = hi();
    assert_int_equal(publish(core, &publication), 2);
    expect_all(core, HI, "", HI);
    assert_int_equal(core->worker.metrics.broadcasts, 1);
    assert_int_equal(core->worker.metrics.deliveries, 2);
    assert_int_equal(core->worker.metrics.messages_sent, 2);
}

static void comes_once_to_who_is_in_several_of_the_groups(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", "room");
    tg_group_join(a, TG_GROUP_NAMED, TG_SLICE("hall"));
    open_in(core, 1, "/chat", "hall");
    open_in(core, 2, "/chat", NULL);
    struct tg_publication publication = hi();
    publication.group_count = 3;
    assert_int_equal(publish(core, &publication), 2);
    assert_int_equal(publish(core, &publication), 2); /* and once again when it is sent again */
    expect_all(core, HI HI, HI HI, "");
}

static void reaches_nobody_without_groups(void **state)
{
    struct fake_core *core = *state;
    open_in(core, 0, "/chat", "room");
    struct tg_publication publication = hi();
    publication.group_count = 0;
    assert_int_equal(publish(core, &publication), 0);
    publication.groups = &rooms[2], publication.group_count = 1;
    assert_int_equal(publish(core, &publication), 0);
}

static void leaves_the_sender_out_when_it_is_asked_to(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", "room");
    open_in(core, 1, "/chat", "room");
    open_in(core, 2, "/chat", "room");
    struct tg_publication publication = hi();
    publication.sender = a->id;
    assert_int_equal(publish(core, &publication), 3);
    publication.exclude_sender = true;
    assert_int_equal(publish(core, &publication), 2);
    expect_all(core, HI, HI HI, HI HI);
}

static void speaks_as_each_receiver_does(void **state)
{
    struct fake_core *core = *state;
    open_in(core, 0, "/chat", "room");
    open_in(core, 1, "/camel", "room");
    open_in(core, 2, "/camel", "room");
    struct tg_publication publication = hi();
    assert_int_equal(publish(core, &publication), 3);
    expect_all(core, HI, "text {\"action\":\"HI\"}\n", "text {\"action\":\"HI\"}\n");
    publication.texts[TG_NAMING_CAMEL] = (struct tg_slice){0};
    assert_int_equal(publish(core, &publication), 1);
}

#define WHOSE(mine, current) "text {\"action\":\"hi\",\"is_mine\":" mine ",\"is_current\":" current "}\n"

static struct tg_publication whose(const struct tg_conn *sender)
{
    struct tg_publication publication = hi();
    publication.texts[0] = TG_SLICE("{\"action\":\"hi\"");
    publication.tells_whose = true;
    publication.sender = sender->id;
    publication.sender_user = sender->user_id;
    return publication;
}

static void tells_each_receiver_whose_it_is(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", "room"), *b = open_in(core, 1, "/chat", "room");
    struct tg_conn *c = open_in(core, 2, "/chat", "room");
    tg_user_set(a, TG_SLICE("ann"));
    tg_user_set(b, TG_SLICE("ann"));
    tg_user_set(c, TG_SLICE("bob"));
    struct tg_publication publication = whose(a);
    assert_int_equal(publish(core, &publication), 3);
    expect_all(core, WHOSE("true", "true"), WHOSE("true", "false"), WHOSE("false", "false"));
}

static void is_nobodys_when_its_sender_is_anonymous(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", "room");
    open_in(core, 1, "/chat", "room");
    tg_user_set(open_in(core, 2, "/chat", "room"), TG_SLICE("bob"));
    struct tg_publication publication = whose(a);
    publish(core, &publication);
    expect_all(core, WHOSE("false", "true"), WHOSE("false", "false"), WHOSE("false", "false"));
}

static void is_still_its_users_when_the_sender_has_gone(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", "room"), *b = open_in(core, 1, "/chat", "room");
    open_in(core, 2, "/chat", "room");
    tg_user_set(a, TG_SLICE("ann"));
    tg_user_set(b, TG_SLICE("ann"));
    tg_conn_close(a, 1000, TG_SLICE(""));
    struct tg_publication publication = whose(a);
    assert_int_equal(publish(core, &publication), 2);
    expect_all(core, "close 1000 \n", WHOSE("true", "false"), WHOSE("false", "false"));
}

static void reaches_one_connection_all_of_a_consumer_or_all_of_a_user(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", NULL), *b = open_in(core, 1, "/chat", NULL);
    struct tg_conn *c = open_in(core, 2, "/text", NULL);
    tg_user_set(a, TG_SLICE("ann"));
    tg_user_set(c, TG_SLICE("ann"));
    struct tg_publication publication = hi();
    publication.to = TG_TO_CONN;
    publication.conn_id = b->id;
    assert_int_equal(publish(core, &publication), 1);
    expect_all(core, "", HI, "");
    publication.to = TG_TO_CONSUMER;
    publication.consumer = TG_SLICE("chat");
    assert_int_equal(publish(core, &publication), 2);
    expect_all(core, HI, HI, "");
    publication.to = TG_TO_USER;
    publication.user = TG_SLICE("ann");
    assert_int_equal(publish(core, &publication), 2);
    expect_all(core, HI, "", HI);
    publication.user = TG_SLICE("bob");
    assert_int_equal(publish(core, &publication), 0);
    tg_conn_close(b, 1000, TG_SLICE(""));
    publication.to = TG_TO_CONN;
    assert_int_equal(publish(core, &publication), 0);
}

static void comes_in_the_order_of_the_calls_among_what_else_is_sent(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/chat", "room");
    tg_conn_send(a, TG_OPCODE_TEXT, TG_SLICE("before"));
    struct tg_publication publication = hi();
    publish(core, &publication);
    tg_conn_send(a, TG_OPCODE_TEXT, TG_SLICE("between"));
    publish(core, &publication);
    tg_conn_send(a, TG_OPCODE_TEXT, TG_SLICE("after"));
    fake_core_turn(core);
    assert_int_equal(core->clients[0].writes, 1);
    expect_sent(&core->clients[0], "text before\n" HI "text between\n" HI "text after\n");
}

static void is_one_copy_whatever_the_number_of_receivers(void **state)
{
    struct fake_core *core = *state;
    for (size_t i = 0; i < FAKE_CLIENTS; i++) {
        open_in(core, i, "/chat", "room");
        fake_client_choke(&core->clients[i], 0);
    }
    struct tg_publication publication = hi();
    assert_int_equal(publish(core, &publication), FAKE_CLIENTS);
    const uint64_t frame_bytes = 2 + publication.texts[0].length;
    assert_int_equal(core->worker.metrics.payload_bytes, frame_bytes);
    assert_int_equal(core->worker.metrics.outbox_bytes, FAKE_CLIENTS * frame_bytes);
    fake_core_turn(core);
    assert_int_equal(core->worker.metrics.payload_bytes, frame_bytes);
    for (size_t i = 0; i < FAKE_CLIENTS; i++) fake_client_read_all(&core->clients[i]);
    fake_core_turn(core);
    assert_int_equal(core->worker.metrics.payload_bytes, 0);
    for (size_t i = 0; i < FAKE_CLIENTS; i++) expect_sent(&core->clients[i], HI);
}

static void does_not_reach_a_client_whose_queue_is_full_which_is_closed(void **state)
{
    struct fake_core *core = *state;
    core->config.outbox_max_messages = 2;
    struct tg_conn *a = open_in(core, 0, "/chat", "room");
    open_in(core, 1, "/chat", "room");
    fake_client_choke(&core->clients[0], 0);
    struct tg_publication publication = hi();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(publish(core, &publication), 2);
        fake_core_turn(core);
    }
    assert_int_equal(publish(core, &publication), 1);
    assert_int_equal(publish(core, &publication), 1);
    fake_core_turn(core);
    assert_int_equal(a->state, TG_CONN_CLOSING);
    fake_client_read_all(&core->clients[0]);
    fake_core_turn(core);
    expect_sent(&core->clients[0], HI HI "close 1013 more was sent than this client's queue may hold\n");
    expect_sent(&core->clients[1], HI HI HI HI);
}

static void goes_on_past_a_connection_that_breaks_under_it(void **state)
{
    struct fake_core *core = *state;
    core->config.outbox_high_water_bytes = 1; /* written at once, from within the delivery */
    for (size_t i = 0; i < 3; i++) open_in(core, i, "/chat", "room");
    core->clients[1].is_write_failing = true;
    struct tg_publication publication = hi();
    assert_int_equal(publish(core, &publication), 3);
    assert_non_null(core->clients[1].conn);
    fake_core_turn(core);
    assert_null(core->clients[1].conn);
    assert_int_equal(publish(core, &publication), 2);
    fake_core_turn(core);
    expect_sent(&core->clients[0], HI HI);
    expect_sent(&core->clients[2], HI HI);
}

/* ---- completion ---- */

static void says_group_complete_behind_each_message_of_a_group_where_it_is_wanted(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/text", "room");
    open_in(core, 1, "/chat", "room");
    open_in(core, 2, "/chat", NULL);
    ((struct tg_consumer *)a->consumer)->sends_completion = true;
    struct tg_publication publication = hi();
    publish(core, &publication);
    publish(core, &publication);
    expect_all(core, HI "text {\"action\":\"group_complete\"}\n" HI "text {\"action\":\"group_complete\"}\n",
               HI HI, "");
    publication.to = TG_TO_CONN;
    publication.conn_id = a->id;
    publish(core, &publication);
    expect_all(core, HI, "", "");
    publication.to = TG_TO_GROUPS;
    publication.sender = a->id;
    publication.exclude_sender = true;
    publish(core, &publication);
    expect_all(core, "", HI, "");
}

static void says_what_is_complete_with_the_ref_that_it_had(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_in(core, 0, "/text", NULL);
    const struct tg_ref ref = {.type = TG_REF_STRING, .string = TG_SLICE("7")}, none = {.type = TG_REF_NONE};
    tg_conn_complete(a, TG_COMPLETE, &ref);
    ((struct tg_consumer *)a->consumer)->sends_completion = true;
    tg_conn_complete(a, TG_COMPLETE, &ref);
    tg_conn_complete(a, TG_COMPLETE, &none);
    tg_conn_complete(a, TG_EVENT_COMPLETE, NULL);
    tg_conn_close(a, 1000, TG_SLICE(""));
    tg_conn_complete(a, TG_COMPLETE, NULL);
    fake_core_turn(core);
    expect_sent(&core->clients[0], "text {\"action\":\"complete\",\"ref\":\"7\"}\n"
                                   "text {\"action\":\"complete\"}\n"
                                   "text {\"action\":\"event_complete\"}\n"
                                   "close 1000 \n");
}

/* ---- memory ---- */

static enum tg_status deliver_whose(void *context)
{
    struct fake_core *core = context;
    uint64_t no_memory = core->worker.metrics.no_memory;
    struct tg_publication publication = whose(core->clients[0].conn);
    uint64_t receivers = publish(core, &publication);
    assert_int_equal(core->worker.metrics.payload_bytes > 0, receivers > 0);
    fake_core_turn(core);
    assert_int_equal(core->worker.metrics.payload_bytes, 0);
    for (int i = 0; i < 3; i++) core->clients[i].sent_bytes = 0;
    if (receivers == 3) return TG_OK;
    assert_int_equal(core->worker.metrics.no_memory - no_memory, 3 - receivers);
    return TG_E_NO_MEMORY;
}

static void reaches_whom_it_can_without_memory(void **state)
{
    struct fake_core *core = *state;
    for (size_t i = 0; i < 3; i++) open_in(core, i, "/chat", "room");
    /* Two frames, and the places in the queues: what was left behind is used again. */
    assert_int_equal(tg_alloc_sweep(deliver_whose, core), 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reaches_the_members_of_a_group_and_nobody_else),
        TEST(comes_once_to_who_is_in_several_of_the_groups),
        TEST(reaches_nobody_without_groups),
        TEST(leaves_the_sender_out_when_it_is_asked_to),
        TEST(speaks_as_each_receiver_does),
        TEST(tells_each_receiver_whose_it_is),
        TEST(is_nobodys_when_its_sender_is_anonymous),
        TEST(is_still_its_users_when_the_sender_has_gone),
        TEST(reaches_one_connection_all_of_a_consumer_or_all_of_a_user),
        TEST(comes_in_the_order_of_the_calls_among_what_else_is_sent),
        TEST(is_one_copy_whatever_the_number_of_receivers),
        TEST(does_not_reach_a_client_whose_queue_is_full_which_is_closed),
        TEST(goes_on_past_a_connection_that_breaks_under_it),
        TEST(says_group_complete_behind_each_message_of_a_group_where_it_is_wanted),
        TEST(says_what_is_complete_with_the_ref_that_it_had),
        TEST(reaches_whom_it_can_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
