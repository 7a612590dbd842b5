#include "core/worker.h"

#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

static void open_three(struct fake_core *core)
{
    for (size_t i = 0; i < 3; i++) assert_non_null(fake_core_open(core, i, "/chat"));
    fake_core_turn(core);
    expect_journal(core, "1 connected\n2 connected\n3 connected\n");
}

/* ---- ids ---- */

static void never_finds_a_new_connection_by_an_old_id(void **state)
{
    struct fake_core *core = *state;
    uint64_t old_id = fake_core_open(core, 0, "/chat")->conn->id;
    assert_ptr_equal(tg_worker_find(&core->worker, old_id), core->clients[0].conn);
    fake_client_vanish(&core->clients[0]);
    assert_null(tg_worker_find(&core->worker, old_id));
    uint64_t new_id = fake_core_open(core, 0, "/chat")->conn->id;
    const uint64_t slot_mask = (1u << TG_SLOT_BITS) - 1;
    assert_int_equal(new_id & slot_mask, old_id & slot_mask);
    assert_int_not_equal(new_id, old_id);
    assert_null(tg_worker_find(&core->worker, old_id));
}

static void finds_nobody_by_an_id_that_never_was(void **state)
{
    struct fake_core *core = *state;
    assert_null(tg_worker_find(&core->worker, 0));
    assert_null(tg_worker_find(&core->worker, UINT64_MAX));
}

/* 0 stands for nobody where a publication names its sender. */
static void gives_nobody_the_id_0(void **state)
{
    struct fake_core *core = *state;
    core->worker.next_serial = (1ull << (64 - TG_SLOT_BITS)) - 1;
    for (size_t i = 0; i < 3; i++) assert_int_not_equal(fake_core_open(core, i, "/chat")->conn->id, 0);
    core->worker.next_serial = 0;
    fake_client_vanish(&core->clients[0]);
    assert_int_not_equal(fake_core_open(core, 0, "/chat")->conn->id, 0);
}

static void takes_no_more_than_max_connections(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new_for(2);
    assert_non_null(fake_core_open(core, 0, "/chat"));
    assert_true(tg_worker_has_room(&core->worker));
    assert_non_null(fake_core_open(core, 1, "/chat"));
    assert_false(tg_worker_has_room(&core->worker));
    assert_null(fake_core_open(core, 2, "/chat"));
    fake_client_vanish(&core->clients[0]);
    assert_non_null(fake_core_open(core, 2, "/chat"));
    fake_core_free(core);
}

/* ---- time ---- */

struct ring {
    struct tg_timer timer;
    struct fake_core *core;
    uint64_t rung_ms;
};

static void note_ring(struct tg_timer *timer)
{
    struct ring *ring = TG_CONTAINER(timer, struct ring, timer);
    ring->rung_ms = ring->core->clock.now_ms;
}

static void asks_the_loop_for_the_earliest_of_its_timers(void **state)
{
    struct fake_core *core = *state;
    struct ring late = {.core = core}, early = {.core = core};
    uint64_t now_ms = core->clock.now_ms;
    tg_timer_init(&late.timer, note_ring);
    tg_timer_init(&early.timer, note_ring);
    tg_worker_arm(&core->worker, &late.timer, now_ms + 500);
    assert_int_equal(core->alarm_ms, now_ms + 500);
    tg_worker_arm(&core->worker, &early.timer, now_ms + 95);
    assert_int_equal(core->alarm_ms, now_ms + 100);
    fake_core_sleep(core, 1000);
    assert_int_equal(early.rung_ms, now_ms + 100);
    assert_int_equal(late.rung_ms, now_ms + 500);
    assert_int_equal(core->alarm_ms, TG_NEVER);
}

static void bears_an_alarm_that_comes_too_early(void **state)
{
    struct fake_core *core = *state;
    struct ring ring = {.core = core};
    uint64_t now_ms = core->clock.now_ms;
    tg_timer_init(&ring.timer, note_ring);
    tg_worker_arm(&core->worker, &ring.timer, now_ms + 50);
    core->alarm_ms = TG_NEVER;
    tg_worker_alarm(&core->worker);
    assert_int_equal(ring.rung_ms, 0);
    assert_int_equal(core->alarm_ms, now_ms + 50);
    fake_core_sleep(core, 50);
    assert_int_equal(ring.rung_ms, now_ms + 50);
}

/* ---- flush ---- */

