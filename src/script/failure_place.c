#include "script/failure_place.h"

#include "script/excerpt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tg_failure_place tg_failure_place_find(const struct tg_failure *failure, struct tg_slice declared)
{
    if (failure->file[0]) return (struct tg_failure_place){tg_slice_of(failure->file), failure->line};
    const char *colon = declared.length ? memrchr(declared.data, ':', declared.length) : NULL;
    if (!colon) return (struct tg_failure_place){declared, 0};
    struct tg_slice file = {declared.data, (size_t)(colon - declared.data)};
    return (struct tg_failure_place){file, strtoll(colon + 1, NULL, 10)};
}

const char *tg_failure_place_text(const struct tg_failure_place *place, char text[TG_FAILURE_PLACE_BYTES])
{
    snprintf(text, TG_FAILURE_PLACE_BYTES, "%.*s:%lld", TG_SLICE_ARG(place->file), (long long)place->line);
    return text;
}

void tg_failure_place_write_source(const struct tg_failure_place *place, struct tg_buf *out)
{
    struct tg_arena arena;
    uint32_t first_line;
    if (place->line <= 0 || place->line > INT32_MAX) return;
    tg_arena_init(&arena, 0);
    struct tg_slice lines = tg_excerpt_read(&arena, place->file, (uint32_t)place->line, &first_line);
    if (lines.length) tg_excerpt_write_json(lines, first_line, out);
    if (out->has_failed) tg_buf_truncate(out, 0);
    tg_arena_deinit(&arena);
}
