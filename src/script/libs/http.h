/* tide.http: requests to other servers, for which a task waits. lua/tidegate/http.lua checks what the user
 * gives. */
#ifndef TG_SCRIPT_LIBS_HTTP_H
#define TG_SCRIPT_LIBS_HTTP_H

#include "script/world.h"

/* Puts http_function and json_text into the library of the host, whose table is on top. [-0, +0, e] */
void tg_http_library_install(struct tg_world *world, lua_State *L);

#endif
