/* Headers of an HTTP answer that Lua code gives: a table of names and values. */
#ifndef TG_SCRIPT_HEADERS_H
#define TG_SCRIPT_HEADERS_H

#include "script/world.h"

/* All lines of them together. */
enum { TG_ANSWER_HEADERS_BYTES_MAX = 1024 };

/* Appends the table at `index` as lines, each ended by CRLF, in byte order of the names: `name: value`, and
 * for a list of values a line each. Nothing for nil. Raises "WHAT ..." for what is no name or no value of a
 * header, for one that the gateway writes itself, and when they are too long; `out` must not be owned by a C
 * function of the caller's then. [-0, +0, e] */
void tg_answer_headers_write(lua_State *L, int index, const char *what, struct tg_buf *out);

#endif
