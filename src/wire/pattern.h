/* Patterns of strings: regular expressions in the syntax that PCRE2 and ECMA-262 (with the flag `u`) share,
 * so that a pattern means here what it means in the published JSON Schema.
 *
 * A pattern is found anywhere in the text unless it is anchored. Matching is bounded: what takes more
 * steps than the set's limit ends with a status of its own, whatever the pattern.
 */
#ifndef TG_WIRE_PATTERN_H
#define TG_WIRE_PATTERN_H

#include "base/slice.h"
#include "base/status.h"

#include <stdint.h>

struct tg_pattern;

/* All patterns of one generation; used by one thread at a time. */
struct tg_patterns {
    struct tg_pattern *first; /* owned, as the rest */
    void *general;            /* contexts of PCRE2, made with the first pattern */
    void *match;
    uint32_t max_steps; /* of one match */
};

/* Allocates nothing yet. */
void tg_patterns_init(struct tg_patterns *patterns, uint32_t max_steps);

void tg_patterns_deinit(struct tg_patterns *patterns);

/* Whether `source` is a pattern. TG_E_INVALID: it is not, or it means different things in the two
 * languages; `error` says what, at which character, and what to write instead. */
enum tg_status tg_pattern_check(struct tg_slice source, struct tg_error *error);

/* Compiles `source` (copied); `*pattern` lives as long as `patterns`. TG_E_INVALID as above; TG_E_NO_MEMORY.
 */
enum tg_status tg_pattern_compile(struct tg_patterns *patterns, struct tg_slice source,
                                  const struct tg_pattern **pattern, struct tg_error *error);

/* The text it was made of, for errors. */
struct tg_slice tg_pattern_source(const struct tg_pattern *pattern);

/* TG_OK: it is found in `text` (valid UTF-8). TG_E_NOT_FOUND: it is not. TG_E_TOO_LARGE: nobody knows,
 * since `max_steps` were not enough. TG_E_NO_MEMORY. `max_steps` 0: that of the set. */
enum tg_status tg_pattern_match(const struct tg_pattern *pattern, struct tg_slice text, uint32_t max_steps);

#endif
