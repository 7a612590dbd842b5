/* `require` of a world: the application's modules, tidegate's own, then what is installed. */
#ifndef TG_SCRIPT_REQUIRE_H
#define TG_SCRIPT_REQUIRE_H

#include "script/world.h"

#include <stdbool.h>

/* Puts `require` and `package` into the environment on top of the stack. [-0, +0, e] */
void tg_require_install(struct tg_world *world, lua_State *L);

/* Loads the file as the module `name` and pushes what it returns; as `require` does, a module is run
 * once and remembered. `display` is the chunk's name for people. [-0, +1, e] */
void tg_require_file(struct tg_world *world, lua_State *L, const char *name, const char *path);

#endif
