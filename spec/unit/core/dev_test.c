/* What pages under development hear, over a core that is whole. What a browser makes of it is shown by
 * spec/browser/reload.test.js. */
#include "core/dev.h"

#include "core/generation.h"
#include "core/origin.h"
#include "core/worker.h"
#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define STATUS "text {\"action\":\"status\",\"payload\":{\"generation\":1}}\n"
#define FAILED                                                                                               \
    "text {\"action\":\"reload_failed\",\"payload\":{\"problems\":[{\"message\":\"no\",\"file\":\"a.lua\","  \
    "\"line\":3}]}}\n"
#define MENDED "text {\"action\":\"mended\",\"payload\":{\"generation\":1}}\n"

static int setup(void **state)
{
    struct fake_core *core = fake_core_new();
    assert_int_equal(tg_dev_open(&core->worker), TG_OK);
    *state = core;
    return 0;
}

static int teardown(void **state)
{
    struct fake_core *core = *state;
    for (size_t i = 0; i < FAKE_CLIENTS; i++)
        if (core->clients[i].conn) fake_client_vanish(&core->clients[i]);
    tg_dev_close(&core->worker);
    tg_dev_close(&core->worker); /* nothing */
    fake_core_free(core);
    return 0;
}

static struct fake_client *listen(struct fake_core *core, size_t index)
{
    struct fake_client *client = fake_core_open(core, index, TG_DEV_PATH);
    assert_non_null(client);
    fake_core_turn(core);
    return client;
}

static void tell_problems(struct fake_core *core)
{
    struct tg_problems problems;
    tg_problems_init(&problems);
    tg_problems_add_text(&problems, TG_SLICE("a.lua:3: no"));
    tg_dev_tell_problems(core->worker.dev, &problems);
    tg_problems_deinit(&problems);
    fake_core_turn(core);
}

static void tells_its_pages_alone(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *page = listen(core, 0), *other = fake_core_open(core, 1, "/chat");
    fake_core_turn(core);
    expect_sent(page, STATUS);
    tell_problems(core);
    expect_sent(page, FAILED);
    expect_sent(other, "");
    expect_journal(core, "1 connected\n"); /* of /chat: no script of the application knows of the page */
}

static void tells_who_comes_later_what_still_is_so(void **state)
{
    struct fake_core *core = *state;
    tell_problems(core);
    expect_sent(listen(core, 0), STATUS FAILED);
    tg_dev_tell_mended(core->worker.dev, 1);
    fake_core_turn(core);
    expect_sent(&core->clients[0], MENDED);
    expect_sent(listen(core, 1), STATUS);
}

static void tells_of_a_reload_with_its_report(void **state)
{
    struct fake_core *core = *state;
    struct tg_contract_report report;
    tg_contract_init(&report);
    tg_contract_add_module(&report, TG_CHANGED, TG_SLICE("a.lua"));
    tell_problems(core);
    struct fake_client *page = listen(core, 0);
    expect_sent(page, STATUS FAILED);
    tg_dev_tell_reloaded(core->worker.dev, 2, 14, &report);
    fake_core_turn(core);
    expect_sent(page,
                "text {\"action\":\"reloaded\",\"payload\":{\"generation\":2,\"took_ms\":14,\"report\":{"
                "\"summary\":\"1 module\",\"changes\":[{\"kind\":\"module\",\"way\":\"changed\","
                "\"name\":\"a.lua\"}]}}}\n" STATUS);
    expect_sent(listen(core, 1), STATUS);
    tg_contract_deinit(&report);
}

static void tells_of_a_handler_what_is_known(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *page = listen(core, 0);
    expect_sent(page, STATUS);
    tg_dev_tell_failure(core->worker.dev, &(struct tg_dev_failure){.consumer = TG_SLICE("chat"),
                                                                   .action = TG_SLICE("say"),
                                                                   .message = TG_SLICE("no\xff"),
                                                                   .generation = 1});
    fake_core_turn(core);
    expect_sent(page,
                "text {\"action\":\"handler_failed\",\"payload\":{\"generation\":1,\"consumer\":\"chat\","
                "\"handler\":\"say\",\"message\":\"no\xef\xbf\xbd\"}}\n");
}

