/* coroutine.create, resume, wrap, yield, close, status of a world: as in the manual, but a wait of the host
 * inside a coroutine passes through whoever resumed it, so that the handler as a whole waits.
 */
#ifndef TG_SCRIPT_LIBS_COROUTINE_H
#define TG_SCRIPT_LIBS_COROUTINE_H

#include <lua.h>

#include <stdbool.h>

/* Replaces functions of the coroutine library on top. [-0, +0, e] */
void tg_coroutine_install(lua_State *L);

/* `thread` is parked: closes the <close> variables of the coroutines through which its wait has passed, the
 * innermost first. Its own are left. False: the watchdog stopped one. [-0, +0, -] */
bool tg_coroutine_unwind(lua_State *thread);

#endif
