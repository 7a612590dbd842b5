/* Connections that come from one Lua state to another, under a core without sockets: the applications are
 * spec/support/apps/reload/old and new. */
#include "script/host.h"

#include "support/alloc.h"
#include "support/app_stage.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer's own; its header is not always installed with the compiler. */
size_t __sanitizer_get_current_allocated_bytes(void);
#endif

static struct app_stage stage;
static char lines[16 * 1024]; /* of the log */

static void add(struct tg_slice text)
{
    size_t used = strlen(lines);
    if (!text.length || used + text.length >= sizeof lines) return;
    memcpy(lines + used, text.data, text.length);
    lines[used + text.length] = '\0';
}

/* Takes no memory, since that may be what is missing. */
static void take_line(void *context, enum tg_log_level level, const char *event,
                      const struct tg_log_field *fields)
{
    (void)context;
    (void)level;
    add(TG_SLICE("event="));
    add(tg_slice_of(event));
    for (; fields->key; fields++) {
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)fields->integer);
        add(TG_SLICE(" "));
        add(tg_slice_of(fields->key));
        add(TG_SLICE("="));
        add(fields->type == TG_LOG_FIELD_INTEGER ? tg_slice_of(number) : fields->text);
    }
    add(TG_SLICE("\n"));
}

static void expect_line(const char *text)
{
    if (!strstr(lines, text)) fail_msg("no line has: %s\n%s", text, lines);
}

static size_t count_lines(const char *text)
{
    size_t count = 0;
    for (const char *at = lines; (at = strstr(at, text)); at++) count++;
    return count;
}

static int begin(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    core->config.heartbeat_seconds = 0;
    stage = app_begin("reload/old", core);
    tg_log_divert((struct tg_log_diversion){take_line, NULL, TG_LOG_INFO});
    lines[0] = '\0';
    return 0;
}

static int end(void **state)
{
    (void)state;
    struct tg_worker *worker = &stage.core->worker;
    app_pass(&stage, 100);
    assert_int_equal(worker->metrics.generations_alive, 1);
    stage.host = TG_CONTAINER(worker->generation->script, struct tg_host, script);
    app_end(&stage);
    tg_log_divert((struct tg_log_diversion){NULL, NULL, TG_LOG_OFF});
    return 0;
}

/* ---- what happens ---- */

static struct tg_host *open_new(void)
{
    struct tg_problems problems;
    struct tg_host *host = NULL;
    uint32_t number = stage.core->worker.generation->number + 1;
    tg_problems_init(&problems);
    enum tg_status status = tg_host_open(&host, &stage.core->config,
                                         TG_SPEC_FOLDER "/support/apps/reload/new", number, &problems);
    tg_problems_deinit(&problems);
    assert_int_equal(status, TG_OK);
    return host;
}

static void swap(void)
{
    tg_generation_serve(&open_new()->generation, &stage.core->worker);
}

static void reload(void)
{
    swap();
    app_pass(&stage, 0);
}

static struct fake_client *open_on(size_t index, const char *path)
{
    struct fake_client *client = fake_core_open(stage.core, index, path);
    assert_non_null(client);
    app_pass(&stage, 0);
    return client;
}

static void act(struct fake_client *client, const char *what, const char *with)
{
    char text[256];
    snprintf(text, sizeof text, "{\"action\":\"do\",\"payload\":{\"what\":\"%s\"%s%s}}", what,
             with ? ",\"with\":" : "", with ? with : "");
    fake_client_say(client, text);
    app_pass(&stage, 0);
}

static void expect_said(struct fake_client *client, const char *payload)
{
    char text[1024];
    snprintf(text, sizeof text, "text {\"action\":\"said\",\"payload\":%s}\n", payload);
    expect_sent(client, text);
}

/* What `reloaded` of the new code says of a connection whose state is empty. */
static const char came_from_1[] = "{\"is_cycle\":false,\"is_self\":true,\"left\":[true,true],\"reloaded\":1,"
                                  "\"user\":{\"id\":7,\"name\":\"ann\",\"tags\":[]}}";

/* ---- state ---- */

