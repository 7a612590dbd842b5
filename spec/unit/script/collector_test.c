/* When garbage is collected, counted and not timed: the application leaves half a megabyte with each message.
 */
#include "support/app_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char litter[] = "{\"action\":\"litter\"}", hoard[] = "{\"action\":\"hoard\"}";

static struct app_stage begin(void)
{
    struct app_stage stage = app_begin("metrics", fake_core_new());
    fake_core_open(stage.core, 0, "/ws/costs");
    return stage;
}

static void say(struct app_stage *stage, const char *text)
{
    fake_client_say(stage->core->clients, text);
    fake_core_turn(stage->core);
    expect_sent(stage->core->clients, "text {\"action\":\"done\"}\n");
}

static uint64_t steps(const struct app_stage *stage)
{
    return tg_times_count(&stage->core->worker.gc_steps);
}

static void collects_when_nothing_runs_and_then_rests(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    const struct tg_metrics *metrics = &stage.core->worker.metrics;
    uint64_t clean_bytes = metrics->script_heap_bytes;
    say(&stage, litter);
    assert_true(metrics->script_heap_bytes > clean_bytes + 256 * 1024);
    assert_int_equal(steps(&stage), 0); /* not while a client waits */
    fake_core_sleep(stage.core, 2000);
    uint64_t taken = steps(&stage);
    assert_true(taken > 0);
    assert_int_equal(metrics->gc_cycles, 1);
    assert_true(metrics->script_heap_bytes < clean_bytes + 64 * 1024);
    fake_core_sleep(stage.core, 15000);
    assert_int_equal(steps(&stage), taken);
    app_end(&stage);
}

static void walks_a_large_heap_a_piece_in_each_tick(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    for (int i = 0; i < 4; i++) say(&stage, hoard);
    for (int ticks = 0; stage.core->worker.metrics.gc_cycles == 0; ticks++) {
        uint64_t earlier = steps(&stage);
        fake_core_sleep(stage.core, TG_WHEEL_TICK_MS);
        assert_true(steps(&stage) <= earlier + 1);
        assert_true(ticks < 1000);
    }
    assert_true(steps(&stage) > 3);
    app_end(&stage);
}

static void leaves_little_garbage_alone(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    for (int i = 0; i < 10; i++) {
        say(&stage, "{\"action\":\"quick\",\"payload\":{\"word\":\"x\"}}");
    }
    fake_core_sleep(stage.core, 5000);
    assert_int_equal(steps(&stage), 0);
    app_end(&stage);
}

static void waits_for_a_pause_between_messages(void **state)
{
    (void)state;
    struct app_stage stage = begin();
    for (int i = 0; i < 50; i++) {
        say(&stage, litter);
        fake_core_sleep(stage.core, TG_WHEEL_TICK_MS / 2);
    }
    assert_int_equal(steps(&stage), 0);
    /* Lua has collected by itself meanwhile. */
    assert_true(stage.core->worker.metrics.script_heap_bytes < 10 * 1024 * 1024);
    fake_core_sleep(stage.core, 5000);
    assert_true(steps(&stage) > 0);
    assert_int_equal(stage.core->worker.metrics.gc_cycles, 1);
    app_end(&stage);
}

/* To be sure of its keys, whoever read a reply stopped the collector, and LUA_GCRESTART has the next
 * allocation begin a step, however little garbage there is: with 10,000 connections in the heap a message
 * took 0.5 ms. */
static void is_not_begun_by_each_reply_that_is_checked(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    core->config.mode = TG_MODE_DEVELOPMENT;
    struct app_stage stage = app_begin("reload/old", core);
    struct fake_client *client = fake_core_open(core, 0, "/ws/chat");
    fake_core_sleep(core, 15000);
    const uint64_t *heap_bytes = &core->worker.metrics.script_heap_bytes;
    uint64_t clean_bytes = *heap_bytes;
    for (uint64_t i = 1; i <= 100; i++) {
        fake_client_say(client, "{\"action\":\"do\",\"payload\":{\"what\":\"fill\"}}");
        fake_core_turn(core);
        expect_sent(client, "text {\"action\":\"said\",\"payload\":\"filled\"}\n");
        assert_true(*heap_bytes >= clean_bytes + i * 100);
    }
    app_end(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collects_when_nothing_runs_and_then_rests),
        cmocka_unit_test(walks_a_large_heap_a_piece_in_each_tick),
        cmocka_unit_test(leaves_little_garbage_alone),
        cmocka_unit_test(waits_for_a_pause_between_messages),
        cmocka_unit_test(is_not_begun_by_each_reply_that_is_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
