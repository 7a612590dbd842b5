/* An application whose handlers wait, under a clock that stands until it is moved. What each way of waiting
 * answers is shown by spec/wire/tasks.test.js; here: order, cancellation and the end of memory, everywhere.
 */
#include "script/run.h"

#include "support/alloc.h"
#include "support/app_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct app_stage begin(void)
{
    return app_begin("tasks", fake_core_new());
}

/* Nothing of a connection that has gone waits any more, but for `disconnected`, and that not for long. */
static void leave(struct app_stage *stage, struct fake_client *client)
{
    if (client->conn) fake_client_vanish(client);
    app_pass(stage, stage->core->config.disconnected_timeout_ms + TG_WHEEL_TICK_MS);
    assert_int_equal(stage->core->worker.metrics.connections, 0);
    assert_int_equal(stage->host->tasks.count, 0);
    assert_int_equal(stage->core->worker.metrics.inbox_messages, 0);
}

static uint32_t next_random(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* ---- order ---- */

enum { MESSAGES = 40 };

static void answers_in_the_order_of_the_messages_however_long_each_waits(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    for (uint32_t seed = 1; seed <= 30; seed++) {
        uint32_t random = seed;
        int said[FAKE_CLIENTS] = {0};
        for (size_t i = 0; i < FAKE_CLIENTS; i++) fake_core_open(stage.core, i, "/ws/tasks");
        for (int step = 0; step < MESSAGES * FAKE_CLIENTS; step++) {
            size_t i = next_random(&random, FAKE_CLIENTS);
            char text[128];
            snprintf(text, sizeof text, "{\"action\":\"nap\",\"payload\":{\"n\":%d,\"seconds\":%.3f}}",
                     said[i]++, next_random(&random, 4) ? next_random(&random, 60) / 1000.0 : 0.0);
            fake_client_say(&stage.core->clients[i], text);
            if (next_random(&random, 3) == 0) app_pass(&stage, next_random(&random, 30));
        }
        app_pass(&stage, 20000);
        for (size_t i = 0; i < FAKE_CLIENTS; i++) {
            char expected[MESSAGES * FAKE_CLIENTS * 64] = "";
            for (int n = 0, at = 0; n < said[i]; n++)
                at += sprintf(expected + at, "text {\"action\":\"said\",\"payload\":%d}\n", n);
            expect_sent(&stage.core->clients[i], expected);
            assert_true(stage.core->clients[i].is_reading);
            fake_client_vanish(&stage.core->clients[i]);
        }
        app_pass(&stage, 100);
    }
    app_end(&stage);
}

static bool has_sent(const struct fake_client *client, const char *text)
{
    return memmem(client->sent, client->sent_bytes, text, strlen(text)) != NULL;
}

static void runs_as_many_at_once_as_the_handler_says(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    for (uint32_t seed = 1; seed <= 20; seed++) {
        uint32_t random = seed;
        for (int n = 0; n < MESSAGES; n++) {
            char text[128];
            snprintf(text, sizeof text, "{\"action\":\"together\",\"payload\":{\"n\":%d,\"seconds\":%.3f}}",
                     n, next_random(&random, 60) / 1000.0);
            fake_client_say(client, text);
            assert_true(client->conn->running <= 3);
            if (next_random(&random, 3) == 0) app_pass(&stage, next_random(&random, 30));
        }
        app_pass(&stage, 20000);
        for (int n = 0; n < MESSAGES; n++) {
            char answer[32];
            snprintf(answer, sizeof answer, "\"payload\":[%d,3]", n);
            if (n >= 3) assert_true(has_sent(client, answer));
        }
        assert_false(has_sent(client, ",4]"));
        client->sent_bytes = 0;
    }
    app_end(&stage);
}

/* ---- what a client does while its handlers wait ---- */

static void stops_reading_at_inbox_messages_and_goes_on_at_half(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    stage.core->config.inbox_messages = 4;
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    for (int n = 0; n < 4; n++)
        fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":1}}");
    assert_true(client->is_reading);
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":1}}");
    assert_false(client->is_reading);
    assert_int_equal(stage.core->worker.metrics.inbox_full, 1);
    assert_int_equal(stage.core->worker.metrics.reading_paused, 0);
    app_pass(&stage, 1020);
    assert_false(client->is_reading);
    app_pass(&stage, 1020);
    assert_true(client->is_reading);
    leave(&stage, client);
    app_end(&stage);
}

