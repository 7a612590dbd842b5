/* A child program that ends with this process, whatever ends it: the server of testing.server.
 *
 *     process:is_running() -> boolean
 *     process:output([offset]) -> what it has written so far, from there on: both its outputs, in one
 *     process:stop(seconds) -> status text   SIGTERM to its group; SIGKILL when that was not enough in time
 *     process:kill()        SIGKILL to its group
 *     process:pid() -> its id, 0 when it has ended
 */
#ifndef TG_KIT_WIRE_PROCESS_H
#define TG_KIT_WIRE_PROCESS_H

#include <lua.h>

/* wire.start (kit/wire.h). */
int tg_kit_wire_start(lua_State *L);

#endif
