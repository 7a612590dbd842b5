/* Lua tables as JSON sees them: what writing them and reading them into a tree have in common.
 *
 * All access is raw: no metamethod of the user's runs.
 */
#ifndef TG_SCRIPT_TABLE_H
#define TG_SCRIPT_TABLE_H

#include "script/world.h"
#include "wire/issue.h"

/* A table that holds itself would never end: what a client may not send, we do not send either. */
enum { TG_TABLE_MAX_DEPTH = 512 };

/* What a value belongs to, for errors. */
struct tg_subject {
    struct tg_slice name; /* the message's action; or "FILE:LINE: :default", and then the place is known */
    bool has_place;
};

/* Whether the value at `index` is nil or null. [-0, +0, -] */
static inline bool tg_is_null(lua_State *L, int index)
{
    return lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index));
}

/* Whether the table at `index` has the array metatable. [-0, +0, -] */
bool tg_is_marked_array(struct tg_world *world, lua_State *L, int index);

/* Gives the table on top the array metatable. [-0, +0, -] */
void tg_mark_array(struct tg_world *world, lua_State *L);

/* The keys of the table at `index` in byte order, in the arena; the table keeps the texts alive. A key that
 * is no string of UTF-8 is raised. The collector must stand still until the keys have been used. [-0, +0, e]
 */
struct tg_slice *tg_table_keys(struct tg_world *world, lua_State *L, int index, struct tg_arena *arena,
                               const struct tg_subject *subject, const struct tg_path *path, uint32_t *count);

/* Raises when the table at `index`, which has items, has names as well. [-0, +0, e] */
void tg_table_check_sequence(struct tg_world *world, lua_State *L, int index,
                             const struct tg_subject *subject, const struct tg_path *path);

/* Raises "PLACE: SUBJECT: PATH: text", where the place is the line of whoever called the running function.
 * Lets the collector run again. [-0, +0, e] */
_Noreturn void tg_fail_at(struct tg_world *world, lua_State *L, const struct tg_subject *subject,
                          const struct tg_path *path, const char *text);

/* The same: "expected a string, got number", of the value at `index`. */
_Noreturn void tg_fail_type_at(struct tg_world *world, lua_State *L, const struct tg_subject *subject,
                               const struct tg_path *path, const char *expected, int index);

#endif
