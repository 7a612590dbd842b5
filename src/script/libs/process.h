/* tide.process: programs that a handler runs and waits for. */
#ifndef TG_SCRIPT_LIBS_PROCESS_H
#define TG_SCRIPT_LIBS_PROCESS_H

#include "script/world.h"

/* Puts process_run into the library of the host, whose table is on top. [-0, +0, e] */
void tg_process_library_install(struct tg_world *world, lua_State *L);

#endif
