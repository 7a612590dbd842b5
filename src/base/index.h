/* A hash index whose nodes lie inside their owners; things come and go, and the index only knows hashes.
 *
 *     for (node = tg_index_first(&index, hash); node; node = tg_index_next(node))
 *         if (it is the one) ...
 *
 * The buckets are all that is allocated; they double as it fills, and halve as it empties. Adding, finding
 * and removing cost the same whatever it holds, as long as the hashes are good.
 */
#ifndef TG_BASE_INDEX_H
#define TG_BASE_INDEX_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

struct tg_index_node {
    struct tg_index_node *next; /* in the bucket */
    uint64_t hash;
};

struct tg_index {
    struct tg_index_node **buckets; /* owned; a power of two of them, or NULL */
    size_t bucket_count;
    size_t count;
};

/* Zero-initialised: empty. */

/* Forgets the nodes, which are the caller's. Empty and usable afterwards. */
void tg_index_deinit(struct tg_index *index);

/* A node with this hash, and the next with the same; NULL: none. */
struct tg_index_node *tg_index_first(const struct tg_index *index, uint64_t hash);
struct tg_index_node *tg_index_next(const struct tg_index_node *node);

/* Borrows the node until it is removed. TG_E_NO_MEMORY: it is not in. */
enum tg_status tg_index_add(struct tg_index *index, struct tg_index_node *node, uint64_t hash);

/* Takes out a node that is in. Never fails. */
void tg_index_remove(struct tg_index *index, struct tg_index_node *node);

#endif
