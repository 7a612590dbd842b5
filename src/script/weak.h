/* Tables in Lua's registry in which full userdata are found by an address, as long as somebody else has them.
 * A table is named by an address too, and made when it is first needed.
 */
#ifndef TG_SCRIPT_WEAK_H
#define TG_SCRIPT_WEAK_H

#include <lua.h>

/* Notes the userdata at `index` under `address`. [-0, +0, e] */
void tg_weak_note(lua_State *L, const void *table, int index, const void *address);

/* Pushes what stands under `address`; nil when it has gone, or nothing was ever noted. [-0, +1, -] */
void tg_weak_push(lua_State *L, const void *table, const void *address);

#endif
