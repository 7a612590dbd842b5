/* tide.route: routes of plain HTTP requests, put into the registry as they are declared. */
#ifndef TG_SCRIPT_LIBS_ROUTE_H
#define TG_SCRIPT_LIBS_ROUTE_H

#include "script/world.h"

/* Adds the functions to the library table on top of the stack. [-0, +0, e] */
void tg_route_library_install(struct tg_world *world, lua_State *L);

#endif
