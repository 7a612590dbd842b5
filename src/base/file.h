/* Small files, read whole. */
#ifndef TG_BASE_FILE_H
#define TG_BASE_FILE_H

#include "base/buf.h"
#include "base/status.h"

/* Appends the file at `path`, or with "-" what comes in through standard input. TG_E_NOT_FOUND, TG_E_IO,
 * TG_E_TOO_LARGE (more than `max_bytes`): `error` names the path and says why. TG_E_NO_MEMORY. */
enum tg_status tg_file_read(const char *path, size_t max_bytes, struct tg_buf *text, struct tg_error *error);

#endif
