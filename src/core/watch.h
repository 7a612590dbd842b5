/* Changes of files, as the script layer sees them. net/watch asks the kernel for them.
 *
 * A folder is watched with everything below it, folders that come later included, but not what is hidden:
 * names that begin with a dot. A file that is being written is told when it is closed.
 */
#ifndef TG_CORE_WATCH_H
#define TG_CORE_WATCH_H

#include "base/status.h"

struct tg_watch;
struct tg_watches;

struct tg_watches_ops {
    /* `changed` comes from the loop for each file that was written, made, moved or deleted, and for each
     * folder that was moved away; `path` begins with `folder` and is borrowed. NULL: so much happened that
     * some of it is not known. TG_E_IO: `error` has the reason. TG_E_NO_MEMORY. */
    enum tg_status (*open)(struct tg_watches *watches, const char *folder,
                           void (*changed)(void *user, const char *path), void *user, struct tg_watch **watch,
                           struct tg_error *error);
    /* `changed` comes no more. */
    void (*close)(struct tg_watches *watches, struct tg_watch *watch);
};

struct tg_watches {
    const struct tg_watches_ops *ops;
};

#endif
