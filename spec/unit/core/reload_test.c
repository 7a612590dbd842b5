/* The transaction: what is loaded when, who is told what, and what becomes of the code before. */
#include "core/reload.h"

#include "core/overview.h"
#include "core/series.h"
#include "support/alloc.h"
#include "support/fake_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char ping[] = "{\"action\":\"ping\"}";

static struct fake_core *core;
static struct fake_reload *reload;

static int setup(void **state)
{
    (void)state;
    core = fake_core_new();
    reload = fake_reload_new(core);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_reload_free(reload);
    fake_core_free(core);
    return 0;
}

/* Somebody who asks. */
struct asker {
    struct tg_reload_listener listener;
    int told;
    enum tg_reload_outcome outcome;
    uint32_t number;
};

static void note_answer(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    struct asker *asker = (struct asker *)listener;
    asker->told++;
    asker->outcome = result->outcome;
    asker->number = result->number;
}

static struct asker new_asker(void)
{
    return (struct asker){.listener.told = note_answer};
}

static void wait_always(struct fake_core *of, struct tg_conn *conn, const struct tg_envelope *envelope)
{
    (void)conn;
    (void)envelope;
    of->is_next_waiting = true;
}

/* ---- what is loaded ---- */

static void serves_new_code_from_the_swap_on_and_closes_the_old(void **state)
{
    (void)state;
    fake_reload_expect(reload, TG_RELOAD_OK);
    expect_journal(core, "retire 1\nbegin 2\nstop 1 reload\nend 1\n");
    assert_int_equal(core->worker.generation->number, 2);
    assert_int_equal(reload->told.number, 2);
    assert_string_equal(reload->told.why, "spec");
    assert_int_equal(core->worker.metrics.reloads, 1);
    assert_int_equal(core->worker.metrics.generation, 2);
    assert_int_equal(core->worker.metrics.generations_alive, 1);
    assert_int_equal(reload->closed, 0); /* on the background thread */
    fake_reload_work(reload);
    assert_int_equal(reload->closed, 1);
}

static void changes_nothing_when_the_new_code_is_wrong(void **state)
{
    (void)state;
    reload->is_broken = true;
    fake_reload_expect(reload, TG_RELOAD_FAILED);
    expect_journal(core, "");
    assert_int_equal(core->worker.generation->number, 1);
    assert_ptr_equal(reload->told.load, &reload->core.failed);
    assert_int_equal(core->worker.metrics.reloads_failed, 1);
    reload->is_broken = false;
    reload->is_memory_out = true;
    fake_reload_expect(reload, TG_RELOAD_FAILED);
    reload->is_memory_out = false;
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(core->worker.generation->number, 2);
    assert_int_equal(reload->core.failed.number, 0);
}

static void loads_nothing_that_was_read_before_unless_it_has_to(void **state)
{
    (void)state;
    struct asker asker = new_asker();
    tg_reload_request(&reload->core, "files", false, &asker.listener);
    assert_int_equal(asker.told, 0);
    fake_reload_work(reload);
    assert_int_equal(asker.outcome, TG_RELOAD_UNCHANGED);
    assert_int_equal(reload->loads, 0);
    assert_int_equal(reload->told_count, 0); /* a touch is no news */
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(reload->loads, 1);
}

static void says_when_what_is_on_disk_serves_again(void **state)
{
    (void)state;
    reload->disk = 1;
    reload->is_broken = true;
    tg_reload_request(&reload->core, "files", false, NULL);
    fake_reload_work(reload);
    assert_int_equal(reload->told.outcome, TG_RELOAD_FAILED);
    tg_reload_request(&reload->core, "files", false, NULL);
    fake_reload_work(reload);
    assert_int_equal(reload->told_count, 1); /* the same mistake is told once */
    reload->disk = 0;
    tg_reload_request(&reload->core, "files", false, NULL);
    fake_reload_work(reload);
    assert_int_equal(reload->told.outcome, TG_RELOAD_BACK);
    assert_int_equal(reload->told.number, 1);
    assert_int_equal(reload->loads, 1);
    tg_reload_request(&reload->core, "files", false, NULL);
    fake_reload_work(reload);
    assert_int_equal(reload->told_count, 2);
}

static void loads_again_while_files_change(void **state)
{
    (void)state;
    reload->torn = 3;
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(reload->loads, 4);
    fake_reload_work(reload);
    assert_int_equal(reload->closed, 3 + 1); /* what was loaded in vain, and the first */
    assert_int_equal(core->worker.generation->number, 2);
}

static void loads_a_broken_file_again_when_it_was_half_written(void **state)
{
    (void)state;
    reload->torn = 1;
    reload->is_broken = true;
    fake_reload_expect(reload, TG_RELOAD_FAILED);
    assert_int_equal(reload->loads, 2);
}

