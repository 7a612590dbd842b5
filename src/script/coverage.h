/* Which lines of an application's Lua have run, counted by a hook.
 *
 * Hooks belong to coroutines, and a new one takes over that of the main thread or of its maker. So the hook
 * is set before anything else is made, and from then on counts in every coroutine of the state.
 */
#ifndef TG_SCRIPT_COVERAGE_H
#define TG_SCRIPT_COVERAGE_H

#include "base/arena.h"
#include "base/map.h"

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

struct tg_covered_file;
struct tg_covered_source;

struct tg_coverage {
    char *root; /* owned: files below this folder, the working one, count; NULL: it has not begun */
    struct tg_covered_file *files;  /* owned list */
    struct tg_map sources;          /* a chunk's name -> struct tg_covered_source */
    struct tg_arena arena;          /* of the sources and their names */
    struct tg_covered_source *last; /* that of the line before; NULL: none */
    bool has_failed;                /* there was no memory for a line */
};

/* Counts from now on, on `L` and its main thread, and on what they make. Zero-initialised before. [-0, +0, e]
 */
void tg_coverage_begin(struct tg_coverage *coverage, lua_State *L, const char *root);

/* Pushes { [path] = { [line] = times } }. [-0, +1, e] */
void tg_coverage_push(const struct tg_coverage *coverage, lua_State *L);

/* Pushes a list of the paths of which a line has run since the last call. [-0, +1, e] */
void tg_coverage_push_seen(struct tg_coverage *coverage, lua_State *L);

/* When no code runs any more. */
void tg_coverage_deinit(struct tg_coverage *coverage);

#endif
