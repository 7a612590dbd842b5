/* A list of texts, in the arena of whoever declared them. */
#ifndef TG_CORE_TEXTS_H
#define TG_CORE_TEXTS_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_texts {
    const struct tg_slice *items;
    uint32_t count;
};

static inline bool tg_texts_have(const struct tg_texts *texts, struct tg_slice text)
{
    for (uint32_t i = 0; i < texts->count; i++)
        if (tg_slice_equal(texts->items[i], text)) return true;
    return false;
}

#endif
