/* A pattern and a path are both cut at their separators and compared segment by segment; a slash at the end
 * of a path makes a last segment that is empty. Every segment matches in one way only, so there is no
 * backtracking.
 */
#include "wire/route.h"

#include "base/utf8.h"

#define TEXT_OF(macro) TEXT_OF_VALUE(macro)
#define TEXT_OF_VALUE(value) #value

static const struct {
    enum tg_param_type type;
    struct tg_slice name;
} param_types[] = {
    {TG_PARAM_INTEGER, {"int", 3}},
    {TG_PARAM_SLUG, {"slug", 4}},
    {TG_PARAM_UUID, {"uuid", 4}},
    {TG_PARAM_PATH, {"path", 4}},
};

enum { PARAM_TYPES = sizeof param_types / sizeof param_types[0] };

/* ---- cutting ---- */

/* What stands from `start` to the next separator, which is looked for behind `skipped` bytes. */
static struct tg_slice cut(struct tg_slice left, size_t skipped, char separator)
{
    const char *end =
        left.length > skipped ? memchr(left.data + skipped, separator, left.length - skipped) : NULL;
    return (struct tg_slice){left.data, end ? (size_t)(end - left.data) : left.length};
}

/* The segment that begins at `*at`; moves `*at` behind its separator, or past the end after the last. */
static bool next_segment(struct tg_slice path, char separator, size_t *at, struct tg_slice *segment)
{
    if (*at > path.length) return false;
    *segment = cut((struct tg_slice){path.data + *at, path.length - *at}, 0, separator);
    *at += segment->length + 1;
    return true;
}

/* The same in a pattern, where the ':' of {id:int} separates nothing. */
static bool next_pattern_segment(struct tg_slice pattern, char separator, size_t *at,
                                 struct tg_slice *segment)
{
    if (*at > pattern.length) return false;
    struct tg_slice left = {pattern.data + *at, pattern.length - *at};
    const char *brace =
        separator == ':' && left.length && left.data[0] == '{' ? memchr(left.data, '}', left.length) : NULL;
    *segment = cut(left, brace ? (size_t)(brace - left.data) : 0, separator);
    *at += segment->length + 1;
    return true;
}

/* Where the first segment begins: a path has a slash in front. */
static size_t first_segment(char separator)
{
    return separator == '/' ? 1 : 0;
}

/* ---- parsing ---- */

struct parser {
    struct tg_slice pattern;
    char separator;
    struct tg_route *route;
    struct tg_error *error;
};

static enum tg_status refuse(const struct parser *parser, struct tg_slice culprit, const char *why)
{
    size_t offset = culprit.data ? (size_t)(culprit.data - parser->pattern.data) : 0;
    enum tg_status status =
        tg_error_set(parser->error, TG_E_INVALID, "The %s \"%.*s\" is wrong at byte %zu, \"%.*s\": %s.",
                     parser->separator == '/' ? "path" : "topic pattern", TG_SLICE_ARG(parser->pattern),
                     offset, TG_SLICE_ARG(culprit), why);
    if (parser->error) parser->error->offset = offset;
    return status;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_identifier(struct tg_slice name)
{
    for (size_t i = 0; i < name.length; i++)
        if (!is_letter(name.data[i]) && name.data[i] != '_' && !(i > 0 && is_digit(name.data[i])))
            return false;
    return name.length > 0;
}

static enum tg_status parse_type(const struct parser *parser, struct tg_slice name, enum tg_param_type *type)
{
    for (size_t i = 0; i < PARAM_TYPES; i++) {
        if (!tg_slice_equal(param_types[i].name, name)) continue;
        *type = param_types[i].type;
        return TG_OK;
    }
    return refuse(parser, name, "the type of a parameter is int, slug, uuid or path");
}

static enum tg_status check_name(const struct parser *parser, struct tg_slice name)
{
    if (!is_identifier(name))
        return refuse(parser, name,
                      "a parameter's name is letters, digits and '_', and begins with no digit");
    uint32_t params = 1;
    for (uint32_t i = 0; i < parser->route->count; i++) {
        const struct tg_route_segment *before = &parser->route->segments[i];
        if (!before->is_param) continue;
        if (tg_slice_equal(before->text, name))
            return refuse(parser, name, "this parameter stands here twice");
        if (++params > TG_ROUTE_PARAMS_MAX)
            return refuse(parser, name, "there are at most " TEXT_OF(TG_ROUTE_PARAMS_MAX) " parameters");
    }
    return TG_OK;
}

/* `text` is a whole segment with its braces. */
static enum tg_status parse_param(const struct parser *parser, struct tg_slice text,
                                  struct tg_route_segment *segment)
{
    struct tg_slice inner = {text.data + 1, text.length - 2};
    const char *colon = inner.length ? memchr(inner.data, ':', inner.length) : NULL;
    struct tg_slice name = {inner.data, colon ? (size_t)(colon - inner.data) : inner.length};
    enum tg_status status = check_name(parser, name);
    if (status != TG_OK) return status;
    *segment = (struct tg_route_segment){.text = name, .is_param = true, .type = TG_PARAM_STRING};
    if (!colon) return TG_OK;
    struct tg_slice type = {colon + 1, inner.length - name.length - 1};
    return parse_type(parser, type, &segment->type);
}

static enum tg_status parse_literal(const struct parser *parser, struct tg_slice text,
                                    struct tg_route_segment *segment)
{
    bool is_path = parser->separator == '/';
    for (size_t i = 0; i < text.length; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '{' || c == '}')
            return refuse(parser, text,
                          is_path ? "a parameter fills a whole segment, as in /{name}/"
                                  : "a parameter fills a whole segment, as in room:{name}");
        if (is_path && (c == '?' || c == '#'))
            return refuse(parser, text, "a path has no query and no fragment");
        if (c < 0x20 || c == 0x7F) return refuse(parser, text, "it has no control characters");
    }
    if (!is_path) {
        *segment = (struct tg_route_segment){.text = text};
        return TG_OK;
    }
    if (tg_slice_equal(text, TG_SLICE(".")) || tg_slice_equal(text, TG_SLICE("..")))
        return refuse(parser, text, "clients resolve this segment before they ask");
    *segment = (struct tg_route_segment){.text = text};
    return TG_OK;
}

