#include "support/checking.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- numbers ---- */

static void keeps_to_exclusive_bounds(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    integer->integer.min = -2;
    integer->integer.max = 2;
    integer->integer.is_above_min = integer->integer.is_below_max = true;
    accept_json(fixture, integer, "-1.0", "-1");
    tell_json(fixture, integer, "-2", "payload: Input should be greater than -2, got -2");
    tell_json(fixture, integer, "2.0", "payload: Input should be less than 2, got 2.0");
    struct tg_schema *number = new_schema(fixture, TG_SCHEMA_NUMBER);
    number->number.min = 0;
    number->number.max = 1;
    number->number.is_above_min = number->number.is_below_max = true;
    accept_json(fixture, number, "0.5", "0.5");
    refuse_json(fixture, number, "0", "greater_than@[]");
    refuse_json(fixture, number, "-0.0", "greater_than@[]");
    tell_json(fixture, number, "1", "payload: Input should be less than 1, got 1");
}

static void divides_integers_exactly(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    integer->integer.multiple_of = 3;
    accept_json(fixture, integer, "-9", "-9");
    accept_json(fixture, integer, "0", "0");
    accept_json(fixture, integer, "9223372036854775806", "9223372036854775806");
    tell_json(fixture, integer, "9223372036854775807",
              "payload: Input should be a multiple of 3, got 9223372036854775807");
    integer->integer.min = 10;
    refuse_json(fixture, integer, "8", "greater_than_equal@[] multiple_of@[]");
}

static void takes_a_multiple_that_only_rounding_has_missed(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *number = new_schema(fixture, TG_SCHEMA_NUMBER);
    number->number.multiple_of = 0.1;
    accept_json(fixture, number, "0.3", "0.3");
    accept_json(fixture, number, "-4.35e1", "-43.5");
    accept_json(fixture, number, "0", "0.0");
    tell_json(fixture, number, "0.25", "payload: Input should be a multiple of 0.1, got 0.25");
    refuse_json(fixture, number, "1e-20", "multiple_of@[]");
    number->number.multiple_of = 1.5;
    accept_json(fixture, number, "7.5", "7.5");
    refuse_json(fixture, number, "1000000000000000", "multiple_of@[]");
    number->number.multiple_of = 1e300;
    refuse_json(fixture, number, "5e-324", "multiple_of@[]");
    number->number.multiple_of = 5e-324;
    accept_json(fixture, number, "1e308", "1e+308");
}

/* Found by review: from 2^49 steps on, rounding was granted half a step and more: anything was a multiple.
 */
static void divides_by_a_whole_step_exactly(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *number = new_schema(fixture, TG_SCHEMA_NUMBER);
    number->number.multiple_of = 1;
    refuse_json(fixture, number, "1000000000000000.5", "multiple_of@[]");
    accept_json(fixture, number, "1000000000000001", "1000000000000001.0");
    number->number.multiple_of = 3;
    refuse_json(fixture, number, "3.0000000000000004", "multiple_of@[]");
    number->number.multiple_of = 0.25;
    refuse_json(fixture, number, "1000000000000000.125", "multiple_of@[]");
    accept_json(fixture, number, "1000000000000000.75", "1000000000000000.8");
    number->number.multiple_of = 0.1;
    accept_json(fixture, number, "100000000000000.3", "100000000000000.3");
}

static void reads_numbers_from_strings_where_that_was_asked_for(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *number = new_schema(fixture, TG_SCHEMA_NUMBER);
    refuse_json(fixture, integer, "\"12\"", "int_type@[]");
    integer->can_coerce = number->can_coerce = true;
    accept_json(fixture, integer, "\"12\"", "12");
    accept_json(fixture, integer, "\"-1.0\"", "-1");
    accept_json(fixture, integer, "\"1e3\"", "1000");
    accept_json(fixture, number, "\"12\"", "12.0");
    accept_json(fixture, number, "\"-0.5E1\"", "-5.0");
    static const char *const texts[] = {
        "\"\"",    "\" 1\"", "\"1 \"",  "\"1.\"",    "\"01\"",  "\"+1\"", "\"0x1\"",  "\"1_0\"",
        "\"NaN\"", "\"-\"",  "\"1 2\"", "\"1e999\"", "\"[1]\"", "\"1a\"", "\"true\"", "\"\\u00001\"",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refuse_json(fixture, integer, texts[i], "int_parsing@[]");
        refuse_json(fixture, number, texts[i], "float_parsing@[]");
    }
    refuse_json(fixture, integer, "\"1.5\"", "int_parsing@[]");
    refuse_json(fixture, integer, "\"9223372036854775808\"", "int_parsing@[]");
    refuse_json(fixture, integer, "true", "int_type@[]");
    refuse_json(fixture, number, "null", "float_type@[]");
    integer->integer.max = 10;
    tell_json(fixture, integer, "\"12\"", "payload: Input should be less than or equal to 10, got '12'");
}

