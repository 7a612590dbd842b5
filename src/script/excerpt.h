/* What makes a problem readable: the lines of source around it, where in its line, who called, what to do. */
#ifndef TG_SCRIPT_EXCERPT_H
#define TG_SCRIPT_EXCERPT_H

#include "core/problem.h"

#include <lua.h>

/* How many lines are shown above and below the one that is meant. */
enum { TG_EXCERPT_AROUND = 2 };

/* Reads the lines around `line` from the file, as a copy in `arena`, and the number of the first. Empty when
 * there is no such file or line, or no memory. */
struct tg_slice tg_excerpt_read(struct tg_arena *arena, struct tg_slice file, uint32_t line,
                                uint32_t *first_line);

/* Fills `excerpt`, `column`, `places` and `hint` of a problem of the list from what its message and its files
 * say. A syntax error is looked for by compiling in `L`, whose stack stays as it is. Never raises. */
void tg_excerpt_explain(struct tg_problems *problems, struct tg_problem *problem, lua_State *L);

/* Message handler for call.h: leaves a table { message, traceback, source } as `1`, `2`, `3`: the error as
 * text; the user's functions that were running, a line each; the whole name of the innermost one's file, or
 * nil. [-1, +1, e] */
int tg_excerpt_trace(lua_State *L);

#endif
