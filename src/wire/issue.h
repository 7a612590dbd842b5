/* What is wrong with a message, told to its sender: the items of an error frame's list.
 *
 *     {"type":"missing","loc":["payload","content"],"msg":"Field required"}
 *
 * Names and texts of all types stand in one table (issue.c). Items are written at once, in the order
 * of the calls, so nothing is stored per item. A path is a chain on the C stack of whoever walks the
 * value.
 */
#ifndef TG_WIRE_ISSUE_H
#define TG_WIRE_ISSUE_H

#include "base/buf.h"
#include "base/slice.h"
#include "wire/value.h"

#include <stdbool.h>
#include <stdint.h>

/* Behind so many bytes nothing more is written: a path repeats keys that are as long as a client likes. */
#define TG_ISSUES_BYTES_MAX ((size_t)256 * 1024)

enum tg_issue_type {
    TG_ISSUE_MISSING,
    TG_ISSUE_STRING_TYPE,
    TG_ISSUE_STRING_TOO_SHORT,        /* limit */
    TG_ISSUE_STRING_TOO_LONG,         /* limit */
    TG_ISSUE_STRING_PATTERN_MISMATCH, /* text: the pattern */
    TG_ISSUE_INT_TYPE,
    TG_ISSUE_INT_PARSING, /* a string that was to be coerced; so the next two */
    TG_ISSUE_FLOAT_TYPE,
    TG_ISSUE_FLOAT_PARSING,
    TG_ISSUE_BOOL_TYPE,
    TG_ISSUE_BOOL_PARSING,
    TG_ISSUE_GREATER_THAN,       /* limit */
    TG_ISSUE_GREATER_THAN_EQUAL, /* limit */
    TG_ISSUE_LESS_THAN,          /* limit */
    TG_ISSUE_LESS_THAN_EQUAL,    /* limit */
    TG_ISSUE_MULTIPLE_OF,        /* limit */
    TG_ISSUE_LITERAL_ERROR,      /* text: choice.text of the schema, with the one value */
    TG_ISSUE_ENUM,               /* text: choice.text of the schema */
    TG_ISSUE_DICT_TYPE,          /* a map was expected */
    TG_ISSUE_MODEL_TYPE,         /* an object was expected */
    TG_ISSUE_LIST_TYPE,
    TG_ISSUE_TOO_SHORT,      /* limit; of a list */
    TG_ISSUE_TOO_LONG,       /* limit; of a list */
    TG_ISSUE_DICT_TOO_SHORT, /* limit; the same type name, another text */
    TG_ISSUE_DICT_TOO_LONG,  /* limit; the same type name, another text */
    TG_ISSUE_NOT_UNIQUE,     /* limit: the index of the item that this one equals */
    TG_ISSUE_NONE_REQUIRED,
    TG_ISSUE_EXTRA_FORBIDDEN, /* text: the declared name that was perhaps meant; none: without */
    TG_ISSUE_EMAIL,           /* value_error */
    TG_ISSUE_HOSTNAME,        /* value_error */
    TG_ISSUE_URL_PARSING,
    TG_ISSUE_UUID_PARSING,
    TG_ISSUE_DATE_PARSING,
    TG_ISSUE_TIME_PARSING,
    TG_ISSUE_DATETIME_PARSING,
    TG_ISSUE_IP_V4_ADDRESS,
    TG_ISSUE_IP_V6_ADDRESS,
    TG_ISSUE_VALUE_ERROR,    /* text: what a check of the script's said */
    TG_ISSUE_TOO_MANY_STEPS, /* value_error: max_check_steps */
    TG_ISSUE_RECURSION_LOOP, /* limit */
    TG_ISSUE_ACTION_INVALID, /* union_tag_invalid; text: the action that was sent (a long one is cut) */
    TG_ISSUE_ACTION_NOT_FOUND,
    TG_ISSUE_UNION_TAG_INVALID,   /* more: the tag's field; text: what is expected, "'text', 'image'" */
    TG_ISSUE_UNION_TAG_NOT_FOUND, /* more: the tag's field */
    TG_ISSUE_JSON_INVALID,        /* text: the parser's, with the offset */
    TG_ISSUE_TYPES,               /* how many there are */
};

/* One step from the top of the message towards the value; the last step comes first. */
struct tg_path {
    const struct tg_path *parent; /* NULL at the top */
    struct tg_slice key;          /* as the client wrote it; data NULL: `index` counts */
    uint32_t index;
    uint32_t key_id; /* of a declared field (schema.h), by which the script finds it; 0: `key` does */
};

/* How issues are written. */
enum tg_issue_style {
    TG_ISSUE_JSON, /* items of an error frame, with commas between them */
    TG_ISSUE_TEXT, /* for a programmer: "payload.tags[3]: Field required", "; " between them, indices from 1;
                    * one line whatever texts, keys and values hold: "\n", "\u001b" */
};

struct tg_issues {
    struct tg_buf *out; /* borrowed */
    enum tg_issue_style style;
    struct tg_slice prefix; /* of style JSON: the first step of every path; data NULL: none */
    uint32_t count;         /* of all that were reported, written or not */
    uint32_t max;           /* how many are written (setting max_errors); fewer once the list is long */
    uint64_t *counts;       /* of the types that are written, TG_ISSUE_TYPES of them; NULL: nobody counts */
};

/* One thing that is wrong. Texts are valid UTF-8 (in style TEXT: any, what is not is shown as U+FFFD). */
struct tg_issue {
    enum tg_issue_type type;
    const struct tg_path *path;   /* NULL: the message as a whole (loc []) */
    struct tg_slice text;         /* what the type's text has a place for; of types of kinds ("int_type"):
                                   * what is expected instead of that kind alone, "a valid integer or null" */
    struct tg_slice more;         /* a second such thing */
    const struct tg_value *limit; /* a number, for the types that have one */
    const struct tg_value *got;   /* what was sent: a short scalar is shown; NULL: it is not to be shown */
    bool is_key;                  /* it is not the value at `path` that is wrong but its key */
};

/* Style JSON. */
void tg_issues_init(struct tg_issues *issues, struct tg_buf *out, uint32_t max);

void tg_issue_report(struct tg_issues *issues, const struct tg_issue *issue);

/* Short for an issue that has a type and a path only. */
void tg_issue_add(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path);

/* Writes "payload.tags[3]", as a Lua programmer does; of a key nothing that breaks a line, and a long one is
 * cut. */
void tg_path_write(struct tg_buf *out, const struct tg_path *path);

/* What a type about a kind expects, "a valid integer"; NULL for all others. */
const char *tg_issue_expected(enum tg_issue_type type);

/* The machine name of a type, "missing". */
const char *tg_issue_name(enum tg_issue_type type);

/* After the last: when more than `max` were reported, writes the item that counts the rest,
 * {"type":"too_many_errors","loc":[],"msg":"N more errors"}; as text: "N more errors". */
void tg_issues_finish(struct tg_issues *issues);

#endif
