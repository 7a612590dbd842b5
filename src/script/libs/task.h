/* tide.sleep, tide.spawn and what else makes tasks and waits for them; see lua/tidegate/task.lua. */
#ifndef TG_SCRIPT_LIBS_TASK_H
#define TG_SCRIPT_LIBS_TASK_H

#include "script/world.h"

/* Adds the functions to the table on top. [-0, +0, e] */
void tg_task_library_install(struct tg_world *world, lua_State *L);

/* The seconds at `index`, at most a century, in milliseconds, rounded up; raises what is none. [-0, +0, e] */
uint64_t tg_check_seconds(lua_State *L, int index);

#endif
