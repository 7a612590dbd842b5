/* Chunks double in size from FIRST_CHUNK up to LARGEST_STEP; a larger request gets a chunk of its own size.
 */
#include "base/arena.h"

#include <stdlib.h>

enum { FIRST_CHUNK = 4096, LARGEST_STEP = 1 << 20 };

struct tg_arena_chunk {
    struct tg_arena_chunk *older;
    size_t bytes; /* of `memory` */
    _Alignas(16) char memory[];
};

void tg_arena_init(struct tg_arena *arena, size_t keep_bytes)
{
    *arena = (struct tg_arena){.keep_bytes = keep_bytes};
}

static void free_chunks(struct tg_arena_chunk *chunk)
{
    while (chunk) {
        struct tg_arena_chunk *older = chunk->older;
        free(chunk);
        chunk = older;
    }
}

void tg_arena_deinit(struct tg_arena *arena)
{
    free_chunks(arena->chunks);
    tg_arena_init(arena, arena->keep_bytes);
}

void tg_arena_reset(struct tg_arena *arena)
{
    struct tg_arena_chunk *kept = arena->chunks;
    if (!kept) return;
    free_chunks(kept->older);
    kept->older = NULL;
    if (kept->bytes > arena->keep_bytes) {
        free(kept);
        tg_arena_init(arena, arena->keep_bytes);
        return;
    }
    arena->next = kept->memory;
    arena->end = kept->memory + kept->bytes;
}

static size_t next_chunk_bytes(const struct tg_arena *arena, size_t wanted)
{
    size_t bytes = arena->chunks ? arena->chunks->bytes : FIRST_CHUNK / 2;
    bytes = bytes < LARGEST_STEP / 2 ? bytes * 2 : LARGEST_STEP;
    return bytes < wanted ? wanted : bytes;
}

void *tg_arena_alloc_slow(struct tg_arena *arena, size_t bytes)
{
    size_t chunk_bytes = next_chunk_bytes(arena, bytes);
    if (chunk_bytes > SIZE_MAX - sizeof(struct tg_arena_chunk)) return NULL;
    struct tg_arena_chunk *chunk = malloc(sizeof *chunk + chunk_bytes);
    if (!chunk) return NULL;
    chunk->older = arena->chunks;
    chunk->bytes = chunk_bytes;
    arena->chunks = chunk;
    arena->next = chunk->memory + bytes;
    arena->end = chunk->memory + chunk_bytes;
    return chunk->memory;
}

void *tg_arena_calloc(struct tg_arena *arena, size_t count, size_t bytes)
{
    if (bytes && count > SIZE_MAX / bytes) return NULL;
    void *memory = tg_arena_alloc(arena, count * bytes);
    if (memory) memset(memory, 0, count * bytes);
    return memory;
}

struct tg_slice tg_arena_copy(struct tg_arena *arena, struct tg_slice slice)
{
    char *copy = tg_arena_alloc(arena, slice.length + 1);
    if (!copy) return (struct tg_slice){0};
    if (slice.length) memcpy(copy, slice.data, slice.length);
    copy[slice.length] = '\0';
    return (struct tg_slice){copy, slice.length};
}
