/* Values below 64 have a bucket each. Above, the highest six bits that follow the leading one choose the
 * bucket inside the power of two. Invariant: total is the sum of counts.
 */
#include "histogram.h"

#include <string.h>

enum { STEP_BITS = 6, STEPS = 1 << STEP_BITS };

static unsigned bucket_of(uint64_t value)
{
    if (value < STEPS) return (unsigned)value;
    unsigned shift = 63 - (unsigned)__builtin_clzll(value) - STEP_BITS;
    return (shift + 1) * STEPS + (unsigned)(value >> shift) - STEPS;
}

static uint64_t end_of_bucket(unsigned bucket)
{
    if (bucket < STEPS) return bucket;
    unsigned shift = bucket / STEPS - 1;
    uint64_t start = (uint64_t)(bucket % STEPS + STEPS) << shift;
    return start + (((uint64_t)1 << shift) - 1);
}

void tg_histogram_reset(struct tg_histogram *histogram)
{
    memset(histogram, 0, sizeof *histogram);
}

void tg_histogram_record(struct tg_histogram *histogram, uint64_t latency_ns)
{
    histogram->counts[bucket_of(latency_ns)]++;
    histogram->total++;
    if (latency_ns > histogram->largest_ns) histogram->largest_ns = latency_ns;
}

uint64_t tg_histogram_percentile(const struct tg_histogram *histogram, double percent)
{
    double wanted = (double)histogram->total * percent / 100.0;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < TG_HISTOGRAM_BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen == 0 || (double)seen < wanted) continue;
        uint64_t end_ns = end_of_bucket(bucket);
        return end_ns < histogram->largest_ns ? end_ns : histogram->largest_ns;
    }
    return histogram->largest_ns;
}
