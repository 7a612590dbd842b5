#include "core/keep.h"

#include "core/worker.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void expect_kept(const struct fake_core *core, const char *name, const char *text)
{
    struct tg_slice kept = tg_keep_get(&core->worker, tg_slice_of(name));
    if (!text)
        assert_null(kept.data);
    else
        assert_true(tg_slice_equal(kept, tg_slice_of(text)));
}

static enum tg_status keep(struct fake_core *core, const char *name, const char *text)
{
    return tg_keep_set(&core->worker, tg_slice_of(name), tg_slice_of(text));
}

static void has_what_was_set_last(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    expect_kept(core, "a", NULL);
    assert_int_equal(keep(core, "a", "one"), TG_OK);
    assert_int_equal(keep(core, "b", ""), TG_OK);
    assert_int_equal(keep(core, "a", "three"), TG_OK);
    expect_kept(core, "a", "three");
    expect_kept(core, "b", "");
    expect_kept(core, "c", NULL);
    assert_int_equal(core->worker.metrics.keep_bytes, 5);
    assert_int_equal(keep(core, "a", ""), TG_OK);
    assert_int_equal(core->worker.metrics.keep_bytes, 0);
    fake_core_free(core);
}

static void copies_names_and_values(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    char name[32], text[32];
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "name %d", i);
        snprintf(text, sizeof text, "text %d", i);
        assert_int_equal(keep(core, name, text), TG_OK);
    }
    memset(text, 'x', sizeof text);
    expect_kept(core, "name 0", "text 0");
    expect_kept(core, "name 99", "text 99");
    fake_core_free(core);
}

static void bounds_all_values_together(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    core->config.keep_max_bytes = 10;
    assert_int_equal(keep(core, "a", "12345"), TG_OK);
    assert_int_equal(keep(core, "b", "123456"), TG_E_FULL);
    expect_kept(core, "b", NULL);
    assert_int_equal(keep(core, "b", "12345"), TG_OK);
    assert_int_equal(keep(core, "a", "123456"), TG_E_FULL);
    expect_kept(core, "a", "12345");
    assert_int_equal(keep(core, "a", "54321"), TG_OK);
    assert_int_equal(core->worker.metrics.keep_full, 2);
    assert_int_equal(core->worker.metrics.keep_bytes, 10);
    fake_core_free(core);
}

static enum tg_status keep_once(void *context)
{
    struct fake_core *core = context;
    enum tg_status status = keep(core, "new", "some text");
    if (status == TG_OK) return keep(core, "old", "other");
    expect_kept(core, "new", NULL);
    expect_kept(core, "old", "before");
    return status;
}

static void keeps_what_was_there_when_there_is_no_memory(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    assert_int_equal(keep(core, "old", "before"), TG_OK);
    assert_true(tg_alloc_sweep(keep_once, core) > 0);
    expect_kept(core, "new", "some text");
    expect_kept(core, "old", "other");
    fake_core_free(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_what_was_set_last),
        cmocka_unit_test(copies_names_and_values),
        cmocka_unit_test(bounds_all_values_together),
        cmocka_unit_test(keeps_what_was_there_when_there_is_no_memory),
    };
    return cmocka_run_group_tests_name("keep", tests, NULL, NULL);
}
