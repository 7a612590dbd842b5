/* Every character that is no ASCII letter or digit is written as \x{...}, so that none is ever taken for
 * syntax. Sets are written out as ranges: \s means another set to PCRE2, and \D or \W beside a \p{L} in
 * a negated class takes in characters above U+00FF that it should not (10.42).
 */
#include "wire/pattern_escape.h"

#include "base/utf8.h"

#include <stdio.h>

/* ECMA-262 22.2.2.9, CharacterClassEscape; the white space is WhiteSpace and LineTerminator. */
static const struct {
    char letter;
    const char *members;
} sets[] = {
    {'d', "0-9"},
    {'D', "\\x{0}-\\x{2F}\\x{3A}-\\x{10FFFF}"},
    {'w', "0-9A-Z\\x{5F}a-z"},
    {'W', "\\x{0}-\\x{2F}\\x{3A}-\\x{40}\\x{5B}-\\x{5E}\\x{60}\\x{7B}-\\x{10FFFF}"},
    {'s', "\\x{9}-\\x{D}\\x{20}\\x{A0}\\x{1680}\\x{2000}-\\x{200A}\\x{2028}\\x{2029}\\x{202F}\\x{205F}"
          "\\x{3000}\\x{FEFF}"},
    {'S',
     "\\x{0}-\\x{8}\\x{E}-\\x{1F}\\x{21}-\\x{9F}\\x{A1}-\\x{167F}\\x{1681}-\\x{1FFF}\\x{200B}-\\x{2027}"
     "\\x{202A}-\\x{202E}\\x{2030}-\\x{205E}\\x{2060}-\\x{2FFF}\\x{3001}-\\x{FEFE}\\x{FF00}-\\x{10FFFF}"},
};

#define ANYTHING "\\x{0}-\\x{10FFFF}"

/* The general categories of Unicode, by the short names that both languages have. */
static const char categories[] = " L LC Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps "
                                 "S Sc Sk Sm So Z Zl Zp Zs C Cc Cf Cn Co Cs ";

/* What people write who know another language, and what to write instead. */
static const struct {
    const char *letters, *why;
} foreign_escapes[] = {
    {"A", "\\A is not in ECMA-262; write ^"},
    {"zZ", "\\z and \\Z are not in ECMA-262; write $"},
    {"hH", "\\h and \\H are not in ECMA-262; write [ \\t] or [^ \\t]"},
    {"V", "\\V is not in ECMA-262; write [^\\n\\v\\f\\r\\u0085\\u2028\\u2029]"},
    {"R", "\\R is not in ECMA-262; write (?:\\r\\n|\\n|\\r)"},
    {"N", "\\N is not in ECMA-262; write ."},
    {"XC", "\\X and \\C are not in ECMA-262; write . for a character"},
    {"KG", "\\K and \\G are not in ECMA-262; leave it out, since only whether a pattern matches is asked"},
    {"QE", "\\Q and \\E are not in ECMA-262; escape each character by itself"},
    {"a", "\\a is not in ECMA-262; write \\x07"},
    {"e", "\\e is not in ECMA-262; write \\x1B"},
    {"o", "\\o is not in ECMA-262; write \\xHH or \\u{H}"},
    {"gk123456789",
     "a back reference means different things in the two languages; write out what it repeats"},
};

/* ---- reading ---- */

bool tg_pattern_skip(struct tg_pattern_reader *reader, const char *text)
{
    size_t length = strlen(text);
    if (reader->source.length - reader->at < length) return false;
    if (memcmp(reader->source.data + reader->at, text, length) != 0) return false;
    reader->at += length;
    return true;
}

/* A few characters from `offset` on are shown, whole ones. */
enum tg_status tg_pattern_refuse(const struct tg_pattern_reader *reader, size_t offset, const char *why)
{
    enum { SHOWN_BYTES = 16 };
    struct tg_slice shown = {reader->source.data + offset, reader->source.length - offset};
    if (shown.length > SHOWN_BYTES) {
        shown.length = SHOWN_BYTES;
        while (((unsigned char)shown.data[shown.length] & 0xC0) == 0x80) shown.length--;
    }
    enum tg_status status =
        shown.length
            ? tg_error_set(reader->error, TG_E_INVALID, "The pattern is wrong at byte %zu, \"%.*s\": %s.",
                           offset, TG_SLICE_ARG(shown), why)
            : tg_error_set(reader->error, TG_E_INVALID, "The pattern is wrong at its end: %s.", why);
    if (reader->error) reader->error->offset = offset;
    return status;
}

