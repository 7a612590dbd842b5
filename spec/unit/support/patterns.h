/* A set of patterns for tests of what they match. */
#ifndef TG_UNIT_SUPPORT_PATTERNS_H
#define TG_UNIT_SUPPORT_PATTERNS_H

#include "wire/pattern.h"

enum { PATTERNS_MAX_STEPS = 100000 };

/* cmocka's fixture: `*state` is a struct tg_patterns. */
int patterns_set_up(void **state);
int patterns_tear_down(void **state);

/* Fails the test when `source` is no pattern. */
const struct tg_pattern *patterns_compiled(struct tg_patterns *patterns, struct tg_slice source);

#endif
