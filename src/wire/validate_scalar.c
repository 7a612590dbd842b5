/* Booleans, numbers, strings and declared values. A value changes when it was found right, so that an
 * issue shows what was sent. */
#include "base/utf8.h"
#include "wire/json.h"
#include "wire/validate_walk.h"

#include <float.h>
#include <math.h>

enum {
    SHORT_MATCH_STEPS = 1000, /* enough for patterns that people write, on text that fits */
    MOST_LONG_MATCHES = 10,   /* of one message: each may take max_steps */
};

static bool can_coerce(const struct tg_walk *walk, const struct tg_schema *schema,
                       const struct tg_value *value)
{
    return schema->can_coerce && !walk->is_exact && value->type == TG_VALUE_STRING;
}

/* ---- booleans ---- */

void tg_walk_boolean(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                     const struct tg_path *path)
{
    if (value->type == TG_VALUE_BOOLEAN) return;
    if (!can_coerce(walk, schema, value)) {
        tg_walk_refuse(walk, TG_ISSUE_BOOL_TYPE, value, path);
        return;
    }
    bool is_true = tg_slice_equal(tg_value_string(value), TG_SLICE("true"));
    if (is_true || tg_slice_equal(tg_value_string(value), TG_SLICE("false")))
        *value = (struct tg_value){.type = TG_VALUE_BOOLEAN, .boolean = is_true};
    else
        tg_walk_refuse(walk, TG_ISSUE_BOOL_PARSING, value, path);
}

/* ---- numbers ---- */

/* The number that `text` is in JSON, with nothing around it. */
static bool parse_number(struct tg_walk *walk, struct tg_slice text, struct tg_value *number)
{
    if (text.length == 0) return false;
    if (!tg_walk_read(walk, (uint32_t)text.length)) return false;
    char first = text.data[0], last = text.data[text.length - 1];
    if (first != '-' && (first < '0' || first > '9')) return false;
    if (last < '0' || last > '9') return false;
    enum tg_status status = tg_json_parse(text, 1, walk->arena, number, NULL);
    if (status == TG_E_NO_MEMORY) tg_walk_fail_memory(walk);
    return status == TG_OK;
}

/* 1.0, or a string that is an integer in JSON. */
static bool read_integer(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_value *value,
                         int64_t *integer)
{
    struct tg_value number = *value;
    if (can_coerce(walk, schema, value) && !parse_number(walk, tg_value_string(value), &number)) return false;
    return tg_value_to_integer(&number, integer);
}

/* An integer, or a string that is a number in JSON. */
static bool read_number(struct tg_walk *walk, const struct tg_schema *schema, const struct tg_value *value,
                        double *read)
{
    struct tg_value number = *value;
    if (can_coerce(walk, schema, value) && !parse_number(walk, tg_value_string(value), &number)) return false;
    if (number.type != TG_VALUE_INTEGER && number.type != TG_VALUE_NUMBER) return false;
    *read = number.type == TG_VALUE_INTEGER ? (double)number.integer : number.number;
    return true;
}

static void check_integer_limits(struct tg_walk *walk, const struct tg_schema *schema, int64_t integer,
                                 const struct tg_value *value, const struct tg_path *path)
{
    int64_t min = schema->integer.min, max = schema->integer.max, step = schema->integer.multiple_of;
    if (schema->integer.is_above_min ? integer <= min : integer < min)
        tg_walk_refuse_limit(
            walk, schema->integer.is_above_min ? TG_ISSUE_GREATER_THAN : TG_ISSUE_GREATER_THAN_EQUAL, value,
            path, min);
    if (schema->integer.is_below_max ? integer >= max : integer > max)
        tg_walk_refuse_limit(walk,
                             schema->integer.is_below_max ? TG_ISSUE_LESS_THAN : TG_ISSUE_LESS_THAN_EQUAL,
                             value, path, max);
    if (step != 1 && integer % step != 0) tg_walk_refuse_limit(walk, TG_ISSUE_MULTIPLE_OF, value, path, step);
}