static void gives_up_on_files_that_never_rest(void **state)
{
    (void)state;
    reload->torn = 1000;
    fake_reload_expect(reload, TG_RELOAD_RESTLESS);
    assert_string_equal(reload->told.restless, "torn.lua");
    assert_int_equal(reload->loads, 8);
    assert_int_equal(core->worker.generation->number, 1);
    assert_int_equal(core->worker.metrics.reloads_failed, 1);
    reload->torn = 0;
    fake_reload_expect(reload, TG_RELOAD_OK);
}

/* Whether somebody writes to a file, and how often that was asked. */
static int writing, asked;

static bool is_being_written(void *context)
{
    (void)context;
    asked++;
    return writing-- > 0;
}

/* An empty file, with which whoever writes begins, is a module that loads. */
static void loads_again_what_somebody_was_writing(void **state)
{
    (void)state;
    reload->core.is_disturbed = is_being_written;
    writing = 3;
    asked = 0;
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(reload->loads, 4);
    assert_int_equal(asked, 4);
    assert_int_equal(reload->told_count, 1);
    assert_int_equal(core->worker.generation->number, 2);
    fake_reload_work(reload);
    assert_int_equal(reload->closed, 3 + 1);
}

static void takes_in_the_end_what_is_written_for_ever(void **state)
{
    (void)state;
    reload->core.is_disturbed = is_being_written;
    writing = 1000;
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(reload->loads, 8 + 1);
    writing = 0;
    reload->loads = 0;
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(reload->loads, 1);
}

/* ---- who asks ---- */

static void loads_once_more_for_all_who_ask_meanwhile(void **state)
{
    (void)state;
    struct asker askers[4] = {new_asker(), new_asker(), new_asker(), new_asker()};
    tg_reload_request(&reload->core, "signal", true, &askers[0].listener);
    for (int i = 1; i < 4; i++) tg_reload_request(&reload->core, "api", true, &askers[i].listener);
    fake_reload_work(reload);
    fake_reload_work(reload);
    assert_int_equal(reload->loads, 2);
    assert_int_equal(askers[0].number, 2);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(askers[i].told, 1);
        assert_int_equal(askers[i].outcome, TG_RELOAD_OK);
        if (i > 0) assert_int_equal(askers[i].number, 3);
    }
    assert_int_equal(core->worker.generation->number, 3);
}

static void a_request_that_has_to_load_makes_the_one_before_it_load(void **state)
{
    (void)state;
    struct asker asker = new_asker();
    tg_reload_request(&reload->core, "files", false, NULL);
    tg_reload_request(&reload->core, "files", false, &asker.listener);
    tg_reload_request(&reload->core, "api", true, NULL);
    fake_reload_work(reload);
    assert_int_equal(asker.outcome, TG_RELOAD_OK);
    assert_string_equal(reload->told.why, "api");
    assert_int_equal(reload->loads, 1);
}

static void does_not_tell_who_has_gone(void **state)
{
    (void)state;
    struct asker asker = new_asker();
    tg_reload_request(&reload->core, "api", true, &asker.listener);
    tg_list_remove(&asker.listener.link);
    fake_reload_work(reload);
    assert_int_equal(asker.told, 0);
    assert_int_equal(core->worker.generation->number, 2);
}

/* ---- the end of the old code ---- */

static void waits_for_on_stop_as_long_as_for_a_drain(void **state)
{
    (void)state;
    reload->is_stop_waiting = true;
    struct tg_generation *first = core->worker.generation;
    fake_reload_expect(reload, TG_RELOAD_OK);
    expect_journal(core, "retire 1\nbegin 2\nstop 1 reload\n");
    assert_string_equal(tg_generation_state_name(first), "stopping");
    assert_int_equal(core->worker.metrics.generations_alive, 2);
    tg_generation_script_stopped(first);
    fake_core_turn(core);
    expect_journal(core, "end 1\n");
    fake_reload_expect(reload, TG_RELOAD_OK);
    expect_journal(core, "retire 2\nbegin 3\nstop 2 reload\n");
    fake_core_sleep(core, core->config.drain_seconds * 1000ull - 100);
    expect_journal(core, "");
    fake_core_sleep(core, 200);
    expect_journal(core, "end 2\n");
    assert_int_equal(core->worker.metrics.generations_alive, 1);
}

static void keeps_the_names_of_who_held_the_turn_until_it_is_over(void **state)
{
    (void)state;
    struct tg_turns *turns = &core->worker.turns;
    const struct tg_consumer *chat = tg_registry_find_consumer(&core->generation.registry, TG_SLICE("chat"));
    tg_turn_note(turns, chat->ordered_actions[0]->handler, 5);
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(reload->ended, 1);
    assert_ptr_equal(turns->worst, &turns->kept);
    assert_true(tg_slice_equal(turns->worst->consumer, TG_SLICE("chat")));
    assert_true(tg_slice_equal(turns->worst->name, TG_SLICE("say")));
    tg_turn_keep_names(turns); /* another one ends in the same turn */
    assert_true(tg_slice_equal(turns->worst->consumer, TG_SLICE("chat")));
}

