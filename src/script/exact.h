/* What scripts make, against its schema: nothing is coerced or trimmed, and what is wrong is told to a
 * programmer.
 *
 *     tg_exact_begin(&exact, world, arena);
 *     status = tg_validate(schema, value, path, &exact.validation);
 *     if (!tg_exact_end(&exact, world, L, status)) tg_exact_fail(world, L, &subject, "");
 */
#ifndef TG_SCRIPT_EXACT_H
#define TG_SCRIPT_EXACT_H

#include "script/to_value.h"
#include "wire/validate.h"

struct tg_exact {
    struct tg_issues
        issues; /* written into the world's scratch buffer, which nothing else may use meanwhile */
    struct tg_validation validation;
};

/* The value at `index` as a tree in the reading's arena. [-0, +0, e] */
struct tg_value *tg_exact_read(struct tg_world *world, lua_State *L, int index,
                               const struct tg_reading *reading);

void tg_exact_begin(struct tg_exact *exact, struct tg_world *world, struct tg_arena *arena);

/* Whether the value was right; what was not is in the world's scratch buffer. Raises the lack of memory.
 * [-0, +0, e] */
bool tg_exact_end(struct tg_exact *exact, struct tg_world *world, lua_State *L, enum tg_status status);

/* Raises what is in the scratch buffer, with `before` in front of it. */
_Noreturn void tg_exact_fail(struct tg_world *world, lua_State *L, const struct tg_subject *subject,
                             const char *before);

#endif
