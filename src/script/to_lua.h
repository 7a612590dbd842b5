/* A tree of values to Lua: what handlers, checks and functions of defaults get to see.
 *
 * null is the light userdata NULL in Lua, as lua-cjson's cjson.null is.
 */
#ifndef TG_SCRIPT_TO_LUA_H
#define TG_SCRIPT_TO_LUA_H

#include "script/world.h"
#include "wire/value.h"

/* Pushes `value`. `refs` and `keys` are the stack indices of the world's refs and of its key table: keys with
 * an id are taken from there, so that they are not hashed again. Arrays get the world's array metatable, by
 * which an empty one stays an array. [-0, +1, e] */
void tg_push_value(lua_State *L, int refs, int keys, const struct tg_value *value);

#endif