/* ---- max_generations ---- */

/* Each of the generations but the newest has one client whose handler waits. */
static void make_three_old_generations(void)
{
    core->on_message = wait_always;
    for (size_t i = 0; i < 3; i++) {
        fake_client_say(fake_core_open(core, i, "/chat"), ping);
        tg_reload_request(&reload->core, "spec", true, NULL);
        fake_reload_work(reload);
    }
    assert_int_equal(core->worker.metrics.generations_alive, 4);
    core->journal_bytes = 0;
}

static void ends_the_oldest_before_there_are_too_many(void **state)
{
    (void)state;
    make_three_old_generations();
    struct asker asker = new_asker();
    int loads = reload->loads;
    tg_reload_request(&reload->core, "spec", true, &asker.listener);
    fake_reload_work(reload); /* finds no room; the handler is ended, its client moves, generation 1 ends */
    assert_int_equal(core->worker.metrics.reloads_postponed, 1);
    assert_int_equal(core->clients[0].conn->generation->number, 4);
    expect_journal(core,
                   "1 release\n1 expire\n1 release\n1 out of 1\n1 into 4 from 1\nstop 1 reload\nend 1\n");
    assert_int_equal(reload->loads, loads);
    fake_reload_work(reload);
    assert_int_equal(reload->loads, loads + 1);
    assert_int_equal(asker.number, 5);
    assert_int_equal(core->worker.metrics.generations_alive, 3); /* nobody waits in the fourth */
    assert_int_equal(core->worker.metrics.handlers_retired, 1);
}

static void ends_nothing_for_files_that_have_not_changed(void **state)
{
    (void)state;
    make_three_old_generations();
    tg_reload_request(&reload->core, "files", false, NULL);
    fake_reload_work(reload);
    expect_journal(core, "");
    assert_int_equal(core->worker.metrics.reloads_postponed, 0);
}

/* ---- a server that stops ---- */

static void a_drain_cancels_what_is_being_loaded(void **state)
{
    (void)state;
    struct asker asker = new_asker(), late = new_asker();
    tg_reload_request(&reload->core, "spec", true, &asker.listener);
    tg_worker_drain(&core->worker);
    fake_reload_work(reload);
    assert_int_equal(asker.outcome, TG_RELOAD_CANCELLED);
    assert_int_equal(core->worker.generation->number, 1);
    assert_int_equal(reload->closed, 1);
    tg_reload_request(&reload->core, "spec", true, &late.listener);
    assert_int_equal(late.told, 0);
    fake_reload_work(reload);
    assert_int_equal(late.outcome, TG_RELOAD_CANCELLED);
    expect_journal(core, "stop 1 stop\n");
}

static void a_drain_stops_all_that_are_alive_and_waits_for_each(void **state)
{
    (void)state;
    core->on_message = wait_always;
    struct fake_client *client = fake_core_open(core, 0, "/chat");
    fake_client_say(client, ping);
    fake_reload_expect(reload, TG_RELOAD_OK);
    core->journal_bytes = 0;
    reload->is_stop_waiting = true;
    struct tg_generation *first = tg_generation_first(&core->worker);
    tg_worker_drain(&core->worker);
    fake_core_turn(core);
    expect_journal(core, "stop 1 stop\nstop 2 stop\n");
    tg_conn_ended(client->conn, TG_DONE);
    fake_core_turn(core);
    expect_sent(client, "close 1001 the server is going away\n");
    fake_client_vanish(client);
    fake_core_turn(core);
    expect_journal(core, "1 disconnected 1001 the server is going away\n1 forget\n");
    tg_generation_script_stopped(first);
    assert_int_equal(core->stops, 0);
    tg_generation_script_stopped(core->worker.generation);
    assert_int_equal(core->stops, 1);
}

/* ---- allocations that fail ---- */

static void the_swap_needs_no_memory(void **state)
{
    (void)state;
    tg_reload_request(&reload->core, "spec", true, NULL);
    struct tg_job *job = reload->first;
    reload->first = NULL;
    job->work(job);
    tg_alloc_fail_from(1);
    job->done(job);
    fake_core_turn(core);
    assert_false(tg_alloc_has_failed());
    tg_alloc_fail_at(0);
    assert_int_equal(core->worker.generation->number, 2);
}

/* ---- for people ---- */

