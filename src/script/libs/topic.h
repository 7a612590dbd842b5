/* What a topic does from anywhere: Topic:count, :broadcast, :broadcast_event, for lua/tidegate/topic.lua. */
#ifndef TG_SCRIPT_LIBS_TOPIC_H
#define TG_SCRIPT_LIBS_TOPIC_H

#include "script/world.h"

/* Adds the functions to the table on top. [-0, +0, e] */
void tg_topic_library_install(struct tg_world *world, lua_State *L);

#endif
