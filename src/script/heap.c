/* Slabs are the system's own pages and not malloc's, so that a state that is closed leaves no holes behind in
 * a heap that it shared with others.
 *
 * Under AddressSanitizer every block is malloc's own, so that a string pointer kept past a collection is
 * found. */
#include "script/heap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SLAB_BYTES = 64 * 1024 };

#if defined(__SANITIZE_ADDRESS__)
enum { LARGEST_SMALL = 0 };
#else
enum { LARGEST_SMALL = TG_HEAP_SMALL_BYTES };
#endif

struct tg_heap_block {
    struct tg_heap_block *next;
};

struct tg_heap_slab {
    struct tg_heap_slab *older;
    _Alignas(16) char memory[];
};

static size_t class_of(size_t bytes)
{
    return (bytes - 1) / TG_HEAP_STEP;
}

/* The rest of the old slab, less than one block, is given up. */
static char *carve(struct tg_heap *heap, size_t bytes)
{
    if ((size_t)(heap->end - heap->next) < bytes) {
        struct tg_heap_slab *slab =
            mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (slab == MAP_FAILED) return NULL;
        slab->older = heap->slabs;
        heap->slabs = slab;
        heap->next = slab->memory;
        heap->end = (char *)slab + SLAB_BYTES;
    }
    char *block = heap->next;
    heap->next += bytes;
    return block;
}

static void *take(struct tg_heap *heap, size_t bytes)
{
    if (bytes > LARGEST_SMALL) return malloc(bytes);
    size_t class = class_of(bytes);
    struct tg_heap_block *block = heap->free[class];
    if (!block) return carve(heap, (class + 1) * TG_HEAP_STEP);
    heap->free[class] = block->next;
    return block;
}

static void give_back(struct tg_heap *heap, void *memory, size_t bytes)
{
    if (bytes > LARGEST_SMALL) {
        free(memory);
        return;
    }
    struct tg_heap_block *block = memory;
    block->next = heap->free[class_of(bytes)];
    heap->free[class_of(bytes)] = block;
}

static void *move(struct tg_heap *heap, void *memory, size_t old_bytes, size_t new_bytes)
{
    if (old_bytes > LARGEST_SMALL && new_bytes > LARGEST_SMALL) return realloc(memory, new_bytes);
    if (old_bytes <= LARGEST_SMALL && new_bytes <= LARGEST_SMALL &&
        class_of(old_bytes) == class_of(new_bytes))
        return memory;
    void *moved = take(heap, new_bytes);
    if (!moved) return NULL;
    memcpy(moved, memory, old_bytes < new_bytes ? old_bytes : new_bytes);
    give_back(heap, memory, old_bytes);
    return moved;
}

/* Asked before a block grows, or is made. */
static bool is_refused(struct tg_heap *heap, size_t old_bytes, size_t new_bytes)
{
    if (heap->limit_bytes == 0 || new_bytes <= old_bytes) return false;
    if (new_bytes <= heap->limit_bytes / 4 &&
        heap->bytes + (new_bytes - old_bytes) <= heap->limit_bytes + heap->room_bytes)
        return false;
    heap->has_refused = true;
    return true;
}

void *tg_heap_alloc(void *context, void *memory, size_t old_bytes, size_t new_bytes)
{
    struct tg_heap *heap = context;
    if (new_bytes == 0) {
        if (!memory) return NULL;
        heap->bytes -= old_bytes;
        give_back(heap, memory, old_bytes);
        return NULL;
    }
    if (!memory) old_bytes = 0; /* then it is the type of what is made, not a size */
    if (is_refused(heap, old_bytes, new_bytes)) return NULL;
    void *moved = memory ? move(heap, memory, old_bytes, new_bytes) : take(heap, new_bytes);
    if (moved) heap->bytes += new_bytes - old_bytes;
    return moved;
}

void tg_heap_deinit(struct tg_heap *heap)
{
    while (heap->slabs) {
        struct tg_heap_slab *older = heap->slabs->older;
        munmap(heap->slabs, SLAB_BYTES);
        heap->slabs = older;
    }
    *heap = (struct tg_heap){0};
}
