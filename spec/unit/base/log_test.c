#include "base/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define TEXT_HEAD "time=2026-01-02T03:04:05.678Z level=info event=seen"
#define JSON_HEAD "{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"info\",\"event\":\"seen\""

/* The lines go into a pipe that is read after each. */
static struct {
    int read_end, write_end;
    struct tg_fake_clock clock;
    char line[2 * TG_LOG_LINE_BYTES];
    size_t length;
} tap;

static int open_tap(void **state)
{
    (void)state;
    int ends[2];
    if (pipe(ends) != 0) return -1;
    tap.read_end = ends[0];
    tap.write_end = ends[1];
    tg_fake_clock_init(&tap.clock, 1767323045678);
    return 0;
}

static int close_tap(void **state)
{
    (void)state;
    tg_log_open(STDERR_FILENO, TG_LOG_TEXT, TG_LOG_INFO, NULL);
    close(tap.read_end);
    close(tap.write_end);
    return 0;
}

static void use(enum tg_log_format format)
{
    tg_log_open(tap.write_end, format, TG_LOG_INFO, &tap.clock.clock);
}

/* What has been written, terminated. */
static const char *read_line(void)
{
    ssize_t got = read(tap.read_end, tap.line, sizeof tap.line - 1);
    assert_true(got > 0);
    tap.length = (size_t)got;
    tap.line[got] = '\0';
    return tap.line;
}

static const char *logged(struct tg_slice value)
{
    tg_log(TG_LOG_INFO, "seen", TG_LOG_STR("v", value));
    return read_line();
}

static void writes_one_line_of_keys_and_values(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    tg_log(TG_LOG_INFO, "seen", TG_LOG_S("consumer", "system"), TG_LOG_I("conn", -7));
    assert_string_equal(read_line(), TEXT_HEAD " consumer=system conn=-7\n");
}

static void writes_one_object_of_the_same_keys(void **state)
{
    (void)state;
    use(TG_LOG_JSON);
    tg_log(TG_LOG_INFO, "seen", TG_LOG_S("consumer", "system"), TG_LOG_I("conn", -7));
    assert_string_equal(read_line(), JSON_HEAD ",\"consumer\":\"system\",\"conn\":-7}\n");
}

static void needs_no_field(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    tg_log(TG_LOG_INFO, "seen");
    assert_string_equal(read_line(), TEXT_HEAD "\n");
}

static void leaves_simple_values_bare(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    assert_string_equal(logged(TG_SLICE("AZaz09._:/@+-")), TEXT_HEAD " v=AZaz09._:/@+-\n");
}

static void quotes_all_other_values(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    assert_string_equal(logged(TG_SLICE("")), TEXT_HEAD " v=\"\"\n");
    assert_string_equal(logged((struct tg_slice){0}), TEXT_HEAD " v=\"\"\n");
    assert_string_equal(logged(TG_SLICE("a b")), TEXT_HEAD " v=\"a b\"\n");
    assert_string_equal(logged(TG_SLICE("a=b")), TEXT_HEAD " v=\"a=b\"\n");
    assert_string_equal(logged(TG_SLICE("\xC3\xA9")), TEXT_HEAD " v=\"\xC3\xA9\"\n");
}

static void lets_no_value_forge_a_line_or_a_field(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    assert_string_equal(logged(TG_SLICE("x\" level=error\r\nevent=\\\t")),
                        TEXT_HEAD " v=\"x\\\" level=error\\r\\nevent=\\\\\\t\"\n");
    assert_string_equal(logged(TG_SLICE("a\xE2\x80\xA8"
                                        "b\xE2\x80\xA9"
                                        "c")),
                        TEXT_HEAD " v=\"a\\u2028b\\u2029c\"\n");
}

static void lets_no_value_command_a_terminal(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    assert_string_equal(logged(TG_SLICE("\x1B[2J\x07\x7F")), TEXT_HEAD " v=\"\\x1b[2J\\x07\\x7f\"\n");
    assert_string_equal(logged(TG_SLICE("a\0b")), TEXT_HEAD " v=\"a\\x00b\"\n");
    assert_string_equal(logged(TG_SLICE("\xC2\x9B"
                                        "31m\xC2\x80")),
                        TEXT_HEAD " v=\"\\u009b31m\\u0080\"\n");
    assert_string_equal(logged(TG_SLICE("\xE2\x80\xAE")), TEXT_HEAD " v=\"\\u202e\"\n");
}