static enum tg_status parse_segment(const struct parser *parser, struct tg_slice text, bool is_last,
                                    struct tg_route_segment *segment)
{
    if (text.length == 0 && parser->separator == ':')
        return refuse(parser, text, "a segment is empty: no ':' stands at an end or beside another");
    if (text.length == 0 && !is_last) return refuse(parser, text, "a segment between two slashes is empty");
    bool has_braces = text.length >= 2 && text.data[0] == '{' && text.data[text.length - 1] == '}' &&
                      !memchr(text.data + 1, '{', text.length - 1);
    if (!has_braces) return parse_literal(parser, text, segment);
    enum tg_status status = parse_param(parser, text, segment);
    if (status == TG_OK && segment->type == TG_PARAM_PATH && !is_last)
        return refuse(parser, text, "a parameter of type path takes the rest and stands last");
    return status;
}

static enum tg_status parse_segments(const struct parser *parser)
{
    struct tg_route *route = parser->route;
    struct tg_slice text;
    size_t at = first_segment(parser->separator);
    for (; next_pattern_segment(parser->pattern, parser->separator, &at, &text); route->count++) {
        bool is_last = at > parser->pattern.length;
        enum tg_status status = parse_segment(parser, text, is_last, &route->segments[route->count]);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* What concerns the pattern as a whole; counts its segments. */
static enum tg_status check_pattern(const struct parser *parser, uint32_t *segments)
{
    struct tg_slice pattern = parser->pattern, text;
    if (parser->separator == '/' && (pattern.length == 0 || pattern.data[0] != '/'))
        return refuse(parser, (struct tg_slice){pattern.data, pattern.length ? 1 : 0},
                      "a path begins with '/'");
    if (!tg_utf8_is_valid(pattern.data, pattern.length))
        return refuse(parser, (struct tg_slice){pattern.data, 1}, "it is UTF-8");
    *segments = 0;
    size_t at = first_segment(parser->separator);
    for (; next_pattern_segment(pattern, parser->separator, &at, &text); ++*segments)
        if (*segments == TG_ROUTE_SEGMENTS_MAX)
            return refuse(parser, text, "there are at most " TEXT_OF(TG_ROUTE_SEGMENTS_MAX) " segments");
    return TG_OK;
}

static enum tg_status parse(struct tg_arena *arena, struct tg_slice pattern, char separator,
                            struct tg_route **route, struct tg_error *error)
{
    struct parser parser = {.pattern = pattern, .separator = separator, .error = error};
    uint32_t segments;
    enum tg_status status = check_pattern(&parser, &segments);
    if (status != TG_OK) return status;
    parser.pattern = tg_arena_copy(arena, pattern);
    parser.route = tg_arena_calloc(arena, 1, sizeof *parser.route);
    if (!parser.pattern.data || !parser.route) return TG_E_NO_MEMORY;
    parser.route->pattern = parser.pattern;
    parser.route->separator = separator;
    parser.route->segments = tg_arena_calloc(arena, segments, sizeof *parser.route->segments);
    if (!parser.route->segments) return TG_E_NO_MEMORY;
    status = parse_segments(&parser);
    if (status == TG_OK) *route = parser.route;
    return status;
}

enum tg_status tg_route_parse(struct tg_arena *arena, struct tg_slice pattern, struct tg_route **route,
                              struct tg_error *error)
{
    return parse(arena, pattern, '/', route, error);
}

enum tg_status tg_route_parse_topic(struct tg_arena *arena, struct tg_slice pattern, struct tg_route **route,
                                    struct tg_error *error)
{
    return parse(arena, pattern, ':', route, error);
}

/* ---- matching ---- */

/* Counted downwards from zero, since INT64_MIN has no positive twin. */
static bool read_integer(struct tg_slice text, int64_t *integer)
{
    bool is_negative = text.length > 0 && text.data[0] == '-';
    if (text.length == (is_negative ? 1u : 0u)) return false;
    int64_t negated = 0;
    for (size_t i = is_negative; i < text.length; i++) {
        if (!is_digit(text.data[i])) return false;
        if (__builtin_mul_overflow(negated, 10, &negated)) return false;
        if (__builtin_sub_overflow(negated, text.data[i] - '0', &negated)) return false;
    }
    *integer = negated;
    return is_negative || !__builtin_sub_overflow(0, negated, integer);
}

static bool is_slug(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];
        if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_') return false;
    }
    return text.length > 0;
}

