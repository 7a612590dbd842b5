/* A parser by descent, a function for each rule of ECMA-262 22.2.1. Each writes its translation as it
 * reads, so that a quantifier lands behind what it repeats.
 *
 * In a look-around all quantifiers are made lazy: what follows it never goes back into it, so a greedy
 * one could run over the text without a step that is counted (pattern.c).
 */
#include "wire/pattern_syntax.h"

#include "base/utf8.h"
#include "wire/pattern_escape.h"

#define TEXT_OF(macro) TEXT_OF_VALUE(macro)
#define TEXT_OF_VALUE(value) #value

struct parser {
    struct tg_pattern_reader reader;
    uint32_t depth;       /* of open groups */
    uint32_t lookarounds; /* of them */
    struct tg_slice names[TG_PATTERN_NAMES_MAX];
    uint32_t name_count;
};

static enum tg_status parse_alternatives(struct parser *parser, struct tg_pattern_shape *shape);

static enum tg_status refuse(const struct parser *parser, size_t offset, const char *why)
{
    return tg_pattern_refuse(&parser->reader, offset, why);
}

/* ---- quantifiers ---- */

struct quantifier {
    uint32_t min, max; /* UINT32_MAX: without end */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* False: no digit stands here. Too large a number comes out as one over the limit. */
static bool read_count(struct parser *parser, uint32_t *count)
{
    struct tg_pattern_reader *reader = &parser->reader;
    if (!is_digit(tg_pattern_peek(reader, 0))) return false;
    for (*count = 0; is_digit(tg_pattern_peek(reader, 0)); reader->at++) {
        *count = 10 * *count + (uint32_t)(tg_pattern_peek(reader, 0) - '0');
        if (*count > TG_PATTERN_COUNT_MAX) *count = TG_PATTERN_COUNT_MAX + 1;
    }
    return true;
}

static enum tg_status refuse_brace(const struct parser *parser, size_t start)
{
    if (parser->reader.source.length - start >= 2 && parser->reader.source.data[start + 1] == ',')
        return refuse(parser, start, "a quantifier has a lower limit; write {0,n}");
    return refuse(parser, start, "this brace begins no quantifier; write \\{ for itself");
}

/* Behind "{". */
static enum tg_status read_counts(struct parser *parser, size_t start, struct quantifier *quantifier)
{
    if (!read_count(parser, &quantifier->min)) return refuse_brace(parser, start);
    quantifier->max = quantifier->min;
    if (tg_pattern_skip(&parser->reader, ",") && !read_count(parser, &quantifier->max))
        quantifier->max = UINT32_MAX;
    if (!tg_pattern_skip(&parser->reader, "}")) return refuse_brace(parser, start);
    bool is_too_large = quantifier->min > TG_PATTERN_COUNT_MAX ||
                        (quantifier->max > TG_PATTERN_COUNT_MAX && quantifier->max != UINT32_MAX);
    if (is_too_large)
        return refuse(parser, start, "a quantifier counts to " TEXT_OF(TG_PATTERN_COUNT_MAX) " at most");
    if (quantifier->min > quantifier->max)
        return refuse(parser, start, "the limits of the quantifier are out of order");
    return TG_OK;
}

/* What stands here; once without one. */
static enum tg_status read_quantifier(struct parser *parser, bool *is_there, struct quantifier *quantifier)
{
    struct tg_pattern_reader *reader = &parser->reader;
    size_t start = reader->at;
    enum tg_status status = TG_OK;
    *is_there = true;
    *quantifier = (struct quantifier){1, 1};
    if (tg_pattern_skip(reader, "*"))
        *quantifier = (struct quantifier){0, UINT32_MAX};
    else if (tg_pattern_skip(reader, "+"))
        *quantifier = (struct quantifier){1, UINT32_MAX};
    else if (tg_pattern_skip(reader, "?"))
        *quantifier = (struct quantifier){0, 1};
    else if (tg_pattern_skip(reader, "{"))
        status = read_counts(parser, start, quantifier);
    else
        *is_there = false;
    return status;
}

static void write_quantifier(const struct parser *parser, struct quantifier quantifier, bool is_lazy)
{
    struct tg_buf *out = parser->reader.out;
    if (quantifier.max == UINT32_MAX)
        tg_buf_printf(out, "{%u,}", (unsigned)quantifier.min);
    else
        tg_buf_printf(out, "{%u,%u}", (unsigned)quantifier.min, (unsigned)quantifier.max);
    if (is_lazy) tg_buf_append_char(out, '?');
}

/* Behind an atom of this shape. */
static enum tg_status parse_quantifier(struct parser *parser, struct tg_pattern_shape *shape)
{
    struct tg_pattern_reader *reader = &parser->reader;
    size_t start = reader->at;
    struct quantifier quantifier;
    bool is_there;
    enum tg_status status = read_quantifier(parser, &is_there, &quantifier);
    if (status != TG_OK || !is_there) return status;
    bool is_lazy = tg_pattern_skip(reader, "?");
    if (!is_lazy && tg_pattern_peek(reader, 0) == '+')
        return refuse(parser, start, "possessive quantifiers are not in ECMA-262; leave out the second sign");
    write_quantifier(parser, quantifier, is_lazy || parser->lookarounds > 0);
    uint64_t run = (uint64_t)shape->run * (quantifier.min > 0 ? quantifier.min : 1);
    shape->run = run > UINT32_MAX ? UINT32_MAX : (uint32_t)run;
    if (quantifier.min == 0) shape->is_anchored = false;
    return TG_OK;
}

static enum tg_status refuse_quantifier(struct parser *parser)
{
    size_t start = parser->reader.at;
    char sign = tg_pattern_peek(&parser->reader, 0);
    if (!sign || !strchr("*+?{", sign)) return TG_OK;
    return refuse(parser, start, "an assertion is not repeated; leave out the quantifier");
}

/* ---- groups ---- */

/* What begins a group in other languages. */
static const struct {
    const char *opening, *why;
} foreign_groups[] = {
    {"(*", "verbs are not in ECMA-262; leave it out, or write \\* for itself"},
    {"(?>", "atomic groups are not in ECMA-262; write (?:...)"},
    {"(?#", "comments are not in ECMA-262; leave it out"},
    {"(?(", "conditions are not in ECMA-262; write the alternatives"},
    {"(?|", "(?|...) is not in ECMA-262; write (?:...)"},
    {"(?P", "(?P...) is not in ECMA-262; write (?<name>...) for a group with a name"},
    {"(?'", "(?'...') is not in ECMA-262; write (?<name>...) for a group with a name"},
    {"(?&", "recursion is not in ECMA-262; write out what it repeats"},
    {"(?R", "recursion is not in ECMA-262; write out what it repeats"},
    {"(?+", "recursion is not in ECMA-262; write out what it repeats"},
    {"(?C", "callouts are not in ECMA-262; leave it out"},
    {"(?", "flags are not in both languages; for either case write [Aa]"},
};

static enum tg_status refuse_group(const struct parser *parser, size_t start)
{
    struct tg_pattern_reader reader = parser->reader;
    reader.at = start;
    if (is_digit(tg_pattern_peek(&reader, 2)))
        return refuse(parser, start, "recursion is not in ECMA-262; write out what it repeats");
    size_t i = 0;
    while (!tg_pattern_skip(&reader, foreign_groups[i].opening)) i++;
    return refuse(parser, start, foreign_groups[i].why);
}

static bool is_name_char(char c, bool is_first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!is_first && is_digit(c));
}

