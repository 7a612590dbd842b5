/* PCRE2's interpreter, with everything made to count. Its limit alone bounds little: it begins anew at each
 * place where a match could begin, and runs of a loop are free. What always holds here:
 *
 *   - The search for the beginning is a lazy loop in front of the pattern, so that one count has all of it.
 *   - A loop that has run over n characters and fails goes back over them, a step each: no loop is made
 *     possessive, and in look-arounds, which nothing goes back into, all are lazy (pattern_syntax.c).
 *   - What is compared without a loop or a choice is as long as the pattern says, and lowers the limit.
 *
 * So time is linear in the limit and the length of the text. With 100000 steps and one for each byte, PCRE2
 * 10.42 took on one core, in ms:
 *
 *     pattern                    text                        status
 *     ([a-z]+)+$                 "a" 100000 times, "!"       too_large     2.9
 *     ^(a|a)*[bc]                "a" 100000 times            too_large    64    the slowest: memory grows
 *     (?=.*[yz])x                "x" 100000 times            too_large     3.0
 *     (?:x{60000}){5}[yz]        "x" a million times         too_large    48
 *     (?:(?:(?:a|b)*)*)*[cd]     "a" a million times         too_large    34
 *     [bc]                       "a" a million times         not_found    13
 *     ^[a-z]*$                   "a" a million times         ok            0.7
 *     ^\w+@\w+\.\w+$             26 bytes                    ok            0.00008
 *
 * Its JIT compiler is not used: where a loop is followed by a character, its code looks for that without
 * counting. [a-z]*b[cd] on 100000 letters "a" and a "b" took it 260 ms, 45 times what the interpreter takes,
 * and what ended it then was its own stack of 32 kB. On short texts it would save less than 0.0001 ms.
 */
#include "wire/pattern.h"

#include "base/buf.h"
#include "wire/pattern_syntax.h"

#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A step compares this many characters; a pattern with longer runs gets fewer steps. */
enum { RUN_PER_STEP = 64 };

/* Choices that a match can come back to lie in one block, which PCRE2 keeps for the next match. */
enum { SCRATCH_KIB_MAX = 20 * 1024, SCRATCH_BYTES_KEPT = 256 * 1024 };

struct tg_pattern_engine {
    pcre2_general_context *general;
    pcre2_compile_context *compile;
    pcre2_match_context *match;
    pcre2_match_data *scratch;  /* NULL until the next match */
    size_t largest_block_bytes; /* asked for since `scratch` is there */
};

struct tg_pattern {
    struct tg_pattern *next;
    const struct tg_patterns *patterns;
    pcre2_code *code;
    uint32_t steps_divisor;
    size_t length;
    char source[];
};

/* ---- the engine ---- */

static void *allocate(size_t bytes, void *context)
{
    struct tg_pattern_engine *engine = context;
    if (bytes > engine->largest_block_bytes) engine->largest_block_bytes = bytes;
    return malloc(bytes);
}

static void release(void *memory, void *context)
{
    (void)context;
    free(memory);
}

static void engine_free(struct tg_pattern_engine *engine)
{
    if (!engine) return;
    pcre2_match_data_free(engine->scratch);
    pcre2_match_context_free(engine->match);
    pcre2_compile_context_free(engine->compile);
    pcre2_general_context_free(engine->general);
    free(engine);
}

static struct tg_pattern_engine *engine_new(void)
{
    struct tg_pattern_engine *engine = calloc(1, sizeof *engine);
    if (!engine) return NULL;
    engine->general = pcre2_general_context_create(allocate, release, engine);
    if (engine->general) engine->compile = pcre2_compile_context_create(engine->general);
    if (engine->compile) engine->match = pcre2_match_context_create(engine->general);
    if (!engine->match) {
        engine_free(engine);
        return NULL;
    }
    pcre2_set_heap_limit(engine->match, SCRATCH_KIB_MAX);
    return engine;
}

static bool make_scratch(struct tg_pattern_engine *engine)
{
    if (engine->scratch) return true;
    engine->largest_block_bytes = 0;
    engine->scratch = pcre2_match_data_create(1, engine->general);
    return engine->scratch != NULL;
}

/* One match that went wild does not keep its memory for good. */
static void trim_scratch(struct tg_pattern_engine *engine)
{
    if (engine->largest_block_bytes <= SCRATCH_BYTES_KEPT) return;
    pcre2_match_data_free(engine->scratch);
    engine->scratch = NULL;
}

/* ---- compiling ---- */

void tg_patterns_init(struct tg_patterns *patterns, uint32_t max_steps)
{
    *patterns = (struct tg_patterns){.max_steps = max_steps};
}

void tg_patterns_deinit(struct tg_patterns *patterns)
{
    for (struct tg_pattern *pattern = patterns->first, *next; pattern; pattern = next) {
        next = pattern->next;
        pcre2_code_free(pattern->code);
        free(pattern);
    }
    engine_free(patterns->engine);
    tg_patterns_init(patterns, patterns->max_steps);
}

