/* What is wrong with a message, told to its sender: the items of an error frame's list.
 *
 *     {"type":"missing","loc":["payload","content"],"msg":"Field required"}
 *
 * Names and texts of all types stand in one table (issue.c). Items are written as JSON at once, in
 * the order of the calls, so nothing is stored per item. A path is a chain on the C stack of
 * whoever walks the value.
 */
#ifndef TG_WIRE_ISSUE_H
#define TG_WIRE_ISSUE_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdint.h>

enum tg_issue_type {
    TG_ISSUE_MISSING,
    TG_ISSUE_STRING_TYPE,
    TG_ISSUE_STRING_TOO_SHORT, /* limit */
    TG_ISSUE_STRING_TOO_LONG,  /* limit */
    TG_ISSUE_INT_TYPE,
    TG_ISSUE_FLOAT_TYPE,
    TG_ISSUE_BOOL_TYPE,
    TG_ISSUE_GREATER_THAN_EQUAL, /* limit */
    TG_ISSUE_LESS_THAN_EQUAL,    /* limit */
    TG_ISSUE_LITERAL_ERROR,      /* expected: choice.text of the schema, with the one value */
    TG_ISSUE_ENUM,               /* expected: choice.text of the schema */
    TG_ISSUE_DICT_TYPE,          /* a map was expected */
    TG_ISSUE_MODEL_TYPE,         /* an object was expected */
    TG_ISSUE_LIST_TYPE,
    TG_ISSUE_TOO_SHORT,     /* limit; of a list */
    TG_ISSUE_TOO_LONG,      /* limit; of a list */
    TG_ISSUE_DICT_TOO_LONG, /* limit; the same type name, another text */
    TG_ISSUE_NONE_REQUIRED,
    TG_ISSUE_EXTRA_FORBIDDEN,
    TG_ISSUE_UNION_TAG_INVALID, /* expected: the tag that was sent (a long one is cut) */
    TG_ISSUE_UNION_TAG_NOT_FOUND,
    TG_ISSUE_JSON_INVALID, /* expected: the parser's text, with the offset */
    TG_ISSUE_TYPES,        /* how many there are */
};

/* One step from the top of the message towards the value; the last step comes first. */
struct tg_path {
    const struct tg_path *parent; /* NULL at the top */
    struct tg_slice key;          /* data NULL: `index` counts */
    uint32_t index;
};

struct tg_issues {
    struct tg_buf *out; /* borrowed; gets `item,item,item` */
    uint32_t count;     /* of all that were reported, written or not */
    uint32_t max;       /* how many are written (setting max_errors) */
};

void tg_issues_init(struct tg_issues *issues, struct tg_buf *out, uint32_t max);

/* An issue whose text needs nothing more. `path` NULL: the message as a whole (loc []). */
void tg_issue_add(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path);

/* An issue whose text has a number or a piece of text in it; the text is any valid UTF-8. */
void tg_issue_add_integer(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                          int64_t limit);
void tg_issue_add_number(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                         double limit);
void tg_issue_add_text(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                       struct tg_slice text);

/* After the last: when more than `max` were reported, writes the item that counts the rest,
 * {"type":"too_many_errors","loc":[],"msg":"N more errors"}. */
void tg_issues_finish(struct tg_issues *issues);

#endif
