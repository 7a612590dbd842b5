/* Where the user's code stands: the line that a person is told of. */
#ifndef TG_SCRIPT_PLACE_H
#define TG_SCRIPT_PLACE_H

#include <lua.h>

#include <stdbool.h>

/* Finds the innermost Lua function of the thread that is not tidegate's own, from `level` outwards, and fills
 * the fields of "Sl". False: there is none. Allocates nothing. [-0, +0, -] */
bool tg_place_find(lua_State *L, int level, lua_Debug *debug);

/* Pushes "chat.lua:12", or "?", for a C function that Lua code has called. [-0, +1, e] */
void tg_place_push(lua_State *L);

/* Pushes "chat.lua:12: ", or nothing to see where no code of the user's has called. [-0, +1, e] */
void tg_place_push_prefix(lua_State *L);

/* Pushes what the value at `index` is, for "got ...": "nothing", "a string", "a tidegate.consumer".
 * [-0, +1, e] */
const char *tg_place_push_kind(lua_State *L, int index);

/* luaL_error for what Lua code of ours, or a wrapper of C, may have called: the line is the user's.
 * [-0, +0, e] */
_Noreturn int tg_place_error(lua_State *L, const char *format, ...);

#endif
