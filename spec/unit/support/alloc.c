#include "support/alloc.h"

#include "script/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__real_tg_heap_alloc(void *context, void *memory, size_t old_bytes, size_t new_bytes);
void *__wrap_tg_heap_alloc(void *context, void *memory, size_t old_bytes, size_t new_bytes);

static size_t countdown;
static bool has_failed;
static bool is_lasting;

static bool fails_now(void)
{
    if (has_failed && is_lasting) return true;
    if (countdown == 0 || --countdown > 0) return false;
    has_failed = true;
    return true;
}

void *__wrap_malloc(size_t bytes)
{
    return fails_now() ? NULL : __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return fails_now() ? NULL : __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    return fails_now() ? NULL : __real_realloc(memory, bytes);
}

/* Lua takes for granted that a block can be made smaller. For a new block `old_bytes` is its kind. */
void *__wrap_tg_heap_alloc(void *context, void *memory, size_t old_bytes, size_t new_bytes)
{
    bool is_growing = new_bytes > 0 && (!memory || new_bytes > old_bytes);
    if (is_growing && fails_now()) return NULL;
    return __real_tg_heap_alloc(context, memory, old_bytes, new_bytes);
}

void tg_alloc_fail_at(size_t n)
{
    countdown = n;
    has_failed = is_lasting = false;
}

void tg_alloc_fail_from(size_t n)
{
    tg_alloc_fail_at(n);
    is_lasting = true;
}

bool tg_alloc_has_failed(void)
{
    return has_failed;
}

size_t tg_alloc_sweep(enum tg_status (*run)(void *context), void *context)
{
    for (size_t n = 1;; n++) {
        tg_alloc_fail_at(n);
        enum tg_status status = run(context);
        bool failed = has_failed;
        tg_alloc_fail_at(0);
        assert_int_equal(status, failed ? TG_E_NO_MEMORY : TG_OK);
        if (!failed) return n - 1;
    }
}
