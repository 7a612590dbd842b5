/* What is wrong with an application, as people and pages read it. */
#include "core/problem.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct tg_problems problems;
    struct tg_buf out;
};

static int setup(void **state)
{
    static struct fixture fixture;
    tg_problems_init(&fixture.problems);
    tg_buf_init(&fixture.out);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    tg_problems_deinit(&fixture->problems);
    tg_buf_deinit(&fixture->out);
    return 0;
}

static void expect_out(struct fixture *fixture, const char *expected)
{
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, expected);
    tg_buf_truncate(&fixture->out, 0);
}

static void expect_split(const char *text, const char *file, uint32_t line, const char *rest)
{
    struct tg_slice found;
    uint32_t number;
    struct tg_slice message = tg_problem_split(tg_slice_of(text), &found, &number);
    assert_int_equal(number, line);
    assert_true(tg_slice_equal(found, tg_slice_of(file)));
    assert_true(tg_slice_equal(message, tg_slice_of(rest)));
}

static void splits_a_place_off_the_text(void **state)
{
    (void)state;
    expect_split("a.lua:12: no", "a.lua", 12, "no");
    expect_split("my files/a.lua:1: b.lua:2: no", "my files/a.lua", 1, "b.lua:2: no");
    expect_split("...ers/a.lua:7: no", "...ers/a.lua", 7, "no");
    expect_split("a.lua: no:1: x", "", 0, "a.lua: no:1: x");
    expect_split("10:20: no", "", 0, "10:20: no");
    expect_split("a.lua:12:no", "", 0, "a.lua:12:no");
    expect_split("a.lua:99999999999: no", "", 0, "a.lua:99999999999: no");
    expect_split("a.lua:1:", "", 0, "a.lua:1:");
    expect_split("", "", 0, "");
}

static void add_all(struct tg_problems *problems)
{
    struct tg_problem *added = tg_problems_add(
        problems, &(struct tg_problem){.message = TG_SLICE("'}' expected near 'b'\n\tand more"),
                                       .file = TG_SLICE("a.lua"),
                                       .line = 2,
                                       .column = 4,
                                       .excerpt = TG_SLICE("one\n\t\xc3\xa9 b\x1b[2J\n\xff\n"),
                                       .first_line = 1,
                                       .traceback = TG_SLICE("a.lua:2: in 'f'\na.lua:9: in 'g'"),
                                       .hint = TG_SLICE("write a comma")});
    if (!added) return;
    added->places[0] = (struct tg_problem_place){TG_SLICE("b.lua"), 7, TG_SLICE("seven")};
    added->place_count = 1;
}

static void shows_the_source_with_a_caret_below_the_column(void **state)
{
    struct fixture *fixture = *state;
    add_all(&fixture->problems);
    tg_problems_write_text(&fixture->problems, false, &fixture->out);
    expect_out(fixture, "a.lua:2: '}' expected near 'b'\n"
                        "  and more\n"
                        "     1 | one\n"
                        ">    2 |     \xc3\xa9 b\\u001b[2J\n"
                        "       |       ^\n"
                        "     3 | \xef\xbf\xbd\n"
                        "  b.lua:7:\n"
                        "     7 | seven\n"
                        "  traceback: a.lua:2: in 'f'\n"
                        "             a.lua:9: in 'g'\n"
                        "  what to do: write a comma\n");
}

static void has_colours_only_where_they_are_asked_for(void **state)
{
    struct fixture *fixture = *state;
    add_all(&fixture->problems);
    tg_problems_write_text(&fixture->problems, false, &fixture->out);
    assert_null(memchr(fixture->out.data, '\033', fixture->out.length));
    tg_buf_truncate(&fixture->out, 0);
    tg_problems_write_text(&fixture->problems, true, &fixture->out);
    assert_non_null(memmem(fixture->out.data, fixture->out.length, "\033[1;31m^\033[0m", 12));
}

static void writes_json_of_any_bytes_without_what_is_not_known(void **state)
{
    struct fixture *fixture = *state;
    add_all(&fixture->problems);
    tg_problems_add_text(&fixture->problems, TG_SLICE("no \xff place"));
    tg_problems_write_json(&fixture->problems, &fixture->out);
    expect_out(fixture, "[{\"message\":\"'}' expected near 'b'\\n\\tand more\",\"file\":\"a.lua\",\"line\":2,"
                        "\"column\":4,\"source\":{\"first_line\":1,\"lines\":[\"one\","
                        "\"\\t\xc3\xa9 b\\u001b[2J\",\"\xef\xbf\xbd\"]},"
                        "\"places\":[{\"file\":\"b.lua\",\"line\":7,\"text\":\"seven\"}],"
                        "\"traceback\":[\"a.lua:2: in 'f'\",\"a.lua:9: in 'g'\"],\"hint\":\"write a comma\"},"
                        "{\"message\":\"no \xef\xbf\xbd place\"}]");
}

static enum tg_status add_and_write(void *context)
{
    struct fixture *fixture = context;
    tg_problems_deinit(&fixture->problems);
    tg_buf_deinit(&fixture->out);
    add_all(&fixture->problems);
    tg_problems_printf(&fixture->problems, "%s", "more");
    if (fixture->problems.has_failed) return TG_E_NO_MEMORY;
    tg_problems_write_text(&fixture->problems, true, &fixture->out);
    tg_problems_write_json(&fixture->problems, &fixture->out);
    return tg_buf_status(&fixture->out);
}

static void says_when_there_is_no_memory(void **state)
{
    assert_true(tg_alloc_sweep(add_and_write, *state) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_a_place_off_the_text),
        cmocka_unit_test_setup_teardown(shows_the_source_with_a_caret_below_the_column, setup, teardown),
        cmocka_unit_test_setup_teardown(has_colours_only_where_they_are_asked_for, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_json_of_any_bytes_without_what_is_not_known, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_there_is_no_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
