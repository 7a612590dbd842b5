/* tidegate.crypto's `hash_password` and `check`: what is slow on purpose is done on a thread of its own
 * (worker->hasher) while the task waits. Where nobody can wait, while loading or in `admit`, it is done at
 * once.
 */
#ifndef TG_SCRIPT_LIBS_PASSWORD_H
#define TG_SCRIPT_LIBS_PASSWORD_H

#include "script/world.h"

/* Adds both to the module on top. [-0, +0, e] */
void tg_password_install(struct tg_world *world, lua_State *L);

#endif
