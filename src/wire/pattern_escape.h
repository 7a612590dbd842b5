/* The small parts of a pattern, escapes and classes, and what both halves of the translation share;
 * private to pattern_syntax.c and pattern_escape.c. */
#ifndef TG_WIRE_PATTERN_ESCAPE_H
#define TG_WIRE_PATTERN_ESCAPE_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads `source` from `at` on and writes what it means to PCRE2. */
struct tg_pattern_reader {
    struct tg_slice source; /* valid UTF-8 */
    size_t at;
    struct tg_buf *out;
    struct tg_error *error;
};

/* The byte at `at` and the one `ahead` of it; '\0' behind the end (and for a U+0000). */
static inline char tg_pattern_peek(const struct tg_pattern_reader *reader, size_t ahead)
{
    size_t at = reader->at + ahead;
    if (at >= reader->source.length) return '\0';
    return reader->source.data[at];
}

static inline bool tg_pattern_is_at_end(const struct tg_pattern_reader *reader)
{
    return reader->at >= reader->source.length;
}

/* Moves behind `text` if it stands here. */
bool tg_pattern_skip(struct tg_pattern_reader *reader, const char *text);

/* TG_E_INVALID, with what is wrong at `offset`. */
enum tg_status tg_pattern_refuse(const struct tg_pattern_reader *reader, size_t offset, const char *why);

/* Reads one character that stands for itself. */
uint32_t tg_pattern_read_char(struct tg_pattern_reader *reader);

/* Writes one so that it stands for itself, in a class too. */
void tg_pattern_write_char(const struct tg_pattern_reader *reader, uint32_t code_point);

/* From a backslash that begins no assertion: a character, or a set, which is written at once. */
enum tg_status tg_pattern_read_escape(struct tg_pattern_reader *reader, bool is_in_class, bool *is_set,
                                      uint32_t *code_point);

/* From its bracket; writes all of it. */
enum tg_status tg_pattern_read_class(struct tg_pattern_reader *reader);

#endif
