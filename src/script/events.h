/* Sending events: tide.send_event, tide.broadcast_event. Those that come from outside: script/outside.h.
 *
 * What an event does at its receivers is core/event.h's affair; their handlers are run like those of
 * messages.
 */
#ifndef TG_SCRIPT_EVENTS_H
#define TG_SCRIPT_EVENTS_H

#include "script/world.h"

/* Adds send_event and broadcast_event to the library on top. [-0, +0, e] */
void tg_events_library_install(struct tg_world *world, lua_State *L);

#endif
