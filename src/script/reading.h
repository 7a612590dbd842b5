/* The files that loading reads, noted in world->files where there is one: modules, what was looked for before
 * them, and what they open themselves.
 */
#ifndef TG_SCRIPT_READING_H
#define TG_SCRIPT_READING_H

#include "script/world.h"

/* Notes what lies at `path`, before it is looked for or read. [-0, +0, e] */
void tg_reading_look(struct tg_world *world, lua_State *L, const char *path);

/* Pushes the whole file and notes it; a failure is raised with the system's reason. [-0, +1, e] */
void tg_reading_push_file(struct tg_world *world, lua_State *L, const char *path);

/* Has the functions of `io`, whose table is on top, note what they open for reading. [-0, +0, e] */
void tg_reading_install(struct tg_world *world, lua_State *L);

#endif