static void shows_bytes_that_are_no_text(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    assert_string_equal(logged(TG_SLICE("a\xFF\xC3"
                                        "b\xED\xA0\x80\xF0\x9F")),
                        TEXT_HEAD " v=\"a\\xff\\xc3b\\xed\\xa0\\x80\\xf0\\x9f\"\n");
}

static void escapes_the_name_of_the_event_too(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    tg_log(TG_LOG_WARNING, "two\nlines");
    assert_string_equal(read_line(), "time=2026-01-02T03:04:05.678Z level=warning event=\"two\\nlines\"\n");
}

static void writes_json_whatever_the_value_is(void **state)
{
    (void)state;
    use(TG_LOG_JSON);
    for (int first = 0; first < 256; first++) {
        char bytes[3] = {(char)first, '\x80', '"'};
        json_t *object = json_loads(logged((struct tg_slice){bytes, 3}), JSON_ALLOW_NUL, NULL);
        assert_non_null(object);
        assert_non_null(json_string_value(json_object_get(object, "v")));
        assert_int_equal(strcspn(tap.line, "\n"), tap.length - 1);
        json_decref(object);
    }
}

static void keeps_text_in_json_as_it_is(void **state)
{
    (void)state;
    use(TG_LOG_JSON);
    assert_string_equal(logged(TG_SLICE("\xF0\x9F\x94\xA7 /")), JSON_HEAD ",\"v\":\"\xF0\x9F\x94\xA7 /\"}\n");
    assert_string_equal(logged(TG_SLICE("\x7F\xE2\x80\xA8\xFF\n")),
                        JSON_HEAD ",\"v\":\"\\u007f\\u2028\\ufffd\\n\"}\n");
}

static void logs_nothing_below_its_level(void **state)
{
    (void)state;
    tg_log_open(tap.write_end, TG_LOG_TEXT, TG_LOG_WARNING, &tap.clock.clock);
    assert_false(tg_log_is_on(TG_LOG_INFO));
    assert_true(tg_log_is_on(TG_LOG_WARNING));
    tg_log(TG_LOG_INFO, "unheard");
    tg_log(TG_LOG_ERROR, "heard");
    assert_non_null(strstr(read_line(), "level=error event=heard\n"));
    assert_null(strstr(tap.line, "unheard"));
    tg_log_open(tap.write_end, TG_LOG_TEXT, TG_LOG_OFF, &tap.clock.clock);
    assert_false(tg_log_is_on(TG_LOG_ERROR));
    assert_false(tg_log_is_on(TG_LOG_OFF));
}

/* A value of `length` characters of `unit`, and a field behind it. */
static void log_long(const char *unit, size_t length)
{
    size_t bytes = strlen(unit) * length;
    char *text = malloc(bytes);
    assert_non_null(text);
    for (size_t i = 0; i < bytes; i++) text[i] = unit[i % strlen(unit)];
    tg_log(TG_LOG_INFO, "seen", TG_LOG_STR("v", ((struct tg_slice){text, bytes})), TG_LOG_I("after", 1));
    free(text);
    read_line();
}

static void cuts_a_long_line_and_says_so(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    log_long("x", TG_LOG_LINE_BYTES);
    assert_true(tap.length <= TG_LOG_LINE_BYTES);
    assert_string_equal(tap.line + tap.length - 11, "x cut=true\n");
    log_long("\xF0\x9F\x94\xA7", TG_LOG_LINE_BYTES);
    assert_true(tap.length <= TG_LOG_LINE_BYTES);
    assert_string_equal(tap.line + tap.length - 15, "\xF0\x9F\x94\xA7\" cut=true\n");
}

static void stays_json_wherever_the_line_is_cut(void **state)
{
    (void)state;
    use(TG_LOG_JSON);
    for (size_t length = TG_LOG_LINE_BYTES - 200; length < TG_LOG_LINE_BYTES; length++) {
        log_long("x", length);
        assert_true(tap.length <= TG_LOG_LINE_BYTES);
        json_t *object = json_loads(tap.line, 0, NULL);
        assert_non_null(object);
        /* Either the field behind it is whole, or the line says that it was cut. */
        assert_true(!json_object_get(object, "after") == json_is_true(json_object_get(object, "cut")));
        json_decref(object);
    }
}

static void drops_the_line_when_nobody_listens(void **state)
{
    (void)state;
    tg_log_open(-1, TG_LOG_TEXT, TG_LOG_INFO, &tap.clock.clock);
    tg_log(TG_LOG_INFO, "unheard");
    use(TG_LOG_TEXT);
    tg_log(TG_LOG_INFO, "seen");
    assert_string_equal(read_line(), TEXT_HEAD "\n");
}

