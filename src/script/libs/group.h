/* tide.broadcast, tide.group, tide.user: groups and users from anywhere in the code. */
#ifndef TG_SCRIPT_LIBS_GROUP_H
#define TG_SCRIPT_LIBS_GROUP_H

#include "script/world.h"

/* Adds them to the library on top. [-0, +0, e] */
void tg_group_library_install(struct tg_world *world, lua_State *L);

#endif
