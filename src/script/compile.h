/* Schema nodes, which Lua declares as tables, to the graph that the validator runs. */
#ifndef TG_SCRIPT_COMPILE_H
#define TG_SCRIPT_COMPILE_H

#include "script/world.h"
#include "wire/schema.h"

struct tg_compiled {
    const struct tg_schema *schema;
    struct tg_slice clash; /* two fields that camel case makes one, in words; data NULL: there are none */
    bool has_defaults;     /* somewhere in it */
};

/* Compiles the node at `index` into the registry's arena; nil is a schema of kind TG_SCHEMA_NULL. Each node
 * is compiled once, however often it stands in the schema; references are resolved. What
 * lua/tidegate/schema.lua let through but does not hold (a pattern, a reference to itself) is raised; a
 * default or an example that breaks its own schema as "FILE:LINE: :default: value: ...". [-0, +0, e] */
struct tg_compiled tg_compile_schema(struct tg_world *world, lua_State *L, int index);

#endif
