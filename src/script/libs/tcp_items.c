/* What was given out is passed over, and moved away only when more comes: many lines out of one chunk are not
 * copied back and forth. */
#include "script/libs/tcp_items.h"

#include <string.h>

enum { KEEP_BYTES = 64 * 1024 };

void tg_tcp_bytes_deinit(struct tg_tcp_bytes *bytes)
{
    tg_buf_deinit(&bytes->buf);
    *bytes = (struct tg_tcp_bytes){0};
}

enum tg_status tg_tcp_bytes_add(struct tg_tcp_bytes *bytes, struct tg_slice more)
{
    if (bytes->start > 0) {
        struct tg_slice left = tg_tcp_bytes_peek(bytes);
        memmove(bytes->buf.data, left.data, left.length);
        tg_buf_truncate(&bytes->buf, left.length);
        bytes->start = 0;
    }
    size_t before = bytes->buf.length;
    tg_buf_append_slice(&bytes->buf, more);
    if (tg_buf_status(&bytes->buf) == TG_OK) return TG_OK;
    tg_buf_truncate(&bytes->buf, before);
    return TG_E_NO_MEMORY;
}

void tg_tcp_bytes_drop(struct tg_tcp_bytes *bytes, size_t count)
{
    bytes->start += count;
    bytes->searched = 0;
    if (bytes->start < bytes->buf.length) return;
    bytes->start = 0;
    tg_buf_truncate(&bytes->buf, 0);
    if (bytes->buf.capacity > KEEP_BYTES) tg_tcp_bytes_deinit(bytes);
}

/* A line ends with LF, or with CR and LF, which are not part of it. */
static bool find_line(struct tg_tcp_bytes *bytes, struct tg_slice there, struct tg_slice *item, size_t *taken)
{
    const char *end = there.length > bytes->searched
                          ? memchr(there.data + bytes->searched, '\n', there.length - bytes->searched)
                          : NULL;
    if (!end) {
        bytes->searched = there.length;
        return false;
    }
    *item = (struct tg_slice){there.data, (size_t)(end - there.data)};
    *taken = item->length + 1;
    if (item->length > 0 && end[-1] == '\r') item->length--;
    return true;
}

bool tg_tcp_bytes_find(struct tg_tcp_bytes *bytes, const struct tg_tcp_wish *wish, struct tg_slice *item,
                       size_t *taken)
{
    struct tg_slice there = tg_tcp_bytes_peek(bytes);
    if (wish->item == TG_TCP_LINE) return find_line(bytes, there, item, taken);
    if (wish->item == TG_TCP_ALL || there.length < wish->count) return false;
    *item = (struct tg_slice){there.data, *taken = wish->count};
    return true;
}
