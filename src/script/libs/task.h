/* tide.sleep, tide.spawn and what else makes tasks and waits for them; lua/tidegate/task.lua makes the rest
 * of them.
 *
 * A task that Lua has spawned is a handle, which outlives it and keeps what it returned.
 */
#ifndef TG_SCRIPT_LIBS_TASK_H
#define TG_SCRIPT_LIBS_TASK_H

#include "script/task.h"

/* Adds the functions to the table on top. [-0, +0, e] */
void tg_task_library_install(struct tg_world *world, lua_State *L);

/* The seconds at `index`, at most a century, in milliseconds, rounded up; raises what is none. [-0, +0, e] */
uint64_t tg_check_seconds(lua_State *L, int index);

/* When to stop waiting: the seconds at `index` from now; TG_NEVER when there are none. [-0, +0, e] */
uint64_t tg_check_deadline(lua_State *L, int index);

/* Spawns the function that lies below its `arguments`, and pushes its handle. `ended` is called
 * with `context` when it is over; NULL: nobody wants to know. [-(arguments + 1), +1, e] */
void tg_spawn(lua_State *L, struct tg_task_pool *pool, int arguments, void (*ended)(void *context),
              void *context);

#endif