static void stops_reading_at_inbox_max_bytes(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    stage.core->config.inbox_max_bytes = 100;
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    for (int n = 0; n < 3; n++) {
        assert_true(client->is_reading);
        fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":1}, \"ref\":\"long\"}");
    }
    assert_false(client->is_reading);
    app_pass(&stage, 5000);
    assert_true(client->is_reading);
    app_end(&stage);
}

/* A handler that waits for a minute does not make its client a slow one. */
static void does_not_give_up_a_client_whose_inbox_is_full(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    stage.core->config.inbox_messages = 1;
    stage.core->config.pause_seconds = 2;
    stage.core->config.heartbeat_seconds = 0;
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":60}}");
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":2,\"seconds\":0}}");
    assert_false(client->is_reading);
    app_pass(&stage, 61000);
    expect_sent(client,
                "text {\"action\":\"said\",\"payload\":1}\ntext {\"action\":\"said\",\"payload\":2}\n");
    client->has_peer_left = true; /* seen by nobody: it is read from again */
    leave(&stage, client);
    app_end(&stage);
}

static void sees_that_a_client_has_left_whose_inbox_is_full(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    stage.core->config.inbox_messages = 1;
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":60}}");
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":2,\"seconds\":0}}");
    client->has_peer_left = true;
    app_pass(&stage, 3000);
    assert_int_equal(client->drops, 1);
    leave(&stage, client);
    app_end(&stage);
}

/* More handlers can be late at once than one turn ends; meanwhile their clients go. */
static void a_late_handler_ends_with_a_client_whose_inbox_is_full(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    stage.core->config.inbox_messages = 1;
    stage.core->config.handler_timeout_ms = 100;
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":60}}");
    fake_client_say(client, "{\"action\":\"nap\",\"payload\":{\"n\":2,\"seconds\":0}}");
    assert_false(client->is_reading);
    stage.core->clock.now_ms += 200;
    tg_worker_alarm(&stage.core->worker); /* it is late, and no turn has come yet */
    leave(&stage, client);
    assert_int_equal(stage.core->worker.metrics.handler_timeouts, 1);
    app_end(&stage);
}

static void ends_a_farewell_that_waits_too_long(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    stage.core->config.disconnected_timeout_ms = 10; /* it waits 20 */
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    fake_client_vanish(client);
    assert_int_equal(stage.core->worker.metrics.connections, 1);
    app_pass(&stage, 20);
    assert_int_equal(stage.core->worker.metrics.connections, 0);
    assert_int_equal(stage.core->worker.metrics.handler_timeouts, 1);
    app_end(&stage);
}

/* ---- cancellation and memory, everywhere ---- */

static const char *const deeds[] = {
    "results",         "gather",          "gather_fails", "race",       "timeout",   "queue",
    "queue_words",     "queue_passes_on", "coroutine",    "everywhere", "lingering", "coroutine_status",
    "after_and_every", "failure",         "stubborn",     "in_close",
};

static void say_deed(struct fake_client *client, const char *what)
{
    char text[96];
    snprintf(text, sizeof text, "{\"action\":\"do\",\"payload\":{\"what\":\"%s\"},\"ref\":\"r\"}", what);
    fake_client_say(client, text);
}

static void can_be_cancelled_at_every_moment(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    app_pass(&stage, 100); /* on_start has ended */
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        for (int turns = 0; turns < 12; turns++) {
            struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
            say_deed(client, deeds[i]);
            for (int turn = 0; turn < turns; turn++) {
                fake_core_turn(stage.core);
                if (turn % 2) fake_core_sleep(stage.core, TG_WHEEL_TICK_MS);
            }
            leave(&stage, client);
        }
    }
    app_end(&stage);
}

