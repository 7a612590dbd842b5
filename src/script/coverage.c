/* A source is looked up by its text, since its address may be another's after a collection; most lines have
 * the source of the line before. One file may be loaded under several names: their counts are one. */
#include "script/coverage.h"

#include "script/world.h"

#include <lauxlib.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tg_covered_file {
    struct tg_covered_file *next;
    char *path;       /* owned */
    uint64_t *counts; /* owned; by line */
    int lines;        /* that `counts` has room for */
    bool is_seen;
};

struct tg_covered_source {
    const char *name;
    struct tg_covered_file *file; /* NULL: it does not count */
};

/* Whose hook runs on this thread. Rule zero: Lua gives a hook no context, and one that were looked up in the
 * registry would cost as much again for each line. */
static _Thread_local struct tg_coverage *counting;

/* ---- files ---- */

static struct tg_covered_file *find_file(struct tg_coverage *coverage, const char *path)
{
    for (struct tg_covered_file *file = coverage->files; file; file = file->next)
        if (strcmp(file->path, path) == 0) return file;
    struct tg_covered_file *file = calloc(1, sizeof *file);
    if (file) file->path = strdup(path);
    if (!file || !file->path) {
        free(file);
        return NULL;
    }
    file->next = coverage->files;
    coverage->files = file;
    return file;
}

static bool is_below(const struct tg_coverage *coverage, const char *path)
{
    size_t length = strlen(coverage->root);
    return strncmp(path, coverage->root, length) == 0 && path[length] == '/';
}

/* Whether a file that lies elsewhere is linked into the folder: `name` becomes the path that it has there. */
static bool is_linked(const struct tg_coverage *coverage, const char *name, char path[PATH_MAX])
{
    while (strncmp(name, "./", 2) == 0) name += 2;
    if (strstr(name, "../")) return false;
    int length = *name == '/' ? snprintf(path, PATH_MAX, "%s", name)
                              : snprintf(path, PATH_MAX, "%s/%s", coverage->root, name);
    return length < PATH_MAX && is_below(coverage, path);
}

/* Notes the file of a chunk that is called `name`. False without memory. */
static bool find_source(struct tg_coverage *coverage, struct tg_covered_source *source, const char *name)
{
    char path[PATH_MAX];
    source->name = name;
    source->file = NULL;
    if (*name != '@' || !realpath(name + 1, path)) return true;
    if (!is_below(coverage, path) && !is_linked(coverage, name + 1, path)) return true;
    source->file = find_file(coverage, path);
    return source->file != NULL;
}

/* NULL without memory. */
static struct tg_covered_source *look_up(struct tg_coverage *coverage, const char *text)
{
    struct tg_slice name = tg_slice_of(text);
    struct tg_covered_source *source = tg_map_get(&coverage->sources, name);
    if (source) return source;
    name = tg_arena_copy(&coverage->arena, name);
    source = tg_arena_alloc(&coverage->arena, sizeof *source);
    if (!name.data || !source || !find_source(coverage, source, name.data)) return NULL;
    return tg_map_add(&coverage->sources, name, source) == TG_OK ? source : NULL;
}

/* ---- counting ---- */

static bool make_room(struct tg_covered_file *file, int line)
{
    if (line < file->lines) return true;
    int lines = line < 128 ? 256 : line * 2;
    uint64_t *counts = realloc(file->counts, (size_t)lines * sizeof *counts);
    if (!counts) return false;
    memset(counts + file->lines, 0, (size_t)(lines - file->lines) * sizeof *counts);
    file->counts = counts;
    file->lines = lines;
    return true;
}

/* The hook. */
static void count_line(lua_State *L, lua_Debug *debug)
{
    struct tg_coverage *coverage = counting;
    if (!coverage) return;
    int line = debug->currentline;
    lua_getinfo(L, "S", debug);
    if (!coverage->last || strcmp(coverage->last->name, debug->source) != 0)
        coverage->last = look_up(coverage, debug->source);
    if (coverage->last && !coverage->last->file) return;
    if (line < 1 || !coverage->last || !make_room(coverage->last->file, line)) {
        coverage->has_failed = true;
        return;
    }
    coverage->last->file->counts[line]++;
    coverage->last->file->is_seen = true;
}

void tg_coverage_begin(struct tg_coverage *coverage, lua_State *L, const char *root)
{
    coverage->root = tg_world_check_memory(L, strdup(root));
    tg_map_init(&coverage->sources, tg_hash_seed_random());
    tg_arena_init(&coverage->arena, 0);
    counting = coverage;
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    lua_sethook(lua_tothread(L, -1), count_line, LUA_MASKLINE, 0);
    lua_pop(L, 1);
    lua_sethook(L, count_line, LUA_MASKLINE, 0);
}

/* ---- telling ---- */

void tg_coverage_push(const struct tg_coverage *coverage, lua_State *L)
{
    lua_newtable(L);
    for (const struct tg_covered_file *file = coverage->files; file; file = file->next) {
        lua_newtable(L);
        for (int line = 1; line < file->lines; line++) {
            if (file->counts[line] == 0) continue;
            lua_pushinteger(L, (lua_Integer)file->counts[line]);
            lua_rawseti(L, -2, line);
        }
        lua_setfield(L, -2, file->path);
    }
}

void tg_coverage_push_seen(struct tg_coverage *coverage, lua_State *L)
{
    lua_newtable(L);
    for (struct tg_covered_file *file = coverage->files; file; file = file->next) {
        if (!file->is_seen) continue;
        file->is_seen = false;
        lua_pushstring(L, file->path);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
}

void tg_coverage_deinit(struct tg_coverage *coverage)
{
    if (counting == coverage) counting = NULL;
    for (struct tg_covered_file *file; (file = coverage->files);) {
        coverage->files = file->next;
        free(file->path);
        free(file->counts);
        free(file);
    }
    tg_map_deinit(&coverage->sources);
    tg_arena_deinit(&coverage->arena);
    free(coverage->root);
}
