/* The bytes that a socket has received and not given out, and what a receive takes from them. */
#ifndef TG_SCRIPT_LIBS_TCP_ITEMS_H
#define TG_SCRIPT_LIBS_TCP_ITEMS_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>

struct tg_tcp_bytes {
    struct tg_buf buf; /* owned */
    size_t start;      /* of what was not given out */
    size_t searched;   /* bytes from there on that hold no end of a line */
};

void tg_tcp_bytes_deinit(struct tg_tcp_bytes *bytes);

static inline struct tg_slice tg_tcp_bytes_peek(const struct tg_tcp_bytes *bytes)
{
    if (bytes->buf.length == bytes->start) return (struct tg_slice){"", 0};
    return (struct tg_slice){bytes->buf.data + bytes->start, bytes->buf.length - bytes->start};
}

/* TG_E_NO_MEMORY. */
enum tg_status tg_tcp_bytes_add(struct tg_tcp_bytes *bytes, struct tg_slice more);

/* Gives out the first `count`; memory that a large item needed is given back. */
void tg_tcp_bytes_drop(struct tg_tcp_bytes *bytes, size_t count);

enum tg_tcp_item { TG_TCP_LINE, TG_TCP_COUNT, TG_TCP_ALL };

/* What LuaSocket calls a pattern. */
struct tg_tcp_wish {
    enum tg_tcp_item item;
    size_t count; /* of TG_TCP_COUNT */
};

/* Whether the item has arrived; `*item` is what the caller gets, `*taken` how many bytes that uses up. */
bool tg_tcp_bytes_find(struct tg_tcp_bytes *bytes, const struct tg_tcp_wish *wish, struct tg_slice *item,
                       size_t *taken);

#endif
