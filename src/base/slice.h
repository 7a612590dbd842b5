/* A borrowed run of bytes: pointer and length, never owned, never terminated. */
#ifndef TG_BASE_SLICE_H
#define TG_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct tg_slice {
    const char *data;
    size_t length;
};

/* For string literals only: the length is known to the compiler. */
#define TG_SLICE(literal) ((struct tg_slice){(literal), sizeof(literal) - 1})

/* For printf's "%.*s". */
#define TG_SLICE_ARG(slice) (int)(slice).length, (slice).length ? (slice).data : ""

static inline struct tg_slice tg_slice_of(const char *text)
{
    return (struct tg_slice){text, text ? strlen(text) : 0};
}

static inline bool tg_slice_equal(struct tg_slice a, struct tg_slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Byte order, shorter first where one is the beginning of the other. */
static inline int tg_slice_compare(struct tg_slice a, struct tg_slice b)
{
    size_t shared = a.length < b.length ? a.length : b.length;
    int order = shared ? memcmp(a.data, b.data, shared) : 0;
    if (order != 0) return order;
    return a.length < b.length ? -1 : a.length > b.length;
}

#endif
