#include "support/alloc.h"
#include "support/json_fixture.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct tg_slice got, struct tg_slice wanted)
{
    if (!tg_slice_equal(got, wanted))
        fail_msg("got %.*s, wanted %.*s", TG_SLICE_ARG(got), TG_SLICE_ARG(wanted));
}

static struct tg_slice show(struct json_fixture *fixture, const char *text, size_t max_bytes)
{
    const struct tg_value *value = json_parse_good(fixture, tg_slice_of(text));
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_shown(&fixture->out, value, max_bytes);
    return tg_buf_peek(&fixture->out);
}

static void shows_a_short_value_as_it_is(void **state)
{
    static const char text[] = "{\"a\":[1,-2.5,null,true],\"é\":{},\"q\":\"\\\"\\\\/\",\"l\":[]}";
    assert_text(show(*state, text, sizeof text - 1), tg_slice_of(text));
    assert_text(show(*state, text, SIZE_MAX), tg_slice_of(text));
}

static void cuts_what_it_shows_between_characters(void **state)
{
    static const struct {
        const char *text;
        size_t max_bytes;
        const char *shown;
    } rows[] = {
        {"12345", 5, "12345"},          {"12345", 4, "1234..."},     {"\"abc\"", 5, "\"abc\""},
        {"\"abc\"", 4, "\"abc..."},     {"\"aé\"", 3, "\"a..."},     {"\"aé\"", 4, "\"aé..."},
        {"[1,2,3]", 4, "[1,2..."},      {"[1,2,3]", 6, "[1,2,3..."}, {"{\"key\":1}", 3, "{\"k..."},
        {"{\"k\":1}", 5, "{\"k\":..."}, {"[[[[]]]]", 2, "[[..."},    {"null", 0, "..."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_text(show(*state, rows[i].text, rows[i].max_bytes), tg_slice_of(rows[i].shown));
}

static void shows_no_secret(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_value *value =
        json_parse_good(fixture, TG_SLICE("{\"name\":\"a\",\"password\":\"b\",\"keys\":[1,[2]],\"pin\":3}"));
    value->members[1].value.is_secret = value->members[2].value.items[1].is_secret = true;
    value->members[3].value.is_secret = true;
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_shown(&fixture->out, value, 100);
    assert_text(tg_buf_peek(&fixture->out),
                TG_SLICE("{\"name\":\"a\",\"password\":\"***\",\"keys\":[1,\"***\"],\"pin\":\"***\"}"));
    value->is_secret = true;
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_shown(&fixture->out, value, 100);
    assert_text(tg_buf_peek(&fixture->out), TG_SLICE("\"***\""));
}

static void shows_nothing_that_breaks_a_line(void **state)
{
    assert_text(show(*state, "\"a\\n\\u001b[31m\\u007f\\u0085\\u2028\\u202e\\ud83d\\ude00\"", 200),
                TG_SLICE("\"a\\n\\u001b[31m\\u007f\\u0085\\u2028\\u202e\xf0\x9f\x98\x80\""));
    struct json_fixture *fixture = *state;
    const char bad[] = "a\xff\xe2\x82z";
    const struct tg_value value = {.type = TG_VALUE_STRING, .length = 5, .string = bad};
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_shown(&fixture->out, &value, 200);
    assert_text(tg_buf_peek(&fixture->out), TG_SLICE("\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""));
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_line(&fixture->out, TG_SLICE("it's \"so\"\\\n\xff\xc2\x85"));
    assert_text(tg_buf_peek(&fixture->out), TG_SLICE("it's \"so\"\\\\n\xef\xbf\xbd\\u0085"));
}

static void looks_at_no_more_of_a_huge_value_than_it_shows(void **state)
{
    struct json_fixture *fixture = *state;
    /* Only what is shown exists: AddressSanitizer sees any look behind it. */
    struct tg_value *items = calloc(20, sizeof *items);
    const struct tg_value array = {.type = TG_VALUE_ARRAY, .length = UINT32_MAX, .items = items};
    tg_json_write_shown(&fixture->out, &array, 50);
    assert_text(tg_buf_peek(&fixture->out),
                TG_SLICE("[null,null,null,null,null,null,null,null,null,null..."));
    free(items);
    char *text = malloc(60);
    memset(text, 'x', 60);
    const struct tg_value string = {.type = TG_VALUE_STRING, .length = UINT32_MAX, .string = text};
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_shown(&fixture->out, &string, 50);
    assert_int_equal(fixture->out.length, 53);
    free(text);
}

static enum tg_status show_once(void *context)
{
    const struct tg_value *value = context;
    struct tg_buf out;
    tg_buf_init(&out);
    tg_json_write_shown(&out, value, 300);
    enum tg_status status = tg_buf_status(&out);
    tg_buf_truncate(&out, 0);
    tg_json_write_shown(&out, value, 300);
    assert_int_equal(out.length, 303);
    tg_buf_deinit(&out);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    char text[400];
    memset(text, 'x', sizeof text);
    struct tg_value value = {.type = TG_VALUE_STRING, .length = sizeof text, .string = text};
    assert_true(tg_alloc_sweep(show_once, &value) >= 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, json_set_up, json_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(shows_a_short_value_as_it_is),
        TEST(cuts_what_it_shows_between_characters),
        TEST(shows_no_secret),
        TEST(shows_nothing_that_breaks_a_line),
        TEST(looks_at_no_more_of_a_huge_value_than_it_shows),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
