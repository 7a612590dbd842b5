/* One pass, recursive descent; the recursion is as deep as the caller's max_depth allows.
 *
 * Items of open arrays and members of open objects are collected on one stack of bytes, which
 * begins in the frame of tg_json_parse and moves to the heap when it outgrows that; a container
 * that closes is copied into the arena once, with its final size. Invariant: above the `base` of the
 * innermost open container lie its finished items and nothing else.
 *
 * Strings are scanned eight bytes at a time. Bytes over 0x7F are only noted by the scan; a run that
 * has some is checked as UTF-8 afterwards.
 */
#include "wire/json.h"

#include "base/map.h"
#include "base/utf8.h"
#include "wire/json_scan.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    STACK_BYTES = 2048,   /* 64 members: most messages never see the heap */
    FEW_KEYS = 16,        /* up to here a new key is compared with each before it */
    QUOTED_KEY_BYTES = 64 /* of a key, in an error */
};

static inline bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

struct parser {
    const char *begin;
    const char *next;
    const char *end;
    struct tg_arena *arena;
    uint32_t depth;
    uint32_t max_depth;
    char *stack;
    size_t stack_used;
    size_t stack_bytes;
    char *stack_heap; /* owned; NULL while the first stack is enough */
    struct tg_hash_seed seed;
    bool has_seed;
    struct tg_error *error;
};

static enum tg_status fail(struct parser *parser, const char *at, const char *what)
{
    size_t offset = (size_t)(at - parser->begin);
    tg_error_set(parser->error, TG_E_INVALID, "Invalid JSON at byte %zu: %s", offset, what);
    if (parser->error) parser->error->offset = offset;
    return TG_E_INVALID;
}

static enum tg_status fail_at_key(struct parser *parser, const char *at, struct tg_slice key)
{
    struct tg_slice shown = tg_json_cut(key, QUOTED_KEY_BYTES);
    char what[QUOTED_KEY_BYTES + 32];
    snprintf(what, sizeof what, "key \"%.*s%s\" stands twice", TG_SLICE_ARG(shown),
             shown.length < key.length ? "..." : "");
    return fail(parser, at, what);
}

static enum tg_status fail_at_depth(struct parser *parser)
{
    char what[48];
    snprintf(what, sizeof what, "nested deeper than %u", (unsigned)parser->max_depth);
    fail(parser, parser->next, what);
    if (parser->error) parser->error->status = TG_E_TOO_DEEP;
    return TG_E_TOO_DEEP;
}

static enum tg_status no_memory(struct parser *parser)
{
    return tg_error_set(parser->error, TG_E_NO_MEMORY, "out of memory");
}

static inline void skip_space(struct parser *parser)
{
    const char *next = parser->next;
    while (next < parser->end && (*next == ' ' || *next == '\n' || *next == '\r' || *next == '\t')) next++;
    parser->next = next;
}

/* Skips space and then `byte`, if that is what comes. */
static inline bool accept(struct parser *parser, char byte)
{
    skip_space(parser);
    if (parser->next == parser->end || *parser->next != byte) return false;
    parser->next++;
    return true;
}

/* ---- the stack of open containers ---- */

static bool grow_stack(struct parser *parser)
{
    size_t bytes = parser->stack_bytes * 2;
    char *heap = realloc(parser->stack_heap, bytes);
    if (!heap) return false;
    if (!parser->stack_heap) memcpy(heap, parser->stack, parser->stack_used);
    parser->stack = parser->stack_heap = heap;
    parser->stack_bytes = bytes;
    return true;
}

/* An entry is far smaller than the stack, so growing once is enough. */
static inline bool push(struct parser *parser, const void *entry, size_t bytes)
{
    if (parser->stack_bytes - parser->stack_used < bytes && !grow_stack(parser)) return false;
    memcpy(parser->stack + parser->stack_used, entry, bytes);
    parser->stack_used += bytes;
    return true;
}

/* Moves what lies above `base` into the arena. */
static enum tg_status pop_to(struct parser *parser, size_t base, void **moved)
{
    size_t bytes = parser->stack_used - base;
    *moved = tg_arena_alloc(parser->arena, bytes);
    if (!*moved) return no_memory(parser);
    memcpy(*moved, parser->stack + base, bytes);
    parser->stack_used = base;
    parser->depth--;
    return TG_OK;
}

