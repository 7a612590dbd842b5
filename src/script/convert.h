/* Values between the wire and Lua.
 *
 *     tg_push_value      a checked tree  -> a Lua value, for handlers
 *     tg_write_payload   a Lua value     -> JSON text along a schema, for clients
 *     tg_to_value        a Lua value     -> a tree, for what is declared (defaults, enum values)
 *
 * null is the light userdata NULL in Lua, as lua-cjson's cjson.null is.
 */
#ifndef TG_SCRIPT_CONVERT_H
#define TG_SCRIPT_CONVERT_H

#include "base/buf.h"
#include "script/world.h"
#include "wire/issue.h"
#include "wire/value.h"

/* Pushes `value`. `refs` and `keys` are the stack indices of the world's refs and of its key table: keys with
 * an id are taken from there, so that they are not hashed again. Arrays get the world's array metatable, by
 * which an empty one stays an array. [-0, +1, e] */
void tg_push_value(lua_State *L, int refs, int keys, const struct tg_value *value);

/* Appends the value at `index` as JSON, along `schema`. A value that does not fit the schema is raised
 * as an error that names its path: "payload.tags[2]: expected a string, got number". [-0, +0, e] */
void tg_write_payload(struct tg_world *world, lua_State *L, int index, int keys,
                      const struct tg_schema *schema, struct tg_slice name, struct tg_buf *out);

/* Copies the value at `index` into the registry's arena. What JSON cannot say is raised. [-0, +0, e] */
void tg_to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value);

/* Whether the table at `index` has the array metatable. [-0, +0, -] */
bool tg_is_marked_array(struct tg_world *world, lua_State *L, int index);

/* Gives the table on top the array metatable. [-0, +0, -] */
void tg_mark_array(struct tg_world *world, lua_State *L);

#endif
