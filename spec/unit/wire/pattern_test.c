#include "support/alloc.h"
#include "support/patterns.h"
#include "wire/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static enum tg_status matched(struct tg_patterns *patterns, const char *source, struct tg_slice text)
{
    return tg_pattern_match(patterns_compiled(patterns, tg_slice_of(source)), text, 0);
}

/* `count` times `unit`. */
static char *repeated(const char *unit, size_t count)
{
    size_t length = strlen(unit);
    char *text = malloc(count * length + 1);
    assert_non_null(text);
    for (size_t i = 0; i < count; i++) memcpy(text + i * length, unit, length);
    text[count * length] = '\0';
    return text;
}

static void keeps_the_source(void **state)
{
    char source[] = "^a+$";
    const struct tg_pattern *pattern = patterns_compiled(*state, tg_slice_of(source));
    source[1] = 'b';
    assert_true(tg_slice_equal(tg_pattern_source(pattern), TG_SLICE("^a+$")));
    assert_int_equal(tg_pattern_source(patterns_compiled(*state, (struct tg_slice){0})).length, 0);
}

static void matches_a_text_without_bytes(void **state)
{
    const struct tg_pattern *pattern = patterns_compiled(*state, TG_SLICE("^$"));
    assert_int_equal(tg_pattern_match(pattern, (struct tg_slice){0}, 0), TG_OK);
}

/* ---- steps ---- */