static inline enum tg_status open_container(struct parser *parser)
{
    if (parser->depth == parser->max_depth) return fail_at_depth(parser);
    parser->depth++;
    parser->next++;
    return TG_OK;
}

/* ---- strings ---- */

static enum tg_status check_utf8(struct parser *parser, const char *from, const char *to)
{
    struct tg_utf8 utf8 = {0};
    size_t length = (size_t)(to - from);
    size_t good = tg_utf8_feed(&utf8, from, length);
    if (good == length && tg_utf8_is_complete(&utf8)) return TG_OK;
    return fail(parser, from + good, "bytes that are not UTF-8");
}

/* The next run of plain bytes; afterwards `next` is at a quote or a backslash. */
static inline enum tg_status scan_run(struct parser *parser, struct tg_slice *run)
{
    uint64_t high = 0;
    const char *from = parser->next;
    const char *to = tg_json_scan_plain(from, parser->end, &high);
    if (high) {
        enum tg_status status = check_utf8(parser, from, to);
        if (status != TG_OK) return status;
    }
    if (to == parser->end) return fail(parser, to, "a string without its closing quote");
    if ((unsigned char)*to < 0x20) return fail(parser, to, "a control character in a string");
    *run = (struct tg_slice){from, (size_t)(to - from)};
    parser->next = to;
    return TG_OK;
}

/* Four hex digits at `at`, or -1. */
static int32_t read_hex4(const char *at, const char *end)
{
    if (end - at < 4) return -1;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char lower = (char)(at[i] | 0x20);
        if (is_digit(at[i]))
            unit = unit << 4 | (at[i] - '0');
        else if (lower >= 'a' && lower <= 'f')
            unit = unit << 4 | (lower - 'a' + 10);
        else
            return -1;
    }
    return unit;
}

/* \uXXXX, or a pair of them that makes one character (RFC 8259 7, 8.2). `next` is at the backslash. */
static enum tg_status decode_unicode(struct parser *parser, char **out)
{
    const char *at = parser->next;
    int32_t unit = read_hex4(at + 2, parser->end);
    if (unit < 0) return fail(parser, at, "expected four hex digits after \\u");
    parser->next += 6;
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        const char *second = parser->next;
        bool is_escape = parser->end - second >= 6 && second[0] == '\\' && second[1] == 'u';
        int32_t low = is_escape ? read_hex4(second + 2, parser->end) : -1;
        if (unit > 0xDBFF || low < 0xDC00 || low > 0xDFFF) return fail(parser, at, "a lone surrogate");
        unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
        parser->next += 6;
    }
    *out += tg_utf8_encode((uint32_t)unit, *out);
    return TG_OK;
}

static enum tg_status decode_escape(struct parser *parser, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at = parser->next;
    if (parser->end - at < 2) return fail(parser, parser->end, "a string without its closing quote");
    if (at[1] == 'u') return decode_unicode(parser, out);
    const char *found = memchr(from, at[1], sizeof from - 1);
    if (!found) return fail(parser, at, "an escape that JSON does not know");
    *(*out)++ = to[found - from];
    parser->next += 2;
    return TG_OK;
}

/* The quote that ends the string, or the end of the text. No backslash is looked at twice. */
static const char *find_closing_quote(const char *from, const char *end)
{
    for (const char *next = from;;) {
        const char *quote = memchr(next, '"', (size_t)(end - next));
        if (!quote) return end;
        const char *before = quote;
        while (before > next && before[-1] == '\\') before--;
        if ((quote - before) % 2 == 0) return quote;
        next = quote + 1;
    }
}

/* The rest of a string with escapes: decoded into the arena. No escape is shorter than what it
 * stands for, so the length of the source is enough. */
static enum tg_status decode_string(struct parser *parser, struct tg_slice run, struct tg_slice *string)
{
    size_t bound = (size_t)(find_closing_quote(parser->next, parser->end) - run.data);
    char *decoded = tg_arena_alloc(parser->arena, bound);
    if (!decoded) return no_memory(parser);
    char *out = decoded;
    enum tg_status status = TG_OK;
    for (;;) {
        memcpy(out, run.data, run.length);
        out += run.length;
        if (*parser->next == '"') break;
        status = decode_escape(parser, &out);
        if (status == TG_OK) status = scan_run(parser, &run);
        if (status != TG_OK) return status;
    }
    parser->next++;
    *string = (struct tg_slice){decoded, (size_t)(out - decoded)};
    return TG_OK;
}

