/* "did you mean": which of some names a person meant who wrote another.
 *
 * For error messages alone. The cost is bounded whatever is written: long names are never near, and of
 * very many names the first are looked at.
 */
#ifndef TG_BASE_NEAREST_H
#define TG_BASE_NEAREST_H

#include "base/slice.h"

enum {
    TG_NEAREST_LONGEST = 64, /* bytes of a name; a longer one, on either side, is never near */
    TG_NEAREST_MOST = 256,   /* names that are looked at */
};

#define TG_NEAREST_NONE ((size_t)-1)

/* The index of the name that `written` is most likely a slip of, the first of those that are equally
 * near; TG_NEAREST_NONE when none is near enough. `name_at` gives name `index` of `count`, and gets
 * `names`. A slip is a byte too many, too few or wrong, or two neighbours that have changed places. */
size_t tg_nearest(struct tg_slice written, const void *names, size_t count,
                  struct tg_slice (*name_at)(const void *names, size_t index));

#endif
