#include "support/patterns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

int patterns_set_up(void **state)
{
    struct tg_patterns *patterns = malloc(sizeof *patterns);
    assert_non_null(patterns);
    tg_patterns_init(patterns, PATTERNS_MAX_STEPS);
    *state = patterns;
    return 0;
}

int patterns_tear_down(void **state)
{
    tg_patterns_deinit(*state);
    free(*state);
    return 0;
}

const struct tg_pattern *patterns_compiled(struct tg_patterns *patterns, struct tg_slice source)
{
    const struct tg_pattern *pattern = NULL;
    struct tg_error error;
    if (tg_pattern_compile(patterns, source, &pattern, &error) != TG_OK)
        fail_msg("\"%.*s\": %s", TG_SLICE_ARG(source), error.text);
    return pattern;
}
