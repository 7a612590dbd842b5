#include "wire/json.h"

#include "base/utf8.h"
#include "support/alloc.h"
#include "support/json_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct tg_slice got, struct tg_slice wanted)
{
    if (!tg_slice_equal(got, wanted))
        fail_msg("got %.*s, wanted %.*s", TG_SLICE_ARG(got), TG_SLICE_ARG(wanted));
}

/* ---- what is JSON and what is not ---- */

#define ROW(text) TG_SLICE(text)

static const struct {
    struct tg_slice text, written;
} accepted[] = {
    {ROW("null"), ROW("null")},
    {ROW("true"), ROW("true")},
    {ROW("false"), ROW("false")},
    {ROW(" \t\r\n null \t\r\n "), ROW("null")},
    {ROW("0"), ROW("0")},
    {ROW("-0"), ROW("0")},
    {ROW("7"), ROW("7")},
    {ROW("-7"), ROW("-7")},
    {ROW("1234567890"), ROW("1234567890")},
    {ROW("9007199254740993"), ROW("9007199254740993")},
    {ROW("9223372036854775807"), ROW("9223372036854775807")},
    {ROW("-9223372036854775808"), ROW("-9223372036854775808")},
    {ROW("0.0"), ROW("0.0")},
    {ROW("-0.0"), ROW("-0.0")},
    {ROW("1.0"), ROW("1.0")},
    {ROW("1.5"), ROW("1.5")},
    {ROW("-1.5"), ROW("-1.5")},
    {ROW("0.1"), ROW("0.1")},
    {ROW("1e0"), ROW("1.0")},
    {ROW("1E2"), ROW("100.0")},
    {ROW("1e+2"), ROW("100.0")},
    {ROW("1e-2"), ROW("0.01")},
    {ROW("1.25e-02"), ROW("0.0125")},
    {ROW("1e22"), ROW("1e+22")},
    {ROW("1e23"), ROW("1e+23")},
    {ROW("1.7976931348623157e308"), ROW("1.7976931348623157e+308")},
    {ROW("5e-324"), ROW("5e-324")},
    {ROW("1e-400"), ROW("0.0")},
    {ROW("-1e-400"), ROW("-0.0")},
    {ROW("0e999999999999999999999"), ROW("0.0")},
    {ROW("0.00000000000000000000000000000000000000001e41"), ROW("1.0")},
    {ROW("123456789012345678901234567890.0"), ROW("1.2345678901234568e+29")},
    {ROW("9223372036854775808.0"), ROW("9.223372036854776e+18")},
    {ROW("3.141592653589793238462643383279502884197169399375105820974944592307816406286208998628034825"
         "342117067982148086513282306647"),
     ROW("3.141592653589793")},
    {ROW("\"\""), ROW("\"\"")},
    {ROW("\"a\""), ROW("\"a\"")},
    {ROW("\"exactly8\""), ROW("\"exactly8\"")},
    {ROW("\"a string of many more than eight bytes\""), ROW("\"a string of many more than eight bytes\"")},
    {ROW("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), ROW("\"\\\"\\\\/\\b\\f\\n\\r\\t\"")},
    {ROW("\"\\u0041\""), ROW("\"A\"")},
    {ROW("\"\\u0000\""), ROW("\"\\u0000\"")},
    {ROW("\"\\u001f\""), ROW("\"\\u001f\"")},
    {ROW("\"\\u007f\""), ROW("\"\x7f\"")},
    {ROW("\"\\u00e9\""), ROW("\"\xc3\xa9\"")},
    {ROW("\"\\u20AC\""), ROW("\"\xe2\x82\xac\"")},
    {ROW("\"\\uFFFF\""), ROW("\"\xef\xbf\xbf\"")},
    {ROW("\"\\ud83d\\ude00\""), ROW("\"\xf0\x9f\x98\x80\"")},
    {ROW("\"\\uDBFF\\uDFFF\""), ROW("\"\xf4\x8f\xbf\xbf\"")},
    {ROW("\"plain then \\n escaped then plain\""), ROW("\"plain then \\n escaped then plain\"")},
    {ROW("\"\\\\\\\\\\\"\\\\\""), ROW("\"\\\\\\\\\\\"\\\\\"")},
    {ROW("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""), ROW("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"")},
    {ROW("\"\xc2\x80\""), ROW("\"\xc2\x80\"")},
    {ROW("\"\xed\x9f\xbf\xee\x80\x80\""), ROW("\"\xed\x9f\xbf\xee\x80\x80\"")},
    {ROW("\"\xe2\x80\xa8\x7f\""), ROW("\"\xe2\x80\xa8\x7f\"")},
    {ROW("\"{[,:]}\""), ROW("\"{[,:]}\"")},
    {ROW("[]"), ROW("[]")},
    {ROW("[ ]"), ROW("[]")},
    {ROW("[[]]"), ROW("[[]]")},
    {ROW("[1]"), ROW("[1]")},
    {ROW("[1, \"a\" ,null ,true,false, {} , []]"), ROW("[1,\"a\",null,true,false,{},[]]")},
    {ROW("[[1],[2,[3]],4]"), ROW("[[1],[2,[3]],4]")},
    {ROW("{}"), ROW("{}")},
    {ROW("{ \n}"), ROW("{}")},
    {ROW("{\"\":0}"), ROW("{\"\":0}")},
    {ROW("{\"a\":1,\"b\":2}"), ROW("{\"a\":1,\"b\":2}")},
    {ROW("{\"b\" : 1 , \"a\" : {\"b\":[{\"b\":2}]}}"), ROW("{\"b\":1,\"a\":{\"b\":[{\"b\":2}]}}")},
    {ROW("{\"a\\u0000b\":1,\"a\":2}"), ROW("{\"a\\u0000b\":1,\"a\":2}")},
};

