/* The Lua half of tidegate, carried inside the program; the table is made by the build from lua/. */
#ifndef TG_SCRIPT_EMBEDDED_H
#define TG_SCRIPT_EMBEDDED_H

#include <stddef.h>

struct tg_embedded_module {
    const char *name;  /* "tidegate.schema"; NULL ends the table */
    const char *chunk; /* name for tracebacks, "@tidegate/schema.lua" */
    const char *text;
    size_t length;
};

extern const struct tg_embedded_module tg_embedded_modules[];

#endif
