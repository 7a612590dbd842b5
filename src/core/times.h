/* How long things took: a histogram of few, fixed buckets, one for each power of ten from 0.1 ms to 10 s.
 *
 * Noting a time is a comparison or a few, and two additions. The buckets are the same everywhere, so that the
 * number of series is known: TG_TIMES_SERIES for each histogram.
 */
#ifndef TG_CORE_TIMES_H
#define TG_CORE_TIMES_H

#include "base/buf.h"

#include <stdint.h>

enum { TG_TIMES_BUCKETS = 7, TG_TIMES_SERIES = TG_TIMES_BUCKETS + 2 };

/* Zero-initialised: nothing was noted. */
struct tg_times {
    uint64_t counts[TG_TIMES_BUCKETS]; /* each of its own bucket alone; the last has no upper bound */
    uint64_t total_ns;
};

static inline void tg_times_note(struct tg_times *times, uint64_t ns)
{
    uint64_t bound_ns = 100000;
    int bucket = 0;
    for (; bucket < TG_TIMES_BUCKETS - 1 && ns > bound_ns; bucket++) bound_ns *= 10;
    times->counts[bucket]++;
    times->total_ns += ns;
}

/* How many were noted. */
uint64_t tg_times_count(const struct tg_times *times);

/* Appends the series of a histogram: `name_bucket{labels,le="0.0001"} 1` and so on. `labels` is what stands
 * between the braces already, without a comma at its end; "" for none. */
void tg_times_write(const struct tg_times *times, const char *name, struct tg_slice labels,
                    struct tg_buf *out);

#endif
