/* Linear probing at a load of at most one half. Nothing is ever removed: what the gateway maps is
 * declared at load and lives as long as the map. */
#include "base/map.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { FIRST_SLOTS = 16 };

struct tg_hash_seed tg_hash_seed_random(void)
{
    struct tg_hash_seed seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == (ssize_t)sizeof seed) return seed;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct tg_hash_seed){(uint64_t)now.tv_nsec, (uint64_t)now.tv_sec ^ (uintptr_t)&seed};
}

static inline uint64_t rotate(uint64_t x, int bits)
{
    return x << bits | x >> (64 - bits);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[0] = rotate(v[0], 32);
    v[2] += v[3];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[2] = rotate(v[2], 32);
}

static uint64_t load_tail(const char *bytes, size_t count)
{
    uint64_t word = 0;
    for (size_t i = 0; i < count; i++) word |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    return word;
}

/* SipHash-1-3 (Aumasson and Bernstein, 2012): one round per word, three at the end. */
uint64_t tg_hash(struct tg_hash_seed seed, struct tg_slice key)
{
    uint64_t v[4] = {seed.k0 ^ 0x736f6d6570736575u, seed.k1 ^ 0x646f72616e646f6du,
                     seed.k0 ^ 0x6c7967656e657261u, seed.k1 ^ 0x7465646279746573u};
    const char *bytes = key.data;
    size_t left = key.length;
    for (; left >= 8; bytes += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    uint64_t last = load_tail(bytes, left) | (uint64_t)key.length << 56;
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++) sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void tg_map_init(struct tg_map *map, struct tg_hash_seed seed)
{
    *map = (struct tg_map){.seed = seed};
}

void tg_map_deinit(struct tg_map *map)
{
    free(map->entries);
    tg_map_init(map, map->seed);
}

/* The slot that holds `key`, or the empty one where it would go. Needs at least one empty slot. */
static struct tg_map_entry *find(struct tg_map_entry *entries, size_t slots, struct tg_slice key,
                                 uint64_t hash)
{
    for (size_t i = hash & (slots - 1);; i = (i + 1) & (slots - 1)) {
        struct tg_map_entry *entry = &entries[i];
        if (!entry->key.data || (entry->hash == hash && tg_slice_equal(entry->key, key))) return entry;
    }
}

void *tg_map_get(const struct tg_map *map, struct tg_slice key)
{
    if (map->count == 0) return NULL;
    return find(map->entries, map->slots, key, tg_hash(map->seed, key))->value;
}

static enum tg_status grow(struct tg_map *map)
{
    size_t slots = map->slots ? map->slots * 2 : FIRST_SLOTS;
    struct tg_map_entry *entries = calloc(slots, sizeof *entries);
    if (!entries) return TG_E_NO_MEMORY;
    for (size_t i = 0; i < map->slots; i++) {
        struct tg_map_entry *old = &map->entries[i];
        if (old->key.data) *find(entries, slots, old->key, old->hash) = *old;
    }
    free(map->entries);
    map->entries = entries;
    map->slots = slots;
    return TG_OK;
}

enum tg_status tg_map_add(struct tg_map *map, struct tg_slice key, void *value)
{
    if ((map->count + 1) * 2 > map->slots) {
        enum tg_status status = grow(map);
        if (status != TG_OK) return status;
    }
    uint64_t hash = tg_hash(map->seed, key);
    struct tg_map_entry *entry = find(map->entries, map->slots, key, hash);
    if (entry->key.data) return TG_E_EXISTS;
    /* An empty key still marks its slot as taken. */
    *entry = (struct tg_map_entry){{key.data ? key.data : "", key.length}, hash, value};
    map->count++;
    return TG_OK;
}
