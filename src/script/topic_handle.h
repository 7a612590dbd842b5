/* `sub`, the face of a subscription in Lua: a userdata that holds numbers, never a pointer.
 *
 * One handle per subscription, made when Lua first sees it. After the end its methods answer nil, "closed";
 * its topic, params, conn and state stay readable. When its connection moves to another generation, the state
 * is that one's.
 */
#ifndef TG_SCRIPT_TOPIC_HANDLE_H
#define TG_SCRIPT_TOPIC_HANDLE_H

#include "core/topic.h"
#include "script/world.h"

/* Makes the metatable. [-0, +0, e] */
void tg_topic_handle_install(struct tg_world *world, lua_State *L);

/* Pushes the handle of the subscription. [-0, +1, e] */
void tg_topic_handle_push(struct tg_world *world, lua_State *L, struct tg_subscription *subscription);

/* Pushes the state of the handle at `index`. [-0, +1, -] */
void tg_topic_handle_push_state(lua_State *L, int index);

/* The table on top becomes the state of the handle at `index`. [-1, +0, e] */
void tg_topic_handle_set_state(lua_State *L, int index);

/* The handle at `index` is not the subscription's any more, nor is the state. [-0, +0, -] */
void tg_topic_handle_retire(lua_State *L, int index);

#endif
