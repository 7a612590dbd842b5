/* Takes what is secret out of a message that a client sent, before it is written down (`:secret()`).
 *
 * The message need not be valid. Whatever stands where a schema says nothing is taken out as well: a secret
 * under a misspelt name is one. So what stays is what was declared, and declared to be no secret.
 */
#ifndef TG_WIRE_REDACT_H
#define TG_WIRE_REDACT_H

#include "base/arena.h"
#include "base/status.h"
#include "wire/schema.h"
#include "wire/value.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether anything of the schema, however deep, is secret. True as well without memory to find out; `scratch`
 * is the caller's to reset. */
bool tg_schema_has_secret(const struct tg_schema *schema, struct tg_arena *scratch);

/* Changes the tree in place: secret values become stand-ins (stand_in.h), undeclared members are left out.
 * `*changes` counts both up. TG_E_NO_MEMORY: the tree is of no use any more. */
enum tg_status tg_redact(struct tg_value *value, const struct tg_schema *schema, enum tg_naming naming,
                         struct tg_arena *arena, uint32_t *changes);

#endif