static void brings_state_and_user_with_what_they_share(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "fill", NULL);
    expect_said(client, "\"filled\"");
    reload();
    expect_said(client, "{\"count\":3,\"is_cycle\":true,\"is_self\":true,\"left\":[true,true],\"list\":[1,"
                        "{\"deep\":2.5}],\"reloaded\":1,\"user\":{\"id\":7,\"name\":\"ann\",\"tags\":[]}}");
    assert_int_equal(client->conn->generation->number, 2);
    assert_true(tg_slice_equal(client->conn->user_id, TG_SLICE("7")));
}

static void names_what_stays_behind_once_however_many_have_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAKE_CLIENTS; i++) act(open_on(i, "/ws/chat"), "fill", NULL);
    reload();
    expect_line("conn.state.on_done is a function and stays behind");
    expect_line("conn.state.thread is a thread and stays behind");
    expect_line("apps/reload/old/main.lua:13");
    assert_int_equal(count_lines("event=left_behind"), 2);
}

static void leaves_a_state_behind_that_is_too_large_and_keeps_the_user(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "huge", NULL);
    client->sent_bytes = 0;
    reload();
    expect_said(client, came_from_1);
    expect_line("event=state_too_large");
    expect_line("state_max_bytes=1048576");
    assert_int_equal(stage.core->worker.metrics.states_left_behind, 1);
}

static void brings_the_state_of_a_subscription(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    fake_client_say(client, "{\"action\":\"subscribe\",\"topic\":\"room:a\"}");
    fake_client_say(client,
                    "{\"action\":\"do\",\"topic\":\"room:a\",\"payload\":{\"what\":\"x\",\"with\":[1]}}");
    app_pass(&stage, 0);
    client->sent_bytes = 0;
    reload();
    client->sent_bytes = 0;
    fake_client_say(client, "{\"action\":\"do\",\"topic\":\"room:a\",\"payload\":{\"what\":\"x\"}}");
    app_pass(&stage, 0);
    expect_sent(client, "text {\"action\":\"said\",\"payload\":{\"value\":[1]},\"topic\":\"room:a\"}\n");
}

static void lets_migrate_rewrite_the_state(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/migrated");
    static const char *const after[] = {"{\"total\":2}", "{\"total\":3}", "{\"total\":3}", "{\"total\":3}",
                                        "{\"total\":3}"};
    act(client, "", NULL);
    expect_said(client, "{\"count\":1}");
    for (size_t i = 0; i < 5; i++) {
        reload();
        expect_sent(client, "");
        act(client, "", NULL);
        expect_said(client, after[i]);
    }
    assert_int_equal(count_lines("event=handler_failed"), 3);
    expect_line("cannot migrate");
    expect_line("cannot wait inside migrate: what has to wait belongs into the hook `reloaded`");
    expect_line("migrate returned a string: it returns the state, a table");
}

/* ---- the hook ---- */

static void waits_for_reloaded_before_the_next_message(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "set", "\"wait\"");
    expect_said(client, "\"set\"");
    reload();
    act(client, "state", NULL);
    expect_sent(client, "");
    app_pass(&stage, 1000);
    char text[1024];
    snprintf(text, sizeof text,
             "text {\"action\":\"said\",\"payload\":%s}\n"
             "text {\"action\":\"said\",\"payload\":{\"value\":\"wait\"}}\n",
             came_from_1);
    expect_sent(client, text);
}

static void logs_what_reloaded_raises_and_goes_on(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "set", "\"raise\"");
    client->sent_bytes = 0;
    reload();
    expect_sent(client, "");
    expect_line("reloaded raises");
    act(client, "state", NULL);
    expect_said(client, "{\"value\":\"raise\"}");
}

/* ---- the object, and who it is ---- */

static const char let_in[] =
    "text {\"action\":\"authentication\",\"payload\":{\"status_code\":200,\"status_text\":\"OK\"}}\n";
static const char taken_over[] =
    "text {\"action\":\"said\",\"payload\":{\"is_self\":true,\"object\":{\"owner\":7,\"title\":\"new\"},"
    "\"reloaded\":1}}\n";

static struct fake_client *open_about(size_t index, const char *with)
{
    struct fake_client *client = open_on(index, "/ws/about");
    expect_sent(client, let_in);
    act(client, "", with);
    expect_said(client, "\"old\"");
    return client;
}

