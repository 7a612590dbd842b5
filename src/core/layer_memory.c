/* Nothing is carried anywhere, so nobody has to be told who listens where. */
#include "core/layer_memory.h"

#include "core/deliver.h"

static enum tg_status publish(struct tg_layer *layer, const struct tg_publication *publication,
                              uint64_t *receivers)
{
    *receivers = tg_worker_deliver(((struct tg_layer_memory *)layer)->worker, publication);
    return TG_OK;
}

static enum tg_status subscribe(struct tg_layer *layer, struct tg_worker *worker, enum tg_group_kind kind,
                                struct tg_slice name)
{
    (void)layer;
    (void)worker;
    (void)kind;
    (void)name;
    return TG_OK;
}

static void unsubscribe(struct tg_layer *layer, struct tg_worker *worker, enum tg_group_kind kind,
                        struct tg_slice name)
{
    (void)layer;
    (void)worker;
    (void)kind;
    (void)name;
}

static const struct tg_layer_ops ops = {publish, subscribe, unsubscribe};

void tg_layer_memory_init(struct tg_layer_memory *memory, struct tg_worker *worker)
{
    *memory = (struct tg_layer_memory){{&ops}, worker};
}
