/* The record of what loading an application has read, and whether it still lies on disk like that.
 *
 *     tg_file_stamp_take(&stamp, fd); read the file; tg_files_note(files, path, &stamp, bytes)
 *     tg_files_note_absent(files, path)     it was looked for before the one that was found
 *     tg_files_note_entries(files, folder)  before the modules in it are run
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

/* Notes that `path` was looked for, and that no file was found there or none that can be read. */
enum tg_status tg_files_note_absent(struct tg_files *files, const char *path);

/* Notes which entry modules there are. */
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

/* Calls `take` with each folder in which something has to happen before the files differ: those that hold a
 * file or a symbolic link on the way to one, or will hold what is missing. A folder may come more than once;
 * its path is borrowed. */
void tg_files_each_folder(const struct tg_files *files, void (*take)(void *context, const char *folder),
                          void *context);

#endif
