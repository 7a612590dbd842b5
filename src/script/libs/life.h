/* tide.on_start and tide.on_stop: the frame of a generation.
 *
 * What was declared is run by tasks of the generation: the starting ones before anything that was spawned
 * while modules loaded.
 */
#ifndef TG_SCRIPT_LIBS_LIFE_H
#define TG_SCRIPT_LIBS_LIFE_H

#include "script/task.h"

/* Adds the functions to the table on top. [-0, +0, e] */
void tg_life_library_install(struct tg_world *world, lua_State *L);

/* Makes the hooks of on_start ready, in front of what is ready already. TG_E_NO_MEMORY: not all of them. */
enum tg_status tg_life_start(struct tg_task_pool *pool);

/* The same with those of on_stop, which get `reason`. Each calls `ended` once, also when it is cancelled.
 * `*count`: how many there are. */
enum tg_status tg_life_stop(struct tg_task_pool *pool, const char *reason, void (*ended)(void *context),
                            void *context, uint32_t *count);

#endif