static const struct {
    struct tg_slice text;
    size_t offset;
    const char *what;
} refused[] = {
    {ROW(""), 0, "expected a value"},
    {ROW("   "), 3, "expected a value"},
    {ROW("\xef\xbb\xbf{}"), 0, "expected a value"},
    {ROW("nul"), 0, "expected a value"},
    {ROW(" nulL"), 1, "expected a value"},
    {ROW("True"), 0, "expected a value"},
    {ROW("tru"), 0, "expected a value"},
    {ROW("falsy"), 0, "expected a value"},
    {ROW("NaN"), 0, "expected a value"},
    {ROW("Infinity"), 0, "expected a value"},
    {ROW("-Infinity"), 1, "expected a digit"},
    {ROW("undefined"), 0, "expected a value"},
    {ROW("'a'"), 0, "expected a value"},
    {ROW("\0"), 0, "expected a value"},
    {ROW("\x0c"), 0, "expected a value"},
    {ROW("\xc2\xa0"), 0, "expected a value"},
    {ROW("/* */1"), 0, "expected a value"},
    {ROW("null null"), 5, "text after the value"},
    {ROW("truetrue"), 4, "text after the value"},
    {ROW("{} x"), 3, "text after the value"},
    {ROW("[]]"), 2, "text after the value"},
    {ROW("{}}"), 2, "text after the value"},
    {ROW("1,"), 1, "text after the value"},
    {ROW("1\0"), 1, "text after the value"},
    {ROW("\"a\"\"b\""), 3, "text after the value"},
    {ROW("1 // one"), 2, "text after the value"},
    {ROW("0x1F"), 1, "text after the value"},
    {ROW("1_000"), 1, "text after the value"},
    {ROW("+1"), 0, "expected a value"},
    {ROW(".5"), 0, "expected a value"},
    {ROW("-"), 1, "expected a digit"},
    {ROW("--1"), 1, "expected a digit"},
    {ROW("-a"), 1, "expected a digit"},
    {ROW("-.5"), 1, "expected a digit"},
    {ROW("1."), 2, "expected a digit"},
    {ROW("1.e5"), 2, "expected a digit"},
    {ROW("1.-5"), 2, "expected a digit"},
    {ROW("[1.,2]"), 3, "expected a digit"},
    {ROW("1e"), 2, "expected a digit"},
    {ROW("1e+"), 3, "expected a digit"},
    {ROW("1E-x"), 3, "expected a digit"},
    {ROW("1ee5"), 2, "expected a digit"},
    {ROW("1e5.5"), 3, "text after the value"},
    {ROW("1.2.3"), 3, "text after the value"},
    {ROW("01"), 0, "a number with a leading zero"},
    {ROW("-01"), 1, "a number with a leading zero"},
    {ROW("[00.5]"), 1, "a number with a leading zero"},
    {ROW("9223372036854775808"), 0, "number out of range"},
    {ROW("-9223372036854775809"), 0, "number out of range"},
    {ROW("[1, 99999999999999999999]"), 4, "number out of range"},
    {ROW("18446744073709551617"), 0, "number out of range"},
    {ROW("1e309"), 0, "number out of range"},
    {ROW("[-1e400]"), 1, "number out of range"},
    {ROW("1e99999999999999999999"), 0, "number out of range"},
    {ROW("\""), 1, "a string without its closing quote"},
    {ROW("\"abc"), 4, "a string without its closing quote"},
    {ROW("\"a long string that never ends"), 30, "a string without its closing quote"},
    {ROW("\"\\"), 2, "a string without its closing quote"},
    {ROW("\"\\\""), 3, "a string without its closing quote"},
    {ROW("\"\\\\\\\""), 5, "a string without its closing quote"},
    {ROW("\"a\nb\""), 2, "a control character in a string"},
    {ROW("\"\0\""), 1, "a control character in a string"},
    {ROW("\"\x1f\""), 1, "a control character in a string"},
    {ROW("\"\\n\t\""), 3, "a control character in a string"},
    {ROW("\"twelve bytes\tand more\""), 13, "a control character in a string"},
    {ROW("\"\\a\""), 1, "an escape that JSON does not know"},
    {ROW("\"\\x41\""), 1, "an escape that JSON does not know"},
    {ROW("\"\\'\""), 1, "an escape that JSON does not know"},
    {ROW("\"\\U0041\""), 1, "an escape that JSON does not know"},
    {ROW("\"\\\0\""), 1, "an escape that JSON does not know"},
    {ROW("\"ab\\\xc3\xa9\""), 3, "an escape that JSON does not know"},
    {ROW("\"\\u\""), 1, "expected four hex digits after \\u"},
    {ROW("\"\\u12\""), 1, "expected four hex digits after \\u"},
    {ROW("\"\\u12"), 1, "expected four hex digits after \\u"},
    {ROW("\"\\u123g\""), 1, "expected four hex digits after \\u"},
    {ROW("\"\\u-123\""), 1, "expected four hex digits after \\u"},
    {ROW("\"\\ud800\""), 1, "a lone surrogate"},
    {ROW("\"\\udc00\""), 1, "a lone surrogate"},
    {ROW("\"\\udc00\\ud800\""), 1, "a lone surrogate"},
    {ROW("\"\\ud800\\ud800\""), 1, "a lone surrogate"},
    {ROW("\"\\ud800\\u0041\""), 1, "a lone surrogate"},
    {ROW("\"\\ud800\\n\""), 1, "a lone surrogate"},
    {ROW("\"\\ud800x\""), 1, "a lone surrogate"},
    {ROW("\"x\\ud800\\u12\""), 2, "a lone surrogate"},
    {ROW("\"\\uD83D"), 1, "a lone surrogate"},
    {ROW("\"\x80\""), 1, "bytes that are not UTF-8"},
    {ROW("\"\xff\""), 1, "bytes that are not UTF-8"},
    {ROW("\"\xc0\xaf\""), 1, "bytes that are not UTF-8"},
    {ROW("\"\xc3\""), 2, "bytes that are not UTF-8"},
    {ROW("\"\xe2\x82\""), 3, "bytes that are not UTF-8"},
    {ROW("\"\xe0\x80\xaf\""), 2, "bytes that are not UTF-8"},
    {ROW("\"\xed\xa0\x80\""), 2, "bytes that are not UTF-8"},
    {ROW("\"\xf4\x90\x80\x80\""), 2, "bytes that are not UTF-8"},
    {ROW("\"\xf0\x9f\x98\\n\""), 4, "bytes that are not UTF-8"},
    {ROW("\"plain text first \xfe\""), 18, "bytes that are not UTF-8"},
    {ROW("{\"\xff\":1}"), 2, "bytes that are not UTF-8"},
    {ROW("["), 1, "expected a value"},
    {ROW("[1"), 2, "expected ',' or ']'"},
    {ROW("[1,"), 3, "expected a value"},
    {ROW("[1,]"), 3, "expected a value"},
    {ROW("[,1]"), 1, "expected a value"},
    {ROW("[1,,2]"), 3, "expected a value"},
    {ROW("[1 2]"), 3, "expected ',' or ']'"},
    {ROW("[1}"), 2, "expected ',' or ']'"},
    {ROW("[1:2]"), 2, "expected ',' or ']'"},
    {ROW("[\"a\"x]"), 4, "expected ',' or ']'"},
    {ROW("]"), 0, "expected a value"},
    {ROW("{"), 1, "expected a key in double quotes"},
    {ROW("{,}"), 1, "expected a key in double quotes"},
    {ROW("{a:1}"), 1, "expected a key in double quotes"},
    {ROW("{'a':1}"), 1, "expected a key in double quotes"},
    {ROW("{1:1}"), 1, "expected a key in double quotes"},
    {ROW("{null:1}"), 1, "expected a key in double quotes"},
    {ROW("{\"a\":1,}"), 7, "expected a key in double quotes"},
    {ROW("{\"a\":1,,\"b\":2}"), 7, "expected a key in double quotes"},
    {ROW("{\"a\""), 4, "expected ':'"},
    {ROW("{\"a\" 1}"), 5, "expected ':'"},
    {ROW("{\"a\",1}"), 4, "expected ':'"},
    {ROW("{\"a\"=1}"), 4, "expected ':'"},
    {ROW("{\"a\":}"), 5, "expected a value"},
    {ROW("{\"a\":"), 5, "expected a value"},
    {ROW("{\"a\"::1}"), 5, "expected a value"},
    {ROW("{\"a\":1"), 6, "expected ',' or '}'"},
    {ROW("{\"a\":1]"), 6, "expected ',' or '}'"},
    {ROW("{\"a\":1 \"b\":2}"), 7, "expected ',' or '}'"},
    {ROW("{\"a\":\"b\"\n\"c\":1}"), 9, "expected ',' or '}'"},
    {ROW("}"), 0, "expected a value"},
    {ROW("{\"a\":1,\"a\":2}"), 7, "key \"a\" stands twice"},
    {ROW("{\"a\":1, \"\\u0061\":2}"), 8, "key \"a\" stands twice"},
    {ROW("{\"\":1,\"\":2}"), 6, "key \"\" stands twice"},
    {ROW("[{\"a\":{\"a\":1,\"b\":2,\"b\":3}}]"), 19, "key \"b\" stands twice"},
};

