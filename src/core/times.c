#include "core/times.h"

#include <inttypes.h>

static const char *const bounds[TG_TIMES_BUCKETS] = {"0.0001", "0.001", "0.01", "0.1", "1", "10", "+Inf"};

enum { NS = 1000 * 1000 * 1000 };

uint64_t tg_times_count(const struct tg_times *times)
{
    uint64_t count = 0;
    for (int i = 0; i < TG_TIMES_BUCKETS; i++) count += times->counts[i];
    return count;
}

/* `name_suffix{labels} `, or without braces where there are no labels. */
static void write_name(struct tg_buf *out, const char *name, const char *suffix, struct tg_slice labels)
{
    tg_buf_printf(out, "%s%s", name, suffix);
    if (labels.length) tg_buf_printf(out, "{%.*s}", TG_SLICE_ARG(labels));
    tg_buf_append_char(out, ' ');
}

void tg_times_write(const struct tg_times *times, const char *name, struct tg_slice labels,
                    struct tg_buf *out)
{
    uint64_t count = 0;
    for (int i = 0; i < TG_TIMES_BUCKETS; i++) {
        count += times->counts[i];
        tg_buf_printf(out, "%s_bucket{%.*s%sle=\"%s\"} %" PRIu64 "\n", name, TG_SLICE_ARG(labels),
                      labels.length ? "," : "", bounds[i], count);
    }
    write_name(out, name, "_sum", labels);
    tg_buf_printf(out, "%" PRIu64 ".%09" PRIu64 "\n", times->total_ns / NS, times->total_ns % NS);
    write_name(out, name, "_count", labels);
    tg_buf_printf(out, "%" PRIu64 "\n", count);
}
