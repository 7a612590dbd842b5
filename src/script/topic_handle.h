/* `sub`, the face of a subscription in Lua: a userdata that holds numbers, never a pointer.
 *
 * One handle per subscription, made when Lua first sees it. After the end its methods answer nil, "closed";
 * its topic, params, conn and state stay readable.
 */
#ifndef TG_SCRIPT_TOPIC_HANDLE_H
#define TG_SCRIPT_TOPIC_HANDLE_H

#include "core/topic.h"
#include "script/world.h"

/* Makes the metatable. [-0, +0, e] */
void tg_topic_handle_install(struct tg_world *world, lua_State *L);

/* Pushes the handle of the subscription. [-0, +1, e] */
void tg_topic_handle_push(struct tg_world *world, lua_State *L, struct tg_subscription *subscription);

#endif
