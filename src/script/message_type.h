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

enum tg_role {
    TG_ROLE_MESSAGE,
    TG_ROLE_GROUP_MESSAGE, /* says to each receiver whether it is its own */
    TG_ROLE_EVENT,         /* stays in the server */
};

struct tg_message_type {
    struct tg_slice action;
    struct tg_slice head;            /* {"action":"chat" */
    const struct tg_schema *payload; /* of kind TG_SCHEMA_NULL when there is none */
    struct tg_slice source;          /* file:line of the declaration */
    struct tg_slice clash;           /* why it has no names in camel case; data NULL: it has */
    enum tg_role role;
    int serialise; /* the script's function that makes what is written of a payload; 0: none */
    bool has_defaults;
};

/* Compiles the type table at `index` (fields action, schema, source, role, serialise) and pushes the function
 * that makes its instances: f(self, payload). [-0, +1, e] */
void tg_message_type_push_constructor(struct tg_world *world, lua_State *L, int index);

/* The type of the type table at `index`; raises when it is none. [-0, +0, e] */
const struct tg_message_type *tg_message_type_of_table(lua_State *L, int index);

/* The type of the instance at `index`; NULL for anything else. [-0, +0, -] */
const struct tg_message_type *tg_message_type_of_instance(lua_State *L, int index);

/* What the value at `index`, which is no instance, is, for an error: "a number", "the message type 'chat',
 * which has to be called". [-0, +1, e] */
const char *tg_message_type_push_misuse(lua_State *L, int index);

/* Raises when clients with `naming` cannot be told of the type's fields. [-0, +0, e] */
void tg_message_check_naming(lua_State *L, const struct tg_message_type *type, enum tg_naming naming);

/* Pushes what is written as the payload of the instance at `index`: runs `serialise`. [-0, +1, e] */
void tg_message_push_payload(struct tg_world *world, lua_State *L, int index,
                             const struct tg_message_type *type);

/* Appends the frame's text up to its payload, which lies at `index`: {"action":"chat","payload":{...}. Raises
 * what does not fit the schema. Runs no Lua code. [-0, +0, e] */
void tg_message_write_head(struct tg_world *world, lua_State *L, int index,
                           const struct tg_message_type *type, enum tg_naming naming, struct tg_buf *out);

/* The whole text, as a client gets it that was sent it alone. [-0, +0, e] */
void tg_message_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      enum tg_naming naming, const struct tg_ref *ref, struct tg_buf *out);

#endif