void tg_walk_integer(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                     const struct tg_path *path)
{
    int64_t integer;
    if (value->type == TG_VALUE_INTEGER) {
        integer = value->integer;
    } else if (!read_integer(walk, schema, value, &integer)) {
        bool is_text = can_coerce(walk, schema, value);
        tg_walk_refuse(walk, is_text ? TG_ISSUE_INT_PARSING : TG_ISSUE_INT_TYPE, value, path);
        return;
    }
    uint32_t before = walk->wrong;
    check_integer_limits(walk, schema, integer, value, path);
    if (walk->wrong != before) return;
    value->type = TG_VALUE_INTEGER;
    value->integer = integer;
}

static void refuse_number(struct tg_walk *walk, enum tg_issue_type type, const struct tg_value *value,
                          const struct tg_path *path, double limit)
{
    const struct tg_value number = {.type = TG_VALUE_NUMBER, .number = limit};
    tg_walk_report(walk, &(struct tg_issue){.type = type, .path = path, .got = value, .limit = &number});
}

/* Whether the step is what was declared, as 1.5 is and 0.1 is not: a decimal fraction that is no binary
 * one needs all digits of a double. */
static bool is_exact(double step)
{
    double scaled = step * 0x1p16;
    return isfinite(scaled) && scaled == nearbyint(scaled);
}

/* 0.3 is a multiple of 0.1, though neither is a double: the quotient may be off by what rounding does.
 * For a step that was not rounded it may not: 1e15 is no multiple of 1.5. */
static bool is_multiple(double number, double step)
{
    double quotient = number / step;
    if (!isfinite(quotient) || is_exact(step)) return fmod(number, step) == 0;
    double whole = nearbyint(quotient);
    if (whole == 0) return number == 0;
    return fabs(quotient - whole) <= 4 * DBL_EPSILON * fabs(quotient);
}

static void check_number_limits(struct tg_walk *walk, const struct tg_schema *schema, double number,
                                const struct tg_value *value, const struct tg_path *path)
{
    double min = schema->number.min, max = schema->number.max, step = schema->number.multiple_of;
    if (schema->number.is_above_min ? number <= min : number < min)
        refuse_number(walk, schema->number.is_above_min ? TG_ISSUE_GREATER_THAN : TG_ISSUE_GREATER_THAN_EQUAL,
                      value, path, min);
    if (schema->number.is_below_max ? number >= max : number > max)
        refuse_number(walk, schema->number.is_below_max ? TG_ISSUE_LESS_THAN : TG_ISSUE_LESS_THAN_EQUAL,
                      value, path, max);
    if (step != 0 && !is_multiple(number, step)) refuse_number(walk, TG_ISSUE_MULTIPLE_OF, value, path, step);
}

void tg_walk_number(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path)
{
    double number;
    if (value->type == TG_VALUE_NUMBER) {
        number = value->number;
    } else if (!read_number(walk, schema, value, &number)) {
        bool is_text = can_coerce(walk, schema, value);
        tg_walk_refuse(walk, is_text ? TG_ISSUE_FLOAT_PARSING : TG_ISSUE_FLOAT_TYPE, value, path);
        return;
    }
    uint32_t before = walk->wrong;
    check_number_limits(walk, schema, number, value, path);
    if (walk->wrong != before) return;
    value->type = TG_VALUE_NUMBER;
    value->number = number;
}

/* ---- strings ---- */

/* 12 becomes "12", true becomes "true". */
static void write_as_string(struct tg_walk *walk, struct tg_value *value)
{
    struct tg_buf text;
    tg_buf_init(&text);
    tg_json_write_value(&text, value);
    struct tg_slice copy = {0};
    if (!text.has_failed) copy = tg_arena_copy(walk->arena, tg_buf_peek(&text));
    tg_buf_deinit(&text);
    if (!copy.data) {
        tg_walk_fail_memory(walk);
        return;
    }
    *value = (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)copy.length, .string = copy.data};
}

