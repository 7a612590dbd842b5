/* Where a Lua state's memory comes from: a lua_Alloc that counts, with free lists for small blocks.
 *
 * Lua frees with the size that it allocated, so blocks need no header. Blocks of up to HEAP_SMALL_BYTES come
 * from slabs, by size class, and return to their class; larger ones are malloc's. The slabs go back to the
 * system all at once, when the state is closed.
 *
 * With a limit it refuses what would pass it, and any block of more than a quarter of it: one call of C that
 * builds a string or grows a table takes only so long. A block that shrinks is never refused. Lua collects
 * in full when it is refused and tries once more; what raises then is "not enough memory".
 */
#ifndef TG_SCRIPT_HEAP_H
#define TG_SCRIPT_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TG_HEAP_STEP = 16, TG_HEAP_SMALL_BYTES = 512, TG_HEAP_CLASSES = TG_HEAP_SMALL_BYTES / TG_HEAP_STEP };

/* What telling an error may take where there is nothing left. */
enum { TG_HEAP_ROOM_BYTES = 256 * 1024 };

struct tg_heap_block;
struct tg_heap_slab;

struct tg_heap {
    uint64_t bytes;       /* in use by Lua now */
    uint64_t limit_bytes; /* 0: none */
    uint64_t room_bytes;  /* lent beyond the limit, while an error is told */
    bool has_refused;     /* because of the limit; for whoever tells of it to take back */
    struct tg_heap_block *free[TG_HEAP_CLASSES];
    char *next, *end; /* what is left of the newest slab */
    struct tg_heap_slab *slabs;
};

/* Zero-initialised: empty. */

/* A lua_Alloc; `context` is a struct tg_heap. */
void *tg_heap_alloc(void *context, void *memory, size_t old_bytes, size_t new_bytes);

/* After lua_close. */
void tg_heap_deinit(struct tg_heap *heap);

#endif
