#include "histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h> /* after what it uses and does not include */

static void is_exact_below_64(void **state)
{
    (void)state;
    struct tg_histogram histogram;
    tg_histogram_reset(&histogram);
    for (uint64_t value = 1; value <= 50; value++) tg_histogram_record(&histogram, value);
    assert_int_equal(tg_histogram_percentile(&histogram, 50), 25);
    assert_int_equal(tg_histogram_percentile(&histogram, 90), 45);
    assert_int_equal(tg_histogram_percentile(&histogram, 100), 50);
    assert_int_equal(histogram.total, 50);
}

/* Two values: the lower one's bucket ends within 1/64 above it, and never above the larger value. */
static void is_right_to_a_64th_over_all_magnitudes(void **state)
{
    (void)state;
    for (unsigned bits = 1; bits < 64; bits++) {
        for (uint64_t offset = 0; offset < 3; offset++) {
            uint64_t value = ((uint64_t)1 << bits) - 1 + offset;
            struct tg_histogram histogram;
            tg_histogram_reset(&histogram);
            tg_histogram_record(&histogram, value);
            tg_histogram_record(&histogram, UINT64_MAX);
            uint64_t answer = tg_histogram_percentile(&histogram, 50);
            assert_true(answer >= value);
            assert_true(answer - value <= value / 64);
            assert_true(tg_histogram_percentile(&histogram, 100) == UINT64_MAX);
        }
    }
}

static void shows_a_rare_stall_at_its_percentile(void **state)
{
    (void)state;
    struct tg_histogram histogram;
    tg_histogram_reset(&histogram);
    for (unsigned i = 0; i < 9990; i++) tg_histogram_record(&histogram, 10);
    for (unsigned i = 0; i < 10; i++) tg_histogram_record(&histogram, 1000000);
    assert_int_equal(tg_histogram_percentile(&histogram, 99.9), 10);
    assert_int_equal(tg_histogram_percentile(&histogram, 99.95), 1000000);
    assert_int_equal(histogram.largest_ns, 1000000);
}

static void answers_zero_when_empty(void **state)
{
    (void)state;
    struct tg_histogram histogram;
    tg_histogram_reset(&histogram);
    tg_histogram_record(&histogram, 7);
    tg_histogram_reset(&histogram);
    assert_int_equal(tg_histogram_percentile(&histogram, 99), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_exact_below_64),
        cmocka_unit_test(is_right_to_a_64th_over_all_magnitudes),
        cmocka_unit_test(shows_a_rare_stall_at_its_percentile),
        cmocka_unit_test(answers_zero_when_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