/* Behind "(?<". The name is of no use here, but must not be wrong there. */
static enum tg_status read_name(struct parser *parser, size_t start)
{
    struct tg_pattern_reader *reader = &parser->reader;
    struct tg_slice name = {reader->source.data + reader->at, 0};
    while (is_name_char(tg_pattern_peek(reader, name.length), name.length == 0)) name.length++;
    reader->at += name.length;
    if (name.length == 0 || name.length > TG_PATTERN_NAME_BYTES_MAX || !tg_pattern_skip(reader, ">"))
        return refuse(parser, start,
                      "the name of a group is up to " TEXT_OF(
                          TG_PATTERN_NAME_BYTES_MAX) " letters, digits and _, between < and >");
    for (uint32_t i = 0; i < parser->name_count; i++)
        if (tg_slice_equal(parser->names[i], name))
            return refuse(parser, start, "two groups have this name; give another to one of them");
    if (parser->name_count == TG_PATTERN_NAMES_MAX)
        return refuse(parser, start,
                      "at most " TEXT_OF(TG_PATTERN_NAMES_MAX) " groups have a name; write (?:...)");
    parser->names[parser->name_count++] = name;
    return TG_OK;
}

/* Moves behind what opens a group and writes it. */
static enum tg_status open_group(struct parser *parser, size_t start, bool *is_lookaround)
{
    static const char *const lookarounds[] = {"(?=", "(?!", "(?<=", "(?<!"};
    struct tg_pattern_reader *reader = &parser->reader;
    enum tg_status status = TG_OK;
    *is_lookaround = false;
    for (size_t i = 0; i < sizeof lookarounds / sizeof lookarounds[0]; i++) {
        if (!tg_pattern_skip(reader, lookarounds[i])) continue;
        tg_buf_append_slice(reader->out, tg_slice_of(lookarounds[i]));
        *is_lookaround = true;
        return TG_OK;
    }
    if (tg_pattern_skip(reader, "(?<"))
        status = read_name(parser, start);
    else if (!tg_pattern_skip(reader, "(?:")) {
        char next = tg_pattern_peek(reader, 1);
        if (next == '?' || next == '*') return refuse_group(parser, start);
        reader->at++;
    }
    tg_buf_append_literal(reader->out, "(?:");
    return status;
}

