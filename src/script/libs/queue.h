/* tide.queue(n): values from tasks that make them to tasks that use them, n of them at most between. */
#ifndef TG_SCRIPT_LIBS_QUEUE_H
#define TG_SCRIPT_LIBS_QUEUE_H

#include "script/world.h"

/* Adds `queue` to the table on top. [-0, +0, e] */
void tg_queue_library_install(struct tg_world *world, lua_State *L);

#endif
