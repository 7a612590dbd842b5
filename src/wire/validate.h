/* A value against a schema, before any Lua table exists.
 *
 * All that is wrong is reported, in document order; the missing fields of an object come first, in
 * the order of their declaration. A value that is right is left ready for conversion:
 *   - members of declared fields carry their `key_id`; undeclared ones are dropped unless allowed,
 *   - absent fields with a default are added,
 *   - 1.0 where an integer is declared has become the integer 1.
 */
#ifndef TG_WIRE_VALIDATE_H
#define TG_WIRE_VALIDATE_H

#include "base/arena.h"
#include "base/status.h"
#include "wire/issue.h"
#include "wire/schema.h"
#include "wire/value.h"

/* Checks and prepares `value` in place. `path` is where it lies in the message.
 * TG_OK: right. TG_E_INVALID: `issues` has what is wrong, and the value may be half prepared.
 * TG_E_NO_MEMORY: the arena or the issues' buffer ran out.
 * The schema's depth is bounded by its declaration, the value's by the parser's max_depth. */
enum tg_status tg_validate(const struct tg_schema *schema, struct tg_value *value, const struct tg_path *path,
                           struct tg_arena *arena, struct tg_issues *issues);

#endif