/* Copied so that AddressSanitizer sees any byte read behind the text. */
static enum tg_status parse_copy(struct json_fixture *fixture, struct tg_slice text, char **copy)
{
    *copy = malloc(text.length ? text.length : 1);
    memcpy(*copy, text.data, text.length);
    return json_parse(fixture, (struct tg_slice){text.length ? *copy : NULL, text.length});
}

static void accepts_what_is_json_and_writes_it_compactly(void **state)
{
    struct json_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        char *copy;
        enum tg_status status = parse_copy(fixture, accepted[i].text, &copy);
        if (status != TG_OK) fail_msg("%.*s: %s", TG_SLICE_ARG(accepted[i].text), fixture->error.text);
        assert_text(json_write_out(fixture, &fixture->value), accepted[i].written);
        free(copy);
    }
}

static void refuses_what_is_not_json_and_says_where_and_why(void **state)
{
    struct json_fixture *fixture = *state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        char *copy, wanted[TG_ERROR_TEXT_BYTES];
        enum tg_status status = parse_copy(fixture, refused[i].text, &copy);
        free(copy);
        snprintf(wanted, sizeof wanted, "Invalid JSON at byte %zu: %s", refused[i].offset, refused[i].what);
        if (status != TG_E_INVALID) fail_msg("row %zu was taken, wanted: %s", i, wanted);
        assert_string_equal(fixture->error.text, wanted);
        assert_int_equal(fixture->error.offset, refused[i].offset);
        assert_int_equal(fixture->error.status, TG_E_INVALID);
    }
}