/* So that one flush begets another. */
static void say_goodbye_to_all(struct fake_core *core, struct tg_conn *conn)
{
    (void)conn;
    for (size_t i = 0; i < FAKE_CLIENTS; i++)
        if (core->clients[i].conn) tg_conn_send(core->clients[i].conn, TG_OPCODE_TEXT, TG_SLICE("gone"));
}

static void flushes_what_a_farewell_sends_in_the_same_turn(void **state)
{
    struct fake_core *core = *state;
    open_three(core);
    core->on_disconnected = say_goodbye_to_all;
    core->clients[2].is_write_failing = true;
    tg_conn_send(core->clients[2].conn, TG_OPCODE_TEXT, TG_SLICE("breaks"));
    fake_core_turn(core);
    expect_sent(&core->clients[0], "text gone\n");
    expect_sent(&core->clients[1], "text gone\n");
    expect_journal(core, "3 disconnected 1006 \n3 forget\n");
}

/* A kernel that looks anew at a connection whenever it is asked about it. */
static bool is_choked_and_gets_dirty(const struct tg_transport *transport)
{
    struct tg_conn *conn = ((const struct fake_client *)transport)->conn;
    tg_worker_mark_dirty(conn->worker, conn);
    return false;
}

static void asks_for_another_turn_when_flushing_does_not_end(void **state)
{
    struct fake_core *core = *state;
    open_three(core);
    struct fake_client *client = &core->clients[0];
    const struct tg_transport_ops *usual = client->transport.ops;
    struct tg_transport_ops restless = *usual;
    restless.is_choked = is_choked_and_gets_dirty;
    client->transport.ops = &restless;
    tg_worker_mark_dirty(&core->worker, client->conn);
    fake_core_turn(core);
    assert_int_equal(core->turns_requested, 1);
    assert_false(tg_list_is_empty(&core->worker.dirty));
    client->transport.ops = usual;
    fake_core_turn(core);
    assert_int_equal(core->turns_requested, 1);
    assert_true(tg_list_is_empty(&core->worker.dirty));
}

/* ---- drain ---- */

static void tells_everybody_1001_and_stops_when_the_last_has_gone(void **state)
{
    struct fake_core *core = *state;
    open_three(core);
    tg_worker_drain(&core->worker);
    tg_worker_drain(&core->worker);
    assert_int_equal(core->turns_requested, 1);
    fake_core_turn(core);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(core->stops, 0);
        expect_sent(&core->clients[i], "close 1001 the server is going away\n");
        fake_client_vanish(&core->clients[i]);
    }
    assert_int_equal(core->stops, 1);
    expect_journal(core, "1 disconnected 1001 the server is going away\n1 forget\n"
                         "2 disconnected 1001 the server is going away\n2 forget\n"
                         "3 disconnected 1001 the server is going away\n3 forget\n");
}

static void stops_at_once_when_nobody_is_there(void **state)
{
    struct fake_core *core = *state;
    tg_worker_drain(&core->worker);
    assert_int_equal(core->stops, 1);
    tg_worker_drain(&core->worker);
    assert_int_equal(core->stops, 1);
}

/* At the end of a drain the connections were dropped out of a list beside `conns`, which looked empty after
 * each: the loop was stopped once for every client, while others still had their `disconnected` to run. */
static void drops_who_is_left_after_drain_seconds_and_stops_once(void **state)
{
    struct fake_core *core = *state;
    core->config.drain_seconds = 1;
    core->config.close_timeout_ms = 60000;
    open_three(core);
    tg_worker_drain(&core->worker);
    fake_core_turn(core);
    fake_core_sleep(core, 900);
    assert_int_equal(core->stops, 0);
    fake_core_sleep(core, 200);
    for (size_t i = 0; i < 3; i++) assert_int_equal(core->clients[i].drops, 1);
    assert_int_equal(core->stops, 1);
    assert_int_equal(core->worker.metrics.connections, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(never_finds_a_new_connection_by_an_old_id),
        TEST(finds_nobody_by_an_id_that_never_was),
        TEST(gives_nobody_the_id_0),
        cmocka_unit_test(takes_no_more_than_max_connections),
        TEST(asks_the_loop_for_the_earliest_of_its_timers),
        TEST(bears_an_alarm_that_comes_too_early),
        TEST(flushes_what_a_farewell_sends_in_the_same_turn),
        TEST(asks_for_another_turn_when_flushing_does_not_end),
        TEST(tells_everybody_1001_and_stops_when_the_last_has_gone),
        TEST(stops_at_once_when_nobody_is_there),
        TEST(drops_who_is_left_after_drain_seconds_and_stops_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
