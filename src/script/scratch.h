/* Memory for as long as one C function runs, whatever Lua raises meanwhile: a box that Lua closes.
 *
 * For trees, paths and texts that must outlive a call of Lua code. What runs none meanwhile can use the
 * world's own arena and buffer.
 */
#ifndef TG_SCRIPT_SCRATCH_H
#define TG_SCRIPT_SCRATCH_H

#include "script/world.h"

struct tg_scratch {
    struct tg_arena arena;
    struct tg_buf text;
};

/* Pushes the box, which must not be moved, and returns what is in it: gone when the running C function
 * returns or an error leaves it. [-0, +1, e] */
struct tg_scratch *tg_scratch_push(struct tg_world *world, lua_State *L);

/* Closes the box, which lies on top, and pops it. Not by lua_settop: in Lua 5.4.4 that goes on with a stack
 * that closing may have moved. [-1, +0, -] */
void tg_scratch_pop(lua_State *L);

/* Makes the metatable of boxes. [-0, +0, e] */
void tg_scratch_install(struct tg_world *world, lua_State *L);

#endif
