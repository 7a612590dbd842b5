/* The text of a Lua file, for who shows lines of it or tells functions apart. Nothing here raises. */
#ifndef TG_SCRIPT_SOURCE_TEXT_H
#define TG_SCRIPT_SOURCE_TEXT_H

#include "base/slice.h"

#include <stdint.h>

/* Reads the file; the caller frees the text. NULL: there is no such file, it is larger than 1 MiB, or no
 * memory. */
char *tg_source_read(struct tg_slice file, size_t *length);

/* Line `number` of the text, without its end; data is NULL when there are not so many. Behind the last line
 * break there is one more, which is empty: where Lua names the end of the file. */
struct tg_slice tg_source_line(struct tg_slice text, uint32_t number);

#endif
