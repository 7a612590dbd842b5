/* Generations from a folder: what a load is told with, at the end of memory too. */
#include "script/source.h"

#include "core/contract.h"
#include "core/files.h"
#include "core/problem.h"
#include "script/host.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct tg_config config;
static struct tg_script_source source;

static int begin(void **state)
{
    (void)state;
    tg_log_open(2, TG_LOG_TEXT, TG_LOG_OFF, NULL);
    assert_int_equal(tg_config_init(&config), TG_OK);
    tg_script_source_init(&source, &config, TG_SPEC_FOLDER "/support/apps/reload/old");
    return 0;
}

static int end(void **state)
{
    (void)state;
    tg_config_deinit(&config);
    return 0;
}

static void discard(struct tg_load *load)
{
    if (load->generation) load->generation->script->ops->close(load->generation->script);
    source.core.ops->forget(&source.core, load);
    assert_null(load->problems);
    assert_null(load->files);
    assert_null(load->report);
}

static void tells_what_was_read_and_what_has_changed(void **state)
{
    (void)state;
    struct tg_load first = {.number = 1};
    assert_int_equal(source.core.ops->load(&source.core, &first), TG_OK);
    assert_int_equal(first.generation->number, 1);
    assert_int_equal(first.problems->count, 0);
    assert_null(first.report);
    assert_non_null(
        tg_files_find(first.files, tg_slice_of(TG_SPEC_FOLDER "/support/apps/reload/old/main.lua")));
    assert_null(source.core.ops->differs(&source.core, &first));
    struct tg_load second = {.number = 2, .serving = first.generation, .serving_load = &first};
    source.folder = TG_SPEC_FOLDER "/support/apps/reload/new";
    assert_int_equal(source.core.ops->load(&source.core, &second), TG_OK);
    assert_int_equal(second.report->counts[TG_CHANGE_MODULE][TG_ADDED], 1);
    assert_int_equal(second.report->counts[TG_CHANGE_MODULE][TG_REMOVED], 1);
    discard(&second);
    discard(&first);
}

static void has_its_problems_when_it_failed(void **state)
{
    (void)state;
    struct tg_load load = {.number = 1};
    source.folder = TG_SPEC_FOLDER "/support/apps/nowhere";
    assert_int_equal(source.core.ops->load(&source.core, &load), TG_E_SCRIPT);
    assert_null(load.generation);
    assert_int_equal(load.problems->count, 1);
    discard(&load);
}

static void leaves_nothing_where_there_is_no_memory(void **state)
{
    (void)state;
    size_t failed = 0;
    for (size_t n = 1;; n += 1 + n / 30) {
        struct tg_load load = {.number = 1};
        tg_alloc_fail_from(n);
        enum tg_status status = source.core.ops->load(&source.core, &load);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        if (status != TG_OK) assert_null(load.generation);
        failed += status != TG_OK;
        discard(&load);
        if (!has_failed) break;
    }
    assert_true(failed > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_was_read_and_what_has_changed, begin, end),
        cmocka_unit_test_setup_teardown(has_its_problems_when_it_failed, begin, end),
        cmocka_unit_test_setup_teardown(leaves_nothing_where_there_is_no_memory, begin, end),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
