#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* False with errno. */
static bool read_all(FILE *file, size_t max_bytes, struct tg_buf *text)
{
    enum { PIECE_BYTES = 4096 };
    size_t before = text->length;
    while (text->length - before <= max_bytes) {
        char *room = tg_buf_reserve(text, PIECE_BYTES);
        size_t read = room ? fread(room, 1, PIECE_BYTES, file) : 0;
        text->length += read;
        if (read == 0) break;
    }
    return !ferror(file);
}

enum tg_status tg_file_read(const char *path, size_t max_bytes, struct tg_buf *text, struct tg_error *error)
{
    size_t before = text->length;
    bool is_input = strcmp(path, "-") == 0;
    const char *name = is_input ? "standard input" : path;
    FILE *file = is_input ? stdin : fopen(path, "re");
    bool is_read = file && read_all(file, max_bytes, text);
    int reason = errno;
    if (file && !is_input) fclose(file);
    if (!is_read)
        return tg_error_set(error, reason == ENOENT ? TG_E_NOT_FOUND : TG_E_IO, "%s: %s", name,
                            strerror(reason));
    if (text->has_failed) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (text->length - before <= max_bytes) return TG_OK;
    return tg_error_set(error, TG_E_TOO_LARGE, "%s: it has more than %zu bytes", name, max_bytes);
}
