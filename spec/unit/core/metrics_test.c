#include "core/metrics.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* All metrics as a C string; free it. */
static char *write_text(const struct tg_metrics *metrics)
{
    struct tg_buf out;
    tg_buf_init(&out);
    tg_metrics_write(metrics, &out);
    tg_buf_append_char(&out, '\0');
    assert_int_equal(tg_buf_status(&out), TG_OK);
    return out.data;
}

static void writes_a_gauge_with_its_help_and_type(void **state)
{
    (void)state;
    const struct tg_metrics metrics = {.connections = 3};
    char *text = write_text(&metrics);
    static const char expected[] = "# HELP tidegate_connections WebSocket connections open now\n"
                                   "# TYPE tidegate_connections gauge\n"
                                   "tidegate_connections 3\n";
    assert_memory_equal(text, expected, sizeof expected - 1);
    free(text);
}

static void writes_a_counter_with_the_suffix_total(void **state)
{
    (void)state;
    const struct tg_metrics metrics = {.messages_received = UINT64_MAX};
    char *text = write_text(&metrics);
    assert_non_null(strstr(text, "\n# HELP tidegate_messages_received_total Whole data messages received\n"
                                 "# TYPE tidegate_messages_received_total counter\n"
                                 "tidegate_messages_received_total 18446744073709551615\n"));
    free(text);
}

static void writes_every_metric_with_its_own_value(void **state)
{
    (void)state;
    struct tg_metrics metrics;
    uint64_t next = 1000;
#define SET(field, kind, help) metrics.field = next++;
    TG_METRICS(SET)
#undef SET
    char *text = write_text(&metrics);
    uint64_t lines = 0;
    for (const char *p = text; (p = strchr(p, '\n')); p++) lines++;
    assert_int_equal(lines, 3 * (next - 1000));
    const char *line = text;
    for (uint64_t value = 1000; value < next; value++) {
        char expected[32];
        snprintf(expected, sizeof expected, " %u\n", (unsigned)value);
        for (int skipped = 0; skipped < 2; skipped++) {
            assert_int_equal(line[0], '#');
            line = strchr(line, '\n') + 1;
        }
        const char *end = strchr(line, '\n') + 1;
        size_t length = strlen(expected);
        assert_true((size_t)(end - line) > length);
        assert_memory_equal(end - length, expected, length);
        line = end;
    }
    assert_int_equal(*line, '\0');
    free(text);
}

static enum tg_status write_once(void *context)
{
    const struct tg_metrics metrics = {0};
    (void)context;
    struct tg_buf out;
    tg_buf_init(&out);
    tg_metrics_write(&metrics, &out);
    enum tg_status status = tg_buf_status(&out);
    tg_buf_deinit(&out);
    return status;
}

static void tells_the_buf_when_memory_is_out(void **state)
{
    assert_true(tg_alloc_sweep(write_once, *state) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_gauge_with_its_help_and_type),
        cmocka_unit_test(writes_a_counter_with_the_suffix_total),
        cmocka_unit_test(writes_every_metric_with_its_own_value),
        cmocka_unit_test(tells_the_buf_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
