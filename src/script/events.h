/* Sending events: tide.send_event, tide.broadcast_event, and those that come from outside as JSON.
 *
 * What an event does at its receivers is core/event.h's affair; their handlers are run like those of
 * messages.
 */
#ifndef TG_SCRIPT_EVENTS_H
#define TG_SCRIPT_EVENTS_H

#include "core/layer.h"
#include "script/task.h"
#include "wire/issue.h"
#include "wire/value.h"

/* Adds send_event and broadcast_event to the library on top. [-0, +0, e] */
void tg_events_library_install(struct tg_world *world, lua_State *L);

/* core/script.h says what for. */
enum tg_status tg_events_publish_outside(struct tg_task_pool *pool, struct tg_value *event,
                                         struct tg_arena *arena, struct tg_publication *publication,
                                         struct tg_issues *issues, uint64_t *receivers);

#endif
