/* Memory that is given back all at once: the tree of one message, the declarations of one load.
 *
 * Allocation is a pointer bump. tg_arena_reset keeps one chunk, so an arena that serves message
 * after message settles at no allocation at all; a chunk grown beyond `keep_bytes` is freed.
 */
#ifndef TG_BASE_ARENA_H
#define TG_BASE_ARENA_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

struct tg_arena_chunk;

struct tg_arena {
    char *next; /* first free byte of the current chunk, aligned to 8 */
    char *end;
    struct tg_arena_chunk *chunks; /* current first */
    size_t keep_bytes;
};

/* Allocates nothing yet. `keep_bytes` bounds what tg_arena_reset keeps. */
void tg_arena_init(struct tg_arena *arena, size_t keep_bytes);

void tg_arena_deinit(struct tg_arena *arena);

/* Everything that was allocated is gone; the arena is ready for the next message. */
void tg_arena_reset(struct tg_arena *arena);

void *tg_arena_alloc_slow(struct tg_arena *arena, size_t bytes);

/* Uninitialised memory aligned to 8 bytes; NULL without memory. Lives until reset or deinit. */
static inline void *tg_arena_alloc(struct tg_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - 8) return NULL;
    size_t rounded = (bytes + 7) & ~(size_t)7;
    if ((size_t)(arena->end - arena->next) < rounded || !arena->next)
        return tg_arena_alloc_slow(arena, rounded);
    void *memory = arena->next;
    arena->next += rounded;
    return memory;
}

/* `count` zeroed objects; NULL without memory or when the product overflows. */
void *tg_arena_calloc(struct tg_arena *arena, size_t count, size_t bytes);

/* A copy with a terminating NUL that the length does not count; data is NULL without memory. */
struct tg_slice tg_arena_copy(struct tg_arena *arena, struct tg_slice slice);

#endif
