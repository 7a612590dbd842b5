/* What POST /api/reload answers, when the reload has ended. */
#include "core/api.h"
#include "core/worker.h"

#include "support/fake_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct fake_core *core;
static struct fake_reload *reload;
static struct tg_api api;
static int answers;

static void answered(struct tg_api_later *later)
{
    (void)later;
    answers++;
}

static int setup(void **state)
{
    (void)state;
    core = fake_core_new();
    reload = fake_reload_new(core);
    api = (struct tg_api){.worker = &core->worker};
    answers = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_reload_free(reload);
    fake_core_free(core);
    return 0;
}

static void ask(struct tg_api_later *later)
{
    *later = (struct tg_api_later){.answered = answered};
    tg_api_answer_later(&api, later);
}

/* Its body begins with this. */
static void expect_answer(struct tg_api_later *later, unsigned status, const char *body)
{
    assert_int_equal(later->answer.status, status);
    tg_buf_append_char(&later->answer.body, '\0');
    if (strncmp(later->answer.body.data, body, strlen(body)) != 0) fail_msg("%s", later->answer.body.data);
    tg_api_answer_deinit(&later->answer);
}

static void says_which_generation_serves_now(void **state)
{
    struct tg_api_later later;
    (void)state;
    ask(&later);
    assert_int_equal(answers, 0);
    fake_reload_work(reload);
    assert_int_equal(answers, 1);
    expect_answer(&later, 200, "{\"generation\":2,\"outcome\":\"ok\",\"took_ms\":0");
}

static void says_that_files_never_rest(void **state)
{
    struct tg_api_later later;
    (void)state;
    reload->torn = 1000;
    ask(&later);
    fake_reload_work(reload);
    expect_answer(&later, 409,
                  "{\"detail\":\"Files change while they are read\",\"file\":\"torn.lua\",\"generation\":1,"
                  "\"outcome\":\"restless\"");
}

/* The load had no memory for what is wrong. */
static void says_that_there_is_no_memory(void **state)
{
    struct tg_api_later later;
    (void)state;
    reload->is_memory_out = true;
    ask(&later);
    fake_reload_work(reload);
    expect_answer(&later, 503, "{\"detail\":\"Out of memory\"}");
}

static void says_that_the_server_stops(void **state)
{
    struct tg_api_later later;
    (void)state;
    ask(&later);
    tg_worker_drain(&core->worker);
    fake_reload_work(reload);
    expect_answer(&later, 503, "{\"detail\":\"The server is shutting down\"}");
}

static void tells_nobody_who_has_gone(void **state)
{
    struct tg_api_later later;
    (void)state;
    ask(&later);
    tg_api_forget_later(&later);
    fake_reload_work(reload);
    assert_int_equal(answers, 0);
    assert_int_equal(core->worker.generation->number, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(says_which_generation_serves_now), TEST(says_that_files_never_rest),
        TEST(says_that_there_is_no_memory),     TEST(says_that_the_server_stops),
        TEST(tells_nobody_who_has_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
