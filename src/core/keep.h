/* Data of scripts that outlives the code: named values, as bytes that mean nothing to core.
 *
 * A name that was set once stays until the worker ends, also when no code declares it any more: a file that
 * is broken for a moment loses nothing. All together have at most keep_max_bytes.
 */
#ifndef TG_CORE_KEEP_H
#define TG_CORE_KEEP_H

#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"

struct tg_worker;

struct tg_keeps {
    struct tg_map by_name; /* struct tg_keep, owned */
};

void tg_keeps_init(struct tg_keeps *keeps);
void tg_keeps_deinit(struct tg_keeps *keeps);

/* Borrowed until it is set again; data NULL: it never was. */
struct tg_slice tg_keep_get(const struct tg_worker *worker, struct tg_slice name);

/* Copies both. TG_E_FULL: it would pass keep_max_bytes, which is counted; TG_E_NO_MEMORY. The value stays as
 * it was then. */
enum tg_status tg_keep_set(struct tg_worker *worker, struct tg_slice name, struct tg_slice bytes);

#endif