/* `next` is after the opening quote, and in the end after the closing one. */
static inline enum tg_status parse_string(struct parser *parser, struct tg_slice *string)
{
    enum tg_status status = scan_run(parser, string);
    if (status != TG_OK) return status;
    if (*parser->next == '\\') return decode_string(parser, *string, string);
    parser->next++;
    return TG_OK;
}

/* ---- numbers ---- */

struct decimal {
    uint64_t mantissa; /* of the first MANTISSA_DIGITS significant digits */
    size_t digits;     /* significant ones, all of them */
    size_t fraction;   /* digits after the point */
    int64_t exponent;  /* as written; stops growing far outside a double's range */
    bool is_negative;
    bool is_integer;
};

enum { MANTISSA_DIGITS = 19, EXPONENT_ENOUGH = 1 << 30, SHORT_LITERAL = 128 };

/* At least one digit; NULL: there is none. */
static inline const char *read_digits(const char *next, const char *end, struct decimal *decimal)
{
    const char *from = next;
    for (; next < end && is_digit(*next); next++) {
        if (decimal->digits < MANTISSA_DIGITS) {
            decimal->mantissa = decimal->mantissa * 10 + (uint64_t)(*next - '0');
            decimal->digits += decimal->mantissa != 0;
        } else {
            decimal->digits++;
        }
    }
    return next > from ? next : NULL;
}

/* The digits behind 'e' and its sign. */
static const char *read_exponent(const char *next, const char *end, bool is_negative, struct decimal *decimal)
{
    const char *from = next;
    int64_t exponent = 0;
    for (; next < end && is_digit(*next); next++)
        if (exponent < EXPONENT_ENOUGH) exponent = exponent * 10 + (*next - '0');
    decimal->exponent = is_negative ? -exponent : exponent;
    return next > from ? next : NULL;
}

/* RFC 8259 6: [ minus ] int [ frac ] [ exp ]. */
static enum tg_status scan_number(struct parser *parser, struct decimal *decimal)
{
    const char *next = parser->next, *end = parser->end;
    decimal->is_negative = *next == '-';
    next += decimal->is_negative;
    const char *first = next;
    next = read_digits(next, end, decimal);
    if (!next) return fail(parser, first, "expected a digit");
    if (*first == '0' && next - first > 1) return fail(parser, first, "a number with a leading zero");
    decimal->is_integer = true;
    if (next < end && *next == '.') {
        first = next + 1;
        next = read_digits(first, end, decimal);
        if (!next) return fail(parser, first, "expected a digit");
        decimal->fraction = (size_t)(next - first);
        decimal->is_integer = false;
    }
    if (next < end && (*next | 0x20) == 'e') {
        const char *sign = next + 1;
        bool has_sign = sign < end && (*sign == '-' || *sign == '+');
        first = sign + has_sign;
        next = read_exponent(first, end, has_sign && *sign == '-', decimal);
        if (!next) return fail(parser, first, "expected a digit");
        decimal->is_integer = false;
    }
    parser->next = next;
    return TG_OK;
}

/* Exact where mantissa and power of ten are doubles themselves: one operation rounds once. */
static bool convert_small(const struct decimal *decimal, double *number)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    int64_t power = decimal->exponent - (int64_t)decimal->fraction;
    bool fits = decimal->digits <= MANTISSA_DIGITS && decimal->mantissa <= (uint64_t)1 << 53;
    if (!fits || power < -22 || power > 22) return false;
    double mantissa = (double)decimal->mantissa;
    double magnitude = power < 0 ? mantissa / powers[-power] : mantissa * powers[power];
    *number = decimal->is_negative ? -magnitude : magnitude;
    return true;
}