static void loads_the_object_anew_before_reloaded_and_asks_no_permission(void **state)
{
    (void)state;
    struct fake_client *client = open_about(0, "1");
    reload();
    expect_sent(client, taken_over);
    act(client, "", NULL);
    expect_said(client, "\"new\"");
}

static void waits_for_the_object_before_the_next_message(void **state)
{
    (void)state;
    struct fake_client *client = open_about(0, "\"wait\"");
    reload();
    act(client, "", NULL);
    expect_sent(client, "");
    app_pass(&stage, 1000);
    char text[256];
    snprintf(text, sizeof text, "%stext {\"action\":\"said\",\"payload\":\"new\"}\n", taken_over);
    expect_sent(client, text);
}

static void expect_closed(struct fake_client *client, const char *status, const char *close)
{
    char text[256];
    snprintf(text, sizeof text,
             "text {\"action\":\"authentication\",\"payload\":{\"status_code\":%s}}\nclose %s\n", status,
             close);
    expect_sent(client, text);
}

static void closes_whose_object_is_gone_or_cannot_be_loaded(void **state)
{
    (void)state;
    struct fake_client *gone = open_about(0, "\"gone\""), *raises = open_about(1, "\"raise\""),
                       *sleeps = open_about(2, "\"sleep\"");
    reload();
    expect_closed(gone, "404,\"status_text\":\"Not Found\"", "4404 Not Found");
    expect_closed(raises, "500,\"status_text\":\"Internal Server Error\"",
                  "1011 the object could not be loaded");
    expect_line("object raises");
    app_pass(&stage, stage.core->config.authentication_timeout_ms);
    expect_closed(sleeps, "401,\"status_text\":\"Unauthorized\"", "4408 authentication took too long");
}

static void asks_again_in_the_code_that_serves(void **state)
{
    (void)state;
    struct fake_client *client = open_about(0, "1");
    app_pass(&stage, 50000);
    reload();
    client->sent_bytes = 0;
    app_pass(&stage, 10500);
    reload(); /* it is being asked, and moves when that has ended */
    expect_sent(client, "");
    app_pass(&stage, 1000);
    expect_sent(client, "text {\"action\":\"authentication\",\"payload\":{\"status_code\":401,"
                        "\"status_text\":\"Unauthorized\",\"data\":{\"detail\":\"asked in the new code\"}}}\n"
                        "close 4401 Unauthorized\n");
    fake_client_vanish(client);
}

/* ---- tasks ---- */

static void ends_tickers_and_closes_their_variables(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "tick", NULL);
    client->sent_bytes = 0;
    app_pass(&stage, 1000);
    expect_said(client, "\"tick of old\"");
    assert_int_equal(stage.core->worker.metrics.tasks, 2);
    reload();
    expect_said(client, came_from_1);
    assert_int_equal(stage.core->worker.metrics.tasks, 0);
    app_pass(&stage, 5000);
    expect_sent(client, "");
}

static void lets_a_handler_finish_where_it_began(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "tick", NULL);
    client->sent_bytes = 0;
    act(client, "sleep", "3");
    for (int i = 0; i < 3; i++) reload();
    assert_int_equal(stage.core->worker.metrics.generations_alive, 4 - 2); /* nobody is in those between */
    assert_int_equal(stage.core->worker.metrics.tasks, 1);
    act(client, "state", NULL);
    app_pass(&stage, 2500);
    expect_sent(client, "");
    app_pass(&stage, 1000);
    char text[1024];
    snprintf(text, sizeof text,
             "text {\"action\":\"said\",\"payload\":{\"code\":\"old\"}}\n"
             "text {\"action\":\"said\",\"payload\":%s}\n"
             "text {\"action\":\"said\",\"payload\":{}}\n",
             came_from_1);
    expect_sent(client, text);
    assert_int_equal(client->conn->generation->number, 4);
}

static void lets_a_handler_have_the_tasks_that_it_waits_for(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "gather", NULL);
    reload();
    app_pass(&stage, 2500);
    char text[1024];
    snprintf(text, sizeof text,
             "text {\"action\":\"said\",\"payload\":[\"slept\",\"slept\"]}\n"
             "text {\"action\":\"said\",\"payload\":%s}\n",
             came_from_1);
    expect_sent(client, text);
}