static enum tg_status parse_group(struct parser *parser, struct tg_pattern_shape *shape)
{
    size_t start = parser->reader.at;
    bool is_lookaround;
    if (parser->depth == TG_PATTERN_DEPTH_MAX)
        return refuse(parser, start,
                      "groups stand in groups more than " TEXT_OF(TG_PATTERN_DEPTH_MAX) " levels deep");
    enum tg_status status = open_group(parser, start, &is_lookaround);
    if (status != TG_OK) return status;
    parser->depth++;
    parser->lookarounds += is_lookaround;
    status = parse_alternatives(parser, shape);
    parser->lookarounds -= is_lookaround;
    parser->depth--;
    if (status != TG_OK) return status;
    if (!tg_pattern_skip(&parser->reader, ")")) return refuse(parser, start, "the group is not closed by )");
    tg_buf_append_char(parser->reader.out, ')');
    if (!is_lookaround) return parse_quantifier(parser, shape);
    shape->is_anchored = false;
    return refuse_quantifier(parser);
}

/* ---- terms ---- */

/* ^, $, \b and \B; `is_there` tells whether one stood here. */
static enum tg_status parse_assertion(struct parser *parser, bool *is_there, struct tg_pattern_shape *shape)
{
    static const char *const assertions[] = {"^", "$", "\\b", "\\B"};
    for (size_t i = 0; i < sizeof assertions / sizeof assertions[0]; i++) {
        *is_there = tg_pattern_skip(&parser->reader, assertions[i]);
        if (!*is_there) continue;
        tg_buf_append_slice(parser->reader.out, tg_slice_of(assertions[i]));
        *shape = (struct tg_pattern_shape){.is_anchored = i == 0};
        return refuse_quantifier(parser);
    }
    return TG_OK;
}

static enum tg_status parse_escape(struct parser *parser)
{
    bool is_set;
    uint32_t code_point;
    enum tg_status status = tg_pattern_read_escape(&parser->reader, false, &is_set, &code_point);
    if (status == TG_OK && !is_set) tg_pattern_write_char(&parser->reader, code_point);
    return status;
}

