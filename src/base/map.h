/* Byte strings to pointers: actions, routes, names.
 *
 * Open addressing with a seeded SipHash-1-3, so that keys chosen by a client cannot collide on
 * purpose. Keys and values are borrowed: both must outlive the map.
 */
#ifndef TG_BASE_MAP_H
#define TG_BASE_MAP_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_hash_seed {
    uint64_t k0, k1;
};

struct tg_map_entry {
    struct tg_slice key; /* data is NULL in an empty slot */
    uint64_t hash;
    void *value;
};

struct tg_map {
    struct tg_map_entry *entries; /* owned; a power of two of them, or NULL */
    size_t slots;
    size_t count;
    struct tg_hash_seed seed;
};

/* A seed from the kernel's random source; falls back to the clock where that is refused. */
struct tg_hash_seed tg_hash_seed_random(void);

uint64_t tg_hash(struct tg_hash_seed seed, struct tg_slice key);

void tg_map_init(struct tg_map *map, struct tg_hash_seed seed);

void tg_map_deinit(struct tg_map *map);

/* The value under `key`, or NULL. */
void *tg_map_get(const struct tg_map *map, struct tg_slice key);

/* Adds `key`, which is not there yet (TG_E_EXISTS), with a value that is not NULL. */
enum tg_status tg_map_add(struct tg_map *map, struct tg_slice key, void *value);

#endif
