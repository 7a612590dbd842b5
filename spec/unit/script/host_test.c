/* An application of the specs under a core without sockets, at the end of its memory. What it answers when
 * there is enough of it is shown by spec/wire/messages.test.js. */
#include "script/host.h"

#include "support/alloc.h"
#include "support/app_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char folder[] = TG_SPEC_FOLDER "/support/apps/messages";

static enum tg_status load(const struct tg_config *config, struct tg_host **host)
{
    struct tg_problems problems;
    tg_problems_init(&problems);
    enum tg_status status = tg_host_open(host, config, folder, 1, &problems);
    tg_problems_deinit(&problems);
    return status;
}

/* Each step of the sweep is longer than the last: loading allocates some ten thousand times. */
static void loads_or_says_that_it_cannot(void **state)
{
    (void)state;
    struct tg_config config;
    assert_int_equal(tg_config_init(&config), TG_OK);
    size_t failed = 0;
    for (size_t n = 1;; n += 1 + n / 60) {
        struct tg_host *host = NULL;
        tg_alloc_fail_from(n);
        enum tg_status status = load(&config, &host);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        if (status == TG_OK) tg_host_close(host);
        if (!has_failed) break;
        failed += status != TG_OK;
        assert_true(status == TG_OK || status == TG_E_NO_MEMORY || status == TG_E_SCRIPT);
    }
    assert_true(failed > 40);
    tg_config_deinit(&config);
}

static const struct {
    const char *text, *answer;
} talk[] = {
    {"{\"action\":\"tagged\",\"payload\":{\"kind\":\"image\",\"width\":1}}",
     "text {\"action\":\"tagged\",\"payload\":{\"alt\":\"none\",\"kind\":\"image\",\"width\":1}}\n"},
    {"{\"action\":\"made\",\"payload\":{\"id\":1,\"author\":{\"name\":\"a\",\"rank\":1}}}",
     "text "
     "{\"action\":\"made\",\"payload\":{\"author\":{\"name\":\"a\",\"rank\":1},\"id\":1,\"kind\":\"note\","
     "\"tags\":[]}}\n"},
    {"{\"action\":\"checked\",\"payload\":{\"pair\":[2,4],\"note\":\"x\"}}",
     "text {\"action\":\"checked\",\"payload\":{\"note\":\"x\",\"pair\":[2,4]}}\n"},
    {"{\"action\":\"checked\",\"payload\":{\"pair\":[2,3],\"note\":null}}",
     "text {\"action\":\"error\",\"payload\":[{\"type\":\"value_error\",\"loc\":[\"payload\",\"pair\",1],"
     "\"msg\":\"Value error, must be even\"}]}\n"},
    {"{\"action\":\"union\",\"payload\":{\"value\":{\"b\":\"x\",\"list\":[]}}}",
     "text {\"action\":\"union\",\"payload\":{\"value\":{\"b\":\"x\",\"list\":[]}}}\n"},
    {"{\"action\":\"tree\",\"payload\":{\"name\":\"a\",\"children\":[{\"name\":\"b\"}]}}",
     "text "
     "{\"action\":\"tree\",\"payload\":{\"children\":[{\"children\":[],\"name\":\"b\"}],\"name\":\"a\"}}\n"},
    {"{\"action\":\"keyed\",\"payload\":{\"a\":\"01234567-89ab-cdef-0123-456789abcdef\"}}",
     "text {\"action\":\"keyed\",\"payload\":{\"a\":\"01234567-89ab-cdef-0123-456789abcdef\"}}\n"},
    {"{\"action\":\"any\",\"payload\":{\"b\":[],\"a\":{}}}",
     "text {\"action\":\"any\",\"payload\":{\"a\":{},\"b\":[]}}\n"},
    {"{\"action\":\"served\",\"payload\":{\"a\":1,\"b\":2}}",
     "text {\"action\":\"served\",\"payload\":{\"a\":1,\"b\":2,\"extra\":{},\"z_sum\":3}}\n"},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"shown\"}}",
     "text {\"action\":\"said\",\"payload\":\"secret {\\\"inner\\\":{\\\"pin\\\":\\\"***\\\"},"
     "\\\"password\\\":\\\"***\\\",\\\"user_name\\\":\\\"ann\\\"} | served {\\\"a\\\":1,\\\"b\\\":2} | "
     "ping\"}\n"},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"wrong\"}}",
     "text {\"action\":\"error\",\"payload\":{\"detail\":\"Failed to process message\"}}\n"},
};

static void expect_answer(struct app_stage *stage, struct fake_client *client, size_t i)
{
    fake_client_say(client, talk[i].text);
    fake_core_turn(stage->core);
    expect_sent(client, talk[i].answer);
}

/* Whatever a message cannot get the memory for, the next one is answered as ever, and no frame is cut. */
static void goes_on_after_a_message_without_memory(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    core->config.validate_outgoing = TG_OUTGOING_ALWAYS;
    struct app_stage stage = app_begin("messages", core);
    struct fake_client *client = fake_core_open(stage.core, 0, "/ws/plain");
    for (size_t i = 0; i < sizeof talk / sizeof talk[0]; i++) {
        expect_answer(&stage, client, i);
        size_t failed = 0;
        for (bool has_failed = true; has_failed; failed += has_failed) {
            tg_alloc_fail_from(failed + 1);
            fake_client_say(client, talk[i].text);
            has_failed = tg_alloc_has_failed();
            tg_alloc_fail_at(0);
            fake_core_turn(stage.core);
            client->sent_bytes = 0; /* the answer, or an error, or nothing where not even that fitted */
            expect_answer(&stage, client, i);
        }
        assert_true(failed > 5);
    }
    app_end(&stage);
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
        cmocka_unit_test(loads_or_says_that_it_cannot),
        cmocka_unit_test(goes_on_after_a_message_without_memory),
    };
    return cmocka_run_group_tests(tests, silence, NULL);
}
