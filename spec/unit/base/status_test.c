#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void names_every_status_once(void **state)
{
    (void)state;
    for (int a = TG_E_SLOW; a <= TG_OK; a++) {
        assert_string_not_equal(tg_status_name((enum tg_status)a), "unknown");
        for (int b = TG_E_SLOW; b < a; b++)
            assert_string_not_equal(tg_status_name((enum tg_status)a), tg_status_name((enum tg_status)b));
    }
}

static void tells_a_client_why_it_is_closed(void **state)
{
    (void)state;
    assert_int_equal(tg_status_close_code(TG_OK), 1000);
    assert_int_equal(tg_status_close_code(TG_E_PROTOCOL), 1002);
    assert_int_equal(tg_status_close_code(TG_E_UTF8), 1007);
    assert_int_equal(tg_status_close_code(TG_E_TOO_LARGE), 1009);
    assert_int_equal(tg_status_close_code(TG_E_SLOW), 1013);
}

static void has_an_answer_for_a_status_that_it_does_not_know(void **state)
{
    (void)state;
    assert_string_equal(tg_status_name((enum tg_status) - 99), "unknown");
    assert_int_equal(tg_status_close_code((enum tg_status) - 99), 1011);
}

static void returns_the_status_that_it_records(void **state)
{
    (void)state;
    struct tg_error error = {.offset = 7};
    assert_int_equal(tg_error_set(&error, TG_E_IO, "port %d", 80), TG_E_IO);
    assert_int_equal(error.status, TG_E_IO);
    assert_int_equal(error.offset, 0);
    assert_string_equal(error.text, "port 80");
}

static void records_nothing_where_nobody_asks(void **state)
{
    (void)state;
    assert_int_equal(tg_error_set(NULL, TG_E_FULL, "%s", "lost"), TG_E_FULL);
}

/* `width` ASCII bytes and then three characters of four bytes each. */
static size_t length_behind(size_t width)
{
    struct tg_error error;
    char filler[TG_ERROR_TEXT_BYTES];
    memset(filler, 'x', sizeof filler);
    tg_error_set(&error, TG_E_IO, "%.*s\xF0\x9F\x94\xA7\xF0\x9F\x94\xA7\xF0\x9F\x94\xA7", (int)width, filler);
    return strlen(error.text);
}

static void cuts_a_long_text_between_two_characters(void **state)
{
    (void)state;
    assert_int_equal(length_behind(499), 511);
    assert_int_equal(length_behind(500), 508);
    assert_int_equal(length_behind(503), 511);
    assert_int_equal(length_behind(506), 510);
    assert_int_equal(length_behind(511), 511);
}

static void cuts_a_long_ascii_text_at_the_end_of_its_room(void **state)
{
    (void)state;
    struct tg_error error;
    tg_error_set(&error, TG_E_IO, "%0600d", 7);
    assert_int_equal(strlen(error.text), TG_ERROR_TEXT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_status_once),
        cmocka_unit_test(tells_a_client_why_it_is_closed),
        cmocka_unit_test(has_an_answer_for_a_status_that_it_does_not_know),
        cmocka_unit_test(returns_the_status_that_it_records),
        cmocka_unit_test(records_nothing_where_nobody_asks),
        cmocka_unit_test(cuts_a_long_text_between_two_characters),
        cmocka_unit_test(cuts_a_long_ascii_text_at_the_end_of_its_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
