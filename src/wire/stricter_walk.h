/* What the parts of stricter.c share: one comparison under way. */
#ifndef TG_WIRE_STRICTER_WALK_H
#define TG_WIRE_STRICTER_WALK_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/stricter.h"

#include <stdbool.h>

/* Two nodes that are compared, or were: below themselves they are taken for right. */
struct tg_stricter_pair {
    const struct tg_schema *before, *after;
    struct tg_stricter_pair *next;
};

struct tg_stricter_walk {
    struct tg_stricter *stricter;
    enum tg_naming naming;
    struct tg_buf path;
    struct tg_buf text;
    struct tg_arena arena;
    struct tg_stricter_pair *pairs; /* the newest first */
    uint32_t quiet;                 /* above 0: a branch is tried, and only counted what would be told */
    uint32_t told;
    uint32_t steps, pair_count;
    bool has_given_up;
    bool has_failed; /* no memory */
};

/* Tells what `format` says of the place at hand. */
void tg_stricter_tell(struct tg_stricter_walk *walk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "an array" */
const char *tg_stricter_kind(const struct tg_schema *schema);

/* The rest of two nodes of the same kind, or of an integer and a number. */
void tg_stricter_string(struct tg_stricter_walk *walk, const struct tg_schema *before,
                        const struct tg_schema *after);
void tg_stricter_integer(struct tg_stricter_walk *walk, const struct tg_schema *before,
                         const struct tg_schema *after);
void tg_stricter_number(struct tg_stricter_walk *walk, const struct tg_schema *before,
                        const struct tg_schema *after);

/* Limits of lengths: those of `after` must not be narrower. */
void tg_stricter_lengths(struct tg_stricter_walk *walk, const char *what, size_t min_before,
                         size_t max_before, size_t min_after, size_t max_after, size_t widest);

/* Tells that a value, which was one of several, is refused. */
void tg_stricter_gone(struct tg_stricter_walk *walk, const struct tg_value *value);

/* The values of a literal or an enum, each against `after`. */
void tg_stricter_choice(struct tg_stricter_walk *walk, const struct tg_schema *before,
                        const struct tg_schema *after);

#endif
