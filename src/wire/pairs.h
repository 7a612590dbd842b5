/* Name=value lists of the handshake: the query (`a=1&b=2`) and the Cookie header (`a=1; b=2`).
 *
 * Both parsers are lenient as browsers are: an item that makes no sense is skipped, never an error;
 * the first of two equal names is found first. Items are written into the caller's array.
 */
#ifndef TG_WIRE_PAIRS_H
#define TG_WIRE_PAIRS_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdint.h>

struct tg_pair {
    struct tg_slice name;
    struct tg_slice value;
};

struct tg_pairs {
    struct tg_pair *items; /* in the arena */
    uint32_t count;
};

/* How many items of one request are kept; the rest is dropped. */
#define TG_PAIRS_MAX 128

/* application/x-www-form-urlencoded (WHATWG URL 5.1): '+' is a space, %XX one byte, a broken % stays
 * as it is. Values that are not UTF-8 after decoding are dropped. Decoded text lies in the arena,
 * the rest is borrowed. */
enum tg_status tg_query_parse(struct tg_slice query, struct tg_arena *arena, struct tg_pairs *pairs);

/* RFC 6265 5.4: `name=value` separated by ';', spaces around both cut, one pair of double quotes
 * around the value removed; nothing is decoded, and an item without '=' or without a name is skipped.
 * Borrowed. */
enum tg_status tg_cookie_parse(struct tg_slice header, struct tg_arena *arena, struct tg_pairs *pairs);

/* The first value under `name`; data is NULL when there is none. */
struct tg_slice tg_pairs_get(const struct tg_pairs *pairs, struct tg_slice name);

#endif
