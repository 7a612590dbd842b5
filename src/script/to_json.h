/* A Lua value to JSON text along a schema, for clients.
 *
 * Types are checked, since the text depends on them; whatever else a schema asks for is not: that is the
 * affair of `validate_outgoing`.
 */
#ifndef TG_SCRIPT_TO_JSON_H
#define TG_SCRIPT_TO_JSON_H

#include "base/buf.h"
#include "script/table.h"
#include "wire/schema.h"

struct tg_writing {
    const struct tg_schema *schema; /* NULL: anything that JSON can say */
    enum tg_naming naming;          /* how the receiver reads the names of fields */
    bool has_extras; /* an object's undeclared keys are written too; what is none, is written as anything */
    struct tg_slice action; /* of the message, for errors */
};

/* Appends the value at `index`; `keys` is the stack index of the world's key table. What does not fit is
 * raised with its path: "chat: payload.tags[2]: expected a string, got number". No Lua code runs meanwhile.
 * [-0, +0, e] */
void tg_write_payload(struct tg_world *world, lua_State *L, int index, int keys,
                      const struct tg_writing *writing, struct tg_buf *out);

/* The same for any value that JSON can say and that belongs to no message; errors name `subject` and, for the
 * value itself, `name`: "consumers/chat.lua:7: tide.http.request: json.tags[2]: ...". [-0, +0, e] */
void tg_write_any(struct tg_world *world, lua_State *L, int index, const struct tg_subject *subject,
                  const char *name, struct tg_buf *out);

#endif
