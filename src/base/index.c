/* Chains at a load of at most one. Invariant: a node lies in the bucket that the low bits of its hash name.
 */
#include "base/index.h"

#include <stdlib.h>

enum { FIRST_BUCKETS = 16, SPARSE = 8 };

static struct tg_index_node **bucket(const struct tg_index *index, uint64_t hash)
{
    return &index->buckets[hash & (index->bucket_count - 1)];
}

static void put(struct tg_index *index, struct tg_index_node *node)
{
    struct tg_index_node **head = bucket(index, node->hash);
    node->next = *head;
    *head = node;
}

static enum tg_status resize(struct tg_index *index, size_t bucket_count)
{
    struct tg_index larger = {.bucket_count = bucket_count, .count = index->count};
    larger.buckets = calloc(bucket_count, sizeof(struct tg_index_node *));
    if (!larger.buckets) return TG_E_NO_MEMORY;
    for (size_t i = 0; i < index->bucket_count; i++) {
        for (struct tg_index_node *node = index->buckets[i], *next; node; node = next) {
            next = node->next;
            put(&larger, node);
        }
    }
    free(index->buckets);
    *index = larger;
    return TG_OK;
}

void tg_index_deinit(struct tg_index *index)
{
    free(index->buckets);
    *index = (struct tg_index){0};
}

static struct tg_index_node *same(struct tg_index_node *node, uint64_t hash)
{
    while (node && node->hash != hash) node = node->next;
    return node;
}

struct tg_index_node *tg_index_first(const struct tg_index *index, uint64_t hash)
{
    return index->count ? same(*bucket(index, hash), hash) : NULL;
}

struct tg_index_node *tg_index_next(const struct tg_index_node *node)
{
    return same(node->next, node->hash);
}

enum tg_status tg_index_add(struct tg_index *index, struct tg_index_node *node, uint64_t hash)
{
    if (index->count == index->bucket_count) {
        size_t more = index->bucket_count ? index->bucket_count * 2 : FIRST_BUCKETS;
        if (resize(index, more) != TG_OK) return TG_E_NO_MEMORY;
    }
    node->hash = hash;
    put(index, node);
    index->count++;
    return TG_OK;
}

void tg_index_remove(struct tg_index *index, struct tg_index_node *node)
{
    struct tg_index_node **at = bucket(index, node->hash);
    while (*at != node) at = &(*at)->next;
    *at = node->next;
    index->count--;
    if (index->count == 0)
        tg_index_deinit(index);
    else if (index->bucket_count > FIRST_BUCKETS && index->count * SPARSE < index->bucket_count)
        (void)resize(index, index->bucket_count / 2); /* without memory it stays as large as it is */
}
