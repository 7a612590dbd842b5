/* A limit is told with what it was. Whole numbers are compared as such, and with numbers as the wider of
 * the two types holds both exactly where long double has 64 bits of mantissa; where it has fewer, limits
 * above 2^53 may come out equal. */
#include "wire/json.h"
#include "wire/stricter_walk.h"
#include "wire/validate.h"

#include <math.h>
#include <stdio.h>

enum { SHOWN_BYTES = 60, NUMBER_BYTES = 64 };

/* ---- words ---- */

const char *tg_stricter_kind(const struct tg_schema *schema)
{
    switch (schema->kind) {
    case TG_SCHEMA_ANY:
        return "anything";
    case TG_SCHEMA_NULL:
        return "null";
    case TG_SCHEMA_BOOLEAN:
        return "a boolean";
    case TG_SCHEMA_INTEGER:
        return "an integer";
    case TG_SCHEMA_NUMBER:
        return "a number";
    case TG_SCHEMA_STRING:
        return "a string";
    case TG_SCHEMA_LITERAL:
        return "one value";
    case TG_SCHEMA_ENUM:
        return "one of some values";
    case TG_SCHEMA_ARRAY:
        return "an array";
    case TG_SCHEMA_OBJECT:
    case TG_SCHEMA_TAGGED:
        return "an object";
    case TG_SCHEMA_MAP:
        return "a map";
    case TG_SCHEMA_UNION:
    case TG_SCHEMA_REF:
        break;
    }
    return "one of several";
}

/* ---- lengths ---- */

static const char *show_length(size_t length, size_t widest, char text[NUMBER_BYTES])
{
    if (length == widest) return "none";
    snprintf(text, NUMBER_BYTES, "%zu", length);
    return text;
}

void tg_stricter_lengths(struct tg_stricter_walk *walk, const char *what, size_t min_before,
                         size_t max_before, size_t min_after, size_t max_after, size_t widest)
{
    char was[NUMBER_BYTES], is[NUMBER_BYTES];
    if (min_after > min_before)
        tg_stricter_tell(walk, "min%s was %s, is %zu", what, show_length(min_before, 0, was), min_after);
    if (max_after < max_before)
        tg_stricter_tell(walk, "max%s was %s, is %s", what, show_length(max_before, widest, was),
                         show_length(max_after, widest, is));
}

/* ---- strings ---- */

/* A value as people read it, cut and in one line. */
static const char *show(struct tg_stricter_walk *walk, const struct tg_value *value)
{
    tg_buf_truncate(&walk->text, 0);
    tg_json_write_shown(&walk->text, value, SHOWN_BYTES);
    tg_buf_append_char(&walk->text, '\0');
    if (!walk->text.has_failed) return walk->text.data;
    walk->has_failed = true;
    return "";
}

static struct tg_value text_value(struct tg_slice text)
{
    return (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)text.length, .string = text.data};
}

void tg_stricter_string(struct tg_stricter_walk *walk, const struct tg_schema *before,
                        const struct tg_schema *after)
{
    const struct tg_pattern *was = before->string.pattern, *is = after->string.pattern;
    bool is_bounded = after->string.min_length > 0 || after->string.max_length < SIZE_MAX || is ||
                      after->string.format != TG_FORMAT_NONE;
    tg_stricter_lengths(walk, "", before->string.min_length, before->string.max_length,
                        after->string.min_length, after->string.max_length, SIZE_MAX);
    if (is && !(was && tg_slice_equal(tg_pattern_source(was), tg_pattern_source(is)))) {
        struct tg_value source = text_value(tg_pattern_source(is));
        tg_stricter_tell(walk, was ? "its pattern is another one, %s" : "it has a pattern, %s",
                         show(walk, &source));
    }
    if (after->string.format != TG_FORMAT_NONE && after->string.format != before->string.format)
        tg_stricter_tell(walk, "its format is another one");
    if (before->string.is_trimmed != after->string.is_trimmed && is_bounded)
        tg_stricter_tell(walk, before->string.is_trimmed ? "white space at its ends counts now"
                                                         : "white space at its ends is taken off now");
}

/* ---- numbers ---- */

struct range {
    long double min, max;
    bool is_above_min, is_below_max;
};

static struct range range_of(const struct tg_schema *schema)
{
    if (schema->kind == TG_SCHEMA_NUMBER)
        return (struct range){schema->number.min, schema->number.max, schema->number.is_above_min,
                              schema->number.is_below_max};
    return (struct range){(long double)schema->integer.min, (long double)schema->integer.max,
                          schema->integer.is_above_min, schema->integer.is_below_max};
}

