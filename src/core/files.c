/* A file's content is told by a hash of 64 bits, made of it in pieces, so that looking again takes no memory.
 *
 * That all lay on disk together: nothing that was read has been written to from before it was read until it
 * was looked at again (its stamp is the same), so at the moment at which the looking began all of it was
 * there at once. What was missing, and which entries there are, has no stamp and is looked at first. */
#include "core/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 16 * 1024 };

/* ---- hashes and stamps ---- */

/* The same for every record, so that hashes of two loads can be compared. */
static uint64_t mix(uint64_t hash, struct tg_slice piece)
{
    return tg_hash((struct tg_hash_seed){0x7469646567617465u ^ hash, 0x66696c6573u}, piece);
}

static uint64_t hash_bytes(struct tg_slice bytes)
{
    uint64_t hash = 0;
    while (bytes.length) {
        size_t length = bytes.length < PIECE_BYTES ? bytes.length : PIECE_BYTES;
        hash = mix(hash, (struct tg_slice){bytes.data, length});
        bytes = (struct tg_slice){bytes.data + length, bytes.length - length};
    }
    return hash;
}

/* -1: the file cannot be read. */
static int hash_file(int fd, uint64_t *hash)
{
    char piece[PIECE_BYTES];
    size_t length;
    *hash = 0;
    do {
        ssize_t got = 1;
        for (length = 0; length < sizeof piece && got > 0;) {
            got = read(fd, piece + length, sizeof piece - length);
            if (got < 0 && errno == EINTR)
                got = 1;
            else if (got > 0)
                length += (size_t)got;
        }
        if (got < 0) return -1;
        if (length) *hash = mix(*hash, (struct tg_slice){piece, length});
    } while (length == sizeof piece);
    return 0;
}

/* `entries` NULL: their folder cannot be read. */
static uint64_t hash_entries(const struct tg_entries *entries)
{
    uint64_t hash = 0;
    if (!entries) return UINT64_MAX;
    for (size_t i = 0; i < entries->count; i++) hash = mix(hash, tg_slice_of(entries->items[i].path));
    return hash;
}