static size_t count_frames(struct fake_client *page)
{
    size_t count = 0;
    for (size_t i = 0; i < page->sent_bytes; i++) count += page->sent[i] == '{';
    page->sent_bytes = 0;
    return count / 2;
}

static void tells_of_so_many_handlers_a_second(void **state)
{
    struct fake_core *core = *state;
    struct fake_client *page = listen(core, 0);
    const struct tg_dev_failure failure = {.message = TG_SLICE("no"), .generation = 1};
    expect_sent(page, STATUS);
    for (int second = 0; second < 3; second++) {
        for (int i = 0; i < TG_DEV_FAILURES_MAX + 5; i++) tg_dev_tell_failure(core->worker.dev, &failure);
        fake_core_turn(core);
        assert_int_equal(count_frames(page), TG_DEV_FAILURES_MAX);
        fake_core_sleep(core, 1000);
    }
}

static void says_nothing_where_it_is_not(void **state)
{
    struct fake_core *core = *state;
    tg_dev_close(&core->worker);
    tg_dev_tell_mended(core->worker.dev, 1);
    tg_dev_tell_failure(core->worker.dev, &(struct tg_dev_failure){.generation = 1});
    tell_problems(core);
    assert_ptr_equal(tg_dev_serving(&core->worker, TG_SLICE(TG_DEV_PATH)), core->worker.generation);
}

static bool takes(struct fake_core *core, const char *origin, const char *host)
{
    struct tg_params params;
    struct tg_pair items[] = {{TG_SLICE("origin"), tg_slice_of(origin)},
                              {TG_SLICE("host"), tg_slice_of(host)}};
    const struct tg_pairs headers = {items, 2}, none = {items + 1, 1};
    const struct tg_slice path = TG_SLICE(TG_DEV_PATH);
    const struct tg_consumer *consumer =
        tg_registry_find(&tg_dev_serving(&core->worker, path)->registry, path, &params);
    assert_false(tg_origin_is_allowed(&core->worker, consumer, &none, false));
    return tg_origin_is_allowed(&core->worker, consumer, &headers, false);
}

static void takes_pages_of_its_own_origin(void **state)
{
    struct fake_core *core = *state;
    assert_true(takes(core, "http://localhost:8000", "localhost:8000"));
    assert_true(takes(core, "http://Box.local", "box.LOCAL"));
    assert_false(takes(core, "http://example.org", "example.org")); /* whose it is can have it point here */
    assert_false(takes(core, "https://localhost:8000", "localhost:8000"));
    assert_false(takes(core, "http://localhost:8001", "localhost:8000"));
    assert_false(takes(core, "http://localhost:80001", "localhost:8000"));
    assert_false(takes(core, "http://localhost:800", "localhost:8000"));
    assert_false(takes(core, "http://evil/http://localhost:8000", "localhost:8000"));
    assert_false(takes(core, "null", "localhost:8000"));
    assert_false(takes(core, "", ""));
    assert_false(takes(core, "http://", ""));
}

static enum tg_status live_through_it(void *context)
{
    struct fake_core *core = context;
    uint64_t before = core->worker.metrics.no_memory;
    if (core->worker.dev) tg_dev_close(&core->worker);
    enum tg_status status = tg_dev_open(&core->worker);
    if (status != TG_OK) return status;
    tell_problems(core);
    struct fake_client *page = fake_core_open(core, 0, TG_DEV_PATH);
    if (page) {
        tg_dev_tell_failure(core->worker.dev, &(struct tg_dev_failure){.message = TG_SLICE("no")});
        fake_core_turn(core);
        page->sent_bytes = 0;
        fake_client_vanish(page);
    }
    return page && core->worker.metrics.no_memory == before && !tg_alloc_has_failed() ? TG_OK
                                                                                      : TG_E_NO_MEMORY;
}

static void lives_without_memory(void **state)
{
    assert_true(tg_alloc_sweep(live_through_it, *state) >= 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(tells_its_pages_alone),
        TEST(tells_who_comes_later_what_still_is_so),
        TEST(tells_of_a_reload_with_its_report),
        TEST(tells_of_a_handler_what_is_known),
        TEST(tells_of_so_many_handlers_a_second),
        TEST(says_nothing_where_it_is_not),
        TEST(takes_pages_of_its_own_origin),
        TEST(lives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
