/* A value against a schema, before any Lua table exists.
 *
 * All that is wrong is reported, in document order; the missing fields of an object come first, in
 * the order of their declaration. A value that is right is left ready for conversion:
 *   - members of declared fields carry their `key_id`; undeclared ones are dropped unless allowed,
 *   - absent fields with a default are added,
 *   - 1.0 where an integer is declared has become the integer 1, strings are trimmed, scalars coerced,
 *   - values of secret schemas are marked (is_secret).
 * What only the script can do, it finds in a list afterwards.
 */
#ifndef TG_WIRE_VALIDATE_H
#define TG_WIRE_VALIDATE_H

#include "base/arena.h"
#include "base/status.h"
#include "wire/issue.h"
#include "wire/schema.h"
#include "wire/value.h"

/* Something that the script has to do for a value that C found right: to make a default that a function
 * makes, or to run its own checks. In document order; a node comes after what is inside it. */
struct tg_call {
    const struct tg_call *next;
    const struct tg_schema *schema;
    const struct tg_path *path; /* in the arena; of the value, or of the absent field */
    bool is_default;            /* else a check */
};

/* One validation: the caller fills the first part. */
struct tg_validation {
    struct tg_arena *arena;   /* where defaults, coerced values and calls go */
    struct tg_issues *issues; /* where what is wrong goes */
    enum tg_naming naming;    /* how the sender writes the names of fields */
    bool is_exact;            /* nothing is coerced or trimmed: the value is one of our own scripts, whose
                               * empty tables are arrays as well as objects */
    uint32_t max_steps;       /* setting max_check_steps: of one pattern, and of all that the unions which
                               * stand inside unions look at (0: the pattern's own, and none) */

    const struct tg_call *calls; /* out: the first; NULL: none */
    bool has_hit_steps;          /* out: max_steps were not enough */
};

/* Checks and prepares `value` in place. `path` is where it lies in the message.
 * TG_OK: right. TG_E_INVALID: `issues` has what is wrong, and the value may be half prepared.
 * TG_E_NO_MEMORY: the arena or the issues' buffer ran out.
 * The value's depth is bounded by the parser's max_depth; its schema's cycles end with the value. */
enum tg_status tg_validate(const struct tg_schema *schema, struct tg_value *value, const struct tg_path *path,
                           struct tg_validation *validation);

/* The payload of a message, where absent (NULL) and null are the same: a schema that allows null, is
 * optional or has a default can do without; for any other it is missing. A default comes before null: a
 * constant one becomes `*payload`; one that a function makes is a call whose path is `path`. */
enum tg_status tg_validate_payload(const struct tg_schema *schema, struct tg_value **payload,
                                   const struct tg_path *path, struct tg_validation *validation);

#endif
