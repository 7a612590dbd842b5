/* A JSON value in an arena: what the parser makes, the validator checks and the script converts.
 *
 * Strings borrow from the parsed text where they hold no escape, and from the arena otherwise: the
 * text must outlive the tree.
 */
#ifndef TG_WIRE_VALUE_H
#define TG_WIRE_VALUE_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_value_type {
    TG_VALUE_NULL,
    TG_VALUE_BOOLEAN,
    TG_VALUE_INTEGER, /* a literal without fraction and exponent; fits in int64_t */
    TG_VALUE_NUMBER,  /* any other literal; finite */
    TG_VALUE_STRING,
    TG_VALUE_ARRAY,
    TG_VALUE_OBJECT,
};

struct tg_member;

struct tg_value {
    enum tg_value_type type : 8;
    bool is_secret : 1; /* shown to nobody; set by the validator */
    uint32_t length;    /* bytes of a string, items of an array, members of an object */
    union {
        bool boolean;
        int64_t integer;
        double number;
        const char *string;
        struct tg_value *items;
        struct tg_member *members; /* in document order until the validator has been over them */
    };
};

struct tg_member {
    const char *key;
    uint32_t key_length;
    uint32_t key_id; /* of the declared field (schema.h), set by the validator; 0: not declared */
    struct tg_value value;
};

static inline struct tg_slice tg_value_string(const struct tg_value *value)
{
    return (struct tg_slice){value->string, value->length};
}

static inline struct tg_slice tg_member_key(const struct tg_member *member)
{
    return (struct tg_slice){member->key, member->key_length};
}

/* The member called `key`, or NULL; linear, for objects with few members. */
const struct tg_value *tg_value_get(const struct tg_value *object, struct tg_slice key);

/* Whether the value is a number without fraction that an int64_t holds: 3, and 3.0 as well. */
bool tg_value_to_integer(const struct tg_value *value, int64_t *integer);

/* Deep equality as in JSON Schema: 1 equals 1.0, member order does not matter. Linear where members come in
 * the same order; in the square of their number where they do not: for declared values, not for large ones
 * of two clients' making. */
bool tg_value_equal(const struct tg_value *a, const struct tg_value *b);

/* (*first)[i] becomes the index of the earliest item that equals item i; i itself when there is none before
 * it. Takes n log n steps for items of n values and bytes in all, whatever they hold; the answer and the
 * scratch copies live in `arena`. TG_E_NO_MEMORY: the arena ran out. */
enum tg_status tg_value_find_equals(const struct tg_value *items, uint32_t count, struct tg_arena *arena,
                                    uint32_t **first);

#endif