static bool is_uuid(struct tg_slice text)
{
    if (text.length != 36) return false;
    for (size_t i = 0; i < 36; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text.data[i] != '-' : !is_hex(text.data[i])) return false;
    }
    return true;
}

static bool accepts(enum tg_param_type type, struct tg_slice text, int64_t *integer)
{
    switch (type) {
    case TG_PARAM_INTEGER:
        return read_integer(text, integer);
    case TG_PARAM_SLUG:
        return is_slug(text);
    case TG_PARAM_UUID:
        return is_uuid(text);
    default:
        return text.length > 0;
    }
}

static bool match_param(const struct tg_route_segment *segment, struct tg_slice text,
                        struct tg_params *params)
{
    struct tg_param *param = &params->items[params->count];
    *param = (struct tg_param){.name = segment->text, .value = text, .type = segment->type};
    if (!accepts(segment->type, text, &param->integer)) return false;
    params->count++;
    return true;
}

bool tg_route_match(const struct tg_route *route, struct tg_slice path, struct tg_params *params)
{
    params->count = 0;
    if (route->separator == '/' && (path.length == 0 || path.data[0] != '/')) return false;
    size_t at = first_segment(route->separator);
    for (uint32_t i = 0; i < route->count; i++) {
        const struct tg_route_segment *segment = &route->segments[i];
        struct tg_slice text;
        if (!next_segment(path, route->separator, &at, &text)) return false;
        if (segment->is_param && segment->type == TG_PARAM_PATH) {
            text.length = (size_t)(path.data + path.length - text.data);
            at = path.length + 1;
        }
        if (segment->is_param ? !match_param(segment, text, params) : !tg_slice_equal(segment->text, text))
            return false;
    }
    return at > path.length;
}

/* ---- order ---- */

static int rank_of(const struct tg_route_segment *segment)
{
    static const int ranks[] = {
        [TG_PARAM_INTEGER] = 1, [TG_PARAM_UUID] = 2, [TG_PARAM_SLUG] = 3,
        [TG_PARAM_STRING] = 4,  [TG_PARAM_PATH] = 5,
    };
    return segment->is_param ? ranks[segment->type] : 0;
}

int tg_route_compare(const struct tg_route *a, const struct tg_route *b)
{
    for (uint32_t i = 0; i < a->count && i < b->count; i++) {
        const struct tg_route_segment *left = &a->segments[i], *right = &b->segments[i];
        int order = rank_of(left) - rank_of(right);
        if (order == 0 && !left->is_param) order = tg_slice_compare(left->text, right->text);
        if (order != 0) return order < 0 ? -1 : 1;
    }
    return a->count < b->count ? -1 : a->count > b->count;
}
