/* UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF.
 *
 * The validator is incremental: it refuses at the first byte that no valid text can have there,
 * wherever the chunks are cut (RFC 6455 8.1).
 */
#ifndef TG_BASE_UTF8_H
#define TG_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialised: between two characters. */
struct tg_utf8 {
    uint8_t pending; /* continuation bytes still to come */
    uint8_t low;     /* range of the next continuation byte */
    uint8_t high;
};

/* Checks the next `length` bytes. Returns how many are fine: `length`, or the index of the bad byte. */
size_t tg_utf8_feed(struct tg_utf8 *utf8, const char *bytes, size_t length);

/* False in the middle of a character. */
static inline bool tg_utf8_is_complete(const struct tg_utf8 *utf8)
{
    return utf8->pending == 0;
}

/* A whole text. */
bool tg_utf8_is_valid(const char *bytes, size_t length);

/* Code points in valid UTF-8. */
size_t tg_utf8_count(const char *bytes, size_t length);

/* How many bytes the character at `bytes` has, 0 when none is there that is UTF-8; `length` is at least 1. */
size_t tg_utf8_read(const char *bytes, size_t length, uint32_t *code_point);

/* Characters that end or reorder a line, or that a terminal obeys: C0, DEL, C1, the separators U+2028 and
 * U+2029, and the marks of direction. What people read of a stranger's text does not hold them as they are.
 */
bool tg_utf8_is_unsafe(uint32_t code_point);

/* Writes one code point (at most U+10FFFF) and returns its 1 to 4 bytes. */
size_t tg_utf8_encode(uint32_t code_point, char out[4]);

#endif
