/* What a payload must look like: a tree that the validator runs and the script fills.
 *
 * Built once at load by the script layer, in the arena of its generation, and constant afterwards.
 * The unions hold the constraints of one kind each; all limits are inclusive, and a limit that was
 * not declared holds the widest value (0, SIZE_MAX, INT64_MIN, ...), so that checking needs no flag.
 */
#ifndef TG_WIRE_SCHEMA_H
#define TG_WIRE_SCHEMA_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "wire/value.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_schema_kind {
    TG_SCHEMA_ANY,
    TG_SCHEMA_NULL,
    TG_SCHEMA_BOOLEAN,
    TG_SCHEMA_INTEGER,
    TG_SCHEMA_NUMBER,
    TG_SCHEMA_STRING,
    TG_SCHEMA_LITERAL, /* choice.count is 1 */
    TG_SCHEMA_ENUM,
    TG_SCHEMA_ARRAY,
    TG_SCHEMA_OBJECT,
    TG_SCHEMA_MAP,
};

enum tg_additional { TG_ADDITIONAL_IGNORE, TG_ADDITIONAL_ALLOW, TG_ADDITIONAL_FORBID };

struct tg_schema;

/* One declared field. `key_id` numbers the distinct field names of a generation from 1; the script
 * keeps the Lua string of each, so that making a table does not hash a key. */
struct tg_schema_field {
    struct tg_slice name;
    struct tg_slice head; /* the name as it is written, quoted and with its colon; set by sealing */
    uint32_t key_id;
    const struct tg_schema *schema;
};

struct tg_schema_object {
    struct tg_schema_field *fields; /* in the order in which they are written and reported */
    uint32_t *by_name;              /* indices into `fields`, in byte order of the names */
    uint32_t count;
    enum tg_additional additional;
};

struct tg_schema {
    enum tg_schema_kind kind;
    bool is_optional;                     /* as a field: may be absent */
    bool is_nullable;                     /* null is accepted beside the kind */
    const struct tg_value *default_value; /* as a field: stands in when absent; NULL: none */
    union {
        struct {
            size_t min_length, max_length; /* code points */
        } string;
        struct {
            int64_t min, max;
        } integer;
        struct {
            double min, max;
        } number;
        struct {
            const struct tg_value *values;
            uint32_t count;
            struct tg_slice text; /* "'red', 'green' or 3", for the error */
        } choice;
        struct {
            const struct tg_schema *item;
            uint32_t min_items, max_items;
        } array;
        struct tg_schema_object object;
        struct {
            const struct tg_schema *value;
            uint32_t max_entries;
        } map;
    };
};

/* A node of `kind` with every limit at its widest, items and entries of any kind; NULL without memory. */
struct tg_schema *tg_schema_new(struct tg_arena *arena, enum tg_schema_kind kind);

/* Fills `by_name`, and the `head` of each field, of an object whose `fields` are complete.
 * TG_E_EXISTS: a name stands twice, TG_E_UTF8: no client could send it (`error` names it). */
enum tg_status tg_schema_seal_object(struct tg_arena *arena, struct tg_schema *schema,
                                     struct tg_error *error);

/* Fills `choice.text` of a literal or an enum. TG_E_UTF8: a value holds text that is not UTF-8. */
enum tg_status tg_schema_seal_choice(struct tg_arena *arena, struct tg_schema *schema);

/* The declared field called `name`, or NULL. `hint` is the index where to look first: that after the
 * field found before, since clients mostly write keys in one order. */
const struct tg_schema_field *tg_schema_find_field(const struct tg_schema_object *object,
                                                   struct tg_slice name, uint32_t hint);

#endif
