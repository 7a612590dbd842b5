/* The channel layer within one process: what is published is delivered before publish returns. */
#ifndef TG_CORE_LAYER_MEMORY_H
#define TG_CORE_LAYER_MEMORY_H

#include "core/layer.h"

struct tg_layer_memory {
    struct tg_layer layer;    /* first */
    struct tg_worker *worker; /* borrowed */
};

void tg_layer_memory_init(struct tg_layer_memory *memory, struct tg_worker *worker);

#endif
