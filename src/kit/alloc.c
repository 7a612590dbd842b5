/* An allocator has no context to keep anything in, so what is counted lies in the module's own memory: one
 * countdown per thread, which runs only while an app of that thread does. */
#include "kit/alloc.h"

#include <errno.h>

static _Thread_local struct tg_kit_alloc_count count = {.pauses = 1}; /* outside of an app nothing counts */

/* The linker asks for these names. NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t items, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t items, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);

struct tg_kit_alloc_count tg_kit_alloc_begin(uint64_t n)
{
    struct tg_kit_alloc_count before = count;
    count = (struct tg_kit_alloc_count){.left = n};
    return before;
}

uint64_t tg_kit_alloc_end(struct tg_kit_alloc_count before)
{
    uint64_t left = count.left;
    count = before;
    return left;
}

void tg_kit_alloc_pause(void)
{
    count.pauses++;
}

void tg_kit_alloc_resume(void)
{
    count.pauses--;
}

static bool fails(void)
{
    if (count.left == 0 || count.pauses > 0 || --count.left > 0) return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t items, size_t bytes)
{
    return fails() ? NULL : __real_calloc(items, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails() ? NULL : __real_realloc(memory, bytes);
}
/* NOLINTEND(bugprone-reserved-identifier) */