static void refuses_every_beginning_of_a_document(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_slice text =
        ROW("{\"a\":[1,-2.5e3,\"x\\u00e9\\ud83d\\ude00\",true,false,null,{}],\"\xc3\xa9\":\"\"}");
    json_parse_good(fixture, text);
    for (size_t length = 0; length < text.length; length++) {
        char *copy;
        assert_int_equal(parse_copy(fixture, (struct tg_slice){text.data, length}, &copy), TG_E_INVALID);
        assert_true(fixture->error.offset <= length);
        free(copy);
    }
}

static void needs_nobody_to_take_the_error(void **state)
{
    struct json_fixture *fixture = *state;
    const struct tg_slice texts[] = {ROW("["), ROW("{\"a\":1,\"a\":2}"), ROW("\"\xff\"")};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(tg_json_parse(texts[i], 8, &fixture->arena, &fixture->value, NULL), TG_E_INVALID);
    assert_int_equal(tg_json_parse(ROW("[[]]"), 1, &fixture->arena, &fixture->value, NULL), TG_E_TOO_DEEP);
}

/* ---- types, borrowing ---- */

static void tells_integers_from_other_numbers(void **state)
{
    struct json_fixture *fixture = *state;
    assert_int_equal(json_parse_good(fixture, ROW("1"))->type, TG_VALUE_INTEGER);
    assert_int_equal(json_parse_good(fixture, ROW("1.0"))->type, TG_VALUE_NUMBER);
    assert_int_equal(json_parse_good(fixture, ROW("1e0"))->type, TG_VALUE_NUMBER);
}