/* What parses and still does not compile is too much for PCRE2, or looks behind for texts of any length. */
static enum tg_status refuse_code(int code, struct tg_error *error)
{
    char why[160];
    if (code == PCRE2_ERROR_HEAP_FAILED) return tg_error_set(error, TG_E_NO_MEMORY, "Out of memory.");
    if (code == PCRE2_ERROR_LOOKBEHIND_NOT_FIXED_LENGTH)
        return tg_error_set(
            error, TG_E_INVALID,
            "The pattern looks behind for texts of different lengths; give each alternative of "
            "(?<=...) a fixed length.");
    pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
    return tg_error_set(error, TG_E_INVALID, "The pattern cannot be compiled, write a simpler one: %s.", why);
}

/* The search for where a match begins is made part of the pattern, so that its steps are counted together. */
static enum tg_status compile(struct tg_pattern_engine *engine, struct tg_slice source,
                              struct tg_pattern *pattern, struct tg_error *error)
{
    /* Without PCRE2_NO_AUTO_POSSESS, loops that cannot be gone back into would not be counted. */
    const uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NO_AUTO_POSSESS | PCRE2_NEVER_BACKSLASH_C;
    struct tg_pattern_shape shape;
    struct tg_buf body, text;
    int code = 0;
    size_t offset;
    tg_buf_init(&body);
    tg_buf_init(&text);
    enum tg_status status = tg_pattern_translate(source, &body, &shape, error);
    if (status != TG_OK) goto done;
    if (!shape.is_anchored) tg_buf_append_literal(&text, "(?s:.)*?");
    tg_buf_append_literal(&text, "(?:");
    tg_buf_append_slice(&text, tg_buf_peek(&body));
    tg_buf_append_char(&text, ')');
    status = tg_buf_status(&text);
    if (status != TG_OK) goto done;
    pattern->steps_divisor = 1 + shape.run / RUN_PER_STEP;
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text.data, text.length, options, &code, &offset, engine->compile);
    if (!pattern->code) status = refuse_code(code, error);
done:
    tg_buf_deinit(&text);
    tg_buf_deinit(&body);
    return status;
}

enum tg_status tg_pattern_compile(struct tg_patterns *patterns, struct tg_slice source,
                                  const struct tg_pattern **pattern, struct tg_error *error)
{
    if (!patterns->engine) patterns->engine = engine_new();
    struct tg_pattern *compiled = calloc(1, sizeof *compiled + source.length);
    enum tg_status status =
        patterns->engine && compiled ? compile(patterns->engine, source, compiled, error) : TG_E_NO_MEMORY;
    if (status != TG_OK) {
        free(compiled);
        return status == TG_E_NO_MEMORY ? tg_error_set(error, status, "Out of memory.") : status;
    }
    compiled->length = source.length;
    if (source.length) memcpy(compiled->source, source.data, source.length);
    compiled->patterns = patterns;
    compiled->next = patterns->first;
    patterns->first = compiled;
    *pattern = compiled;
    return TG_OK;
}

enum tg_status tg_pattern_check(struct tg_slice source, struct tg_error *error)
{
    const struct tg_pattern *pattern;
    struct tg_patterns patterns;
    tg_patterns_init(&patterns, 0);
    enum tg_status status = tg_pattern_compile(&patterns, source, &pattern, error);
    tg_patterns_deinit(&patterns);
    return status;
}

struct tg_slice tg_pattern_source(const struct tg_pattern *pattern)
{
    return (struct tg_slice){pattern->source, pattern->length};
}

/* ---- matching ---- */

static uint32_t limit_of(const struct tg_pattern *pattern, size_t text_bytes, uint32_t max_steps)
{
    uint64_t steps = (uint64_t)(max_steps ? max_steps : pattern->patterns->max_steps) + text_bytes;
    steps = steps / pattern->steps_divisor + 1;
    return steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX;
}

static enum tg_status status_of(int result)
{
    switch (result) {
    case PCRE2_ERROR_NOMATCH:
        return TG_E_NOT_FOUND;
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return TG_E_TOO_LARGE;
    case PCRE2_ERROR_NOMEMORY:
        return TG_E_NO_MEMORY;
    default: /* nothing else fails on valid text; if it did, nobody would know either */
        return result >= 0 ? TG_OK : TG_E_TOO_LARGE;
    }
}

enum tg_status tg_pattern_match(const struct tg_pattern *pattern, struct tg_slice text, uint32_t max_steps)
{
    struct tg_pattern_engine *engine = pattern->patterns->engine;
    if (!make_scratch(engine)) return TG_E_NO_MEMORY;
    uint32_t limit = limit_of(pattern, text.length, max_steps);
    pcre2_set_match_limit(engine->match, limit);
    pcre2_set_depth_limit(engine->match, limit);
    int result = pcre2_match(pattern->code, (PCRE2_SPTR)(text.length ? text.data : ""), text.length, 0,
                             PCRE2_NO_UTF_CHECK, engine->scratch, engine->match);
    trim_scratch(engine);
    return status_of(result);
}
