/* Lua to a tree of values: what is declared (defaults, examples, enum values), and what a script sends, when
 * it is checked before it is written. */
#ifndef TG_SCRIPT_TO_VALUE_H
#define TG_SCRIPT_TO_VALUE_H

#include "script/table.h"
#include "wire/schema.h"
#include "wire/value.h"

struct tg_reading {
    struct tg_arena *arena; /* where the tree goes, texts included */
    /* Says whether an empty table is a list or an object; what it asks for is not checked. NULL: a table is
     * what it looks like, and an object when it is empty, unless it is marked (tide.array). */
    const struct tg_schema *schema;
    const struct tg_path *path; /* of the value; NULL: it has none */
    struct tg_subject subject;
};

/* Copies the value at `index`. What JSON cannot say is raised with its path: functions, NaN, keys that are no
 * strings, a table with items and names. No Lua code runs meanwhile. [-0, +0, e] */
void tg_to_value(struct tg_world *world, lua_State *L, int index, const struct tg_reading *reading,
                 struct tg_value *value);

#endif
