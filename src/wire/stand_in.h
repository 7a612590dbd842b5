/* A value that may be shown, in the place of one that may not (`:secret()`).
 *
 * It keeps what matters to a program that gets it again: a text stays as long as it was, and where the schema
 * asks for a format, a number or a choice the stand-in is one. What cannot be kept: the syntax of a pattern
 * that neither repeated letters nor the schema's default have, and items that must differ from each other.
 */
#ifndef TG_WIRE_STAND_IN_H
#define TG_WIRE_STAND_IN_H

#include "base/arena.h"
#include "base/status.h"
#include "wire/schema.h"
#include "wire/value.h"

/* Replaces `value`. A value of another type than the schema's stays one of its own type: what was refused is
 * refused again. `schema` NULL: nothing is known of it. TG_E_NO_MEMORY. */
enum tg_status tg_stand_in(struct tg_value *value, const struct tg_schema *schema, enum tg_naming naming,
                           struct tg_arena *arena);

#endif
