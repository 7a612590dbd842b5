/* Handles: userdata that stand for something of core's and hold its numbers, never a pointer to it. One for
 * each thing, made when Lua first sees it, and kept under a reference that the thing has.
 *
 *     if (tg_handle_push_kept(world, L, conn->script_ref)) return;
 *     struct handle *handle = tg_handle_new(world, L, &kind, sizeof *handle);
 *     ...
 *     conn->script_ref = tg_handle_keep(world, L);
 */
#ifndef TG_SCRIPT_HANDLE_H
#define TG_SCRIPT_HANDLE_H

#include "script/world.h"

#include <lauxlib.h>

struct tg_handle_kind {
    const char *name;       /* "tidegate.conn" */
    enum tg_world_ref meta; /* of its metatable, which holds the world */
    const char *misuse;     /* what a method says that was not called on one */
    const luaL_Reg *methods;
    lua_CFunction index; /* reads what is no method; upvalue 1 are the methods */
    lua_CFunction newindex, tostring;
};

/* Makes the metatable. [-0, +0, e] */
void tg_handle_install(struct tg_world *world, lua_State *L, const struct tg_handle_kind *kind);

/* The handle at `index`; NULL: the value is none of this kind. [-0, +0, -] */
void *tg_handle_to(lua_State *L, int index, const struct tg_handle_kind *kind);

/* For methods: the handle at 1; raises when there is none. [-0, +0, e] */
void *tg_handle_check(lua_State *L, const struct tg_handle_kind *kind);

/* Pushes what is kept under `ref`; false, and nothing, when that is 0. [-0, +1|0, -] */
bool tg_handle_push_kept(struct tg_world *world, lua_State *L, int ref);

/* Pushes a new handle with one user value. [-0, +1, e] */
void *tg_handle_new(struct tg_world *world, lua_State *L, const struct tg_handle_kind *kind, size_t bytes);

/* Keeps the handle on top, which stays there, and returns its reference. [-0, +0, e] */
int tg_handle_keep(struct tg_world *world, lua_State *L);

#endif