static bool has_limit(const struct tg_schema *schema, bool is_max)
{
    if (schema->kind == TG_SCHEMA_INTEGER)
        return is_max ? schema->integer.max != INT64_MAX : schema->integer.min != INT64_MIN;
    return is_max ? schema->number.max < INFINITY : schema->number.min > -INFINITY;
}

static const char *show_limit(const struct tg_schema *schema, bool is_max, char text[NUMBER_BYTES])
{
    if (!has_limit(schema, is_max)) return "none";
    struct range range = range_of(schema);
    long double limit = is_max ? range.max : range.min;
    bool is_open = is_max ? range.is_below_max : range.is_above_min;
    const char *sign = !is_open ? "" : is_max ? "below " : "above ";
    snprintf(text, NUMBER_BYTES, "%s%.*Lg", sign, schema->kind == TG_SCHEMA_INTEGER ? 19 : 17, limit);
    return text;
}

static void compare_ranges(struct tg_stricter_walk *walk, const struct tg_schema *before,
                           const struct tg_schema *after)
{
    char was[NUMBER_BYTES], is[NUMBER_BYTES];
    struct range b = range_of(before), a = range_of(after);
    /* An integer without a limit has that of its type, which is no narrower than a number's above it. */
    if (has_limit(after, false) && (a.min > b.min || (a.min == b.min && a.is_above_min && !b.is_above_min)))
        tg_stricter_tell(walk, "min was %s, is %s", show_limit(before, false, was),
                         show_limit(after, false, is));
    if (has_limit(after, true) && (a.max < b.max || (a.max == b.max && a.is_below_max && !b.is_below_max)))
        tg_stricter_tell(walk, "max was %s, is %s", show_limit(before, true, was),
                         show_limit(after, true, is));
}

void tg_stricter_integer(struct tg_stricter_walk *walk, const struct tg_schema *before,
                         const struct tg_schema *after)
{
    compare_ranges(walk, before, after);
    if (before->integer.multiple_of % after->integer.multiple_of != 0)
        tg_stricter_tell(walk, "it has to be a multiple of %lld", (long long)after->integer.multiple_of);
}

/* `before` may be an integer. */
void tg_stricter_number(struct tg_stricter_walk *walk, const struct tg_schema *before,
                        const struct tg_schema *after)
{
    double multiple_of = after->number.multiple_of;
    bool is_same = before->kind == TG_SCHEMA_NUMBER && before->number.multiple_of == multiple_of;
    compare_ranges(walk, before, after);
    if (multiple_of > 0 && !is_same) tg_stricter_tell(walk, "it has to be a multiple of %.17g", multiple_of);
}

/* ---- choices ---- */

static bool is_accepted(struct tg_stricter_walk *walk, const struct tg_value *value,
                        const struct tg_schema *after)
{
    struct tg_issues issues;
    struct tg_value copy = *value; /* scalars only: the walk prepares it in place */
    tg_buf_truncate(&walk->text, 0);
    tg_issues_init(&issues, &walk->text, 1);
    struct tg_validation validation = {.arena = &walk->arena, .issues = &issues, .naming = walk->naming};
    enum tg_status status = tg_validate(after, &copy, NULL, &validation);
    if (status == TG_E_NO_MEMORY) walk->has_failed = true;
    /* What checks below `after` say of it is not known. */
    for (const struct tg_call *call = validation.calls; call; call = call->next)
        if (!call->is_default && call->schema != after) return false;
    return status == TG_OK;
}

static bool is_among(const struct tg_value *value, const struct tg_schema *choice)
{
    for (uint32_t i = 0; i < choice->choice.count; i++)
        if (tg_value_equal(value, &choice->choice.values[i])) return true;
    return false;
}

void tg_stricter_gone(struct tg_stricter_walk *walk, const struct tg_value *value)
{
    tg_stricter_tell(walk, "%s is not among its values any more", show(walk, value));
}

void tg_stricter_choice(struct tg_stricter_walk *walk, const struct tg_schema *before,
                        const struct tg_schema *after)
{
    bool is_choice = after->kind == TG_SCHEMA_LITERAL || after->kind == TG_SCHEMA_ENUM;
    for (uint32_t i = 0; i < before->choice.count; i++) {
        const struct tg_value *value = &before->choice.values[i];
        bool is_scalar = value->type != TG_VALUE_ARRAY && value->type != TG_VALUE_OBJECT;
        if (is_choice ? is_among(value, after) : is_scalar && is_accepted(walk, value, after)) continue;
        struct tg_value told = *value;
        told.is_secret |= before->is_secret;
        tg_stricter_gone(walk, &told);
    }
}
