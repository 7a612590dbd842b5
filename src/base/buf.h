/* Growable bytes for writers.
 *
 * Policy: appending never reports. The first failed allocation sets `has_failed`, after which every
 * append is dropped whole; the writer checks once, at its end. What was there before stays intact,
 * so a failed writer truncates back to where it began (tg_buf_truncate clears the flag).
 */
#ifndef TG_BASE_BUF_H
#define TG_BASE_BUF_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct tg_buf {
    char *data; /* owned; NULL while nothing was ever appended */
    size_t length;
    size_t capacity;
    bool has_failed;
};

void tg_buf_init(struct tg_buf *buf);

/* Frees the bytes; the buf is empty and usable afterwards. */
void tg_buf_deinit(struct tg_buf *buf);

/* Makes room for `bytes` more and returns where they go; NULL (and has_failed) without memory.
 * The caller adds what it wrote to `length`. */
char *tg_buf_reserve_slow(struct tg_buf *buf, size_t bytes);

static inline char *tg_buf_reserve(struct tg_buf *buf, size_t bytes)
{
    if (!buf->has_failed && buf->capacity - buf->length >= bytes && buf->data) return buf->data + buf->length;
    return tg_buf_reserve_slow(buf, bytes);
}

static inline void tg_buf_append(struct tg_buf *buf, const void *bytes, size_t length)
{
    char *room = tg_buf_reserve(buf, length);
    if (!room) return;
    if (length) memcpy(room, bytes, length);
    buf->length += length;
}

static inline void tg_buf_append_slice(struct tg_buf *buf, struct tg_slice slice)
{
    tg_buf_append(buf, slice.data, slice.length);
}

#define tg_buf_append_literal(buf, literal) tg_buf_append((buf), (literal), sizeof(literal) - 1)

static inline void tg_buf_append_char(struct tg_buf *buf, char c)
{
    char *room = tg_buf_reserve(buf, 1);
    if (!room) return;
    *room = c;
    buf->length++;
}

void tg_buf_printf(struct tg_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Back to `length` bytes (at most the present length), and a fresh chance after a failure. */
static inline void tg_buf_truncate(struct tg_buf *buf, size_t length)
{
    buf->length = length;
    buf->has_failed = false;
}

static inline struct tg_slice tg_buf_peek(const struct tg_buf *buf)
{
    return (struct tg_slice){buf->data, buf->length};
}

static inline enum tg_status tg_buf_status(const struct tg_buf *buf)
{
    return buf->has_failed ? TG_E_NO_MEMORY : TG_OK;
}

#endif