static void expect_answered(struct app_stage *stage, struct fake_client *client)
{
    client->sent_bytes = 0;
    say_deed(client, "gather");
    app_pass(stage, 100);
    expect_sent(client,
                "text {\"action\":\"said\",\"payload\":[\"slow\",\"fast\",\"task\"],\"ref\":\"r\"}\n");
}

/* Whatever cannot get memory, and from whichever moment on: nothing is left behind, and the next conversation
 * goes as ever. */
static void goes_on_after_the_end_of_memory(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    app_pass(&stage, 100);
    for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
        size_t failed = 0;
        for (size_t n = 1;; n += 1 + n / 20) {
            struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
            assert_non_null(client);
            tg_alloc_fail_from(n);
            say_deed(client, deeds[i]);
            for (int turn = 0; turn < 12; turn++) {
                fake_core_turn(stage.core);
                fake_core_sleep(stage.core, TG_WHEEL_TICK_MS);
            }
            bool has_failed = tg_alloc_has_failed();
            tg_alloc_fail_at(0);
            failed += has_failed;
            leave(&stage, client);
            client = fake_core_open(stage.core, 1, "/ws/tasks");
            expect_answered(&stage, client);
            leave(&stage, client);
            if (!has_failed) break;
        }
        assert_true(failed > 5);
    }
    app_end(&stage);
}

/* 10,000 connections that wait in tide.sleep may cost 2 kB each. */
static void waits_in_two_kilobytes(void **state)
{
    (void)state;
    enum { WAITING = 400 };
    struct app_stage stage = begin();
    app_pass(&stage, 100);
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    fake_client_say(client, "{\"action\":\"together\",\"payload\":{\"n\":1,\"seconds\":0}}");
    app_pass(&stage, 100);
    stage.core->config.handler_timeout_ms = 0;
    lua_gc(stage.host->world.L, LUA_GCCOLLECT);
    uint64_t before = stage.host->heap.bytes;
    for (uint32_t i = 0; i < stage.host->generation.registry.consumer_count; i++) {
        struct tg_consumer *consumer = stage.host->generation.registry.consumers[i];
        for (uint32_t k = 0; k < consumer->action_count; k++)
            consumer->ordered_actions[k]->concurrency = WAITING;
    }
    for (int n = 0; n < WAITING; n++)
        fake_client_say(client, "{\"action\":\"together\",\"payload\":{\"n\":1,\"seconds\":5}}");
    assert_int_equal(client->conn->running, WAITING);
    lua_gc(stage.host->world.L, LUA_GCCOLLECT);
    uint64_t lua_bytes = (stage.host->heap.bytes - before) / WAITING;
    uint64_t bytes = lua_bytes + sizeof(struct tg_task) + sizeof(struct tg_run);
    print_message("a handler that waits: %llu bytes of Lua, %llu in all\n", (unsigned long long)lua_bytes,
                  (unsigned long long)bytes);
    assert_true(bytes <= 2048);
    app_end(&stage);
}

/* ---- from outside ---- */

static struct tg_task *first_task(const struct fake_client *client)
{
    assert_false(tg_list_is_empty(&client->conn->tasks));
    return TG_CONTAINER(client->conn->tasks.next, struct tg_task, siblings);
}

/* Lines of the log that have a text in them. */
struct search {
    const char *wanted;
    unsigned found;
};

static void look(void *context, enum tg_log_level level, const char *event, const struct tg_log_field *fields)
{
    struct search *search = context;
    (void)level;
    bool is_it = strstr(event, search->wanted) != NULL;
    for (; fields->key && !is_it; fields++)
        is_it = fields->type == TG_LOG_FIELD_TEXT && fields->text.length &&
                memmem(fields->text.data, fields->text.length, search->wanted, strlen(search->wanted));
    search->found += is_it;
}

