/* JSON text (RFC 8259), strictly: to a tree of values, and from values to compact text.
 *
 * Refused beyond what the grammar refuses: duplicate keys, numbers outside int64_t (integers) or a
 * finite double (the rest), lone surrogates, bytes that are not UTF-8, depth over the limit.
 */
#ifndef TG_WIRE_JSON_H
#define TG_WIRE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "wire/value.h"

/* Parses all of `text` into `*value`. The tree lives in `arena` and borrows from `text`.
 * `max_depth`: how many arrays and objects may be open at once.
 * TG_E_INVALID, TG_E_TOO_DEEP: `error` has the byte offset and one sentence for the sender, valid
 * UTF-8: "Invalid JSON at byte 17: expected ',' or '}'".
 * TG_E_NO_MEMORY: the arena ran out. */
enum tg_status tg_json_parse(struct tg_slice text, uint32_t max_depth, struct tg_arena *arena,
                             struct tg_value *value, struct tg_error *error);

/* A quoted string. Escapes only what JSON demands: quote, backslash, U+0000 to U+001F.
 * The text must be valid UTF-8. */
void tg_json_write_string(struct tg_buf *out, struct tg_slice text);

/* The same without the quotes around it: a piece of a string. */
void tg_json_write_escaped(struct tg_buf *out, struct tg_slice text);

/* The beginning of `text` (valid UTF-8), at most `max_bytes` of it, cut between two characters: for
 * quoting what a client sent. */
struct tg_slice tg_json_cut(struct tg_slice text, size_t max_bytes);

/* The same for text that nobody has checked: false when it is not UTF-8, and nothing is written then. */
bool tg_json_write_checked_string(struct tg_buf *out, struct tg_slice text);

void tg_json_write_integer(struct tg_buf *out, int64_t integer);

/* The shortest decimal that reads back as the same double, always with a fraction or an exponent
 * where it would look like an integer ("1.0"). The number must be finite. */
void tg_json_write_number(struct tg_buf *out, double number);

/* Any value, members in the order in which they stand. */
void tg_json_write_value(struct tg_buf *out, const struct tg_value *value);

/* A value as logs and errors show it: what is_secret as "***", characters that are unsafe in a line escaped,
 * bytes that are not UTF-8 as U+FFFD. Cut between two characters after at most `max_bytes`, with "..."
 * behind; of a huge value no more is looked at than is shown. */
void tg_json_write_shown(struct tg_buf *out, const struct tg_value *value, size_t max_bytes);

/* Any text as a piece of such a line, without quotes around it and with those in it as they are. */
void tg_json_write_line(struct tg_buf *out, struct tg_slice text);

#endif