/* A value on the C stack kept whatever bit had been there, and what nobody had called a secret was not shown.
 */
static void makes_nothing_a_secret(void **state)
{
    (void)state;
    static const char *const texts[] = {"1", "1.5", "\"a\"", "[]", "{}", "null", "true"};
    struct tg_arena arena;
    tg_arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tg_value value;
        memset(&value, 0xFF, sizeof value);
        assert_int_equal(tg_json_parse(tg_slice_of(texts[i]), 8, &arena, &value, NULL), TG_OK);
        assert_false(value.is_secret);
    }
    tg_arena_deinit(&arena);
}

static void borrows_a_string_without_escapes(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_slice text = ROW("{\"key\":\"value \xc3\xa9\"}");
    struct tg_value *value = json_parse_good(fixture, text);
    assert_ptr_equal(value->members[0].key, text.data + 2);
    assert_ptr_equal(value->members[0].value.string, text.data + 8);
    assert_int_equal(value->members[0].value.length, 8);
    assert_int_equal(value->members[0].key_id, 0);
}

static void gives_empty_strings_a_place(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_value *value = json_parse_good(fixture, ROW("{\"\":\"\"}"));
    assert_non_null(value->members[0].key);
    assert_non_null(value->members[0].value.string);
}

/* ---- limits ---- */

static void *repeat(const char *piece, size_t count, const char *end, struct tg_slice *text)
{
    struct tg_buf buf;
    tg_buf_init(&buf);
    for (size_t i = 0; i < count; i++) tg_buf_append_slice(&buf, tg_slice_of(piece));
    tg_buf_append_slice(&buf, tg_slice_of(end));
    *text = tg_buf_peek(&buf);
    return buf.data;
}

static void counts_open_containers_only(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_slice text;
    void *owned = repeat("[", JSON_MAX_DEPTH, "", &text);
    assert_int_equal(json_parse(fixture, text), TG_E_INVALID);
    free(owned);
    owned = repeat("[[[[]]]],", 100, "1", &text);
    struct tg_buf list;
    tg_buf_init(&list);
    tg_buf_append_char(&list, '[');
    tg_buf_append_slice(&list, text);
    tg_buf_append_char(&list, ']');
    assert_int_equal(tg_json_parse(tg_buf_peek(&list), 5, &fixture->arena, &fixture->value, NULL), TG_OK);
    assert_int_equal(tg_json_parse(tg_buf_peek(&list), 4, &fixture->arena, &fixture->value, NULL),
                     TG_E_TOO_DEEP);
    tg_buf_deinit(&list);
    free(owned);
}

static void refuses_a_hundred_thousand_brackets(void **state)
{
    struct json_fixture *fixture = *state;
    const char *const pieces[] = {"[", "{\"a\":"};
    const size_t offsets[] = {JSON_MAX_DEPTH, JSON_MAX_DEPTH * 5};
    for (size_t i = 0; i < 2; i++) {
        struct tg_slice text;
        void *owned = repeat(pieces[i], 100000, "", &text);
        char wanted[80];
        snprintf(wanted, sizeof wanted, "Invalid JSON at byte %zu: nested deeper than 64", offsets[i]);
        assert_int_equal(json_parse(fixture, text), TG_E_TOO_DEEP);
        assert_int_equal(fixture->error.status, TG_E_TOO_DEEP);
        assert_int_equal(fixture->error.offset, offsets[i]);
        assert_string_equal(fixture->error.text, wanted);
        free(owned);
    }
}

static void accepts_scalars_at_depth_zero(void **state)
{
    struct json_fixture *fixture = *state;
    assert_int_equal(tg_json_parse(ROW("1"), 0, &fixture->arena, &fixture->value, NULL), TG_OK);
    assert_int_equal(tg_json_parse(ROW("{}"), 0, &fixture->arena, &fixture->value, NULL), TG_E_TOO_DEEP);
}

