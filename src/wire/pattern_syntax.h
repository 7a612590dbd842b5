/* From ECMA-262's syntax of patterns (with the flag `u`) to PCRE2's.
 *
 * The part of it that people share is read; everything that only one of the two has, or that means
 * different things in them, is refused with a sentence. Only whether a pattern matches is kept: groups
 * capture nothing, and a quantifier may be greedy or lazy as is cheaper.
 */
#ifndef TG_WIRE_PATTERN_SYNTAX_H
#define TG_WIRE_PATTERN_SYNTAX_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

#define TG_PATTERN_BYTES_MAX 4096
#define TG_PATTERN_DEPTH_MAX 100   /* of groups in groups */
#define TG_PATTERN_COUNT_MAX 65535 /* of a quantifier; PCRE2 has no more */
#define TG_PATTERN_NAMES_MAX 32    /* groups with a name */
#define TG_PATTERN_NAME_BYTES_MAX 32

/* What the matcher needs to know about a pattern, or a part of it. */
struct tg_pattern_shape {
    bool is_anchored; /* matches at the start of the text or not at all */
    uint32_t run;     /* characters that are compared without a choice, at most */
};

/* Appends the translation of `source` to `out`. TG_E_INVALID: it is no pattern that both languages have;
 * `error` says what, where (`offset` in bytes), and what to write instead. TG_E_NO_MEMORY. */
enum tg_status tg_pattern_translate(struct tg_slice source, struct tg_buf *out,
                                    struct tg_pattern_shape *shape, struct tg_error *error);

#endif
