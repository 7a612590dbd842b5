/* The options of scalars in the nodes of Lua; and how compile.c reads its own. */
#ifndef TG_SCRIPT_SCALARS_H
#define TG_SCRIPT_SCALARS_H

#include "script/world.h"
#include "wire/schema.h"

/* Field `name` of the node at `index`, a count that may be absent. [-0, +0, e] */
uint32_t tg_get_count(lua_State *L, int index, const char *name, uint32_t otherwise);

/* Pushes the text under `name`; data NULL when there is none. [-0, +1, e] */
struct tg_slice tg_push_text(lua_State *L, int index, const char *name);

/* Fill a schema of their kind from the node at `index`. A pattern that is none is raised. [-0, +0, e] */
void tg_compile_string(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema);
void tg_compile_integer(lua_State *L, int index, struct tg_schema *schema);
void tg_compile_number(lua_State *L, int index, struct tg_schema *schema);

#endif
