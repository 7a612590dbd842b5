/* The inner loop of reading and of writing strings; private to json.c and json_write.c. */
#ifndef TG_WIRE_JSON_SCAN_H
#define TG_WIRE_JSON_SCAN_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define TG_JSON_EACH_BYTE(byte) (0x0101010101010101u * (byte))
#define TG_JSON_HIGH_BITS TG_JSON_EACH_BYTE(0x80)

/* The high bit of each byte that a string may not hold as it is: quote, backslash, U+0000 to U+001F
 * (RFC 8259 7). Exact up to the lowest set bit; a borrow may set more above it. */
static inline uint64_t tg_json_stops_in(uint64_t word)
{
    uint64_t quotes = (word ^ TG_JSON_EACH_BYTE('"')) - TG_JSON_EACH_BYTE(1);
    uint64_t backslashes = (word ^ TG_JSON_EACH_BYTE('\\')) - TG_JSON_EACH_BYTE(1);
    uint64_t controls = word - TG_JSON_EACH_BYTE(0x20);
    return (quotes | backslashes | controls) & ~word & TG_JSON_HIGH_BITS;
}

static inline bool tg_json_is_stop(char byte)
{
    return byte == '"' || byte == '\\' || (unsigned char)byte < 0x20;
}

/* The end of the run of bytes that stand for themselves. `*high` is not 0 afterwards when the run has
 * bytes over 0x7F. */
static inline const char *tg_json_scan_plain(const char *next, const char *end, uint64_t *high)
{
    while (end - next >= 8) {
        uint64_t word;
        memcpy(&word, next, 8);
        word = le64toh(word);
        uint64_t stops = tg_json_stops_in(word);
        if (stops) {
            uint64_t below = (stops & -stops) - 1;
            *high |= word & TG_JSON_HIGH_BITS & below;
            return next + (__builtin_ctzll(stops) >> 3);
        }
        *high |= word & TG_JSON_HIGH_BITS;
        next += 8;
    }
    for (; next < end && !tg_json_is_stop(*next); next++) *high |= (unsigned char)*next & 0x80;
    return next;
}

#endif
