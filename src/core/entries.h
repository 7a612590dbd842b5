/* The entry modules of an application: *.lua and NAME/init.lua in its consumers/, or in the folder itself
 * when it has none. tidegate.lua, spec/ and public/ are something else, as is what begins with a dot.
 */
#ifndef TG_CORE_ENTRIES_H
#define TG_CORE_ENTRIES_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

struct tg_entry {
    char *name; /* of the module: "chat"; owned, as the next */
    char *path; /* of its file: FOLDER/chat.lua or FOLDER/chat/init.lua */
};

struct tg_entries {
    struct tg_entry *items; /* owned; in byte order of the names in the folder */
    size_t count;
};

/* Zero-initialised: empty. */

/* Fills `entries` with those that lie in `folder` now. TG_E_IO with errno: it cannot be read. TG_E_NO_MEMORY.
 * Deinit in either case. */
enum tg_status tg_entries_find(struct tg_entries *entries, const char *folder);

void tg_entries_deinit(struct tg_entries *entries);

/* Whether a file or a folder of this name may be one. */
bool tg_entries_may_be(const char *name);

/* Finds the folder of the entry modules of an application: FOLDER/consumers where there is one. Returns
 * owned; NULL without memory. */
char *tg_entries_folder(const char *application);

#endif