static void expect_overview(const char *expected)
{
    struct tg_buf out;
    const struct tg_overview overview = {.worker = &core->worker, .folder = TG_SLICE("chat \"x\"")};
    tg_buf_init(&out);
    tg_overview_write(&overview, &out);
    tg_buf_append_char(&out, '\0');
    assert_int_equal(tg_buf_status(&out), TG_OK);
    const char *from = strstr(out.data, "\"mode\"");
    assert_non_null(from);
    bool is_equal = strcmp(from, expected) == 0;
    if (!is_equal) print_error("%s\n%s\n", from, expected);
    tg_buf_deinit(&out);
    assert_true(is_equal);
}

static void the_overview_tells_who_is_alive_and_how_the_last_reload_went(void **state)
{
    (void)state;
    expect_overview(
        "\"mode\":\"production\",\"folder\":\"chat \\\"x\\\"\",\"uptime_seconds\":0,\"connections\":0,"
        "\"generation\":1,\"generations\":[{\"number\":1,\"state\":\"serving\",\"connections\":0,"
        "\"tasks\":0,\"age_seconds\":0,\"consumers\":9}],\"last_reload\":null}");
    core->on_message = wait_always;
    fake_client_say(fake_core_open(core, 0, "/chat"), ping);
    fake_core_sleep(core, 2000);
    fake_reload_expect(reload, TG_RELOAD_OK);
    expect_overview(
        "\"mode\":\"production\",\"folder\":\"chat \\\"x\\\"\",\"uptime_seconds\":2,\"connections\":1,"
        "\"generation\":2,\"generations\":[{\"number\":1,\"state\":\"retiring\",\"connections\":1,"
        "\"tasks\":0,\"age_seconds\":2,\"consumers\":9},{\"number\":2,\"state\":\"serving\","
        "\"connections\":0,\"tasks\":0,\"age_seconds\":0,\"consumers\":9}],"
        "\"last_reload\":{\"outcome\":\"ok\",\"why\":\"spec\",\"generation\":2,"
        "\"when\":\"1970-01-01T00:16:42.000Z\",\"took_ms\":0}}");
}

static void overview_is_whole_or_says_so(void **state)
{
    (void)state;
    struct tg_buf out;
    const struct tg_overview overview = {.worker = &core->worker};
    tg_buf_init(&out);
    tg_alloc_fail_at(1);
    tg_overview_write(&overview, &out);
    tg_alloc_fail_at(0);
    assert_int_equal(tg_buf_status(&out), TG_E_NO_MEMORY);
    tg_buf_deinit(&out);
}

static void series_are_told_of_each_generation(void **state)
{
    (void)state;
    core->on_message = wait_always;
    fake_client_say(fake_core_open(core, 0, "/chat"), ping);
    fake_reload_expect(reload, TG_RELOAD_OK);
    struct tg_buf out;
    tg_buf_init(&out);
    tg_series_write(&core->worker, &out);
    tg_buf_append_char(&out, '\0');
    assert_int_equal(tg_buf_status(&out), TG_OK);
    static const char *const lines[] = {
        "tidegate_action_messages_total{consumer=\"chat\",action=\"ping\",generation=\"1\"} 1\n",
        "tidegate_action_messages_total{consumer=\"chat\",action=\"ping\",generation=\"2\"} 0\n",
        "tidegate_consumer_messages_invalid_total{topic=\"room:{name}\",generation=\"2\"} 0\n",
        "tidegate_reload_seconds_count 1\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) assert_non_null(strstr(out.data, lines[i]));
    tg_buf_deinit(&out);
}

int main(void)
{
#define SPEC(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        SPEC(serves_new_code_from_the_swap_on_and_closes_the_old),
        SPEC(changes_nothing_when_the_new_code_is_wrong),
        SPEC(loads_nothing_that_was_read_before_unless_it_has_to),
        SPEC(says_when_what_is_on_disk_serves_again),
        SPEC(loads_again_while_files_change),
        SPEC(loads_a_broken_file_again_when_it_was_half_written),
        SPEC(gives_up_on_files_that_never_rest),
        SPEC(loads_again_what_somebody_was_writing),
        SPEC(takes_in_the_end_what_is_written_for_ever),
        SPEC(loads_once_more_for_all_who_ask_meanwhile),
        SPEC(a_request_that_has_to_load_makes_the_one_before_it_load),
        SPEC(does_not_tell_who_has_gone),
        SPEC(waits_for_on_stop_as_long_as_for_a_drain),
        SPEC(keeps_the_names_of_who_held_the_turn_until_it_is_over),
        SPEC(ends_the_oldest_before_there_are_too_many),
        SPEC(ends_nothing_for_files_that_have_not_changed),
        SPEC(a_drain_cancels_what_is_being_loaded),
        SPEC(a_drain_stops_all_that_are_alive_and_waits_for_each),
        SPEC(the_swap_needs_no_memory),
        SPEC(the_overview_tells_who_is_alive_and_how_the_last_reload_went),
        SPEC(overview_is_whole_or_says_so),
        SPEC(series_are_told_of_each_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
