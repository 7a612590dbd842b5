/* A link over a real socket: the methods of the links of an application inside this process, with net/client
 * behind them. What the server does wrong is raised where the link is used.
 *
 *     link:send(kind, bytes)           "text", "binary", "ping"
 *     link:fragment(kind, bytes, is_final)   "text", "binary", "continuation"
 *     link:take() -> nil | { kind=, data=, code=, reason=, at= }
 *     link:wait(seconds) -> boolean
 *     link:close(code, reason)  link:drop()  link:stall()  link:resume()  link:port()
 *
 * Other fields may be written into it.
 */
#ifndef TG_KIT_WIRE_LINK_H
#define TG_KIT_WIRE_LINK_H

#include <lua.h>

/* wire.connect (kit/wire.h). */
int tg_kit_wire_connect(lua_State *L);

#endif