/* A log that nobody read stopped the whole gateway: it waited in write() for the reader. */
static void drops_lines_that_the_reader_does_not_take_and_counts_them(void **state)
{
    (void)state;
    use(TG_LOG_TEXT);
    int flags = fcntl(tap.write_end, F_GETFL);
    fcntl(tap.write_end, F_SETFL, flags | O_NONBLOCK);
    char filling[4096] = {0};
    while (write(tap.write_end, filling, sizeof filling) > 0) {
    }
    fcntl(tap.write_end, F_SETFL, flags);
    for (int i = 0; i < 3; i++) tg_log(TG_LOG_INFO, "seen", TG_LOG_I("n", i));
    flags = fcntl(tap.read_end, F_GETFL);
    fcntl(tap.read_end, F_SETFL, flags | O_NONBLOCK);
    while (read(tap.read_end, filling, sizeof filling) > 0) {
    }
    tg_log(TG_LOG_INFO, "seen", TG_LOG_I("n", 4));
    assert_string_equal(read_line(),
                        "time=2026-01-02T03:04:05.678Z level=warning event=lines_dropped lines=3\n" TEXT_HEAD
                        " n=4\n");
}

/* ---- diverting ---- */

struct taken {
    unsigned lines;
    char last[64];
};

static void take(void *context, enum tg_log_level level, const char *event, const struct tg_log_field *fields)
{
    struct taken *taken = context;
    taken->lines++;
    snprintf(taken->last, sizeof taken->last, "%s %s %s=%lld", tg_log_level_name(level), event, fields[0].key,
             (long long)fields[0].integer);
}

static void gives_its_lines_to_somebody_else_for_a_time(void **state)
{
    (void)state;
    struct taken outer = {0}, inner = {0};
    use(TG_LOG_TEXT);
    struct tg_log_diversion before = tg_log_divert((struct tg_log_diversion){take, &outer, TG_LOG_DEBUG});
    assert_true(tg_log_is_on(TG_LOG_DEBUG));
    tg_log(TG_LOG_DEBUG, "seen", TG_LOG_I("v", 1));
    struct tg_log_diversion between = tg_log_divert((struct tg_log_diversion){take, &inner, TG_LOG_ERROR});
    assert_false(tg_log_is_on(TG_LOG_WARNING));
    tg_log(TG_LOG_WARNING, "seen", TG_LOG_I("v", 2));
    tg_log(TG_LOG_ERROR, "seen", TG_LOG_I("v", 3));
    tg_log_divert(between);
    tg_log(TG_LOG_INFO, "seen", TG_LOG_I("v", 4));
    tg_log_divert(before);
    assert_int_equal(inner.lines, 1);
    assert_string_equal(inner.last, "error seen v=3");
    assert_int_equal(outer.lines, 2);
    assert_string_equal(outer.last, "info seen v=4");
    assert_false(tg_log_is_on(TG_LOG_DEBUG));
    tg_log(TG_LOG_INFO, "seen", TG_LOG_I("v", 5));
    assert_string_equal(read_line(), TEXT_HEAD " v=5\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_its_lines_to_somebody_else_for_a_time),
        cmocka_unit_test(writes_one_line_of_keys_and_values),
        cmocka_unit_test(writes_one_object_of_the_same_keys),
        cmocka_unit_test(needs_no_field),
        cmocka_unit_test(leaves_simple_values_bare),
        cmocka_unit_test(quotes_all_other_values),
        cmocka_unit_test(lets_no_value_forge_a_line_or_a_field),
        cmocka_unit_test(lets_no_value_command_a_terminal),
        cmocka_unit_test(shows_bytes_that_are_no_text),
        cmocka_unit_test(escapes_the_name_of_the_event_too),
        cmocka_unit_test(writes_json_whatever_the_value_is),
        cmocka_unit_test(keeps_text_in_json_as_it_is),
        cmocka_unit_test(logs_nothing_below_its_level),
        cmocka_unit_test(cuts_a_long_line_and_says_so),
        cmocka_unit_test(stays_json_wherever_the_line_is_cut),
        cmocka_unit_test(drops_the_line_when_nobody_listens),
        cmocka_unit_test(drops_lines_that_the_reader_does_not_take_and_counts_them),
    };
    return cmocka_run_group_tests(tests, open_tap, close_tap);
}