/* The bytes of the white space at `at`, 0: there is none. Unicode's White_Space (PropList.txt): U+0009 to
 * U+000D, U+0020, U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F, U+205F, U+3000. */
static size_t space_length(const char *at, const char *end)
{
    const unsigned char *b = (const unsigned char *)at;
    if (end - at >= 1 && (b[0] == ' ' || (b[0] >= 0x09 && b[0] <= 0x0D))) return 1;
    if (end - at >= 2 && b[0] == 0xC2 && (b[1] == 0x85 || b[1] == 0xA0)) return 2;
    if (end - at < 3) return 0;
    bool is_space = (b[0] == 0xE1 && b[1] == 0x9A && b[2] == 0x80) ||
                    (b[0] == 0xE2 && b[1] == 0x80 &&
                     ((b[2] >= 0x80 && b[2] <= 0x8A) || b[2] == 0xA8 || b[2] == 0xA9 || b[2] == 0xAF)) ||
                    (b[0] == 0xE2 && b[1] == 0x81 && b[2] == 0x9F) ||
                    (b[0] == 0xE3 && b[1] == 0x80 && b[2] == 0x80);
    return is_space ? 3 : 0;
}

static struct tg_slice trim(struct tg_slice text)
{
    const char *from = text.data, *to = text.data + text.length;
    for (size_t length; (length = space_length(from, to)) > 0;) from += length;
    while (to > from) {
        const char *last = to - 1;
        while (last > from && ((unsigned char)*last & 0xC0) == 0x80) last--;
        if (space_length(last, to) == 0) break;
        to = last;
    }
    return (struct tg_slice){from, (size_t)(to - from)};
}

static __attribute__((noinline)) bool has_right_length(struct tg_walk *walk, const struct tg_schema *schema,
                                                       const struct tg_value *value,
                                                       const struct tg_path *path)
{
    size_t min = schema->string.min_length, max = schema->string.max_length;
    size_t length = tg_utf8_count(value->string, value->length);
    if (length < min) tg_walk_refuse_limit(walk, TG_ISSUE_STRING_TOO_SHORT, value, path, (int64_t)min);
    if (length > max) tg_walk_refuse_limit(walk, TG_ISSUE_STRING_TOO_LONG, value, path, (int64_t)max);
    return length >= min && length <= max;
}

/* Few steps first; all that there are only for some strings of one message, or a list of them would take
 * as many times max_steps as it has items. */
static enum tg_status match(struct tg_walk *walk, const struct tg_pattern *pattern, struct tg_slice text)
{
    uint32_t most = walk->validation->max_steps;
    uint32_t few = most < SHORT_MATCH_STEPS ? most : SHORT_MATCH_STEPS;
    enum tg_status status = tg_pattern_match(pattern, text, few);
    if (status != TG_E_TOO_LARGE || few == most || walk->long_matches == MOST_LONG_MATCHES) return status;
    walk->long_matches++;
    return tg_pattern_match(pattern, text, most);
}

static bool matches_pattern(struct tg_walk *walk, const struct tg_pattern *pattern,
                            const struct tg_value *value, const struct tg_path *path)
{
    enum tg_status status = match(walk, pattern, tg_value_string(value));
    if (status == TG_OK) return true;
    if (status == TG_E_TOO_LARGE)
        tg_walk_refuse_steps(walk, value, path);
    else if (status == TG_E_NO_MEMORY)
        tg_walk_fail_memory(walk);
    else
        tg_walk_report(walk, &(struct tg_issue){.type = TG_ISSUE_STRING_PATTERN_MISMATCH,
                                                .path = path,
                                                .text = tg_pattern_source(pattern),
                                                .got = value});
    return false;
}

