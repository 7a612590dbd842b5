/* libuv's own watcher does not know that a file was closed after writing, so the descriptor is ours and libuv
 * polls it.
 *
 * The kernel watches folders one by one and knows them by numbers; `folders` has the path of each. A folder
 * that comes is watched first and read then, so that nothing in it is missed: what was made in between may be
 * told twice. The kernel gives a folder that it watches already its old number, so links that lead back into
 * the tree end there. When the kernel had more to tell than it keeps, folders may have come and gone: all of
 * the tree is watched anew.
 *
 * Invariant: the folder that was asked for is the last of `folders`, as long as it is there. */
#include "net/watch.h"

#include "base/list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

enum { EVENT_BYTES = 16 * 1024 };

enum {
    FILE_EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE,
    FOLDER_EVENTS = FILE_EVENTS | IN_CREATE | IN_ONLYDIR,
};

struct tg_net_watches {
    struct tg_watches core;
    uv_loop_t *uv;         /* borrowed */
    struct tg_list opened; /* of tg_watch.link */
};

struct folder {
    struct folder *next;
    int number;
    char path[];
};

struct tg_watch {
    struct tg_list link;
    uv_poll_t poll;
    int fd;
    struct folder *folders;                        /* owned */
    void (*changed)(void *user, const char *path); /* NULL: it was closed */
    void *user;
};

/* ---- folders ---- */

static struct folder **find_folder(struct tg_watch *watch, int number)
{
    struct folder **place = &watch->folders;
    while (*place && (*place)->number != number) place = &(*place)->next;
    return place;
}

static void forget(struct folder **place)
{
    struct folder *folder = *place;
    *place = folder->next;
    free(folder);
}

/* The folder was moved away: what is below it has no path that we know. */
static void forget_below(struct tg_watch *watch, const char *path)
{
    size_t length = strlen(path);
    for (struct folder **place = &watch->folders; *place;) {
        const char *own = (*place)->path;
        if (strncmp(own, path, length) != 0 || (own[length] != '/' && own[length] != '\0')) {
            place = &(*place)->next;
            continue;
        }
        inotify_rm_watch(watch->fd, (*place)->number);
        forget(place);
    }
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static enum tg_status add_folder(struct tg_watch *watch, const char *path, bool is_told);

/* What is in the folder: folders are watched as well, files are told when they are news. */
static enum tg_status read_folder(struct tg_watch *watch, const char *path, bool is_told)
{
    DIR *stream = opendir(path);
    if (!stream) return TG_OK; /* it is gone again */
    enum tg_status status = TG_OK;
    for (struct dirent *entry; status == TG_OK && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.') continue;
        char *inner;
        if (asprintf(&inner, "%s/%s", path, entry->d_name) < 0) {
            status = TG_E_NO_MEMORY;
            break;
        }
        if (is_folder(inner))
            status = add_folder(watch, inner, is_told);
        else if (is_told && watch->changed)
            watch->changed(watch->user, inner);
        free(inner);
    }
    closedir(stream);
    return status;
}

/* TG_E_IO with errno. */
static enum tg_status add_folder(struct tg_watch *watch, const char *path, bool is_told)
{
    int number = inotify_add_watch(watch->fd, path, FOLDER_EVENTS);
    if (number < 0) return errno == ENOENT || errno == ENOTDIR ? TG_OK : TG_E_IO;
    if (*find_folder(watch, number)) return TG_OK;
    size_t length = strlen(path);
    struct folder *folder = malloc(sizeof *folder + length + 1);
    if (!folder) return TG_E_NO_MEMORY;
    folder->number = number;
    memcpy(folder->path, path, length + 1);
    folder->next = watch->folders;
    watch->folders = folder;
    return read_folder(watch, path, is_told);
}

/* ---- events ---- */

/* A file that is made is told when it has been written and closed; a link is whole at once. */
static bool is_whole(const struct inotify_event *event, const char *path)
{
    struct stat status;
    if (!(event->mask & IN_CREATE)) return true;
    return lstat(path, &status) == 0 && (S_ISLNK(status.st_mode) || status.st_nlink > 1);
}

static void tell(struct tg_watch *watch, const struct inotify_event *event, const char *path)
{
    bool has_come = event->mask & (IN_CREATE | IN_MOVED_TO);
    if (event->mask & IN_MOVED_FROM && event->mask & IN_ISDIR) forget_below(watch, path);
    if (has_come && is_folder(path)) {
        /* Without memory, or beyond the kernel's limit, its changes will not be known. */
        if (add_folder(watch, path, true) != TG_OK && watch->changed) watch->changed(watch->user, NULL);
        return;
    }
    /* The files of a folder that is deleted were told before it. */
    bool is_empty_folder = event->mask & IN_DELETE && event->mask & IN_ISDIR;
    if (watch->changed && !is_empty_folder && is_whole(event, path)) watch->changed(watch->user, path);
}

/* Without memory what is not watched stays so: that changes are lost is told in any case. */
static void begin_anew(struct tg_watch *watch)
{
    struct folder *last = NULL;
    while (watch->folders) {
        last = watch->folders;
        inotify_rm_watch(watch->fd, last->number);
        if (last->next)
            forget(&watch->folders);
        else
            watch->folders = NULL;
    }
    if (last) add_folder(watch, last->path, false);
    free(last);
}

static void take_event(struct tg_watch *watch, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) {
        begin_anew(watch);
        watch->changed(watch->user, NULL);
        return;
    }
    struct folder **place = find_folder(watch, event->wd);
    if (!*place) return;
    if (event->mask & IN_IGNORED) {
        forget(place);
        return;
    }
    if (event->len == 0 || event->name[0] == '.') return;
    char *path;
    if (asprintf(&path, "%s/%s", (*place)->path, event->name) < 0) {
        watch->changed(watch->user, NULL);
        return;
    }
    tell(watch, event, path);
    free(path);
}

