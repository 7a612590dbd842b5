#include "core/series.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MS = 1000 * 1000 };

/* All series as a C string; free it. */
static char *write_text(const struct tg_worker *worker)
{
    struct tg_buf out;
    tg_buf_init(&out);
    tg_series_write(worker, &out);
    tg_buf_append_char(&out, '\0');
    assert_int_equal(tg_buf_status(&out), TG_OK);
    return out.data;
}

static void expect_in(const char *text, const char *expected)
{
    if (!strstr(text, expected)) fail_msg("there is no\n%s\nin\n%s", expected, text);
}

static void counts_messages_and_errors_where_they_are_answered(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, "{\"action\":\"ping\"}");
    fake_client_say(client, "{\"action\":\"ping\"}");
    fake_client_say(client, "{\"action\":\"say\",\"payload\":{}}");
    fake_client_say(client, "nonsense");
    const struct tg_consumer *chat = client->conn->consumer;
    const struct tg_action *ping = tg_map_get(&chat->actions, TG_SLICE("ping"));
    const struct tg_action *say = tg_map_get(&chat->actions, TG_SLICE("say"));
    assert_int_equal(ping->handler->messages, 2);
    assert_int_equal(say->handler->messages, 0);
    assert_int_equal(chat->counters->messages_invalid, 2);
    char *text = write_text(&core->worker);
    expect_in(text, "\ntidegate_issues_total{type=\"missing\"} 1\n");
    expect_in(text, "\ntidegate_issues_total{type=\"json_invalid\"} 1\n");
    expect_in(text, "\ntidegate_issues_total{type=\"int_type\"} 0\n");
    free(text);
    fake_core_turn(core);
    fake_core_free(core);
}

static void sorts_times_into_buckets_by_powers_of_ten(void **state)
{
    (void)state;
    struct tg_times times = {0};
    static const uint64_t noted[] = {0, MS / 10, MS / 10 + 1, 7 * MS, 20000ull * MS};
    for (size_t i = 0; i < sizeof noted / sizeof noted[0]; i++) tg_times_note(&times, noted[i]);
    assert_int_equal(tg_times_count(&times), 5);
    struct tg_buf out;
    tg_buf_init(&out);
    tg_times_write(&times, "t", TG_SLICE("a=\"b\""), &out);
    tg_times_write(&times, "u", (struct tg_slice){0}, &out);
    tg_buf_append_char(&out, '\0');
    assert_string_equal(out.data, "t_bucket{a=\"b\",le=\"0.0001\"} 2\n"
                                  "t_bucket{a=\"b\",le=\"0.001\"} 3\n"
                                  "t_bucket{a=\"b\",le=\"0.01\"} 4\n"
                                  "t_bucket{a=\"b\",le=\"0.1\"} 4\n"
                                  "t_bucket{a=\"b\",le=\"1\"} 4\n"
                                  "t_bucket{a=\"b\",le=\"10\"} 4\n"
                                  "t_bucket{a=\"b\",le=\"+Inf\"} 5\n"
                                  "t_sum{a=\"b\"} 20.007200001\n"
                                  "t_count{a=\"b\"} 5\n"
                                  "u_bucket{le=\"0.0001\"} 2\n"
                                  "u_bucket{le=\"0.001\"} 3\n"
                                  "u_bucket{le=\"0.01\"} 4\n"
                                  "u_bucket{le=\"0.1\"} 4\n"
                                  "u_bucket{le=\"1\"} 4\n"
                                  "u_bucket{le=\"10\"} 4\n"
                                  "u_bucket{le=\"+Inf\"} 5\n"
                                  "u_sum 20.007200001\n"
                                  "u_count 5\n");
    tg_buf_deinit(&out);
}

static void blames_who_held_a_turn_longest_in_all(void **state)
{
    (void)state;
    struct tg_turns turns = {.number = 1};
    struct tg_handler often = {0}, once = {0};
    tg_turn_note(&turns, &often, 20 * MS);
    tg_turn_note(&turns, &once, 30 * MS);
    assert_ptr_equal(turns.worst, &once);
    tg_turn_note(&turns, &often, 20 * MS);
    assert_ptr_equal(turns.worst, &often);
    assert_int_equal(turns.worst_held_ns, 40 * MS);
    tg_turn_end(&turns, 60 * MS, 60);
    assert_int_equal(turns.stalls, 0);
    /* Another turn: what was held before does not count. */
    tg_turn_note(&turns, &once, 10 * MS);
    tg_turn_note(&turns, &often, 9 * MS);
    assert_ptr_equal(turns.worst, &once);
    tg_turn_end(&turns, 61 * MS, 60);
    assert_int_equal(turns.stalls, 1);
    assert_null(turns.worst);
    assert_int_equal(tg_times_count(&turns.times), 2);
}

static enum tg_status write_once(void *context)
{
    struct tg_buf out;
    tg_buf_init(&out);
    tg_series_write(context, &out);
    enum tg_status status = tg_buf_status(&out);
    tg_buf_deinit(&out);
    return status;
}

static void tells_the_buf_when_memory_is_out(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    assert_true(tg_alloc_sweep(write_once, &core->worker) > 0);
    fake_core_free(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_messages_and_errors_where_they_are_answered),
        cmocka_unit_test(sorts_times_into_buckets_by_powers_of_ten),
        cmocka_unit_test(blames_who_held_a_turn_longest_in_all),
        cmocka_unit_test(tells_the_buf_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
