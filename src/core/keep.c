/* A value is replaced by a block of its own size: what is kept is seldom set, and may be large. */
#include "core/keep.h"

#include "core/worker.h"

#include <stdlib.h>
#include <string.h>

struct tg_keep {
    char *bytes; /* owned; NULL until it is set */
    size_t length;
    char name[];
};

void tg_keeps_init(struct tg_keeps *keeps)
{
    tg_map_init(&keeps->by_name, tg_hash_seed_random());
}

void tg_keeps_deinit(struct tg_keeps *keeps)
{
    for (size_t i = 0; i < keeps->by_name.slots; i++) {
        struct tg_keep *keep = keeps->by_name.entries[i].key.data ? keeps->by_name.entries[i].value : NULL;
        if (keep) free(keep->bytes);
        free(keep);
    }
    tg_map_deinit(&keeps->by_name);
}

struct tg_slice tg_keep_get(const struct tg_worker *worker, struct tg_slice name)
{
    const struct tg_keep *keep = tg_map_get(&worker->keeps.by_name, name);
    return keep ? (struct tg_slice){keep->bytes, keep->length} : (struct tg_slice){0};
}

/* The one of this name, made when there is none; NULL without memory. */
static struct tg_keep *find(struct tg_worker *worker, struct tg_slice name)
{
    struct tg_keep *keep = tg_map_get(&worker->keeps.by_name, name);
    if (keep) return keep;
    keep = malloc(sizeof *keep + name.length);
    if (!keep) return NULL;
    *keep = (struct tg_keep){0};
    memcpy(keep->name, name.data, name.length);
    const struct tg_slice key = {keep->name, name.length};
    if (tg_map_add(&worker->keeps.by_name, key, keep) == TG_OK) return keep;
    free(keep);
    return NULL;
}

enum tg_status tg_keep_set(struct tg_worker *worker, struct tg_slice name, struct tg_slice bytes)
{
    struct tg_metrics *metrics = &worker->metrics;
    size_t before = tg_keep_get(worker, name).length;
    if (metrics->keep_bytes - before + bytes.length > worker->config->keep_max_bytes) {
        metrics->keep_full++;
        return TG_E_FULL;
    }
    struct tg_keep *keep = find(worker, name);
    char *copy = keep ? malloc(bytes.length ? bytes.length : 1) : NULL;
    if (!copy) return TG_E_NO_MEMORY;
    memcpy(copy, bytes.data, bytes.length);
    free(keep->bytes);
    keep->bytes = copy;
    keep->length = bytes.length;
    metrics->keep_bytes += bytes.length - before;
    return TG_OK;
}