static void readable(uv_poll_t *poll, int failure, int events)
{
    (void)failure;
    (void)events;
    struct tg_watch *watch = poll->data;
    char bytes[EVENT_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length = read(watch->fd, bytes, sizeof bytes);
    for (ssize_t at = 0; at < length && watch->changed;) {
        const struct inotify_event *event = (const void *)(bytes + at);
        take_event(watch, event);
        at += (ssize_t)(sizeof *event + event->len);
    }
}

/* ---- life ---- */

static void poll_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void end_watch(struct tg_watches *watches, struct tg_watch *watch)
{
    (void)watches;
    watch->changed = NULL;
    tg_list_remove(&watch->link);
    while (watch->folders) forget(&watch->folders);
    uv_close((uv_handle_t *)&watch->poll, poll_closed);
    close(watch->fd);
}

static enum tg_status begin_watch(struct tg_watches *core, const char *path,
                                  void (*changed)(void *user, const char *path), void *user,
                                  struct tg_watch **out, struct tg_error *error)
{
    struct tg_net_watches *watches = TG_CONTAINER(core, struct tg_net_watches, core);
    struct tg_watch *watch = calloc(1, sizeof *watch);
    if (!watch) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->poll.data = watch;
    watch->changed = changed;
    watch->user = user;
    tg_list_init(&watch->link);
    if (watch->fd < 0 || uv_poll_init(watches->uv, &watch->poll, watch->fd) != 0) {
        int number = errno;
        if (watch->fd >= 0) close(watch->fd);
        free(watch);
        return tg_error_set(error, TG_E_IO, "files cannot be watched: %s", strerror(number));
    }
    enum tg_status status = is_folder(path) ? add_folder(watch, path, false) : TG_E_IO;
    int number = is_folder(path) ? errno : ENOTDIR;
    if (status == TG_OK && uv_poll_start(&watch->poll, UV_READABLE, readable) != 0) status = TG_E_IO;
    if (status == TG_OK) {
        tg_list_append(&watches->opened, &watch->link);
        *out = watch;
        return TG_OK;
    }
    end_watch(core, watch);
    if (status == TG_E_NO_MEMORY) return tg_error_set(error, status, "not enough memory");
    return tg_error_set(error, status, "%s cannot be watched: %s%s", path, strerror(number),
                        number == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
}

enum tg_status tg_net_watches_open(struct tg_net_watches **out, struct tg_net_loop *loop)
{
    static const struct tg_watches_ops ops = {begin_watch, end_watch};
    struct tg_net_watches *watches = calloc(1, sizeof *watches);
    if (!watches) return TG_E_NO_MEMORY;
    watches->core.ops = &ops;
    watches->uv = tg_net_loop_uv(loop);
    tg_list_init(&watches->opened);
    *out = watches;
    return TG_OK;
}

void tg_net_watches_close(struct tg_net_watches *watches)
{
    while (!tg_list_is_empty(&watches->opened))
        end_watch(&watches->core, TG_CONTAINER(watches->opened.next, struct tg_watch, link));
    free(watches);
}

struct tg_watches *tg_net_watches_core(struct tg_net_watches *watches)
{
    return &watches->core;
}