static void ends_handlers_whose_time_is_up(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "sleep", "1000");
    reload();
    app_pass(&stage, 59000);
    expect_sent(client, "");
    app_pass(&stage, 2000);
    char text[1024];
    snprintf(
        text, sizeof text,
        "text {\"action\":\"error\",\"payload\":{\"code\":\"handler_timeout\",\"detail\":\"The handler took "
        "too long\"}}\n"
        "text {\"action\":\"said\",\"payload\":%s}\n",
        came_from_1);
    expect_sent(client, text);
    expect_line("action=do retire_seconds=60");
    assert_int_equal(stage.core->worker.metrics.handler_timeouts, 0);
}

/* The timers are the thread's: they look at whichever generation runs, and the end of one stops none. */
static void stops_handlers_of_each_generation_that_do_not_end(void **state)
{
    (void)state;
    struct fake_client *slow = open_on(0, "/ws/chat"), *client = open_on(1, "/ws/chat");
    act(slow, "spin", "3");
    reload();
    client->sent_bytes = 0;
    act(client, "spin", NULL);
    assert_int_equal(count_lines("event=handler_cpu"), 1);
    expect_line("apps/reload/new/main.lua");
    app_pass(&stage, 3100);
    assert_int_equal(count_lines("event=handler_cpu"), 2);
    expect_line("apps/reload/old/main.lua");
    assert_int_equal(stage.core->worker.metrics.generations_alive, 1);
    act(client, "spin", NULL);
    assert_int_equal(count_lines("event=handler_cpu"), 3);
}

/* ---- handles ---- */

static void old_handles_send_and_say_where_the_state_is(void **state)
{
    (void)state;
    struct fake_client *looking = open_on(0, "/ws/chat"), *other = open_on(1, "/ws/chat");
    act(looking, "look", NULL);
    act(other, "set", "1");
    other->sent_bytes = 0;
    reload();
    other->sent_bytes = 0;
    app_pass(&stage, 2100);
    expect_said(other, "\"from old\"");
    static const char seen[] =
        "text {\"action\":\"said\",\"payload\":[{\"is_own\":true,\"sent\":true,\"state\":\"readable\","
        "\"user\":\"ann\"},{\"is_own\":false,\"sent\":true,\"state\":\"conn.state moved to generation 2 with "
        "its "
        "connection, and this code is of generation 1: tell the connection with tide.send_event, whose "
        "handler "
        "runs there\",\"user\":\"ann\"}]}\n";
    assert_true(looking->sent_bytes > 0);
    char text[2048];
    snprintf(text, sizeof text, "%stext {\"action\":\"said\",\"payload\":%s}\n", seen, came_from_1);
    expect_sent(looking, text);
}

static void new_code_sees_connections_that_have_not_come_yet(void **state)
{
    (void)state;
    struct fake_client *slow = open_on(0, "/ws/chat"), *looking = open_on(1, "/ws/chat");
    act(slow, "sleep", "5");
    reload();
    looking->sent_bytes = 0;
    act(looking, "look", NULL);
    expect_said(looking,
                "[{\"is_own\":false,\"state\":\"conn.state is still in generation 1, where a handler of "
                "the connection runs: it comes to this one, 2, when that has ended\",\"user\":\"ann\"},"
                "{\"is_own\":true,\"state\":\"readable\",\"user\":\"ann\"}]");
    app_pass(&stage, 5100);
}

/* ---- what is kept ---- */

static void keeps_data_for_all_generations(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat"), *late = open_on(1, "/ws/chat");
    act(client, "score", "5");
    expect_said(client, "{\"points\":5}");
    act(late, "sleep", "1");
    reload();
    client->sent_bytes = 0;
    act(client, "score", NULL);
    expect_said(client, "{\"late\":\"initial\",\"score\":{\"points\":5}}");
    act(client, "score", "7");
    expect_said(client, "{\"late\":\"initial\",\"score\":{\"points\":7}}");
    app_pass(&stage, 1100);
    reload();
    client->sent_bytes = 0;
    act(client, "score", NULL);
    expect_said(client, "{\"late\":\"initial\",\"score\":{\"points\":7}}");
    assert_true(stage.core->worker.metrics.keep_bytes > 0);
}

/* ---- memory ---- */

static size_t heap_bytes(void)
{
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#else
    return mallinfo2().uordblks;
#endif
}

