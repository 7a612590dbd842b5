/* What a payload must look like: a graph that the validator runs and the script fills.
 *
 * Built once at load by the script layer, in the arena of its generation, and constant afterwards.
 * The unions hold the constraints of one kind each; limits are inclusive unless they say otherwise, and
 * a limit that was not declared holds the widest value (0, SIZE_MAX, INT64_MIN, ...), so that checking
 * needs no flag. Cycles go through TG_SCHEMA_REF alone.
 */
#ifndef TG_WIRE_SCHEMA_H
#define TG_WIRE_SCHEMA_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "wire/format.h"
#include "wire/pattern.h"
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
    TG_SCHEMA_UNION,  /* one of several; the first that accepts */
    TG_SCHEMA_TAGGED, /* one of several objects; a field says which */
    TG_SCHEMA_REF,    /* another node, perhaps one above: recursion */
};

enum tg_additional { TG_ADDITIONAL_IGNORE, TG_ADDITIONAL_ALLOW, TG_ADDITIONAL_FORBID };

struct tg_schema;

/* Names on the wire: as they are declared, or in camel case (`camelize` of a consumer). Both are made
 * when an object is sealed, so that one message type serves both kinds of consumers. */
enum tg_naming { TG_NAMING_DECLARED, TG_NAMING_CAMEL, TG_NAMINGS };

/* A name as clients see it. */
struct tg_wire_name {
    struct tg_slice text; /* user_name, userName */
    struct tg_slice head; /* the name as it is written, quoted and with its colon */
};

/* One declared field. `key_id` numbers the distinct field names of a generation from 1; the script
 * keeps the Lua string of each, so that making a table does not hash a key. */
struct tg_schema_field {
    struct tg_slice name;                 /* as declared, and as scripts see it */
    struct tg_wire_name wire[TG_NAMINGS]; /* set by sealing */
    uint32_t key_id;
    const struct tg_schema *schema;
};

struct tg_schema_object {
    struct tg_schema_field *fields; /* in the order in which they are written and reported */
    uint32_t *by_name[TG_NAMINGS];  /* indices into `fields`, in byte order of the names; set by sealing */
    uint32_t count;
    enum tg_additional additional;
    /* Two fields that camel case makes one, as indices; equal when there are none. Set by sealing: an
     * error for whoever uses the object with TG_NAMING_CAMEL. */
    uint32_t clash[2];
};

struct tg_schema {
    enum tg_schema_kind kind;
    bool is_optional;                     /* as a field: may be absent */
    bool is_nullable;                     /* null is accepted beside the kind */
    bool is_secret;                       /* the value is shown to nobody: logs, errors, recordings */
    bool can_coerce;                      /* scalars: "12" is taken for 12 */
    const struct tg_value *default_value; /* as a field: stands in when absent; NULL: none */
    int script_default;                   /* the script's function that makes the default; 0: none */
    int script_check;                     /* the script's functions that look at a right value; 0: none */
    uint64_t check_print;                 /* what tells those from others, over generations (stricter.h) */
    union {
        struct {
            size_t min_length, max_length;    /* code points */
            const struct tg_pattern *pattern; /* borrowed from the generation; NULL: none */
            enum tg_format format;
            bool is_trimmed; /* white space at both ends is taken off before anything is checked */
        } string;
        struct {
            int64_t min, max;
            int64_t multiple_of;             /* above 0; 1: of anything */
            bool is_above_min, is_below_max; /* the limits themselves are excluded */
        } integer;
        struct {
            double min, max;
            double multiple_of; /* above 0; 0: of anything */
            bool is_above_min, is_below_max;
        } number;
        struct {
            const struct tg_value *values;
            uint32_t count;
            struct tg_slice text; /* "'red', 'green' or 3", for the error */
        } choice;
        struct {
            const struct tg_schema *item;
            uint32_t min_items, max_items;
            bool is_unique; /* no two items are equal, as in JSON Schema: 1 equals 1.0 */
        } array;
        struct tg_schema_object object;
        struct {
            const struct tg_schema *key; /* what each key must look like; NULL: anything */
            const struct tg_schema *value;
            uint32_t min_entries, max_entries;
        } map;
        struct {
            const struct tg_schema **branches; /* at least two */
            uint32_t count;
        } alternatives;
        struct {
            struct tg_schema_field tag;        /* its name in both namings and its key_id; no schema */
            const struct tg_value *tags;       /* scalars, distinct; tags[i] chooses branches[i] */
            const struct tg_schema **branches; /* objects that declare the tag's field themselves */
            uint32_t count;
            struct tg_slice text; /* "'text', 'image'", for the error; set by sealing */
        } tagged;
        struct {
            const struct tg_schema *target; /* never NULL once the generation is loaded */
            uint32_t max_depth;             /* how often it may stand inside itself */
        } ref;
    };
};

/* A node of `kind` with every limit at its widest, items and entries of any kind; NULL without memory. */
struct tg_schema *tg_schema_new(struct tg_arena *arena, enum tg_schema_kind kind);

/* Fills the wire names, `by_name` and `clash` of an object whose `fields` are complete.
 * TG_E_EXISTS: a name stands twice, TG_E_UTF8: no client could send it (`error` names it). */
enum tg_status tg_schema_seal_object(struct tg_arena *arena, struct tg_schema *schema,
                                     struct tg_error *error);

/* Fills `choice.text` of a literal or an enum. TG_E_UTF8: a value holds text that is not UTF-8. */
enum tg_status tg_schema_seal_choice(struct tg_arena *arena, struct tg_schema *schema);

/* Fills the wire names of the tag and `tagged.text`, when everything else is there. */
enum tg_status tg_schema_seal_tagged(struct tg_arena *arena, struct tg_schema *schema);

/* `user_name` as `userName`, `line_2` as `line2`: each single "_" between two letters or digits (ASCII) goes,
 * and the letter behind it is made upper case. All others stay as they are: `_private`, `x_`, `a__b`, and
 * those beside anything that is not ASCII. A copy in the arena; data is NULL without memory. */
struct tg_slice tg_schema_camel_name(struct tg_arena *arena, struct tg_slice name);

/* A reference that comes back to itself through unions and references alone, with no value in between,
 * would never end: TG_E_TOO_DEEP. Called for each reference when all targets are known. */
enum tg_status tg_schema_check_ref(const struct tg_schema *ref);

/* The declared field that is called `name` on the wire, or NULL. `hint` is the index where to look first:
 * that after the field found before, since clients mostly write keys in one order. */
const struct tg_schema_field *tg_schema_find_field(const struct tg_schema_object *object,
                                                   enum tg_naming naming, struct tg_slice name,
                                                   uint32_t hint);

#endif
