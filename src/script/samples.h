/* The values that a schema itself carries, its default and its examples: checked like what a script sends, at
 * load. */
#ifndef TG_SCRIPT_SAMPLES_H
#define TG_SCRIPT_SAMPLES_H

#include "script/world.h"
#include "wire/schema.h"

/* Checks the default and the examples of the node at `index`, whose schema is whole but for its default,
 * which is put in. What is wrong is raised at the line where the user wrote it. [-0, +0, e] */
void tg_compile_samples(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema);

#endif