/* strtod wants a terminated text. The locale is never set, so its point is '.'. */
static enum tg_status convert_exactly(struct parser *parser, struct tg_slice literal, double *number)
{
    char buffer[SHORT_LITERAL];
    const char *text = buffer;
    if (literal.length < sizeof buffer) {
        memcpy(buffer, literal.data, literal.length);
        buffer[literal.length] = '\0';
    } else {
        text = tg_arena_copy(parser->arena, literal).data;
        if (!text) return no_memory(parser);
    }
    *number = strtod(text, NULL);
    return isfinite(*number) ? TG_OK : fail(parser, literal.data, "number out of range");
}

static enum tg_status parse_number(struct parser *parser, struct tg_value *value)
{
    struct decimal decimal = {0};
    const char *from = parser->next;
    enum tg_status status = scan_number(parser, &decimal);
    if (status != TG_OK) return status;
    value->length = 0;
    if (decimal.is_integer) {
        uint64_t limit = (uint64_t)INT64_MAX + decimal.is_negative;
        if (decimal.digits > MANTISSA_DIGITS || decimal.mantissa > limit)
            return fail(parser, from, "number out of range");
        value->type = TG_VALUE_INTEGER;
        value->integer = (int64_t)(decimal.is_negative ? -decimal.mantissa : decimal.mantissa);
        return TG_OK;
    }
    value->type = TG_VALUE_NUMBER;
    if (convert_small(&decimal, &value->number)) return TG_OK;
    struct tg_slice literal = {from, (size_t)(parser->next - from)};
    return convert_exactly(parser, literal, &value->number);
}

/* ---- arrays and objects ---- */

static enum tg_status parse_value(struct parser *parser, struct tg_value *value);

static enum tg_status parse_array(struct parser *parser, struct tg_value *value)
{
    size_t base = parser->stack_used;
    enum tg_status status = open_container(parser);
    if (status != TG_OK) return status;
    if (!accept(parser, ']')) {
        do {
            struct tg_value item;
            status = parse_value(parser, &item);
            if (status != TG_OK) return status;
            if (!push(parser, &item, sizeof item)) return no_memory(parser);
        } while (accept(parser, ','));
        if (!accept(parser, ']')) return fail(parser, parser->next, "expected ',' or ']'");
    }
    void *items;
    value->type = TG_VALUE_ARRAY;
    value->length = (uint32_t)((parser->stack_used - base) / sizeof(struct tg_value));
    status = pop_to(parser, base, &items);
    value->items = items;
    return status;
}

/* The keys of one object that is being read. */
struct keys {
    size_t base;         /* where its members begin on the stack */
    struct tg_map index; /* of all keys, once there are more than FEW_KEYS */
};

static enum tg_status index_first_keys(struct parser *parser, struct keys *keys,
                                       const struct tg_member *members)
{
    if (!parser->has_seed) parser->seed = tg_hash_seed_random();
    parser->has_seed = true;
    tg_map_init(&keys->index, parser->seed);
    for (size_t i = 0; i < FEW_KEYS; i++) {
        enum tg_status status = tg_map_add(&keys->index, tg_member_key(&members[i]), keys);
        if (status != TG_OK) return status;
    }
    return TG_OK;
}

/* TG_E_EXISTS: the key stands before. Keys that collide on purpose cost nothing, as the index is
 * seeded anew for every text. */
static inline enum tg_status add_key(struct parser *parser, struct keys *keys, struct tg_slice key)
{
    const struct tg_member *members = (const void *)(parser->stack + keys->base);
    size_t count = (parser->stack_used - keys->base) / sizeof *members;
    if (count < FEW_KEYS) {
        for (size_t i = 0; i < count; i++)
            if (tg_slice_equal(tg_member_key(&members[i]), key)) return TG_E_EXISTS;
        return TG_OK;
    }
    enum tg_status status = count == FEW_KEYS ? index_first_keys(parser, keys, members) : TG_OK;
    return status == TG_OK ? tg_map_add(&keys->index, key, keys) : status;
}

static enum tg_status parse_key(struct parser *parser, struct keys *keys, struct tg_slice *key)
{
    if (!accept(parser, '"')) return fail(parser, parser->next, "expected a key in double quotes");
    const char *at = parser->next - 1;
    enum tg_status status = parse_string(parser, key);
    if (status != TG_OK) return status;
    status = add_key(parser, keys, *key);
    if (status == TG_E_EXISTS) return fail_at_key(parser, at, *key);
    if (status != TG_OK) return no_memory(parser);
    return accept(parser, ':') ? TG_OK : fail(parser, parser->next, "expected ':'");
}

