/* The distance is the number of slips: Levenshtein's, with the swap of two neighbours as one. It is
 * counted only as far as it matters: a name is given up when it is further than the nearest so far, which
 * for names that have nothing in common is so after a few rows. */
#include "base/nearest.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How many slips a person makes in a name of this length, at most: none where nothing would be left. */
static size_t slips_in(size_t length)
{
    return least((length + 1) / 3, 2 + length / 8);
}

struct rows {
    size_t before[TG_NEAREST_LONGEST + 1]; /* two above: a swap comes from there */
    size_t above[TG_NEAREST_LONGEST + 1];
    size_t row[TG_NEAREST_LONGEST + 1];
};

/* Fills the row of the first `i` bytes of `a` and returns the least number in it. */
static size_t fill_row(struct rows *rows, struct tg_slice a, size_t i, struct tg_slice b)
{
    size_t shortest = rows->row[0] = i;
    for (size_t j = 1; j <= b.length; j++) {
        size_t slips = rows->above[j - 1] + (a.data[i - 1] != b.data[j - 1]);
        slips = least(slips, least(rows->above[j], rows->row[j - 1]) + 1);
        if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] && a.data[i - 2] == b.data[j - 1])
            slips = least(slips, rows->before[j - 2] + 1);
        rows->row[j] = slips;
        shortest = least(shortest, slips);
    }
    return shortest;
}

/* The distance of `a` and `b`, or any number of `enough` and more when it is not below that. */
static size_t distance(struct tg_slice a, struct tg_slice b, size_t enough)
{
    size_t longer = a.length < b.length ? b.length : a.length;
    if (longer > TG_NEAREST_LONGEST || longer - least(a.length, b.length) >= enough) return enough;
    struct rows rows;
    for (size_t j = 0; j <= b.length; j++) rows.row[j] = rows.above[j] = j;
    for (size_t i = 1; i <= a.length; i++) {
        memcpy(rows.before, rows.above, (b.length + 1) * sizeof rows.row[0]);
        memcpy(rows.above, rows.row, (b.length + 1) * sizeof rows.row[0]);
        size_t shortest = fill_row(&rows, a, i, b);
        /* A swap may yet come from the row above, and costs one. */
        if (shortest > enough) return enough;
    }
    return rows.row[b.length];
}

size_t tg_nearest(struct tg_slice written, const void *names, size_t count,
                  struct tg_slice (*name_at)(const void *names, size_t index))
{
    size_t nearest = TG_NEAREST_NONE;
    if (written.length > TG_NEAREST_LONGEST) return nearest;
    size_t enough = slips_in(written.length) + 1;
    for (size_t i = 0; i < least(count, TG_NEAREST_MOST) && enough > 0; i++) {
        size_t slips = distance(written, name_at(names, i), enough);
        if (slips >= enough) continue;
        enough = slips;
        nearest = i;
    }
    return nearest;
}
