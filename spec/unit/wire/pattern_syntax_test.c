#include "wire/pattern_syntax.h"

#include "wire/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_refused(struct tg_slice source, size_t offset, const char *why)
{
    struct tg_error error;
    if (tg_pattern_check(source, &error) != TG_E_INVALID) fail_msg("%.*s is taken", TG_SLICE_ARG(source));
    if (error.offset != offset || !strstr(error.text, why))
        fail_msg("\"%.*s\": offset %zu: %s", TG_SLICE_ARG(source), error.offset, error.text);
}

static void refuses_what_the_languages_do_not_share(void **state)
{
    (void)state;
    static const struct {
        const char *source;
        size_t offset;
        const char *why;
    } rows[] = {
        {"ab++", 2, "possessive"},
        {"a*+", 1, "possessive"},
        {"a?+", 1, "possessive"},
        {"a{2}+", 1, "possessive"},
        {"x(?>a)", 1, "atomic groups"},
        {"(a)\\1", 3, "back reference"},
        {"(?<a>.)\\k<a>", 7, "back reference"},
        {"(a)\\g1", 3, "back reference"},
        {"(?i)a", 0, "write [Aa]"},
        {"(?i:a)", 0, "flags"},
        {"(?-s)a", 0, "flags"},
        {"(?", 0, "flags"},
        {"(?(?=a)b|c)", 0, "conditions"},
        {"(?R)", 0, "recursion"},
        {"(?1)", 0, "recursion"},
        {"(?+1)", 0, "recursion"},
        {"(?&a)", 0, "recursion"},
        {"(?P<a>b)", 0, "write (?<name>...)"},
        {"(?P>a)", 0, "write (?<name>...)"},
        {"(?'a'b)", 0, "write (?<name>...)"},
        {"(?|a|b)", 0, "write (?:...)"},
        {"(?#a)", 0, "comments"},
        {"(?C1)", 0, "callouts"},
        {"(*UTF)a", 0, "verbs"},
        {"a(*FAIL)", 1, "verbs"},
        {"\\Aa", 0, "write ^"},
        {"a\\z", 1, "write $"},
        {"a\\Z", 1, "write $"},
        {"\\h", 0, "[ \\t]"},
        {"\\H", 0, "[^ \\t]"},
        {"\\V", 0, "\\V is not"},
        {"\\R", 0, "\\r\\n|\\n|\\r"},
        {"\\N", 0, "write ."},
        {"\\Ka", 0, "\\K and \\G"},
        {"\\Ga", 0, "\\K and \\G"},
        {"\\Qa\\E", 0, "escape each character"},
        {"a\\E", 1, "escape each character"},
        {"\\X", 0, "write ."},
        {"\\C", 0, "write ."},
        {"\\e", 0, "\\x1B"},
        {"\\a", 0, "\\x07"},
        {"\\o{7}", 0, "\\u{H}"},
        {"\\07", 0, "octal"},
        {"[\\00]", 1, "octal"},
        {"[\\1]", 1, "back reference"},
        {"[\\B]", 1, "no such escape"},
        {"\\y", 0, "no such escape"},
        {"\\-", 0, "without"},
        {"\\ ", 0, "without"},
        {"\\@", 0, "without"},
        {"\\_", 0, "without"},
        {"[\\\"]", 1, "without"},
        {"\\\xC3\xA9", 0, "without"},
        {"a\\", 1, "nothing follows"},
        {"\\c1", 0, "takes a letter"},
        {"\\c", 0, "takes a letter"},
        {"\\x1", 0, "two hexadecimal"},
        {"\\x{41}", 0, "two hexadecimal"},
        {"\\u004", 0, "four hexadecimal"},
        {"\\u{}", 0, "four hexadecimal"},
        {"\\u{110000}", 0, "four hexadecimal"},
        {"\\u{41", 0, "four hexadecimal"},
        {"a\\uD83D", 1, "surrogate"},
        {"\\uDE00", 0, "surrogate"},
        {"\\uDE00\\uD83D", 0, "surrogate"},
        {"\\uD83D\\u0041", 0, "surrogate"},
        {"\\uD83Dx", 0, "surrogate"},
        {"\\u{D83D}\\u{DE00}", 0, "surrogate"},
        {"[\\uD83D]", 1, "surrogate"},
        {"\\pL", 0, "general category"},
        {"\\p{Greek}", 0, "general category"},
        {"\\p{Script=Greek}", 0, "general category"},
        {"\\p{^L}", 0, "general category"},
        {"\\p{L&}", 0, "general category"},
        {"\\p{l}", 0, "general category"},
        {"\\p{Letter}", 0, "general category"},
        {"\\p{Any}", 0, "general category"},
        {"\\p{}", 0, "general category"},
        {"\\P{L", 0, "general category"},
        {"\\p", 0, "general category"},
        {"[[:alpha:]]", 1, "POSIX"},
        {"[[.a.]]", 1, "POSIX"},
        {"[[=a=]]", 1, "POSIX"},
        {"a{", 1, "\\{ for itself"},
        {"{", 0, "\\{ for itself"},
        {"a{x}", 1, "\\{ for itself"},
        {"a{1", 1, "\\{ for itself"},
        {"a{1,2", 1, "\\{ for itself"},
        {"a{ 1}", 1, "\\{ for itself"},
        {"a}", 1, "\\} for itself"},
        {"a]", 1, "\\] for itself"},
        {"[]a]", 3, "\\] for itself"},
        {"a{,2}", 1, "{0,n}"},
        {"a{2,1}", 1, "out of order"},
        {"a{65536}", 1, "65535"},
        {"a{1,65536}", 1, "65535"},
        {"a{99999999999999999999}", 1, "65535"},
        {"*a", 0, "before the quantifier"},
        {"a|*", 2, "before the quantifier"},
        {"a**", 2, "before the quantifier"},
        {"a???", 3, "before the quantifier"},
        {"(+a)", 1, "before the quantifier"},
        {"^*", 1, "assertion"},
        {"$+", 1, "assertion"},
        {"\\b?", 2, "assertion"},
        {"\\B{2}", 2, "assertion"},
        {"(?=a)*", 5, "assertion"},
        {"(?<!a)?", 6, "assertion"},
        {"[b-a]", 1, "out of order"},
        {"[\\d-z]", 1, "a range goes"},
        {"[a-\\s]", 1, "a range goes"},
        {"[\\p{L}-z]", 1, "a range goes"},
        {"x[a", 1, "not closed"},
        {"x[a-", 4, "not closed"},
        {"[", 0, "not closed"},
        {"x(a", 1, "not closed"},
        {"(?:a", 0, "not closed"},
        {"(a|b", 0, "not closed"},
        {"a)", 1, "closes no group"},
        {"(?<1a>b)", 0, "name of a group"},
        {"(?<>b)", 0, "name of a group"},
        {"(?<a", 0, "name of a group"},
        {"(?<a-b>c)", 0, "name of a group"},
        {"(?<a>b)(?<a>c)", 7, "two groups"},
        {"(?<=a*)b", 0, "looks behind"},
        {"\xFF", 0, "not valid UTF-8"},
        {"\xC3", 0, "not valid UTF-8"},
        {"(?:(?:a{9999}){9999}){9999}", 0, "simpler one"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(tg_slice_of(rows[i].source), rows[i].offset, rows[i].why);
}

static void shows_where_it_is_wrong(void **state)
{
    (void)state;
    struct tg_error error;
    assert_int_equal(tg_pattern_check(TG_SLICE("x\\d++ caf\xC3\xA9 and more text"), &error), TG_E_INVALID);
    assert_string_equal(error.text, "The pattern is wrong at byte 3, \"++ caf\xC3\xA9 and mor\": possessive "
                                    "quantifiers are not in ECMA-262; leave out the second sign.");
    assert_int_equal(tg_pattern_check(TG_SLICE("(0123456789abcd\xC3\xA9"), &error), TG_E_INVALID);
    assert_non_null(strstr(error.text, "\"(0123456789abcd\":"));
    assert_int_equal(tg_pattern_check(TG_SLICE("[a-"), NULL), TG_E_INVALID);
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

static void takes_4096_bytes(void **state)
{
    (void)state;
    char *source = repeated("a", TG_PATTERN_BYTES_MAX + 1);
    assert_int_equal(tg_pattern_check((struct tg_slice){source, TG_PATTERN_BYTES_MAX}, NULL), TG_OK);
    assert_refused((struct tg_slice){source, TG_PATTERN_BYTES_MAX + 1}, 0, "at most 4096");
    free(source);
    source = repeated("\\S.", TG_PATTERN_BYTES_MAX / 3); /* which grow most */
    assert_int_equal(tg_pattern_check(tg_slice_of(source), NULL), TG_E_INVALID);
    free(source);
}

static void groups_nest_100_deep(void **state)
{
    (void)state;
    char source[2 * TG_PATTERN_DEPTH_MAX + 4];
    memset(source, '(', TG_PATTERN_DEPTH_MAX + 1);
    memset(source + TG_PATTERN_DEPTH_MAX + 1, ')', TG_PATTERN_DEPTH_MAX + 1);
    source[2 * TG_PATTERN_DEPTH_MAX + 2] = '\0';
    assert_refused(tg_slice_of(source), TG_PATTERN_DEPTH_MAX, "100 levels");
    assert_int_equal(tg_pattern_check((struct tg_slice){source + 1, 2 * TG_PATTERN_DEPTH_MAX}, NULL), TG_OK);
    char *open = repeated("(", TG_PATTERN_BYTES_MAX);
    assert_refused(tg_slice_of(open), TG_PATTERN_DEPTH_MAX, "100 levels");
    free(open);
}

static void takes_32_names(void **state)
{
    (void)state;
    char source[512] = "", group[32];
    for (int i = 0; i < TG_PATTERN_NAMES_MAX; i++) {
        snprintf(group, sizeof group, "(?<n%02d>a)", i);
        strcat(source, group);
    }
    assert_int_equal(tg_pattern_check(tg_slice_of(source), NULL), TG_OK);
    size_t length = strlen(source);
    strcat(source, "(?<more>a)");
    assert_refused(tg_slice_of(source), length, "at most 32");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_what_the_languages_do_not_share),
        cmocka_unit_test(shows_where_it_is_wrong),
        cmocka_unit_test(takes_4096_bytes),
        cmocka_unit_test(groups_nest_100_deep),
        cmocka_unit_test(takes_32_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
