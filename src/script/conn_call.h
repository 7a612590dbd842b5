/* conn:call: a question to the client, and the wait for its answer. */
#ifndef TG_SCRIPT_CONN_CALL_H
#define TG_SCRIPT_CONN_CALL_H

#include "script/world.h"

/* Makes the metatable of what waits. [-0, +0, e] */
void tg_conn_call_install(struct tg_world *world, lua_State *L);

/* conn:call(message [, { timeout = }]) -> payload | nil, "timeout" | "closed" | "busy" | "full"; a method of
 * the handle. */
int tg_conn_call(lua_State *L);

#endif
