/* What only Lua can do for a payload that C found right: to make the defaults that functions make, and to run
 * the checks of the user's.
 *
 * Both are called where nothing may wait. A check that is not content is an issue, reported in document
 * order; a check that raises, or a default that does not fit its own schema, is the failure of whoever asked.
 */
#ifndef TG_SCRIPT_PAYLOAD_H
#define TG_SCRIPT_PAYLOAD_H

#include "script/world.h"
#include "wire/validate.h"

struct tg_payload_work {
    struct tg_world *world;
    struct tg_arena *arena;   /* for what defaults return; outlives the work */
    struct tg_issues *issues; /* what checks said; NULL: it is raised, as `source`'s mistake */
    const char *source;       /* "FILE:LINE: :default" */
    int holder;               /* stack index of a table whose `payload` is what the paths begin at */
    bool skips_defaults;      /* they are not made, and nothing around them is checked */
};

/* Runs the calls that a validation left behind, and puts defaults into their places. A check does not run
 * when one inside its value was not content. [-0, +0, e] */
void tg_payload_work(const struct tg_payload_work *asked, lua_State *L, const struct tg_call *calls);

/* Pushes what the function of a default makes, checked against the schema. [-0, +1, e] */
void tg_payload_push_default(struct tg_world *world, lua_State *L, const struct tg_schema *schema,
                             struct tg_arena *arena);

#endif
