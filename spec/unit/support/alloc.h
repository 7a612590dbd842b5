/* Makes the n-th allocation of the code under test fail (malloc, calloc, realloc and those of a Lua state are
 * wrapped by the linker). Leaks are LeakSanitizer's to find.
 *
 *     static enum tg_status parse_once(void *context);
 *     ...
 *     tg_alloc_sweep(parse_once, &context);
 */
#ifndef TG_UNIT_SUPPORT_ALLOC_H
#define TG_UNIT_SUPPORT_ALLOC_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now on fails, once; 0: none. */
void tg_alloc_fail_at(size_t n);

/* The n-th allocation from now on fails, and all behind it: Lua tries each twice, with a collection between.
 */
void tg_alloc_fail_from(size_t n);

/* Whether it has come to that. */
bool tg_alloc_has_failed(void);

/* Calls `run` with the first allocation failing, then the second, and so on until a call went through
 * without a failure; asserts that each failed call answered TG_E_NO_MEMORY and the last TG_OK.
 * `run` itself asserts that its object is usable after a failure. Returns how many calls failed. */
size_t tg_alloc_sweep(enum tg_status (*run)(void *context), void *context);

#endif
