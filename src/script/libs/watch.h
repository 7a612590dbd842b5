/* Changes of files, for tools written in Lua. Not for applications. */
#ifndef TG_SCRIPT_LIBS_WATCH_H
#define TG_SCRIPT_LIBS_WATCH_H

#include "script/world.h"

/* Adds `watch` to the table on top. [-0, +0, e] */
void tg_watch_library_install(struct tg_world *world, lua_State *L);

#endif