static void interrupt(const char *message, enum tg_task_state before_it)
{
    struct search search = {.wanted = "enough of this"};
    struct app_stage stage = begin();
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    fake_client_say(client, message);
    struct tg_task *task = first_task(client);
    assert_int_equal(task->state, before_it);
    assert_true(tg_task_interrupt(task, "enough of this"));
    assert_false(tg_task_interrupt(task, "it does not wait any more"));
    assert_int_equal(client->sent_bytes, 0);
    struct tg_log_diversion before = tg_log_divert((struct tg_log_diversion){look, &search, TG_LOG_INFO});
    app_pass(&stage, 0);
    tg_log_divert(before);
    assert_int_equal(search.found, 1);
    assert_true(has_sent(client, "Failed to process message"));
    assert_int_equal(client->conn->running, 0);
    client->sent_bytes = 0;
    app_pass(&stage, 10000);
    assert_false(has_sent(client, "said"));
    client->sent_bytes = 0;
    app_end(&stage);
}

static void a_wait_that_is_interrupted_raises(void **state)
{
    (void)state;
    interrupt("{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":60}}", TG_TASK_WAITING);
}

static void a_wait_that_is_over_but_has_not_returned_raises_too(void **state)
{
    (void)state;
    interrupt("{\"action\":\"nap\",\"payload\":{\"n\":1,\"seconds\":0}}", TG_TASK_READY);
}

/* A handler lingers, a coroutine in it, and a task that it has begun: how many of them close their variables.
 */
static unsigned unwound_by(void (*end_all)(struct tg_task_pool *, struct tg_conn *))
{
    struct search search = {.wanted = "unwound"};
    struct app_stage stage = begin();
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/tasks");
    app_pass(&stage, 100); /* on_start has ended */
    fake_client_say(client, "{\"action\":\"do\",\"payload\":{\"what\":\"lingering\"}}");
    app_pass(&stage, 0);
    assert_int_equal(client->conn->running, 1);
    assert_int_equal(stage.host->tasks.count, 2);
    struct tg_log_diversion before = tg_log_divert((struct tg_log_diversion){look, &search, TG_LOG_INFO});
    end_all(&stage.host->tasks, client->conn);
    assert_int_equal(stage.host->tasks.count, 0);
    app_pass(&stage, 120000);
    tg_log_divert(before);
    app_end(&stage);
    return search.found;
}

static void tasks_that_are_abandoned_run_no_more_code(void **state)
{
    (void)state;
    assert_int_equal(unwound_by(tg_task_cancel_all), 3);
    assert_int_equal(unwound_by(tg_task_abandon_all), 0);
}

static int silence(void **state)
{
    (void)state;
    tg_log_open(2, TG_LOG_TEXT, TG_LOG_OFF, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_in_the_order_of_the_messages_however_long_each_waits),
        cmocka_unit_test(runs_as_many_at_once_as_the_handler_says),
        cmocka_unit_test(stops_reading_at_inbox_messages_and_goes_on_at_half),
        cmocka_unit_test(stops_reading_at_inbox_max_bytes),
        cmocka_unit_test(does_not_give_up_a_client_whose_inbox_is_full),
        cmocka_unit_test(sees_that_a_client_has_left_whose_inbox_is_full),
        cmocka_unit_test(a_late_handler_ends_with_a_client_whose_inbox_is_full),
        cmocka_unit_test(ends_a_farewell_that_waits_too_long),
        cmocka_unit_test(can_be_cancelled_at_every_moment),
        cmocka_unit_test(goes_on_after_the_end_of_memory),
        cmocka_unit_test(waits_in_two_kilobytes),
        cmocka_unit_test(a_wait_that_is_interrupted_raises),
        cmocka_unit_test(a_wait_that_is_over_but_has_not_returned_raises_too),
        cmocka_unit_test(tasks_that_are_abandoned_run_no_more_code),
    };
    return cmocka_run_group_tests(tests, silence, NULL);
}