static void write_keys(struct tg_buf *out, int count, int twice)
{
    tg_buf_append_char(out, '{');
    for (int i = 0; i < count; i++) tg_buf_printf(out, "%s\"k%d\":{\"k%d\":%d}", i ? "," : "", i, i, i);
    if (twice >= 0) tg_buf_printf(out, ",\"k%d\":0", twice);
    tg_buf_append_char(out, '}');
}

static void finds_a_key_that_stands_twice_among_any_number(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_buf text;
    tg_buf_init(&text);
    const int counts[] = {1, 2, 15, 16, 17, 18, 33, 1000, 100000};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        tg_buf_truncate(&text, 0);
        write_keys(&text, counts[i], -1);
        assert_int_equal(json_parse_good(fixture, tg_buf_peek(&text))->length, counts[i]);
        assert_int_equal(fixture->value.members[counts[i] - 1].value.members[0].value.integer, counts[i] - 1);
        const int twice[] = {0, counts[i] / 2, counts[i] - 1};
        for (int j = 0; j < 3; j++) {
            char wanted[40];
            tg_buf_truncate(&text, 0);
            write_keys(&text, counts[i], twice[j]);
            snprintf(wanted, sizeof wanted, "key \"k%d\" stands twice", twice[j]);
            assert_int_equal(json_parse(fixture, tg_buf_peek(&text)), TG_E_INVALID);
            assert_non_null(strstr(fixture->error.text, wanted));
        }
    }
    tg_buf_deinit(&text);
}

static void cuts_a_long_key_in_the_error_between_characters(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_buf text;
    tg_buf_init(&text);
    for (int twice = 0; twice < 2; twice++) {
        tg_buf_append_slice(&text, twice ? ROW(",\"x") : ROW("{\"x"));
        for (int i = 0; i < 500; i++) tg_buf_append_literal(&text, "\xf0\x9f\x98\x80");
        tg_buf_append_literal(&text, "\":1");
    }
    assert_int_equal(json_parse(fixture, tg_buf_peek(&text)), TG_E_INVALID);
    assert_true(tg_utf8_is_valid(fixture->error.text, strlen(fixture->error.text)));
    assert_non_null(strstr(fixture->error.text, "\xf0\x9f\x98\x80...\" stands twice"));
    tg_buf_deinit(&text);
}

static void reads_a_literal_of_a_million_digits(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_slice text;
    void *owned = repeat("0", 1000000, "1e1000001", &text);
    char *digits = owned;
    digits[1] = '.';
    json_parse_good(fixture, text);
    assert_true(fixture->value.number == 100.0);
    digits[0] = '1';
    digits[1] = '0';
    assert_int_equal(json_parse(fixture, text), TG_E_INVALID);
    assert_int_equal(fixture->error.offset, 0);
    free(owned);
}

static void reads_a_long_string_of_escapes(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_slice text;
    char *owned = repeat("\\\"\\\\", 200000, "\"", &text);
    struct tg_buf quoted;
    tg_buf_init(&quoted);
    tg_buf_append_char(&quoted, '"');
    tg_buf_append_slice(&quoted, text);
    assert_int_equal(json_parse_good(fixture, tg_buf_peek(&quoted))->length, 400000);
    assert_memory_equal(fixture->value.string + 399996, "\"\\\"\\", 4);
    tg_buf_deinit(&quoted);
    free(owned);
}

/* ---- cutting ---- */

static void cuts_text_between_characters(void **state)
{
    (void)state;
    struct tg_slice text = ROW("a\xc3\xa9\xf0\x9f\x98\x80");
    const size_t kept[] = {0, 1, 1, 3, 3, 3, 3, 7, 7};
    for (size_t max = 0; max < sizeof kept / sizeof kept[0]; max++)
        assert_int_equal(tg_json_cut(text, max).length, kept[max]);
}

/* ---- numbers there and back ---- */

/* The fewest digits with which printf's text reads back. */
static int fewest_digits(double number)
{
    char text[40];
    for (int digits = 1; digits < 17; digits++) {
        snprintf(text, sizeof text, "%.*e", digits - 1, number);
        if (strtod(text, NULL) == number) return digits;
    }
    return 17;
}

/* Significant digits of a written number: without the zeros on both sides. */
static int count_digits(struct tg_slice text)
{
    int count = 0, zeros = 0;
    for (size_t i = 0; i < text.length && text.data[i] != 'e'; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') continue;
        if (text.data[i] == '0') {
            zeros += count > 0;
        } else {
            count += zeros + 1;
            zeros = 0;
        }
    }
    return count ? count : 1;
}