static void reads_booleans_from_two_strings_only(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *boolean = new_schema(fixture, TG_SCHEMA_BOOLEAN);
    refuse_json(fixture, boolean, "\"true\"", "bool_type@[]");
    boolean->can_coerce = true;
    accept_json(fixture, boolean, "\"true\"", "true");
    accept_json(fixture, boolean, "\"false\"", "false");
    refuse_json(fixture, boolean, "\"True\"", "bool_parsing@[]");
    refuse_json(fixture, boolean, "\"1\"", "bool_parsing@[]");
    refuse_json(fixture, boolean, "1", "bool_type@[]");
}

/* ---- strings ---- */

static void takes_scalars_for_their_text_where_that_was_asked_for(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    refuse_json(fixture, string, "12", "string_type@[]");
    string->can_coerce = true;
    accept_json(fixture, string, "-12", "\"-12\"");
    accept_json(fixture, string, "1.50", "\"1.5\"");
    accept_json(fixture, string, "true", "\"true\"");
    refuse_json(fixture, string, "null", "string_type@[]");
    refuse_json(fixture, string, "[]", "string_type@[]");
    string->string.max_length = 2;
    refuse_json(fixture, string, "123", "string_too_long@[]");
}

static void trims_what_unicode_calls_white_space(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    string->string.is_trimmed = true;
    accept_json(fixture, string, "\" \\t\\n\\u000b\\f\\r a b\\u0085\\u00a0\\u1680\"", "\"a b\"");
    accept_json(fixture, string, "\"\\u2000\\u2005\\u200a\\u2028\\u2029a\\u202f\\u205f\\u3000\"", "\"a\"");
    accept_json(fixture, string, "\" \\u3000 \"", "\"\"");
    accept_json(fixture, string, "\"\"", "\"\"");
    /* Neighbours of white space that are none: U+200B, U+180E, U+FEFF, U+00E0. */
    accept_json(fixture, string, "\"\xe2\x80\x8b\"", "\"\xe2\x80\x8b\"");
    accept_json(fixture, string, "\"\xe1\xa0\x8e\"", "\"\xe1\xa0\x8e\"");
    accept_json(fixture, string, "\"\xef\xbb\xbf\"", "\"\xef\xbb\xbf\"");
    accept_json(fixture, string, "\"\xc3\xa0\"", "\"\xc3\xa0\"");
    string->string.min_length = 1;
    refuse_json(fixture, string, "\"   \"", "string_too_short@[]");
    string->string.max_length = 1;
    accept_json(fixture, string, "\"   a    \"", "\"a\"");
}

static void trims_without_a_copy(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    string->string.is_trimmed = true;
    static const char json[] = "\"  abc \"";
    assert_int_equal(validate_json(fixture, string, json), TG_OK);
    assert_ptr_equal(fixture->value.string, json + 3);
}

static const struct tg_pattern *compile(struct checking *fixture, const char *source)
{
    const struct tg_pattern *pattern;
    assert_int_equal(tg_pattern_compile(&fixture->patterns, tg_slice_of(source), &pattern, NULL), TG_OK);
    return pattern;
}

static void looks_at_length_then_pattern_then_format(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    string->string.max_length = 5;
    string->string.pattern = compile(fixture, "^[a-z]+$");
    accept_json(fixture, string, "\"abc\"", "\"abc\"");
    tell_json(fixture, string, "\"a1\"", "payload: String should match pattern '^[a-z]+$', got 'a1'");
    refuse_json(fixture, string, "\"123456\"", "string_too_long@[]");
    string->string.format = TG_FORMAT_IPV4;
    refuse_json(fixture, string, "\"1\"", "string_pattern_mismatch@[]");
    tell_json(fixture, string, "\"abc\"", "payload: Input is not a valid IPv4 address, got 'abc'");
}

