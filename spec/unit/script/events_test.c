/* Events that come from outside as JSON, to the clients of an application under a core without sockets. */
#include "script/outside.h"

#include "core/layer.h"
#include "support/alloc.h"
#include "support/app_stage.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct app_stage app;
    struct tg_buf issues;
    uint64_t receivers;
} stage;

static int setup(void **state)
{
    (void)state;
    tg_buf_init(&stage.issues);
    stage.app = app_begin("events", fake_core_new());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tg_buf_deinit(&stage.issues);
    app_end(&stage.app);
    return 0;
}

/* Publishes `text` to the connections of a consumer; what is wrong with it is in stage.issues. */
static enum tg_status publish(const char *text, const char *consumer)
{
    struct tg_script *script = stage.app.core->worker.generation->script;
    struct tg_publication publication = {.to = TG_TO_CONSUMER, .consumer = tg_slice_of(consumer)};
    struct tg_arena arena;
    struct tg_value event;
    struct tg_issues issues;
    tg_arena_init(&arena, 0);
    tg_buf_truncate(&stage.issues, 0);
    tg_issues_init(&issues, &stage.issues, 10);
    enum tg_status status = tg_json_parse(tg_slice_of(text), 64, &arena, &event, NULL);
    if (status == TG_OK)
        status = script->ops->publish_event(script, &event, &arena, &publication, &issues, &stage.receivers);
    tg_arena_deinit(&arena);
    return status;
}

static void expect_issues(const char *expected)
{
    tg_buf_append_char(&stage.issues, '\0');
    assert_string_equal(stage.issues.data, expected);
}

static void open_on(size_t index, const char *path)
{
    assert_non_null(fake_core_open(stage.app.core, index, path));
    fake_core_turn(stage.app.core);
    stage.app.core->clients[index].sent_bytes = 0;
}

static void expect_said(size_t index, const char *expected)
{
    fake_core_turn(stage.app.core);
    expect_sent(&stage.app.core->clients[index], expected);
}

static void may_call_its_action_handler(void **state)
{
    (void)state;
    open_on(0, "/ws/camel");
    assert_int_equal(publish("{\"payload\":{\"content\":\"a\"},\"handler\":\"notify\"}", "camel"), TG_OK);
    assert_int_equal(stage.receivers, 1);
    expect_said(0, "text {\"action\":\"said\",\"payload\":\"a\"}\n");
    /* Of both names the usual one counts. */
    assert_int_equal(
        publish("{\"handler\":\"nope\",\"action\":\"notify\",\"payload\":{\"content\":\"b\"}}", "camel"),
        TG_OK);
    expect_said(0, "text {\"action\":\"said\",\"payload\":\"b\"}\n");
}

static void is_relayed_with_the_names_of_each_client(void **state)
{
    (void)state;
    open_on(0, "/ws/camel");
    open_on(1, "/ws/eager");
    static const char joined[] =
        "{\"action\":\"user_joined\",\"payload\":{\"user_name\":\"ann\",\"more\":1}}";
    assert_int_equal(publish(joined, "camel"), TG_OK);
    expect_said(0, "text {\"action\":\"user_joined\",\"payload\":{\"userName\":\"ann\"}}\n");
}

static void is_checked_as_its_receivers_declare_it(void **state)
{
    (void)state;
    assert_int_equal(publish("{\"action\":\"notify\",\"payload\":{\"content\":1}}", "talk"), TG_E_INVALID);
    expect_issues("{\"type\":\"string_type\",\"loc\":[\"payload\",\"content\"],\"msg\":\"Input should be a "
                  "valid string, got 1\"}");
    assert_int_equal(publish("{\"action\":\"checked\",\"payload\":10}", "talk"), TG_E_INVALID);
    expect_issues("{\"type\":\"value_error\",\"loc\":[\"payload\"],\"msg\":\"Value error, is too large\"}");
    /* Another consumer has no such event, and a client's action is none. */
    assert_int_equal(publish("{\"handler\":\"checked\",\"payload\":1}", "camel"), TG_E_INVALID);
    assert_int_equal(publish("{\"action\":\"whoami\"}", "talk"), TG_E_INVALID);
    assert_int_equal(publish("{}", "talk"), TG_E_INVALID);
    expect_issues("{\"type\":\"union_tag_not_found\",\"loc\":[\"action\"],\"msg\":\"Unable to extract tag "
                  "using discriminator 'action'\"}");
    assert_int_equal(publish("[]", "talk"), TG_E_INVALID);
    assert_int_equal(publish("{\"action\":\"late\"}", "talk"), TG_OK);
    assert_int_equal(stage.receivers, 0);
}

/* Whatever memory is missing, nothing is sent by halves, and the next event arrives. */
static void survives_the_failure_of_any_allocation(void **state)
{
    (void)state;
    static const char notify[] = "{\"handler\":\"notify\",\"payload\":{\"content\":\"a\"}}";
    static const char joined[] = "{\"action\":\"user_joined\",\"payload\":{\"user_name\":\"ann\"}}";
    open_on(0, "/ws/camel");
    size_t failures = 0;
    bool has_failed = true;
    for (size_t n = 1; has_failed; n++) {
        tg_alloc_fail_from(n);
        publish(notify, "camel");
        publish(joined, "camel");
        fake_core_turn(stage.app.core);
        has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        failures += has_failed;
        fake_core_turn(stage.app.core);
        stage.app.core->clients[0].sent_bytes = 0;
        assert_non_null(stage.app.core->clients[0].conn);
        assert_int_equal(publish(joined, "camel"), TG_OK);
        expect_said(0, "text {\"action\":\"user_joined\",\"payload\":{\"userName\":\"ann\"}}\n");
    }
    assert_true(failures > 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(may_call_its_action_handler),
        TEST(is_relayed_with_the_names_of_each_client),
        TEST(is_checked_as_its_receivers_declare_it),
        TEST(survives_the_failure_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
