/* Two patterns and a path, one a line. What a match took, put back into the pattern, must be the path, and
 * two patterns that compare as equal must accept the same paths. */
#include "wire/route.h"

#include "base/buf.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

static struct tg_slice next_line(struct tg_slice *rest)
{
    const char *end = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
    struct tg_slice line = {rest->data, end ? (size_t)(end - rest->data) : rest->length};
    size_t used = end ? line.length + 1 : line.length;
    rest->data += used;
    rest->length -= used;
    return line;
}

static struct tg_route *parse(struct tg_arena *arena, struct tg_slice pattern)
{
    struct tg_route *route = NULL;
    struct tg_error error = {.status = TG_OK};
    enum tg_status status = tg_route_parse(arena, pattern, &route, &error);
    CHECK(status == TG_OK || status == TG_E_INVALID);
    CHECK((status == TG_OK) == (route != NULL));
    CHECK(error.status == status && error.offset <= pattern.length);
    if (route) CHECK(tg_slice_equal(route->pattern, pattern) && route->count <= TG_ROUTE_SEGMENTS_MAX);
    return route;
}

static void check_substitution(const struct tg_route *route, struct tg_slice path,
                               const struct tg_params *params)
{
    struct tg_buf built;
    tg_buf_init(&built);
    uint32_t used = 0;
    for (uint32_t i = 0; i < route->count; i++) {
        const struct tg_route_segment *segment = &route->segments[i];
        tg_buf_append_char(&built, '/');
        if (!segment->is_param) {
            tg_buf_append_slice(&built, segment->text);
            continue;
        }
        const struct tg_param *param = &params->items[used++];
        CHECK(tg_slice_equal(param->name, segment->text) && param->type == segment->type);
        CHECK(param->type == TG_PARAM_PATH || !memchr(param->value.data, '/', param->value.length));
        tg_buf_append_slice(&built, param->value);
    }
    CHECK(used == params->count && tg_slice_equal(tg_buf_peek(&built), path));
    tg_buf_deinit(&built);
}

static void check_integers(const struct tg_params *params)
{
    for (uint32_t i = 0; i < params->count; i++) {
        const struct tg_param *param = &params->items[i];
        if (param->type != TG_PARAM_INTEGER) continue;
        char digits[512];
        if (param->value.length >= sizeof digits) continue;
        memcpy(digits, param->value.data, param->value.length);
        digits[param->value.length] = '\0';
        CHECK(strtoll(digits, NULL, 10) == param->integer);
    }
}

static bool matches(const struct tg_route *route, struct tg_slice path)
{
    struct tg_params params;
    if (!tg_route_match(route, path, &params)) return false;
    check_substitution(route, path, &params);
    check_integers(&params);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_slice rest = {(const char *)data, size};
    struct tg_slice first = next_line(&rest), second = next_line(&rest);
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    struct tg_route *a = parse(&arena, first), *b = parse(&arena, second);
    bool a_matches = a && matches(a, rest), b_matches = b && matches(b, rest);
    if (a) CHECK(tg_route_compare(a, a) == 0);
    if (a && b) {
        CHECK(tg_route_compare(a, b) == -tg_route_compare(b, a));
        CHECK(tg_route_compare(a, b) != 0 || a_matches == b_matches);
    }
    tg_arena_deinit(&arena);
    return 0;
}
