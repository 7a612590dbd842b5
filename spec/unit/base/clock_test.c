#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void stands_still_until_it_is_moved(void **state)
{
    (void)state;
    struct tg_fake_clock fake;
    tg_fake_clock_init(&fake, 1000);
    assert_int_equal(tg_clock_monotonic_ms(&fake.clock), 1000);
    assert_int_equal(tg_clock_monotonic_ms(&fake.clock), 1000);
    fake.now_ms += 25;
    assert_int_equal(tg_clock_monotonic_ms(&fake.clock), 1025);
}

static void keeps_the_wall_at_its_distance(void **state)
{
    (void)state;
    struct tg_fake_clock fake;
    tg_fake_clock_init(&fake, 5);
    assert_int_equal(tg_clock_wall_ms(&fake.clock), 5);
    fake.wall_offset_ms = 1000;
    fake.now_ms = 7;
    assert_int_equal(tg_clock_wall_ms(&fake.clock), 1007);
}

static void reads_a_system_that_never_goes_back(void **state)
{
    (void)state;
    struct tg_clock *system = tg_clock_system();
    uint64_t first = tg_clock_monotonic_ms(system);
    assert_true(tg_clock_monotonic_ms(system) >= first);
}

static void counts_the_wall_in_milliseconds_since_1970(void **state)
{
    (void)state;
    uint64_t year_2020_ms = 1577836800000, year_2200_ms = 7258118400000;
    uint64_t now_ms = tg_clock_wall_ms(tg_clock_system());
    assert_true(now_ms > year_2020_ms && now_ms < year_2200_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stands_still_until_it_is_moved),
        cmocka_unit_test(keeps_the_wall_at_its_distance),
        cmocka_unit_test(reads_a_system_that_never_goes_back),
        cmocka_unit_test(counts_the_wall_in_milliseconds_since_1970),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