static void check_round_trip(struct json_fixture *fixture, double number)
{
    tg_buf_truncate(&fixture->out, 0);
    tg_json_write_number(&fixture->out, number);
    struct tg_slice text = tg_buf_peek(&fixture->out);
    struct tg_value *value = json_parse_good(fixture, text);
    assert_int_equal(value->type, TG_VALUE_NUMBER);
    if (value->number != number || signbit(value->number) != signbit(number))
        fail_msg("%.17g was written as %.*s", number, TG_SLICE_ARG(text));
    if (count_digits(text) > fewest_digits(number))
        fail_msg("%.17g is longer than it must be: %.*s", number, TG_SLICE_ARG(text));
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static void writes_the_shortest_number_that_reads_back(void **state)
{
    struct json_fixture *fixture = *state;
    const double edges[] = {0.0,
                            -0.0,
                            0.1,
                            0.3,
                            2.0 / 3,
                            1e15,
                            1e16,
                            123456789012345680.0,
                            1e17,
                            1e21,
                            1e22,
                            1e23,
                            5e-324,
                            2.2250738585072014e-308,
                            1.7976931348623157e308,
                            0.000001,
                            1e-7,
                            9007199254740992.0,
                            9007199254740993.0,
                            99999999999999.99,
                            0.1 + 0.2};
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) check_round_trip(fixture, edges[i]);
    uint64_t seed = 20011;
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        double number;
        memcpy(&number, &bits, sizeof number);
        if (isfinite(number)) check_round_trip(fixture, number);
        /* Numbers as people write them: few digits, few decimals. */
        check_round_trip(fixture, (double)(int64_t)(bits >> 20) / pow(10, (double)(bits % 9)));
    }
}

static void reads_numbers_as_strtod_does(void **state)
{
    struct json_fixture *fixture = *state;
    uint64_t seed = 4711;
    for (int i = 0; i < 20000; i++) {
        char text[80];
        uint64_t bits = next_random(&seed);
        int length =
            snprintf(text, sizeof text, "%s%llu.%0*llue%d", bits & 1 ? "-" : "",
                     (unsigned long long)(bits >> (bits % 64)), (int)(bits % 7) + 1,
                     (unsigned long long)(next_random(&seed) >> (24 + bits % 40)), (int)(bits >> 32) % 30);
        double wanted = strtod(text, NULL);
        struct tg_value *value = json_parse_good(fixture, (struct tg_slice){text, (size_t)length});
        if (value->number != wanted) fail_msg("%s was read as %.17g", text, value->number);
    }
}

static void writes_integers_to_their_limits(void **state)
{
    struct json_fixture *fixture = *state;
    const int64_t integers[] = {0, -1, 9, 10, -10, 1234567890, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++) {
        char wanted[24];
        snprintf(wanted, sizeof wanted, "%lld", (long long)integers[i]);
        tg_buf_truncate(&fixture->out, 0);
        tg_json_write_integer(&fixture->out, integers[i]);
        assert_text(tg_buf_peek(&fixture->out), tg_slice_of(wanted));
    }
}

static void escapes_exactly_what_json_demands(void **state)
{
    struct json_fixture *fixture = *state;
    for (int byte = 0; byte < 0x80; byte++) {
        char text[20] = "eight+ bytes: ";
        text[14] = (char)byte;
        tg_buf_truncate(&fixture->out, 0);
        tg_json_write_string(&fixture->out, (struct tg_slice){text, 18});
        bool is_plain = byte >= 0x20 && byte != '"' && byte != '\\';
        /* The three NULs behind take six bytes each, the quotes two. */
        size_t plain = 14 + 1 + 3 * 6 + 2;
        if (is_plain)
            assert_int_equal(fixture->out.length, plain);
        else
            assert_true(fixture->out.length > plain);
        struct tg_value *value = json_parse_good(fixture, tg_buf_peek(&fixture->out));
        assert_text(tg_value_string(value), (struct tg_slice){text, 18});
    }
}

