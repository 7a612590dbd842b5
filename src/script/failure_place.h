/* Where in people's code something failed, and the lines around it, for whoever develops that code. */
#ifndef TG_SCRIPT_FAILURE_PLACE_H
#define TG_SCRIPT_FAILURE_PLACE_H

#include "base/buf.h"
#include "script/failure.h"

struct tg_failure_place {
    struct tg_slice file; /* borrowed */
    int64_t line;         /* 0: unknown */
};

/* The innermost Lua function; or, where none runs any more because what one returned is wrong, `declared`,
 * which is "chat.lua:12". */
struct tg_failure_place tg_failure_place_find(const struct tg_failure *failure, struct tg_slice declared);

/* The same as text, for a field of the log. */
enum { TG_FAILURE_PLACE_BYTES = sizeof(((struct tg_failure *)NULL)->file) + 16 };
const char *tg_failure_place_text(const struct tg_failure_place *place, char text[TG_FAILURE_PLACE_BYTES]);

/* Appends the lines around as JSON, {"first_line":...,"lines":[...]}; nothing where there are none. */
void tg_failure_place_write_source(const struct tg_failure_place *place, struct tg_buf *out);

#endif
