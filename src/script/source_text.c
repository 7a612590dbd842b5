#include "script/source_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 20 }; /* a longer one is no source that a person reads */

char *tg_source_read(struct tg_slice file, size_t *length)
{
    char path[4096];
    if (file.length == 0 || file.length >= sizeof path) return NULL;
    memcpy(path, file.data, file.length);
    path[file.length] = '\0';
    FILE *stream = fopen(path, "rb");
    if (!stream) return NULL;
    char *text = malloc(FILE_BYTES_MAX + 1);
    if (text) *length = fread(text, 1, FILE_BYTES_MAX + 1, stream);
    fclose(stream);
    if (text && *length <= FILE_BYTES_MAX) return text;
    free(text);
    return NULL;
}

struct tg_slice tg_source_line(struct tg_slice text, uint32_t number)
{
    const char *start = text.data, *end = text.data + text.length;
    for (uint32_t i = 1; i < number; i++) {
        start = memchr(start, '\n', (size_t)(end - start));
        if (!start) return (struct tg_slice){0};
        start++;
    }
    const char *stop = memchr(start, '\n', (size_t)(end - start));
    return (struct tg_slice){start, (size_t)((stop ? stop : end) - start)};
}