static void writes_checked_text_as_it_writes_any_and_refuses_what_is_not_utf8(void **state)
{
    struct json_fixture *fixture = *state;
    static const char *const good[] = {"",
                                       "plain",
                                       "a longer text without any escape",
                                       "é",
                                       "quote \" and é",
                                       "line\nbreak",
                                       "\xF0\x9F\x94\xA7 System Echo: Hello"};
    static const char *const bad[] = {"\xFF", "plain and then \xC3", "\xED\xA0\x80", "with \" and \x80"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        tg_buf_truncate(&fixture->out, 0);
        assert_true(tg_json_write_checked_string(&fixture->out, tg_slice_of(good[i])));
        size_t length = fixture->out.length;
        tg_json_write_string(&fixture->out, tg_slice_of(good[i]));
        assert_int_equal(fixture->out.length, 2 * length);
        assert_memory_equal(fixture->out.data, fixture->out.data + length, length);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        tg_buf_truncate(&fixture->out, 0);
        assert_false(tg_json_write_checked_string(&fixture->out, tg_slice_of(bad[i])));
        assert_int_equal(fixture->out.length, 0);
    }
}

/* ---- without memory ---- */

struct sweep {
    struct tg_slice text;
    struct tg_slice written;
};

static enum tg_status parse_once(void *context)
{
    const struct sweep *sweep = context;
    struct tg_arena arena;
    struct tg_value value;
    struct tg_error error;
    tg_arena_init(&arena, 0);
    enum tg_status status = tg_json_parse(sweep->text, JSON_MAX_DEPTH, &arena, &value, &error);
    if (status != TG_OK) {
        assert_int_equal(error.status, TG_E_NO_MEMORY);
        tg_arena_reset(&arena);
        assert_int_equal(tg_json_parse(sweep->text, JSON_MAX_DEPTH, &arena, &value, &error), TG_OK);
    }
    tg_arena_deinit(&arena);
    return status;
}

static enum tg_status write_once(void *context)
{
    const struct sweep *sweep = context;
    struct tg_arena arena;
    struct tg_value value;
    struct tg_buf out;
    tg_arena_init(&arena, 0);
    tg_buf_init(&out);
    enum tg_status status = tg_json_parse(sweep->text, JSON_MAX_DEPTH, &arena, &value, NULL);
    if (status == TG_OK) {
        tg_json_write_value(&out, &value);
        status = tg_buf_status(&out);
        tg_buf_truncate(&out, 0);
        tg_json_write_value(&out, &value);
        assert_text(tg_buf_peek(&out), sweep->written);
    }
    tg_buf_deinit(&out);
    tg_arena_deinit(&arena);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    struct tg_buf text;
    tg_buf_init(&text);
    write_keys(&text, 300, -1);
    tg_buf_truncate(&text, text.length - 1);
    size_t shared = text.length;
    tg_buf_append_literal(&text, ",\"e\":\"\\u00e9\",\"n\":0.");
    for (int i = 0; i < 5000; i++) tg_buf_append_char(&text, '0');
    tg_buf_append_literal(&text, "}");
    struct tg_buf written;
    tg_buf_init(&written);
    tg_buf_append(&written, text.data, shared);
    tg_buf_append_literal(&written, ",\"e\":\"\xc3\xa9\",\"n\":0.0}");
    struct sweep sweep = {tg_buf_peek(&text), tg_buf_peek(&written)};
    assert_true(tg_alloc_sweep(parse_once, &sweep) >= 5);
    assert_true(tg_alloc_sweep(write_once, &sweep) >= 10);
    tg_buf_deinit(&text);
    tg_buf_deinit(&written);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, json_set_up, json_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(accepts_what_is_json_and_writes_it_compactly),
        TEST(refuses_what_is_not_json_and_says_where_and_why),
        TEST(refuses_every_beginning_of_a_document),
        TEST(needs_nobody_to_take_the_error),
        TEST(tells_integers_from_other_numbers),
        TEST(makes_nothing_a_secret),
        TEST(borrows_a_string_without_escapes),
        TEST(gives_empty_strings_a_place),
        TEST(counts_open_containers_only),
        TEST(refuses_a_hundred_thousand_brackets),
        TEST(accepts_scalars_at_depth_zero),
        TEST(finds_a_key_that_stands_twice_among_any_number),
        TEST(cuts_a_long_key_in_the_error_between_characters),
        TEST(reads_a_literal_of_a_million_digits),
        TEST(reads_a_long_string_of_escapes),
        TEST(cuts_text_between_characters),
        TEST(writes_the_shortest_number_that_reads_back),
        TEST(reads_numbers_as_strtod_does),
        TEST(writes_integers_to_their_limits),
        TEST(escapes_exactly_what_json_demands),
        TEST(writes_checked_text_as_it_writes_any_and_refuses_what_is_not_utf8),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
