/* Values against schemas, in one line each:
 *
 *     struct tg_schema *age = new_schema(fixture, TG_SCHEMA_INTEGER);
 *     accept_json(fixture, age, "1.0", "1");
 *     refuse_json(fixture, age, "\"a\"", "int_type@[]");
 *     tell_json(fixture, age, "\"a\"", "payload: Input should be a valid integer, got 'a'");
 *
 * Everything that a test makes lives in the arena of its fixture.
 */
#ifndef TG_UNIT_SUPPORT_CHECKING_H
#define TG_UNIT_SUPPORT_CHECKING_H

#include "wire/validate.h"

struct checking {
    struct tg_arena arena;
    struct tg_buf out;
    struct tg_issues issues;
    struct tg_patterns patterns;
    struct tg_value value;           /* what was checked last */
    struct tg_validation validation; /* how; a test sets naming, is_exact, max_steps */
    uint32_t max_errors;
    uint32_t max_depth; /* of JSON */
};

/* For cmocka: `*state` is the fixture. */
int checking_set_up(void **state);
int checking_tear_down(void **state);

enum tg_status validate_json(struct checking *fixture, const struct tg_schema *schema, const char *json);

/* `prepared`: the value as it is left for the script. */
void accept_json(struct checking *fixture, const struct tg_schema *schema, const char *json,
                 const char *prepared);

/* `issues`: each as `type@loc`, the loc without the leading "payload". */
void refuse_json(struct checking *fixture, const struct tg_schema *schema, const char *json,
                 const char *issues);

/* `text`: all issues, as a programmer reads them. */
void tell_json(struct checking *fixture, const struct tg_schema *schema, const char *json, const char *text);

/* `calls`: what the value that was accepted last leaves to the script, "check payload.a; default payload.b".
 */
void expect_calls(struct checking *fixture, const char *calls);

struct tg_schema *new_schema(struct checking *fixture, enum tg_schema_kind kind);

/* A literal if there is one of them, else an enum. `values` stays where it is. */
struct tg_schema *new_choice(struct checking *fixture, const struct tg_value *values, uint32_t count);

struct tg_schema *new_array(struct checking *fixture, const struct tg_schema *item);

/* `branches` ends with NULL. */
struct tg_schema *new_union(struct checking *fixture, const struct tg_schema *const *branches);

/* Without a target yet. */
struct tg_schema *new_ref(struct checking *fixture, uint32_t max_depth);

struct field {
    const char *name;
    const struct tg_schema *schema;
};

/* The key_id of the n-th field (from 0) is 100 + n. */
struct tg_schema *new_object(struct checking *fixture, enum tg_additional additional,
                             const struct field *fields, uint32_t count);

#define TEXT_VALUE(text)                                                                                     \
    {                                                                                                        \
        .type = TG_VALUE_STRING, .length = sizeof(text) - 1, .string = (text)                                \
    }

#endif