static uint64_t nanoseconds(struct timespec time)
{
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void tg_file_stamp_take(struct tg_file_stamp *stamp, int fd)
{
    struct stat status;
    *stamp = (struct tg_file_stamp){0};
    if (fstat(fd, &status) != 0) return;
    *stamp = (struct tg_file_stamp){
        .device = status.st_dev,
        .inode = status.st_ino,
        .size = (uint64_t)status.st_size,
        .modified_ns = nanoseconds(status.st_mtim),
        .changed_ns = nanoseconds(status.st_ctim),
    };
}

static bool is_same_stamp(const struct tg_file_stamp *a, const struct tg_file_stamp *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->modified_ns == b->modified_ns && a->changed_ns == b->changed_ns;
}

/* ---- looking ---- */

/* What lies there now; of a record that is read anew only `kind`, `hash` and `stamp` are filled. */
static void look_at_file(struct tg_file *seen, const char *path)
{
    *seen = (struct tg_file){.kind = TG_FILE_UNREADABLE};
    /* Nothing that is opened here may wait, as a pipe would. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        if (access(path, F_OK) != 0) seen->kind = TG_FILE_ABSENT;
        return;
    }
    tg_file_stamp_take(&seen->stamp, fd);
    if (hash_file(fd, &seen->hash) == 0) seen->kind = TG_FILE_READ;
    close(fd);
}

/* Without memory it is another one: the load that follows tells. */
static bool have_entries_changed(const struct tg_file *file)
{
    struct tg_entries entries;
    enum tg_status status = tg_entries_find(&entries, file->path.data);
    bool is_same = status != TG_E_NO_MEMORY && hash_entries(status == TG_OK ? &entries : NULL) == file->hash;
    tg_entries_deinit(&entries);
    return !is_same;
}

static bool has_changed(const struct tg_file *file, bool by_stamp)
{
    struct tg_file seen;
    if (file->is_torn) return true;
    if (file->kind == TG_FILE_ENTRIES) return have_entries_changed(file);
    if (file->kind == TG_FILE_ABSENT) return access(file->path.data, F_OK) == 0;
    look_at_file(&seen, file->path.data);
    if (seen.kind != file->kind) return true;
    if (file->kind != TG_FILE_READ) return false;
    return seen.hash != file->hash || (by_stamp && !is_same_stamp(&seen.stamp, &file->stamp));
}

static const char *find_changed(const struct tg_files *files, bool by_stamp)
{
    for (const struct tg_file *file = files->first; file; file = file->next)
        if (file->kind != TG_FILE_READ && has_changed(file, by_stamp)) return file->path.data;
    for (const struct tg_file *file = files->first; file; file = file->next)
        if (file->kind == TG_FILE_READ && has_changed(file, by_stamp)) return file->path.data;
    return NULL;
}

const char *tg_files_differ(const struct tg_files *files)
{
    return find_changed(files, false);
}

const char *tg_files_are_torn(const struct tg_files *files)
{
    return find_changed(files, true);
}

/* ---- noting ---- */

static enum tg_status add(struct tg_files *files, const char *path, const struct tg_file *seen)
{
    struct tg_file *file = tg_map_get(&files->by_path, tg_slice_of(path));
    if (file && file->kind == TG_FILE_UNREADABLE && seen->kind == TG_FILE_ENTRIES) {
        file->kind = seen->kind; /* it was asked before whether it is a folder */
        file->hash = seen->hash;
        return TG_OK;
    }
    if (file) {
        file->is_torn |= file->kind != seen->kind || file->hash != seen->hash ||
                         !is_same_stamp(&file->stamp, &seen->stamp);
        return TG_OK;
    }
    file = tg_arena_alloc(&files->arena, sizeof *file);
    if (!file) return TG_E_NO_MEMORY;
    *file = *seen;
    file->path = tg_arena_copy(&files->arena, tg_slice_of(path));
    if (!file->path.data || tg_map_add(&files->by_path, file->path, file) != TG_OK) return TG_E_NO_MEMORY;
    if (files->last)
        files->last->next = file;
    else
        files->first = file;
    files->last = file;
    files->count++;
    return TG_OK;
}

enum tg_status tg_files_note(struct tg_files *files, const char *path, const struct tg_file_stamp *stamp,
                             struct tg_slice bytes)
{
    return add(files, path,
               &(struct tg_file){.kind = TG_FILE_READ, .hash = hash_bytes(bytes), .stamp = *stamp});
}

enum tg_status tg_files_look(struct tg_files *files, const char *path)
{
    struct tg_file seen;
    look_at_file(&seen, path);
    return add(files, path, &seen);
}

enum tg_status tg_files_note_entries(struct tg_files *files, const char *folder,
                                     const struct tg_entries *entries)
{
    return add(files, folder, &(struct tg_file){.kind = TG_FILE_ENTRIES, .hash = hash_entries(entries)});
}

/* ---- places ---- */

enum { LINKS_MAX = 40 }; /* as the kernel follows them */

struct walk {
    void (*take)(void *context, const char *folder, const char *name);
    void *context;
    char done[PATH_MAX]; /* the folder that was reached; "" the working one */
    char left[PATH_MAX]; /* of the path */
    int links;
    struct tg_arena arena; /* of the next */
    struct tg_map reached; /* folders that were walked to -> where that led; "" nowhere */
};

static const char *reached(const struct walk *walk)
{
    return walk->done[0] ? walk->done : ".";
}

/* Puts what the link `at` says in front of what is left. False: it is too long, or there are too many. */
static bool follow(struct walk *walk, const char *at, const char *rest)
{
    char target[PATH_MAX], left[PATH_MAX];
    ssize_t length = readlink(at, target, sizeof target - 1);
    if (length <= 0 || ++walk->links > LINKS_MAX) return false;
    target[length] = '\0';
    if (snprintf(left, sizeof left, "%s/%s", target, rest) >= (int)sizeof left) return false;
    memcpy(walk->left, left, sizeof left);
    if (target[0] == '/') strcpy(walk->done, "/");
    return true;
}

/* One component of the path. False: nothing further is there. */
static bool step(struct walk *walk)
{
    char at[PATH_MAX];
    struct stat status;
    const char *name = walk->left + strspn(walk->left, "/");
    size_t length = strcspn(name, "/");
    if (length == 0) return false;
    bool needs_slash = walk->done[0] && walk->done[strlen(walk->done) - 1] != '/';
    int written = snprintf(at, sizeof at, "%s%s%.*s", walk->done, needs_slash ? "/" : "", (int)length, name);
    if (written >= (int)sizeof at) return false;
    bool is_moving_on = strcmp(at + written - length, ".") != 0 && strcmp(at + written - length, "..") != 0;
    if (is_moving_on) walk->take(walk->context, reached(walk), at + written - length);
    if (lstat(at, &status) != 0) return false;
    if (S_ISLNK(status.st_mode)) return follow(walk, at, name + length);
    if (!S_ISDIR(status.st_mode)) return false;
    memmove(walk->left, name + length, strlen(name + length) + 1);
    memcpy(walk->done, at, sizeof at);
    return true;
}

/* Takes all that the path goes through. False: it does not lead to a folder, which `done` is otherwise. */
static bool walk_path(struct walk *walk, const char *path)
{
    size_t length = strlen(path);
    if (length >= sizeof walk->left) return false;
    memcpy(walk->left, path, length + 1);
    walk->links = 0;
    strcpy(walk->done, path[0] == '/' ? "/" : "");
    while (step(walk)) continue;
    return walk->left[strspn(walk->left, "/")] == '\0';
}

/* The same for the folder of many files. Without memory it is only slower. */
static bool walk_folder(struct walk *walk, struct tg_slice folder)
{
    char path[PATH_MAX];
    if (folder.length >= sizeof path) return false;
    const char *known = tg_map_get(&walk->reached, folder);
    if (known) {
        strcpy(walk->done, known);
        return known[0] != '\0';
    }
    memcpy(path, folder.data, folder.length);
    path[folder.length] = '\0';
    bool is_reached = walk_path(walk, path);
    struct tg_slice key = tg_arena_copy(&walk->arena, folder);
    struct tg_slice led = tg_arena_copy(&walk->arena, tg_slice_of(is_reached ? reached(walk) : ""));
    if (key.data && led.data) tg_map_add(&walk->reached, key, (void *)led.data);
    return is_reached;
}

static void walk_file(struct walk *walk, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (strlen(path) >= sizeof walk->left) return;
    if (!slash || slash == path) {
        walk_path(walk, path);
        return;
    }
    if (!walk_folder(walk, (struct tg_slice){path, (size_t)(slash - path)})) return;
    strcpy(walk->left, slash + 1);
    walk->links = 0;
    while (step(walk)) continue;
}

/* A module may come in each folder that could be one. */
static void take_entries(struct walk *walk, const char *folder)
{
    char path[PATH_MAX];
    DIR *stream = walk_path(walk, folder) ? opendir(folder) : NULL;
    if (!stream) return;
    walk->take(walk->context, reached(walk), NULL);
    for (struct dirent *entry; (entry = readdir(stream));) {
        if (!tg_entries_may_be(entry->d_name)) continue;
        if (snprintf(path, sizeof path, "%s/%s/init.lua", folder, entry->d_name) < (int)sizeof path)
            walk_file(walk, path);
    }
    closedir(stream);
}

enum tg_status tg_files_each_place(const struct tg_files *files,
                                   void (*take)(void *context, const char *folder, const char *name),
                                   void *context)
{
    struct walk *walk = calloc(1, sizeof *walk);
    if (!walk) return TG_E_NO_MEMORY;
    walk->take = take;
    walk->context = context;
    for (const struct tg_file *file = files->first; file; file = file->next)
        if (file->kind == TG_FILE_ENTRIES)
            take_entries(walk, file->path.data);
        else
            walk_file(walk, file->path.data);
    tg_map_deinit(&walk->reached);
    tg_arena_deinit(&walk->arena);
    free(walk);
    return TG_OK;
}

const struct tg_file *tg_files_find(const struct tg_files *files, struct tg_slice path)
{
    return tg_map_get(&files->by_path, path);
}

void tg_files_deinit(struct tg_files *files)
{
    tg_map_deinit(&files->by_path);
    tg_arena_deinit(&files->arena);
    *files = (struct tg_files){0};
}