static void check_format(struct tg_walk *walk, enum tg_format format, const struct tg_value *value,
                         const struct tg_path *path)
{
    static const enum tg_issue_type issues[TG_FORMATS] = {
        [TG_FORMAT_EMAIL] = TG_ISSUE_EMAIL,        [TG_FORMAT_URL] = TG_ISSUE_URL_PARSING,
        [TG_FORMAT_UUID] = TG_ISSUE_UUID_PARSING,  [TG_FORMAT_DATE] = TG_ISSUE_DATE_PARSING,
        [TG_FORMAT_TIME] = TG_ISSUE_TIME_PARSING,  [TG_FORMAT_DATETIME] = TG_ISSUE_DATETIME_PARSING,
        [TG_FORMAT_HOSTNAME] = TG_ISSUE_HOSTNAME,  [TG_FORMAT_IPV4] = TG_ISSUE_IP_V4_ADDRESS,
        [TG_FORMAT_IPV6] = TG_ISSUE_IP_V6_ADDRESS,
    };
    if (!tg_format_matches(format, tg_value_string(value))) tg_walk_refuse(walk, issues[format], value, path);
}

static __attribute__((noinline)) void check_text(struct tg_walk *walk, const struct tg_schema *schema,
                                                 const struct tg_value *value, const struct tg_path *path)
{
    const struct tg_pattern *pattern = schema->string.pattern;
    if (pattern && !matches_pattern(walk, pattern, value, path)) return;
    if (schema->string.format != TG_FORMAT_NONE) check_format(walk, schema->string.format, value, path);
}

/* What becomes of a value before it is checked. */
static __attribute__((noinline)) void prepare_string(struct tg_walk *walk, const struct tg_schema *schema,
                                                     struct tg_value *value)
{
    bool is_scalar = value->type > TG_VALUE_NULL && value->type < TG_VALUE_STRING;
    if (schema->can_coerce && is_scalar) write_as_string(walk, value);
    if (!schema->string.is_trimmed || value->type != TG_VALUE_STRING) return;
    struct tg_slice trimmed = trim(tg_value_string(value));
    value->string = trimmed.data;
    value->length = (uint32_t)trimmed.length;
}

/* Most strings need no more than this: what others need is kept apart, and its frames with it. */
void tg_walk_string(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path)
{
    if (value->type == TG_VALUE_STRING && !tg_walk_read(walk, value->length)) return;
    if (!walk->is_exact && (schema->can_coerce || schema->string.is_trimmed)) {
        prepare_string(walk, schema, value);
        if (walk->is_over) return;
    }
    if (value->type != TG_VALUE_STRING) {
        tg_walk_refuse(walk, TG_ISSUE_STRING_TYPE, value, path);
        return;
    }
    /* A code point takes one to four bytes: often the bytes alone settle it. */
    bool is_settled =
        value->length <= schema->string.max_length && value->length / 4 >= schema->string.min_length;
    if (!is_settled && !has_right_length(walk, schema, value, path)) return;
    if (schema->string.pattern || schema->string.format != TG_FORMAT_NONE)
        check_text(walk, schema, value, path);
}

/* ---- declared values ---- */

/* The declared value takes the place of the one that was sent, so that 1.0 becomes the declared 1. */
void tg_walk_choice(struct tg_walk *walk, const struct tg_schema *schema, struct tg_value *value,
                    const struct tg_path *path)
{
    for (uint32_t i = 0; i < schema->choice.count; i++) {
        if (!tg_value_equal(value, &schema->choice.values[i])) continue;
        *value = schema->choice.values[i];
        return;
    }
    tg_walk_report(walk, &(struct tg_issue){.type = schema->kind == TG_SCHEMA_LITERAL ? TG_ISSUE_LITERAL_ERROR
                                                                                      : TG_ISSUE_ENUM,
                                            .path = path,
                                            .text = schema->choice.text,
                                            .got = value});
}
