/* The list of metrics.h, unfolded once more: everything of a metric but its number is one constant. */
#include "core/metrics.h"

#include <inttypes.h>
#include <stddef.h>

/* The naming convention of Prometheus: what only grows ends in _total. */
#define SUFFIX_counter "_total"
#define SUFFIX_gauge ""
#define NAME(field, kind) "tidegate_" #field SUFFIX_##kind

#define HELP_LINE(field, kind, help) "# HELP " NAME(field, kind) " " help "\n"
#define TYPE_LINE(field, kind) "# TYPE " NAME(field, kind) " " #kind "\n"
#define VALUE_LINE(field, kind) NAME(field, kind) " "

static const struct {
    const char *lines; /* up to the value */
    size_t offset;
} rows[] = {
#define ROW(field, kind, help)                                                                               \
    {HELP_LINE(field, kind, help) TYPE_LINE(field, kind) VALUE_LINE(field, kind),                            \
     offsetof(struct tg_metrics, field)},
    TG_METRICS(ROW)
#undef ROW
};

enum { ROWS = sizeof rows / sizeof rows[0] };

void tg_metrics_write(const struct tg_metrics *metrics, struct tg_buf *out)
{
    for (size_t i = 0; i < ROWS; i++) {
        const uint64_t *value = (const void *)((const char *)metrics + rows[i].offset);
        tg_buf_printf(out, "%s%" PRIu64 "\n", rows[i].lines, *value);
    }
}
