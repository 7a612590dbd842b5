/* Wakes when something happens in one of many places: names in folders, with inotify on libuv.
 *
 * Unlike net/watch, which tells what happens in a tree, it tells nothing but that something has happened, and
 * looks at single folders wherever they lie. Who is woken looks himself.
 */
#ifndef TG_NET_PLACES_H
#define TG_NET_PLACES_H

#include "base/status.h"
#include "net/loop.h"

#include <stdbool.h>

struct tg_places;

/* `woken` comes from the loop, once for whatever has happened since. The loop is borrowed. TG_E_NO_MEMORY,
 * TG_E_IO. */
enum tg_status tg_places_open(struct tg_places **out, struct tg_net_loop *loop, void (*woken)(void *user),
                              void *user, struct tg_error *error);

/* Before the loop is closed. */
void tg_places_close(struct tg_places *places);

/* Watches other places from now on: those that are added between the two. Folders that are among them again
 * are watched without a gap. */
void tg_places_begin(struct tg_places *places);

/* `name` in `folder`, which need not exist; NULL: whatever comes and goes there, but for names that begin
 * with a dot, and what is written to a *.lua: a log that lies there is no reason to look. The folder is
 * looked up once: when it is moved or deleted, that wakes, and the place has to be added again.
 */
void tg_places_add(struct tg_places *places, const char *folder, const char *name);

/* Whether somebody has made a file in one of the places, or begun to write to one, and has not closed it by
 * now. */
bool tg_places_are_written(struct tg_places *places);

/* How often something has happened so far that wakes. */
uint64_t tg_places_count_changes(struct tg_places *places);

/* Nobody waits any longer for those that are open now, until they change once more. */
void tg_places_forget_written(struct tg_places *places);

/* TG_OK; TG_E_FULL: the system watches no more folders (fs.inotify.max_user_watches); TG_E_NO_MEMORY. What
 * was added before that is watched. `*is_new` (may be NULL): a folder was added that was not watched before,
 * in which something may have happened already. */
enum tg_status tg_places_end(struct tg_places *places, bool *is_new);

#endif