static void gives_back_the_memory_of_a_hundred_generations(void **state)
{
    (void)state;
    struct fake_client *client = open_on(0, "/ws/chat");
    act(client, "fill", NULL);
    act(client, "tick", NULL);
    size_t after_ten = 0;
    uint64_t script_bytes = 0;
    for (int i = 1; i <= 100; i++) {
        reload();
        client->sent_bytes = 0;
        lines[0] = '\0';
        if (i == 10) after_ten = heap_bytes();
        if (i == 10) script_bytes = stage.core->worker.metrics.script_heap_bytes;
    }
    assert_int_equal(stage.core->worker.metrics.generations_alive, 1);
    assert_true(heap_bytes() < after_ten + after_ten / 20 + 65536);
    assert_true(stage.core->worker.metrics.script_heap_bytes < script_bytes + script_bytes / 20);
}

/* Whatever a move cannot get the memory for, the connection is whole where it is, and moves later. */
static void moves_later_when_there_is_no_memory(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t n = 1;; n += 1 + n / 30) {
        struct fake_client *client = open_on(0, "/ws/chat");
        act(client, "fill", NULL);
        client->sent_bytes = 0;
        swap();
        uint32_t number = stage.core->worker.generation->number;
        tg_alloc_fail_from(n);
        fake_core_turn(stage.core);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        app_pass(&stage, 300);
        if (client->conn && client->conn->state == TG_CONN_OPEN) {
            assert_int_equal(client->conn->generation->number, number);
            client->sent_bytes = 0;
            act(client, "score", NULL);
            assert_true(client->sent_bytes > 0);
        }
        if (client->conn) fake_client_vanish(client);
        app_pass(&stage, 100);
        assert_int_equal(stage.core->worker.metrics.generations_alive, 1);
        failed += has_failed;
        lines[0] = '\0';
        if (!has_failed) break;
        /* The next round begins with the old code again. */
        end(NULL);
        begin(NULL);
    }
    assert_true(failed > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(brings_state_and_user_with_what_they_share, begin, end),
        cmocka_unit_test_setup_teardown(names_what_stays_behind_once_however_many_have_it, begin, end),
        cmocka_unit_test_setup_teardown(leaves_a_state_behind_that_is_too_large_and_keeps_the_user, begin,
                                        end),
        cmocka_unit_test_setup_teardown(brings_the_state_of_a_subscription, begin, end),
        cmocka_unit_test_setup_teardown(lets_migrate_rewrite_the_state, begin, end),
        cmocka_unit_test_setup_teardown(waits_for_reloaded_before_the_next_message, begin, end),
        cmocka_unit_test_setup_teardown(logs_what_reloaded_raises_and_goes_on, begin, end),
        cmocka_unit_test_setup_teardown(loads_the_object_anew_before_reloaded_and_asks_no_permission, begin,
                                        end),
        cmocka_unit_test_setup_teardown(waits_for_the_object_before_the_next_message, begin, end),
        cmocka_unit_test_setup_teardown(closes_whose_object_is_gone_or_cannot_be_loaded, begin, end),
        cmocka_unit_test_setup_teardown(asks_again_in_the_code_that_serves, begin, end),
        cmocka_unit_test_setup_teardown(ends_tickers_and_closes_their_variables, begin, end),
        cmocka_unit_test_setup_teardown(lets_a_handler_finish_where_it_began, begin, end),
        cmocka_unit_test_setup_teardown(lets_a_handler_have_the_tasks_that_it_waits_for, begin, end),
        cmocka_unit_test_setup_teardown(ends_handlers_whose_time_is_up, begin, end),
        cmocka_unit_test_setup_teardown(stops_handlers_of_each_generation_that_do_not_end, begin, end),
        cmocka_unit_test_setup_teardown(old_handles_send_and_say_where_the_state_is, begin, end),
        cmocka_unit_test_setup_teardown(new_code_sees_connections_that_have_not_come_yet, begin, end),
        cmocka_unit_test_setup_teardown(keeps_data_for_all_generations, begin, end),
        cmocka_unit_test_setup_teardown(gives_back_the_memory_of_a_hundred_generations, begin, end),
        cmocka_unit_test_setup_teardown(moves_later_when_there_is_no_memory, begin, end),
    };
    return cmocka_run_group_tests_name("reload", tests, NULL, NULL);
}
