/* Message types: what `tide.message` declares, and the instances that a type makes when it is called.
 *
 * An instance is a userdata that holds its payload and knows its type: `message.payload` and `message.action`
 * read it. Its text is written straight into a client's outbox.
 */
#ifndef TG_SCRIPT_MESSAGE_TYPE_H
#define TG_SCRIPT_MESSAGE_TYPE_H

#include "base/buf.h"
#include "script/world.h"
#include "wire/message.h"

struct tg_message_type {
    struct tg_slice action;
    struct tg_slice head;            /* {"action":"chat" */
    const struct tg_schema *payload; /* of kind TG_SCHEMA_NULL when there is none */
    struct tg_slice source;          /* file:line of the declaration */
};

/* Compiles the type table at `index` (fields action, schema, source) and pushes the function that makes
 * its instances: f(self, payload). [-0, +1, e] */
void tg_message_type_push_constructor(struct tg_world *world, lua_State *L, int index);

/* The type of the type table at `index`; raises when it is none. [-0, +0, e] */
const struct tg_message_type *tg_message_type_of_table(lua_State *L, int index);

/* The type of the instance at `index`; NULL for anything else. [-0, +0, -] */
const struct tg_message_type *tg_message_type_of_instance(lua_State *L, int index);

/* What the value at `index`, which is no instance, is, for an error: "a number", "the message type 'chat',
 * which has to be called". [-0, +1, e] */
const char *tg_message_type_push_misuse(lua_State *L, int index);

/* Appends the frame's text for the instance at `index`. Raises what does not fit the schema. [-0, +0, e] */
void tg_message_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      const struct tg_ref *ref, struct tg_buf *out);

#endif
