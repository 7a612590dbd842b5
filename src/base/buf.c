/* Capacity doubles, so n appends cost O(n). Invariant: length <= capacity, data is NULL iff capacity is 0. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 64 };

void tg_buf_init(struct tg_buf *buf)
{
    *buf = (struct tg_buf){0};
}

void tg_buf_deinit(struct tg_buf *buf)
{
    free(buf->data);
    tg_buf_init(buf);
}

char *tg_buf_reserve_slow(struct tg_buf *buf, size_t bytes)
{
    if (buf->has_failed) return NULL;
    if (buf->data && buf->capacity - buf->length >= bytes) return buf->data + buf->length;
    size_t capacity = buf->capacity ? buf->capacity : FIRST_CAPACITY;
    while (capacity - buf->length < bytes) {
        if (capacity > SIZE_MAX / 2) goto fail;
        capacity *= 2;
    }
    char *data = realloc(buf->data, capacity);
    if (!data) goto fail;
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->length;
fail:
    buf->has_failed = true;
    return NULL;
}

void tg_buf_printf(struct tg_buf *buf, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) buf->has_failed = true; /* more than INT_MAX bytes */
    /* One byte more for the terminator, which is not counted into the length. */
    char *room = tg_buf_reserve(buf, (size_t)length + 1);
    if (room) {
        vsnprintf(room, (size_t)length + 1, format, again);
        buf->length += (size_t)length;
    }
    va_end(again);
}
