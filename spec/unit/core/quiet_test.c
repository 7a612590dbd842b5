/* One call for many things that happen, on a clock that obeys. Timers fire up to a tick late. */
#include "core/quiet.h"

#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { QUIET_MS = 50 };

struct place {
    struct fake_core *core;
    struct tg_quiet quiet;
    int calls;
};

static void settled(struct tg_quiet *quiet)
{
    TG_CONTAINER(quiet, struct place, quiet)->calls++;
}

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    place->core = fake_core_new();
    tg_quiet_init(&place->quiet, &place->core->worker, QUIET_MS, settled);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    tg_quiet_deinit(&place->quiet);
    fake_core_free(place->core);
    free(place);
    return 0;
}

static void sleep_ms(struct place *place, uint64_t milliseconds)
{
    fake_core_sleep(place->core, milliseconds);
}

static void calls_once_when_nothing_has_happened_for_the_while(void **state)
{
    struct place *place = *state;
    tg_quiet_note(&place->quiet);
    sleep_ms(place, QUIET_MS - 10);
    assert_int_equal(place->calls, 0);
    sleep_ms(place, 20);
    assert_int_equal(place->calls, 1);
    sleep_ms(place, 10 * QUIET_MS);
    assert_int_equal(place->calls, 1);
}

static void what_happens_meanwhile_puts_it_off(void **state)
{
    struct place *place = *state;
    for (int i = 0; i < 20; i++) {
        tg_quiet_note(&place->quiet);
        sleep_ms(place, QUIET_MS - 20);
    }
    assert_int_equal(place->calls, 0);
    sleep_ms(place, 40);
    assert_int_equal(place->calls, 1);
}

static void what_never_calms_down_does_not_keep_it_from_coming(void **state)
{
    struct place *place = *state;
    for (uint64_t passed_ms = 0; passed_ms < (uint64_t)3 * TG_QUIET_MOST * QUIET_MS + 100; passed_ms += 10) {
        tg_quiet_note(&place->quiet);
        sleep_ms(place, 10);
    }
    assert_int_equal(place->calls, 3);
}

static void after_the_end_no_call_comes(void **state)
{
    struct place *place = *state;
    tg_quiet_note(&place->quiet);
    tg_quiet_deinit(&place->quiet);
    sleep_ms(place, 10 * QUIET_MS);
    assert_int_equal(place->calls, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(calls_once_when_nothing_has_happened_for_the_while),
        TEST(what_happens_meanwhile_puts_it_off),
        TEST(what_never_calms_down_does_not_keep_it_from_coming),
        TEST(after_the_end_no_call_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
