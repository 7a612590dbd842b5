/* The record of what loading an application has read, and whether it still lies on disk like that.
 *
 *     tg_file_stamp_take(&stamp, fd); read the file; tg_files_note(files, path, &stamp, bytes)
 *     tg_files_look(files, path); look for the file, or have somebody else read it
 *     tg_files_note_entries(files, folder, entries)
 *     ...
 *     if (tg_files_differ(files)) load again
 *
 * What is told apart is content: a file that was touched, or replaced by the same, does not differ. Before a
 * load is served it has to be sure that all of it lay on disk together, which content alone does not show (a
 * file may have been another one for a moment): tg_files_are_torn looks at the stamps as well.
 *
 * Filled by one thread; afterwards it is constant, and any thread may ask.
 */
#ifndef TG_CORE_FILES_H
#define TG_CORE_FILES_H

#include "base/arena.h"
#include "base/map.h"
#include "core/entries.h"

#include <stdbool.h>
#include <stdint.h>

/* What changes whenever somebody writes to the file or puts another in its place. */
struct tg_file_stamp {
    uint64_t device, inode, size;
    uint64_t modified_ns, changed_ns;
};

enum tg_file_kind {
    TG_FILE_READ,
    TG_FILE_ABSENT,     /* nothing is there */
    TG_FILE_UNREADABLE, /* something is, and cannot be read as a file */
    TG_FILE_ENTRIES,    /* the folder of entry modules: which ones there are */
};

struct tg_file {
    struct tg_slice path; /* with a zero behind it */
    enum tg_file_kind kind;
    bool is_torn;  /* it was read twice, and was not the same */
    uint64_t hash; /* of the content, or of the list of entries */
    struct tg_file_stamp stamp;
    struct tg_file *next; /* in the order of noting */
};

struct tg_files {
    struct tg_arena arena;
    struct tg_map by_path;
    struct tg_file *first, *last;
    uint32_t count;
};

/* Zero-initialised: empty. A struct tg_files may be moved by assignment. */

void tg_files_deinit(struct tg_files *files);

/* Of the open file, before it is read. */
void tg_file_stamp_take(struct tg_file_stamp *stamp, int fd);

/* Notes that `bytes` were read from `path`. TG_E_NO_MEMORY, as the next two. */
enum tg_status tg_files_note(struct tg_files *files, const char *path, const struct tg_file_stamp *stamp,
                             struct tg_slice bytes);

/* Notes what lies at `path` now, be it nothing. */
enum tg_status tg_files_look(struct tg_files *files, const char *path);

/* Notes which entry modules there are; NULL: the folder cannot be read. */
enum tg_status tg_files_note_entries(struct tg_files *files, const char *folder,
                                     const struct tg_entries *entries);

/* The file at `path` as it was noted; NULL: it was not. */
const struct tg_file *tg_files_find(const struct tg_files *files, struct tg_slice path);

/* Whether loading again could come out differently: the path that is another one now; NULL: all is as it was.
 * Reads everything anew. */
const char *tg_files_differ(const struct tg_files *files);

/* The same, and whether anything was written to or replaced since it was read, even by the same. NULL: there
 * was a moment at which all of it lay on disk together. */
const char *tg_files_are_torn(const struct tg_files *files);

/* Calls `take` with everything that would be another one if the files differed: `name` in `folder`, for each
 * folder and symbolic link on the way to a file, and for what is missing. `name` NULL: whatever happens
 * there. The same may come more than once; both are borrowed. TG_E_NO_MEMORY: nothing was taken. */
enum tg_status tg_files_each_place(const struct tg_files *files,
                                   void (*take)(void *context, const char *folder, const char *name),
                                   void *context);

#endif
