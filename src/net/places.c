/* The kernel knows watched folders by numbers, and gives a folder that it watches already its old one. So
 * what is watched is a set of numbers, paths are not kept, and a folder that lies elsewhere now simply gets
 * another number. Those that were not added again are given up at the end.
 *
 * That a file is being written is known from its being made, or its first change, to its being closed, for a
 * few files at once: it is a reason to wait a little, not to be relied on. A link is made and never closed.
 *
 * Invariant: between tg_places_begin and tg_places_end nothing is read, so `names` is whole when it is asked.
 */
#include "net/places.h"

#include "base/arena.h"
#include "base/map.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <uv.h>

enum {
    EVENT_BYTES = 16 * 1024,
    NAMES_KEEP_BYTES = 64 * 1024,
    WRITTEN_MAX = 16,
    /* A file that was made is written to soon; a link, which is made as well, never is. */
    CREATED_LOOKS = 4,
    NUMBER_BYTES = 16, /* of a folder's number as the beginning of a key */
    /* What ends the writing of a file, as far as others are concerned. */
    WHOLE_EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE,
    EVENTS = WHOLE_EVENTS | IN_MODIFY | IN_CREATE | IN_ATTRIB,
    OWN_EVENTS = IN_MOVE_SELF | IN_DELETE_SELF,
};

struct folder {
    int number;
    bool is_kept;    /* added since tg_places_begin */
    bool is_for_all; /* whatever happens in it */
};

/* A file that is being written. */
struct writing {
    uint32_t hash;  /* of its name and its folder's number */
    uint32_t looks; /* how often it may still be asked about; 0: until it is closed */
};

struct tg_places {
    uv_poll_t poll;
    int fd;
    void (*woken)(void *user);
    void *user;
    struct folder *folders; /* owned */
    size_t folder_count, folder_capacity;
    struct tg_arena arena; /* of the names */
    struct tg_map names;   /* "NUMBER/NAME" */
    bool has_new, is_full, is_out_of_memory;
    struct writing written[WRITTEN_MAX];
    size_t written_count;
    uint64_t changes;
};

/* ---- what happens ---- */

static struct folder *find(const struct tg_places *places, int number)
{
    for (size_t i = 0; i < places->folder_count; i++)
        if (places->folders[i].number == number) return &places->folders[i];
    return NULL;
}

static struct tg_slice write_key(char *key, size_t room, int number, const char *name)
{
    int length = snprintf(key, room, "%d/%s", number, name);
    return (struct tg_slice){key, (size_t)length < room ? (size_t)length : room - 1};
}

static bool is_lua(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".lua") == 0;
}

/* Of a folder as a whole: what a file has in it counts where it may be a module. */
static bool may_matter(const struct inotify_event *event)
{
    if (event->name[0] == '.') return false;
    if (!(event->mask & (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)) || event->mask & IN_ISDIR) return true;
    return is_lua(event->name);
}

static bool is_named(const struct tg_places *places, const struct inotify_event *event)
{
    char key[NUMBER_BYTES + NAME_MAX + 1];
    return tg_map_get(&places->names, write_key(key, sizeof key, event->wd, event->name)) != NULL;
}

static bool may_be_module(const struct tg_places *places, const struct inotify_event *event)
{
    return is_lua(event->name) || is_named(places, event);
}

static bool is_wanted(const struct tg_places *places, const struct inotify_event *event)
{
    if (event->mask & (IN_Q_OVERFLOW | OWN_EVENTS)) return true;
    const struct folder *folder = find(places, event->wd);
    if (!folder || event->len == 0) return false;
    if (folder->is_for_all && may_matter(event)) return true;
    return is_named(places, event);
}

/* A file of this name in that folder. */
static uint32_t hash_file(const struct inotify_event *event)
{
    uint64_t hash = tg_hash((struct tg_hash_seed){(uint64_t)event->wd, 0}, tg_slice_of(event->name));
    return (uint32_t)(hash ^ hash >> 32);
}

static void note_writing(struct tg_places *places, const struct inotify_event *event)
{
    size_t at = 0;
    if (event->len == 0 || event->mask & IN_ISDIR || !may_be_module(places, event)) return;
    uint32_t hash = hash_file(event);
    while (at < places->written_count && places->written[at].hash != hash) at++;
    bool is_known = at < places->written_count;
    if (event->mask & (IN_CREATE | IN_MODIFY) && !is_known && at < WRITTEN_MAX)
        places->written[places->written_count++] = (struct writing){.hash = hash, .looks = CREATED_LOOKS};
    if (event->mask & IN_MODIFY && at < WRITTEN_MAX) places->written[at].looks = 0;
    if (event->mask & WHOLE_EVENTS && is_known)
        places->written[at] = places->written[--places->written_count];
}

/* True: it wakes. */
static bool take_event(struct tg_places *places, const struct inotify_event *event)
{
    if (event->mask & IN_Q_OVERFLOW) places->written_count = 0;
    if (!is_wanted(places, event)) return false;
    note_writing(places, event);
    places->changes++;
    return true;
}