static enum tg_status parse_members(struct parser *parser, struct keys *keys)
{
    do {
        struct tg_slice key;
        struct tg_member member;
        enum tg_status status = parse_key(parser, keys, &key);
        if (status == TG_OK) status = parse_value(parser, &member.value);
        if (status != TG_OK) return status;
        member.key = key.data;
        member.key_length = (uint32_t)key.length;
        member.key_id = 0;
        if (!push(parser, &member, sizeof member)) return no_memory(parser);
    } while (accept(parser, ','));
    return accept(parser, '}') ? TG_OK : fail(parser, parser->next, "expected ',' or '}'");
}

static enum tg_status parse_object(struct parser *parser, struct tg_value *value)
{
    struct keys keys = {.base = parser->stack_used};
    enum tg_status status = open_container(parser);
    if (status != TG_OK) return status;
    if (!accept(parser, '}')) {
        status = parse_members(parser, &keys);
        if (keys.index.entries) tg_map_deinit(&keys.index);
        if (status != TG_OK) return status;
    }
    void *members;
    value->type = TG_VALUE_OBJECT;
    value->length = (uint32_t)((parser->stack_used - keys.base) / sizeof(struct tg_member));
    status = pop_to(parser, keys.base, &members);
    value->members = members;
    return status;
}

/* ---- values ---- */

static enum tg_status parse_word(struct parser *parser, struct tg_slice word, struct tg_value *value,
                                 struct tg_value meaning)
{
    size_t left = (size_t)(parser->end - parser->next);
    if (left < word.length || memcmp(parser->next, word.data, word.length) != 0)
        return fail(parser, parser->next, "expected a value");
    parser->next += word.length;
    *value = meaning;
    return TG_OK;
}

static enum tg_status parse_string_value(struct parser *parser, struct tg_value *value)
{
    struct tg_slice string;
    parser->next++;
    enum tg_status status = parse_string(parser, &string);
    if (status != TG_OK) return status;
    value->type = TG_VALUE_STRING;
    value->length = (uint32_t)string.length;
    value->string = string.data;
    return TG_OK;
}

static enum tg_status parse_value(struct parser *parser, struct tg_value *value)
{
    skip_space(parser);
    if (parser->next == parser->end) return fail(parser, parser->next, "expected a value");
    value->is_secret = false; /* the rest is set by kind */
    switch (*parser->next) {
    case '"':
        return parse_string_value(parser, value);
    case '{':
        return parse_object(parser, value);
    case '[':
        return parse_array(parser, value);
    case 't':
        return parse_word(parser, TG_SLICE("true"), value,
                          (struct tg_value){.type = TG_VALUE_BOOLEAN, .boolean = true});
    case 'f':
        return parse_word(parser, TG_SLICE("false"), value, (struct tg_value){.type = TG_VALUE_BOOLEAN});
    case 'n':
        return parse_word(parser, TG_SLICE("null"), value, (struct tg_value){.type = TG_VALUE_NULL});
    default:
        if (*parser->next == '-' || is_digit(*parser->next)) return parse_number(parser, value);
        return fail(parser, parser->next, "expected a value");
    }
}

enum tg_status tg_json_parse(struct tg_slice text, uint32_t max_depth, struct tg_arena *arena,
                             struct tg_value *value, struct tg_error *error)
{
    assert(text.length <= UINT32_MAX); /* max_message_bytes sees to it */
    _Alignas(struct tg_member) char stack[STACK_BYTES];
    const char *begin = text.length ? text.data : "";
    struct parser parser = {
        .begin = begin,
        .next = begin,
        .end = begin + text.length,
        .arena = arena,
        .max_depth = max_depth,
        .stack = stack,
        .stack_bytes = sizeof stack,
        .error = error,
    };
    enum tg_status status = parse_value(&parser, value);
    if (status == TG_OK) {
        skip_space(&parser);
        if (parser.next < parser.end) status = fail(&parser, parser.next, "text after the value");
    }
    free(parser.stack_heap);
    return status;
}
