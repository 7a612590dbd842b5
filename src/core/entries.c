#include "core/entries.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_kind(const char *path, mode_t kind)
{
    struct stat status;
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == kind;
}

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

bool tg_entries_may_be(const char *name)
{
    static const char *const reserved[] = {"tidegate.lua", "spec", "public", "consumers"};
    if (name[0] == '.') return false;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (strcmp(name, reserved[i]) == 0) return false;
    return true;
}

static int is_candidate(const struct dirent *entry)
{
    return tg_entries_may_be(entry->d_name);
}

static int byte_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The entry module that `name` stands for, if it does: TG_E_NOT_FOUND otherwise. */
static enum tg_status find_entry(struct tg_entry *entry, const char *folder, const char *name)
{
    size_t length = strlen(name);
    char *path = join(folder, name);
    if (!path) return TG_E_NO_MEMORY;
    if (length > 4 && strcmp(name + length - 4, ".lua") == 0 && is_kind(path, S_IFREG)) {
        length -= 4;
    } else {
        char *init = join(path, "init.lua");
        free(path);
        if (!init) return TG_E_NO_MEMORY;
        path = init;
    }
    bool is_found = is_kind(path, S_IFREG);
    *entry = (struct tg_entry){is_found ? strndup(name, length) : NULL, path};
    if (entry->name) return TG_OK;
    free(path);
    return is_found ? TG_E_NO_MEMORY : TG_E_NOT_FOUND;
}

enum tg_status tg_entries_find(struct tg_entries *entries, const char *folder)
{
    struct dirent **found;
    *entries = (struct tg_entries){0};
    int count = scandir(folder, &found, is_candidate, byte_order);
    if (count < 0) return errno == ENOMEM ? TG_E_NO_MEMORY : TG_E_IO;
    entries->items = calloc((size_t)count + 1, sizeof *entries->items);
    enum tg_status status = entries->items ? TG_OK : TG_E_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        if (status == TG_OK) status = find_entry(&entries->items[entries->count], folder, found[i]->d_name);
        if (status == TG_OK) entries->count++;
        if (status == TG_E_NOT_FOUND) status = TG_OK;
        free(found[i]);
    }
    free(found);
    return status;
}

void tg_entries_deinit(struct tg_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        free(entries->items[i].name);
        free(entries->items[i].path);
    }
    free(entries->items);
    *entries = (struct tg_entries){0};
}

char *tg_entries_folder(const char *application)
{
    char *inner = join(application, "consumers");
    if (!inner || is_kind(inner, S_IFDIR)) return inner;
    free(inner);
    return strdup(application);
}
