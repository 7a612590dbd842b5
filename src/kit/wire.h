/* What the kit does over real sockets, for testing.server: the table `wire` of the module.
 *
 *     wire.connect{ host=, port=, target=, headers={{name,value},...}, timeout=, receive_bytes=, seed=,
 * began= }
 *         -> link | nil, status, body, headers | nil, nil, reason
 *     wire.start{ program=, arguments={...}, environment={"NAME=VALUE",...} } -> process | nil, reason
 *     wire.folder() -> the folder of the module's own file | nil
 *     wire.environment() -> { "NAME=VALUE", ... } of this process
 *     wire.sleep(seconds)   of real time; a signal does not shorten it
 *     wire.now()            seconds of the monotonic clock
 *     wire.base64(text) -> the bytes that it stands for | nil
 */
#ifndef TG_KIT_WIRE_H
#define TG_KIT_WIRE_H

#include <lua.h>

/* [-0, +1, m] Pushes the table. */
void tg_kit_push_wire(lua_State *L);

#endif
