/* Which of several schemas a Lua value is meant to follow: the choice that writing it and filling it need. */
#ifndef TG_SCRIPT_BRANCH_H
#define TG_SCRIPT_BRANCH_H

#include "script/to_value.h"

/* The schema that a chain of references ends at. */
static inline const struct tg_schema *tg_schema_follow(const struct tg_schema *schema)
{
    while (schema->kind == TG_SCHEMA_REF) schema = schema->ref.target;
    return schema;
}

/* The first branch of `alternatives`, a union, that accepts the value at `index`; where the types leave one
 * branch only, that one. NULL: none does. `reading` says the rest; its schema is not read. No Lua code runs
 * meanwhile. [-0, +0, e] */
const struct tg_schema *tg_union_branch(struct tg_world *world, lua_State *L, int index,
                                        const struct tg_schema *alternatives,
                                        const struct tg_reading *reading);

/* The branch of a tagged union that the table at `index` names by its tag; NULL: none. `keys` is the stack
 * index of the world's key table. [-0, +0, -] */
const struct tg_schema *tg_tagged_branch(lua_State *L, int index, int keys, const struct tg_schema *tagged);

#endif