uint32_t tg_pattern_read_char(struct tg_pattern_reader *reader)
{
    unsigned char lead = (unsigned char)reader->source.data[reader->at++];
    if (lead < 0x80) return lead;
    size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    uint32_t code_point = lead & (0x3Fu >> more);
    while (more-- > 0)
        code_point = code_point << 6 | ((unsigned char)reader->source.data[reader->at++] & 0x3Fu);
    return code_point;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void tg_pattern_write_char(const struct tg_pattern_reader *reader, uint32_t code_point)
{
    if (code_point < 0x80 && (is_letter((char)code_point) || is_digit((char)code_point)))
        tg_buf_append_char(reader->out, (char)code_point);
    else
        tg_buf_printf(reader->out, "\\x{%X}", (unsigned)code_point);
}

/* ---- escapes of one character ---- */

static int hex_value(char c)
{
    if (is_digit(c)) return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Exactly `digits` of them. */
static bool read_hex(struct tg_pattern_reader *reader, size_t digits, uint32_t *value)
{
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        int digit = hex_value(tg_pattern_peek(reader, i));
        if (digit < 0) return false;
        *value = *value << 4 | (uint32_t)digit;
    }
    reader->at += digits;
    return true;
}

/* The inside of \u{...}: any number of digits, for a code point that exists. */
static bool read_braced_hex(struct tg_pattern_reader *reader, uint32_t *value)
{
    *value = 0;
    if (tg_pattern_peek(reader, 0) == '}') return false;
    while (!tg_pattern_skip(reader, "}")) {
        int digit = hex_value(tg_pattern_peek(reader, 0));
        if (digit < 0) return false;
        *value = *value << 4 | (uint32_t)digit;
        if (*value > 0x10FFFF) return false;
        reader->at++;
    }
    return true;
}

static bool is_surrogate(uint32_t code_point)
{
    return code_point >= 0xD800 && code_point <= 0xDFFF;
}

/* Behind "\u". Two surrogates in a row are one character (ECMA-262 22.2.1, RegExpUnicodeEscapeSequence). */
static enum tg_status read_unicode(struct tg_pattern_reader *reader, size_t start, uint32_t *code_point)
{
    uint32_t low;
    bool is_read =
        tg_pattern_skip(reader, "{") ? read_braced_hex(reader, code_point) : read_hex(reader, 4, code_point);
    if (!is_read)
        return tg_pattern_refuse(reader, start,
                                 "\\u takes four hexadecimal digits, or \\u{...} up to 10FFFF");
    if (!is_surrogate(*code_point)) return TG_OK;
    bool is_pair = *code_point < 0xDC00 && tg_pattern_skip(reader, "\\u") && read_hex(reader, 4, &low) &&
                   low >= 0xDC00 && low <= 0xDFFF;
    if (!is_pair)
        return tg_pattern_refuse(reader, start, "half a surrogate pair is no character; write \\u{...}");
    *code_point = 0x10000 + ((*code_point - 0xD800) << 10) + (low - 0xDC00);
    return TG_OK;
}

static enum tg_status refuse_escape(const struct tg_pattern_reader *reader, size_t start, char letter)
{
    for (size_t i = 0; i < sizeof foreign_escapes / sizeof foreign_escapes[0]; i++)
        if (letter && strchr(foreign_escapes[i].letters, letter))
            return tg_pattern_refuse(reader, start, foreign_escapes[i].why);
    if (start + 1 == reader->source.length)
        return tg_pattern_refuse(reader, start, "nothing follows the backslash; write \\\\ for itself");
    if (is_letter(letter)) return tg_pattern_refuse(reader, start, "there is no such escape");
    return tg_pattern_refuse(reader, start, "this character needs no backslash; write it without");
}

static enum tg_status read_char_escape(struct tg_pattern_reader *reader, size_t start, bool is_in_class,
                                       uint32_t *code_point)
{
    static const char names[] = "tnvfr", values[] = "\t\n\v\f\r";
    char letter = tg_pattern_peek(reader, 0);
    const char *name = letter ? strchr(names, letter) : NULL;
    *code_point = (unsigned char)letter;
    if (!letter || (unsigned char)letter >= 0x80) return refuse_escape(reader, start, '\0');
    reader->at++;
    if (name) {
        *code_point = (unsigned char)values[name - names];
    } else if (letter == 'b' && is_in_class) {
        *code_point = '\b';
    } else if (letter == '0') {
        *code_point = 0;
        if (is_digit(tg_pattern_peek(reader, 0)))
            return tg_pattern_refuse(reader, start, "octal numbers are not in ECMA-262; write \\xHH");
    } else if (letter == 'c') {
        *code_point = tg_pattern_peek(reader, 0) & 0x1F;
        if (!is_letter(tg_pattern_peek(reader, 0)))
            return tg_pattern_refuse(reader, start, "\\c takes a letter, as in \\cJ");
        reader->at++;
    } else if (letter == 'x') {
        if (!read_hex(reader, 2, code_point))
            return tg_pattern_refuse(reader, start,
                                     "\\x takes two hexadecimal digits; for more write \\u{...}");
    } else if (letter == 'u') {
        return read_unicode(reader, start, code_point);
    } else if (!strchr("^$\\.*+?()[]{}|/", letter) && !(letter == '-' && is_in_class)) {
        return refuse_escape(reader, start, letter);
    }
    return TG_OK;
}

/* ---- escapes of sets ---- */

/* Behind "\p" or "\P". */
static enum tg_status read_category(struct tg_pattern_reader *reader, size_t start, char letter)
{
    char wanted[8];
    size_t length = 0;
    size_t open = tg_pattern_skip(reader, "{");
    while (open && length < 3 && is_letter(tg_pattern_peek(reader, length))) length++;
    snprintf(wanted, sizeof wanted, " %.*s ", (int)length, reader->source.data + reader->at);
    if (length == 0 || tg_pattern_peek(reader, length) != '}' || !strstr(categories, wanted))
        return tg_pattern_refuse(reader, start,
                                 "\\p takes a general category of Unicode by its short name, as in "
                                 "\\p{L}, \\p{Lu}, \\p{Nd}");
    bool is_cased = strcmp(wanted, " LC ") == 0; /* which PCRE2 calls L& */
    tg_buf_printf(reader->out, "\\%c{%.*s}", letter, is_cased ? 2 : (int)length,
                  is_cased ? "L&" : wanted + 1);
    reader->at += length + 1;
    return TG_OK;
}

static enum tg_status read_set_escape(struct tg_pattern_reader *reader, size_t start, bool is_in_class)
{
    char letter = reader->source.data[reader->at++];
    if (letter == 'p' || letter == 'P') return read_category(reader, start, letter);
    size_t i = 0;
    while (sets[i].letter != letter) i++;
    tg_buf_printf(reader->out, is_in_class ? "%s" : "[%s]", sets[i].members);
    return TG_OK;
}

enum tg_status tg_pattern_read_escape(struct tg_pattern_reader *reader, bool is_in_class, bool *is_set,
                                      uint32_t *code_point)
{
    size_t start = reader->at++;
    char letter = tg_pattern_peek(reader, 0);
    *is_set = letter && strchr("dDsSwWpP", letter);
    return *is_set ? read_set_escape(reader, start, is_in_class)
                   : read_char_escape(reader, start, is_in_class, code_point);
}

/* ---- classes ---- */

static enum tg_status read_member(struct tg_pattern_reader *reader, bool *is_set, uint32_t *code_point)
{
    *is_set = false;
    if (tg_pattern_is_at_end(reader))
        return tg_pattern_refuse(reader, reader->at, "the class is not closed by ]");
    if (tg_pattern_peek(reader, 0) == '\\') return tg_pattern_read_escape(reader, true, is_set, code_point);
    char next = tg_pattern_peek(reader, 1);
    if (tg_pattern_peek(reader, 0) == '[' && next && strchr(":.=", next))
        return tg_pattern_refuse(reader, reader->at,
                                 "POSIX classes are not in ECMA-262; list the characters, or write \\[");
    *code_point = tg_pattern_read_char(reader);
    return TG_OK;
}

/* A member, or a range of them. */
static enum tg_status read_members(struct tg_pattern_reader *reader)
{
    size_t start = reader->at;
    bool is_first_set, is_last_set;
    uint32_t first = 0, last = 0; /* as they are for a set */
    enum tg_status status = read_member(reader, &is_first_set, &first);
    if (status != TG_OK) return status;
    if (!is_first_set) tg_pattern_write_char(reader, first);
    bool is_range = tg_pattern_peek(reader, 0) == '-' && tg_pattern_peek(reader, 1) != ']';
    if (!is_range) return TG_OK;
    reader->at++;
    tg_buf_append_char(reader->out, '-');
    status = read_member(reader, &is_last_set, &last);
    if (status != TG_OK) return status;
    if (is_first_set || is_last_set)
        return tg_pattern_refuse(reader, start,
                                 "a range goes from a character to a character; write \\- for a hyphen");
    if (first > last) return tg_pattern_refuse(reader, start, "the range is out of order");
    tg_pattern_write_char(reader, last);
    return TG_OK;
}

enum tg_status tg_pattern_read_class(struct tg_pattern_reader *reader)
{
    size_t start = reader->at++;
    bool is_negated = tg_pattern_skip(reader, "^");
    if (tg_pattern_skip(reader, "]")) { /* nothing, or anything; to PCRE2 the bracket would be a member */
        tg_buf_append_slice(reader->out,
                            is_negated ? TG_SLICE("[" ANYTHING "]") : TG_SLICE("[^" ANYTHING "]"));
        return TG_OK;
    }
    tg_buf_append_slice(reader->out, is_negated ? TG_SLICE("[^") : TG_SLICE("["));
    while (!tg_pattern_skip(reader, "]")) {
        if (tg_pattern_is_at_end(reader))
            return tg_pattern_refuse(reader, start, "the class is not closed by ]");
        enum tg_status status = read_members(reader);
        if (status != TG_OK) return status;
    }
    tg_buf_append_char(reader->out, ']');
    return TG_OK;
}