static void names_each_format(void **state)
{
    struct checking *fixture = *state;
    static const struct {
        enum tg_format format;
        const char *right, *issue;
    } rows[] = {
        {TG_FORMAT_EMAIL, "\"a@example.org\"", "value_error@[]"},
        {TG_FORMAT_URL, "\"https://example.org/\"", "url_parsing@[]"},
        {TG_FORMAT_UUID, "\"123e4567-e89b-12d3-a456-426614174000\"", "uuid_parsing@[]"},
        {TG_FORMAT_DATE, "\"2025-05-11\"", "date_parsing@[]"},
        {TG_FORMAT_TIME, "\"14:30:00Z\"", "time_parsing@[]"},
        {TG_FORMAT_DATETIME, "\"2025-05-11T14:30:00Z\"", "datetime_parsing@[]"},
        {TG_FORMAT_HOSTNAME, "\"example.org\"", "value_error@[]"},
        {TG_FORMAT_IPV4, "\"127.0.0.1\"", "ip_v4_address@[]"},
        {TG_FORMAT_IPV6, "\"::1\"", "ip_v6_address@[]"},
    };
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    assert_int_equal(sizeof rows / sizeof rows[0], TG_FORMATS - 1);
    for (size_t i = 0; i < TG_FORMATS - 1; i++) {
        string->string.format = rows[i].format;
        accept_json(fixture, string, rows[i].right, rows[i].right);
        refuse_json(fixture, string, "\"-- no --\"", rows[i].issue);
    }
}

/* ---- patterns that blow up ---- */

static void ends_a_pattern_that_takes_too_long(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    string->string.pattern = compile(fixture, "^(a+)+$");
    accept_json(fixture, string, "\"aaaa\"", "\"aaaa\"");
    assert_false(fixture->validation.has_hit_steps);
    tell_json(fixture, string, "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\"",
              "payload: Value error, this takes too many steps to check");
    assert_true(fixture->validation.has_hit_steps);
    refuse_json(fixture, string, "\"a!\"", "string_pattern_mismatch@[]");
    assert_false(fixture->validation.has_hit_steps);
}

static void gives_all_steps_to_a_few_strings_of_a_message(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_schema *array = new_array(fixture, string);
    struct tg_buf json = {0};
    string->string.pattern = compile(fixture, "^(a+)+$");
    fixture->max_errors = 20;
    tg_buf_append_char(&json, '[');
    for (int i = 0; i < 12; i++) tg_buf_printf(&json, "%s\"aaaaaaaaaaaa!\"", i ? "," : "");
    tg_buf_append_literal(&json, "]\0");
    refuse_json(fixture, array, json.data,
                "string_pattern_mismatch@[0] string_pattern_mismatch@[1] string_pattern_mismatch@[2] "
                "string_pattern_mismatch@[3] string_pattern_mismatch@[4] string_pattern_mismatch@[5] "
                "string_pattern_mismatch@[6] string_pattern_mismatch@[7] string_pattern_mismatch@[8] "
                "string_pattern_mismatch@[9] value_error@[10] value_error@[11]");
    assert_true(fixture->validation.has_hit_steps);
    tg_buf_deinit(&json);
}

/* ---- exactly ---- */

static void changes_nothing_of_what_is_our_own(void **state)
{
    struct checking *fixture = *state;
    struct tg_schema *string = new_schema(fixture, TG_SCHEMA_STRING);
    struct tg_schema *integer = new_schema(fixture, TG_SCHEMA_INTEGER);
    struct tg_schema *boolean = new_schema(fixture, TG_SCHEMA_BOOLEAN);
    string->can_coerce = integer->can_coerce = boolean->can_coerce = true;
    string->string.is_trimmed = true;
    fixture->validation.is_exact = true;
    accept_json(fixture, string, "\" a \"", "\" a \"");
    refuse_json(fixture, string, "1", "string_type@[]");
    refuse_json(fixture, integer, "\"1\"", "int_type@[]");
    refuse_json(fixture, boolean, "\"true\"", "bool_type@[]");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, checking_set_up, checking_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(keeps_to_exclusive_bounds),
        TEST(divides_integers_exactly),
        TEST(takes_a_multiple_that_only_rounding_has_missed),
        TEST(divides_by_a_whole_step_exactly),
        TEST(reads_numbers_from_strings_where_that_was_asked_for),
        TEST(reads_booleans_from_two_strings_only),
        TEST(takes_scalars_for_their_text_where_that_was_asked_for),
        TEST(trims_what_unicode_calls_white_space),
        TEST(trims_without_a_copy),
        TEST(looks_at_length_then_pattern_then_format),
        TEST(names_each_format),
        TEST(ends_a_pattern_that_takes_too_long),
        TEST(gives_all_steps_to_a_few_strings_of_a_message),
        TEST(changes_nothing_of_what_is_our_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