/* All that has happened so far. */
static void read_events(struct tg_places *places)
{
    char bytes[EVENT_BYTES] __attribute__((aligned(__alignof__(struct inotify_event))));
    bool is_any_wanted = false;
    for (ssize_t length; (length = read(places->fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t at = 0; at < length;) {
            const struct inotify_event *event = (const void *)(bytes + at);
            is_any_wanted |= take_event(places, event);
            at += (ssize_t)(sizeof *event + event->len);
        }
    if (is_any_wanted) places->woken(places->user);
}

static void readable(uv_poll_t *poll, int failure, int events)
{
    (void)failure;
    (void)events;
    read_events(poll->data);
}

bool tg_places_are_written(struct tg_places *places)
{
    read_events(places);
    for (size_t i = places->written_count; i-- > 0;)
        if (places->written[i].looks && --places->written[i].looks == 0)
            places->written[i] = places->written[--places->written_count];
    return places->written_count > 0;
}

uint64_t tg_places_count_changes(struct tg_places *places)
{
    read_events(places);
    return places->changes;
}

void tg_places_forget_written(struct tg_places *places)
{
    places->written_count = 0;
}

/* ---- other places ---- */

void tg_places_begin(struct tg_places *places)
{
    for (size_t i = 0; i < places->folder_count; i++)
        places->folders[i].is_kept = places->folders[i].is_for_all = false;
    tg_map_deinit(&places->names);
    tg_arena_reset(&places->arena);
    places->has_new = places->is_full = places->is_out_of_memory = false;
}

static struct folder *add_folder(struct tg_places *places, int number)
{
    if (places->folder_count == places->folder_capacity) {
        size_t capacity = places->folder_capacity ? 2 * places->folder_capacity : 16;
        struct folder *folders = realloc(places->folders, capacity * sizeof *folders);
        if (!folders) return NULL;
        places->folders = folders;
        places->folder_capacity = capacity;
    }
    struct folder *folder = &places->folders[places->folder_count++];
    *folder = (struct folder){.number = number};
    places->has_new = true;
    return folder;
}

static void add_name(struct tg_places *places, int number, const char *name)
{
    char text[NUMBER_BYTES + NAME_MAX + 1];
    struct tg_slice key = write_key(text, sizeof text, number, name);
    if (tg_map_get(&places->names, key)) return;
    key = tg_arena_copy(&places->arena, key);
    if (!key.data || tg_map_add(&places->names, key, places) != TG_OK) places->is_out_of_memory = true;
}

void tg_places_add(struct tg_places *places, const char *folder, const char *name)
{
    int number = inotify_add_watch(places->fd, folder, EVENTS | OWN_EVENTS | IN_ONLYDIR);
    if (number < 0) {
        places->is_full |= errno == ENOSPC;
        return; /* not there: the place above it is watched */
    }
    struct folder *watched = find(places, number);
    if (!watched) watched = add_folder(places, number);
    if (!watched) {
        inotify_rm_watch(places->fd, number);
        places->is_out_of_memory = true;
        return;
    }
    watched->is_kept = true;
    if (name)
        add_name(places, number, name);
    else
        watched->is_for_all = true;
}

enum tg_status tg_places_end(struct tg_places *places, bool *is_new)
{
    size_t kept = 0;
    for (size_t i = 0; i < places->folder_count; i++)
        if (places->folders[i].is_kept)
            places->folders[kept++] = places->folders[i];
        else
            inotify_rm_watch(places->fd, places->folders[i].number);
    places->folder_count = kept;
    if (is_new) *is_new = places->has_new;
    if (places->is_out_of_memory) return TG_E_NO_MEMORY;
    return places->is_full ? TG_E_FULL : TG_OK;
}

/* ---- life ---- */

enum tg_status tg_places_open(struct tg_places **out, struct tg_net_loop *loop, void (*woken)(void *user),
                              void *user, struct tg_error *error)
{
    struct tg_places *places = calloc(1, sizeof *places);
    if (!places) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    places->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    int failure = places->fd < 0 ? uv_translate_sys_error(errno)
                                 : uv_poll_init(tg_net_loop_uv(loop), &places->poll, places->fd);
    if (failure) {
        if (places->fd >= 0) close(places->fd);
        free(places);
        return tg_error_set(error, TG_E_IO, "files cannot be watched: %s", uv_strerror(failure));
    }
    places->poll.data = places;
    places->woken = woken;
    places->user = user;
    tg_arena_init(&places->arena, NAMES_KEEP_BYTES);
    tg_map_init(&places->names, tg_hash_seed_random());
    uv_poll_start(&places->poll, UV_READABLE, readable);
    *out = places;
    return TG_OK;
}

static void poll_closed(uv_handle_t *poll)
{
    free(poll->data);
}

void tg_places_close(struct tg_places *places)
{
    uv_close((uv_handle_t *)&places->poll, poll_closed);
    close(places->fd);
    free(places->folders);
    tg_map_deinit(&places->names);
    tg_arena_deinit(&places->arena);
}
