/* The Lua half of tidegate, carried inside the program; the table is made by the build from lua/. */
#ifndef TG_SCRIPT_EMBEDDED_H
#define TG_SCRIPT_EMBEDDED_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct tg_embedded_module {
    const char *name;  /* "tidegate.testing.client"; NULL ends the table */
    const char *chunk; /* name for tracebacks, "=tidegate/testing/client.lua" */
    const char *text;
    size_t length;
};

/* Whether a chunk with this source (lua_Debug) is one of ours: users are shown lines of their own. */
static inline bool tg_is_own_chunk(const char *source)
{
    return strncmp(source, "=tidegate/", 10) == 0;
}

extern const struct tg_embedded_module tg_embedded_modules[];

#endif
