/* The C allocations of the core, counted so that a spec can have one fail.
 *
 * The linker leads malloc, calloc and realloc of the module here (CMakeLists.txt). The kit's own do not
 * count.
 */
#ifndef TG_KIT_ALLOC_H
#define TG_KIT_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_kit_alloc_count {
    uint64_t left;   /* until one fails; 0: none will */
    uint32_t pauses; /* while there are any, nothing counts */
};

/* From now on the n-th fails, once; 0: none. Returns what was counted before, for tg_kit_alloc_end. */
struct tg_kit_alloc_count tg_kit_alloc_begin(uint64_t n);

/* Returns how many were left. */
uint64_t tg_kit_alloc_end(struct tg_kit_alloc_count before);

/* Between these two nothing counts. They nest. */
void tg_kit_alloc_pause(void);
void tg_kit_alloc_resume(void);

#endif
