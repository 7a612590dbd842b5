/* Schema nodes, which Lua declares as tables, to the tree that the validator runs. */
#ifndef TG_SCRIPT_COMPILE_H
#define TG_SCRIPT_COMPILE_H

#include "script/world.h"
#include "wire/schema.h"

/* Compiles the node at `index` into the registry's arena; nil is a schema of kind TG_SCHEMA_NULL. What
 * lua/tidegate/schema.lua let through but does not hold (a default that breaks its own schema) is raised
 * with its path. [-0, +0, e] */
const struct tg_schema *tg_compile_schema(struct tg_world *world, lua_State *L, int index);

#endif