static void bombs_end_at_the_limit(void **state)
{
    static const struct {
        const char *source, *unit;
        size_t count;
        const char *tail;
    } rows[] = {
        {"([a-z]+)+$", "a", 1000000, "!"},
        {"^([a-z]+)+$", "a", 100000, "!"},
        {"^(a|a)*[bc]", "a", 100000, ""},
        {"(?:a|aa)+$", "a", 100000, "!"},
        {"(.*)*[xy]", "a", 100000, ""},
        {"^(a?){30}a{30}$", "a", 30, ""},
        {"[a-z]+[0-9]", "a", 100000, ""},
        {"\\p{L}+$", "a", 100000, "!"},
        {".*.*.*[=]", "a", 100000, ""},
        {"(?=.*[yz])x", "x", 100000, ""},
        {"(?=.*x)[yz]", "x", 100000, ""},
        {"(?=(?:a|b)*c)a", "a", 100000, ""},
        {"(?:(?:(?:a|b)*)*)*[cd]", "a", 100000, ""},
        {"(?:x{60000}){5}[yz]", "x", 1000000, ""},
        {"(?:[a-z]+[0-9]|[a-z])*!", "a", 1000000, ""},
        {"[a-z]*b[cd]", "a", 100000, "b"},
        {"(x?){16}[yz]", "x", 1000000, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = repeated(rows[i].unit, rows[i].count), *whole = malloc(rows[i].count + 2);
        snprintf(whole, rows[i].count + 2, "%s%s", text, rows[i].tail);
        enum tg_status status = matched(*state, rows[i].source, tg_slice_of(whole));
        if (status != TG_E_TOO_LARGE) fail_msg("%s: %s", rows[i].source, tg_status_name(status));
        free(whole);
        free(text);
    }
    assert_int_equal(matched(*state, "^a$", TG_SLICE("a")), TG_OK);
}

/* On 1000 characters each of these takes 1000 times 500 or more, of which PCRE2 alone counts some thousands.
 */
static void all_work_is_counted(void **state)
{
    static const struct {
        const char *source, *last;
        uint32_t max_steps;
    } rows[] = {
        {"(x?){6}[yz]", "x", 10000}, /* over all places where a match could begin */
        {"x+[0-9]", "x", 10000},     /* a loop that nothing goes back into */
        {"(?=x*b)[yz]", "b", 10000}, /* the same in a look-around */
        {"x{500}[yz]", "x", 1000},   /* a run of a length that the pattern says */
        {"(?:x{50}){10}[yz]", "x", 1000}, {"(?:ab|x{500})[yz]", "x", 1000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = repeated("x", 1000);
        text[999] = rows[i].last[0];
        const struct tg_pattern *pattern = patterns_compiled(*state, tg_slice_of(rows[i].source));
        if (tg_pattern_match(pattern, tg_slice_of(text), rows[i].max_steps) != TG_E_TOO_LARGE)
            fail_msg("%s takes too few steps", rows[i].source);
        assert_int_equal(tg_pattern_match(pattern, tg_slice_of(text), 10000000), TG_E_NOT_FOUND);
        free(text);
    }
}

/* The steps that a text of its length takes anyway are not counted against a pattern. */
static void plain_patterns_take_texts_of_any_length(void **state)
{
    char *text = repeated("a", 1000000);
    struct tg_slice whole = {text, 1000000};
    assert_int_equal(matched(*state, "^[a-z]*$", whole), TG_OK);
    assert_int_equal(matched(*state, "^[a-z]*![a-z]", whole), TG_E_NOT_FOUND);
    assert_int_equal(matched(*state, "^[a-z]*[0-9]$", whole), TG_E_NOT_FOUND);
    assert_int_equal(matched(*state, "[bc]", whole), TG_E_NOT_FOUND);
    text[999999] = 'b';
    assert_int_equal(matched(*state, "[bc]", whole), TG_OK);
    assert_int_equal(matched(*state, "^(?=.*[bc])[ab]+$", whole), TG_OK);
    free(text);
}

static void the_limit_of_a_call_goes_before_that_of_the_set(void **state)
{
    const struct tg_pattern *pattern = patterns_compiled(*state, TG_SLICE("^(?:a|aa)+[bc]"));
    struct tg_slice text = TG_SLICE("aaaaaaaaaaaa");
    assert_int_equal(tg_pattern_match(pattern, text, 0), TG_E_NOT_FOUND);
    assert_int_equal(tg_pattern_match(pattern, text, 100), TG_E_TOO_LARGE);
    assert_int_equal(tg_pattern_match(pattern, text, 10000), TG_E_NOT_FOUND);
    assert_int_equal(tg_pattern_match(pattern, text, UINT32_MAX), TG_E_NOT_FOUND);
}

/* The way back lies in memory: with steps enough it is that which ends. */
static void memory_for_a_match_is_bounded(void **state)
{
    char *text = repeated("a", 1000000);
    const struct tg_pattern *pattern = patterns_compiled(*state, TG_SLICE("^(?:a|b)*[cd]"));
    assert_int_equal(tg_pattern_match(pattern, (struct tg_slice){text, 1000000}, 100000000), TG_E_TOO_LARGE);
    assert_int_equal(tg_pattern_match(pattern, TG_SLICE("abd"), 0), TG_OK);
    free(text);
}

/* ---- memory ---- */

static enum tg_status use_once(void *context)
{
    struct tg_patterns patterns;
    const struct tg_pattern *pattern = NULL;
    struct tg_error error;
    tg_patterns_init(&patterns, PATTERNS_MAX_STEPS);
    /* Deep enough for the way back to outgrow its first block. */
    enum tg_status status = tg_pattern_compile(&patterns, TG_SLICE("^(?:[a-z]|\\d|\\S)*$"), &pattern, &error);
    if (status == TG_OK) status = tg_pattern_match(pattern, *(struct tg_slice *)context, 0);
    if (tg_alloc_has_failed()) {
        assert_int_equal(tg_pattern_compile(&patterns, TG_SLICE("b$"), &pattern, &error), TG_OK);
        assert_int_equal(tg_pattern_match(pattern, TG_SLICE("ab"), 0), TG_OK);
    }
    tg_patterns_deinit(&patterns);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    char *text = repeated("a", 2000);
    struct tg_slice whole = tg_slice_of(text);
    assert_true(tg_alloc_sweep(use_once, &whole) > 8);
    free(text);
}

static enum tg_status check_once(void *context)
{
    (void)context;
    struct tg_error error;
    enum tg_status status = tg_pattern_check(TG_SLICE("^(?<a>b)+$"), &error);
    if (status != TG_OK) assert_int_equal(error.status, status);
    return status;
}

static void checks_with_every_failing_allocation(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(check_once, NULL) > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_the_source, patterns_set_up, patterns_tear_down),
        cmocka_unit_test_setup_teardown(matches_a_text_without_bytes, patterns_set_up, patterns_tear_down),
        cmocka_unit_test_setup_teardown(bombs_end_at_the_limit, patterns_set_up, patterns_tear_down),
        cmocka_unit_test_setup_teardown(all_work_is_counted, patterns_set_up, patterns_tear_down),
        cmocka_unit_test_setup_teardown(plain_patterns_take_texts_of_any_length, patterns_set_up,
                                        patterns_tear_down),
        cmocka_unit_test_setup_teardown(the_limit_of_a_call_goes_before_that_of_the_set, patterns_set_up,
                                        patterns_tear_down),
        cmocka_unit_test_setup_teardown(memory_for_a_match_is_bounded, patterns_set_up, patterns_tear_down),
        cmocka_unit_test(survives_every_failing_allocation),
        cmocka_unit_test(checks_with_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
