/* What is wrong with an application that does not load, for people: where, the source there, what to do.
 *
 *     script/loader adds them while it loads  ->  terminal (text), development page and API (JSON)
 *
 * A list owns all its texts, and may go from the thread that loads to another one.
 */
#ifndef TG_CORE_PROBLEM_H
#define TG_CORE_PROBLEM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Another line that the message names: the first of two handlers. */
struct tg_problem_place {
    struct tg_slice file;
    uint32_t line;
    struct tg_slice text; /* of the line */
};

enum { TG_PROBLEM_PLACES = 3 };

/* What is not known is empty, or 0. Texts may hold any bytes. */
struct tg_problem {
    struct tg_slice message;   /* one sentence, or a few lines, without its place in front */
    struct tg_slice file;      /* as Lua names it, "consumers/chat.lua" */
    uint32_t line;             /* from 1 */
    uint32_t column;           /* in characters, from 1 */
    struct tg_slice excerpt;   /* lines of the file around it, as they were read; each ends with '\n' */
    uint32_t first_line;       /* of the excerpt */
    struct tg_slice traceback; /* who called, the innermost first, a line each */
    struct tg_slice hint;      /* what to do */
    struct tg_problem_place places[TG_PROBLEM_PLACES];
    uint32_t place_count;
    struct tg_problem *next;
};

struct tg_problems {
    struct tg_arena arena;
    struct tg_problem *first, *last; /* in the order in which they were found */
    uint32_t count;
    bool has_failed; /* one could not be kept: no memory */
};

void tg_problems_init(struct tg_problems *problems);

/* The list is empty and usable afterwards. */
void tg_problems_deinit(struct tg_problems *problems);

/* Copies the problem, without its `next`, to the end. The copy, which may be filled further with texts of the
 * arena; NULL (and has_failed) without memory. */
struct tg_problem *tg_problems_add(struct tg_problems *problems, const struct tg_problem *problem);

/* Adds what is known of it as text: "chat.lua:12: what is wrong". */
struct tg_problem *tg_problems_add_text(struct tg_problems *problems, struct tg_slice text);

/* As above, with a message of `format`: of what belongs to no line. */
void tg_problems_printf(struct tg_problems *problems, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Splits "chat.lua:12: text" into its place, which is 0 when there is none, and the text. */
struct tg_slice tg_problem_split(struct tg_slice text, struct tg_slice *file, uint32_t *line);

/* All of it, as a terminal shows it: characters that it would obey are escaped. */
void tg_problems_write_text(const struct tg_problems *problems, bool has_colour, struct tg_buf *out);

/* [{"message":...,"file":...,"line":...,"column":...,"source":{"first_line":...,"lines":[...]},
 * "places":[{"file":...,"line":...,"text":...}],"traceback":[...],"hint":...}, ...] without what is not
 * known. */
void tg_problems_write_json(const struct tg_problems *problems, struct tg_buf *out);

/* ---- pieces, for other writers ---- */

/* The excerpt with numbers of lines, `line` marked and a caret below `column`. */
void tg_excerpt_write_text(struct tg_slice excerpt, uint32_t first_line, uint32_t line, uint32_t column,
                           bool has_colour, struct tg_buf *out);

/* {"first_line":...,"lines":[...]} */
void tg_excerpt_write_json(struct tg_slice excerpt, uint32_t first_line, struct tg_buf *out);

/* A JSON string of any bytes: what is not UTF-8 as U+FFFD. */
void tg_problem_write_string(struct tg_buf *out, struct tg_slice text);

#endif
