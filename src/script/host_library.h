/* The module "tidegate.host": what C does for lua/tidegate. Not for users. */
#ifndef TG_SCRIPT_HOST_LIBRARY_H
#define TG_SCRIPT_HOST_LIBRARY_H

#include "script/world.h"

/* Puts the module among the world's loaded ones. [-0, +0, e] */
void tg_host_library_install(struct tg_world *world, lua_State *L);

/* The declaration at `index` has been returned by its module. [-0, +0, e] */
void tg_declared_forget(struct tg_world *world, lua_State *L, int index);

/* Whether this is what `visible` makes: it waits when what it calls waits. */
bool tg_is_visible_call(lua_CFunction function);

#endif