/* One character, or one of a set. */
static enum tg_status parse_atom(struct parser *parser)
{
    struct tg_pattern_reader *reader = &parser->reader;
    switch (tg_pattern_peek(reader, 0)) {
    case '\\':
        return parse_escape(parser);
    case '[':
        return tg_pattern_read_class(reader);
    case '.': /* ECMA-262 22.2.2.7: no LineTerminator */
        reader->at++;
        tg_buf_append_literal(reader->out, "[^\\n\\r\\x{2028}\\x{2029}]");
        return TG_OK;
    case '*':
    case '+':
    case '?':
        return refuse(parser, reader->at,
                      "nothing stands before the quantifier; write a backslash for the sign itself");
    case '{':
        return refuse_brace(parser, reader->at);
    case '}':
        return refuse(parser, reader->at, "this brace ends no quantifier; write \\} for itself");
    case ']':
        return refuse(parser, reader->at, "this bracket ends no class; write \\] for itself");
    default:
        tg_pattern_write_char(reader, tg_pattern_read_char(reader));
        return TG_OK;
    }
}

static enum tg_status parse_term(struct parser *parser, struct tg_pattern_shape *shape)
{
    bool is_assertion;
    enum tg_status status = parse_assertion(parser, &is_assertion, shape);
    if (status != TG_OK || is_assertion) return status;
    if (tg_pattern_peek(&parser->reader, 0) == '(') return parse_group(parser, shape);
    *shape = (struct tg_pattern_shape){.run = 1};
    status = parse_atom(parser);
    return status == TG_OK ? parse_quantifier(parser, shape) : status;
}

/* ---- sequences and alternatives ---- */

static bool is_at_sequence_end(const struct parser *parser)
{
    if (tg_pattern_is_at_end(&parser->reader)) return true;
    char next = tg_pattern_peek(&parser->reader, 0);
    return next == '|' || next == ')';
}

static enum tg_status parse_sequence(struct parser *parser, struct tg_pattern_shape *shape)
{
    *shape = (struct tg_pattern_shape){0};
    for (bool is_first = true; !is_at_sequence_end(parser); is_first = false) {
        struct tg_pattern_shape term;
        enum tg_status status = parse_term(parser, &term);
        if (status != TG_OK) return status;
        if (is_first) shape->is_anchored = term.is_anchored;
        shape->run = term.run > UINT32_MAX - shape->run ? UINT32_MAX : shape->run + term.run;
    }
    return TG_OK;
}

static enum tg_status parse_alternatives(struct parser *parser, struct tg_pattern_shape *shape)
{
    *shape = (struct tg_pattern_shape){.is_anchored = true};
    for (;;) {
        struct tg_pattern_shape sequence;
        enum tg_status status = parse_sequence(parser, &sequence);
        if (status != TG_OK) return status;
        if (!sequence.is_anchored) shape->is_anchored = false;
        if (sequence.run > shape->run) shape->run = sequence.run;
        if (!tg_pattern_skip(&parser->reader, "|")) return TG_OK;
        tg_buf_append_char(parser->reader.out, '|');
    }
}

enum tg_status tg_pattern_translate(struct tg_slice source, struct tg_buf *out,
                                    struct tg_pattern_shape *shape, struct tg_error *error)
{
    struct parser parser = {.reader = {.source = source, .out = out, .error = error}};
    if (source.length > TG_PATTERN_BYTES_MAX)
        return tg_error_set(error, TG_E_INVALID, "The pattern has %zu bytes; at most %d are taken.",
                            source.length, TG_PATTERN_BYTES_MAX);
    if (!tg_utf8_is_valid(source.data, source.length))
        return tg_error_set(error, TG_E_INVALID, "The pattern is not valid UTF-8.");
    enum tg_status status = parse_alternatives(&parser, shape);
    if (status != TG_OK) return status;
    if (!tg_pattern_is_at_end(&parser.reader))
        return refuse(&parser, parser.reader.at, "this parenthesis closes no group; write \\) for itself");
    return tg_buf_status(out);
}
