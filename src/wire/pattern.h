/* Patterns of strings: regular expressions in the syntax that PCRE2 and ECMA-262 (with the flag `u`) share,
 * so that a pattern means here what it means in the published JSON Schema. Matching has ECMA-262's meaning
 * where the two differ; pattern_syntax.h says what is refused.
 *
 * A pattern is found anywhere in the text unless it is anchored. Matching is bounded: what takes more
 * steps than the limit, beside one for each byte of the text, ends with a status of its own, whatever
 * the pattern. So a pattern that looks at each character a few times only never comes to that.
 */
#ifndef TG_WIRE_PATTERN_H
#define TG_WIRE_PATTERN_H

#include "base/slice.h"
#include "base/status.h"

#include <stdint.h>

struct tg_pattern;
struct tg_pattern_engine;

/* All patterns of one generation; used by one thread at a time. Stays where it is while it has any. */
struct tg_patterns {
    struct tg_pattern *first;         /* owned */
    struct tg_pattern_engine *engine; /* owned; made with the first pattern */
    uint32_t max_steps;               /* of one match */
};

/* Allocates nothing yet. */
void tg_patterns_init(struct tg_patterns *patterns, uint32_t max_steps);

void tg_patterns_deinit(struct tg_patterns *patterns);

/* Whether `source` is a pattern. TG_E_INVALID: it is not, or it means different things in the two
 * languages; `error` says what, at which byte, and what to write instead. TG_E_NO_MEMORY. */
enum tg_status tg_pattern_check(struct tg_slice source, struct tg_error *error);

/* Compiles `source` (copied); `*pattern` lives as long as `patterns`. TG_E_INVALID as above; TG_E_NO_MEMORY.
 */
enum tg_status tg_pattern_compile(struct tg_patterns *patterns, struct tg_slice source,
                                  const struct tg_pattern **pattern, struct tg_error *error);

/* The text it was made of, for errors. */
struct tg_slice tg_pattern_source(const struct tg_pattern *pattern);

/* TG_OK: it is found in `text` (valid UTF-8). TG_E_NOT_FOUND: it is not. TG_E_TOO_LARGE: nobody knows,
 * since `max_steps` (or the memory for so many) were not enough. TG_E_NO_MEMORY. `max_steps` 0: that of
 * the set. */
enum tg_status tg_pattern_match(const struct tg_pattern *pattern, struct tg_slice text, uint32_t max_steps);

#endif
