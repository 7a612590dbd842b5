/* The classes of text that JSON parsers are known to differ on, each with what must be taken and what must be
 * refused (RFC 8259). Where the grammar leaves the choice to the parser, json.h says what ours does. */
#include "base/utf8.h"
#include "support/json_fixture.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* TG_SLICE is no constant inside of a constant. */
#define T(text)                                                                                              \
    {                                                                                                        \
        (text), sizeof(text) - 1                                                                             \
    }
#define LIST(...)                                                                                            \
    (const struct tg_slice[])                                                                                \
    {                                                                                                        \
        __VA_ARGS__,                                                                                         \
        {                                                                                                    \
            NULL, 0                                                                                          \
        }                                                                                                    \
    }

static const struct class
{
    const char *name;
    const struct tg_slice *taken, *refused;
} classes[] = {
    {"arrays",
     LIST(T("[]"), T("[ ]"), T("[[]]"), T("[[],[[]]]"), T("[\"\"]"), T("[null]"), T("[1\n]"), T("[ 1]"),
          T("[1,2]"), T("[null,1,\"1\",{}]"), T("[1,null,null,null,2]"), T("[2] "), T("[true,false]"),
          T("[[[[[]]]]]")),
     LIST(T("["), T("]"), T("[["), T("[]]"), T("[1"), T("[1,"), T("[1,]"), T("[,1]"), T("[,]"), T("[1,,2]"),
          T("[1 true]"), T("[1:2]"), T("[\"a\"\n\"b\"]"), T("[\"\": 1]"), T("[3[4]]"), T("[1,\n1\n,1"),
          T("[}"), T("[)"), T("[\"x\"]]"), T("[\"x\""), T("[{}"), T("[*]"), T("[-]"), T("[\"\",]"), T("[1]x"),
          T("[1}"), T("[\x0b\"a\"]"))},
    {"objects",
     LIST(T("{}"), T("{ }"), T("{\"\":0}"), T("{\"a\":[]}"), T("{\"a\":\"b\",\"c\":\"d\"}"), T("{\"a\" :1}"),
          T("{\"a\": 1 , \"b\":2}"), T("{\n\"a\":\n1\n}"), T("{\"a\\u0000b\":42}"),
          T("{\"a\":{\"a\":{\"a\":1}}}"), T("[{\"a\":1},{\"a\":1}]"), T("{\"a\":1,\"A\":2}"),
          T("{\"\xc3\xa9\":1,\"e\xcc\x81\":2}")),
     LIST(T("{"), T("}"), T("{{}}"), T("{[]}"), T("{,}"), T("{\"a\"}"), T("{\"a\":}"), T("{\"a\"::1}"),
          T("{\"a\",1}"), T("{\"a\" 1}"), T("{\"a\":1,}"), T("{\"a\":1,,}"), T("{,\"a\":1}"), T("{a:1}"),
          T("{'a':1}"), T("{1:1}"), T("{null:1}"), T("{\"a\":1 \"b\":2}"), T("{\"a\":1]"), T("{\"a\":1"),
          T("{\"a\":1}#"), T("{\"a\":1}}"), T("{\"a\":1;\"b\":2}"), T("{\"a\":\"a\" 123}"), T("{[1]:1}"),
          T("{\"a\":/*x*/1}"), T("{:1}"), T("{\"a\""), T("{\"a"), T("{\"a\":"), T("{true:1}"))},
    {"duplicate keys",
     LIST(T("{\"a\":1,\"b\":{\"a\":1}}"), T("{\"a\":1,\"a \":1}"), T("{\"a\":1,\"\":1}"),
          T("{\"a\\u0000\":1,\"a\":1}")),
     LIST(T("{\"a\":1,\"a\":1}"), T("{\"a\":1,\"a\":2}"), T("{\"a\":1,\"b\":2,\"a\":3}"),
          T("{\"\":0,\"\":0}"), T("{\"a\":1,\"\\u0061\":2}"), T("{\"\\u00e9\":1,\"\xc3\xa9\":2}"),
          T("{\"\\/\":1,\"/\":2}"), T("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}"),
          T("[{\"x\":{\"y\":1,\"y\":1}}]"))},
    {"numbers",
     LIST(T("0"), T("-0"), T("1"), T("-1"), T("10"), T("1.0"), T("-0.0"), T("0.1"), T("1.5e3"), T("1E22"),
          T("1e+2"), T("1e-2"), T("0e1"), T("0e+1"), T("0E0"), T("123e45"), T("123.456e78"), T("1e00002"),
          T("-1e-00"), T("0.00000000000000000000000000000000000000000000000000000001"),
          T("1.000000000000000000000000001"), T("20e1"), T("-123"), T("0.5 ")),
     LIST(T("-"), T("+1"), T("+"), T("--1"), T("++1"), T("- 1"), T("-a"), T("01"), T("-01"), T("00"),
          T("012"), T("-012"), T("1."), T("-1."), T("1.e1"), T(".1"), T("-.1"), T("0.e1"), T("0.1.2"),
          T("1e"), T("1e+"), T("1e-"), T("1E+"), T("1ee1"), T("1e1e1"), T("1e1.5"), T("1eE2"), T("0e"),
          T("0e+-1"), T("9.e+"), T("1.0e"), T("1 000.0"), T("1_0"), T("1,0"), T("0x1"), T("0x42"), T("0b1"),
          T("1a"), T("1.8011670033376514H-308"), T("NaN"), T("nan"), T("-NaN"), T("Infinity"), T("-Infinity"),
          T("Inf"), T("1e1\0"), T("\xef\xbc\x91"), T("1\xe5"), T("1e\xe5"),
          T("-\xe2\x88\x92"
            "1"),
          T("1+2"), T("1/2"), T("(1)"), T("1f"), T("1L"))},
    {"big numbers",
     LIST(T("9223372036854775807"), T("-9223372036854775808"), T("9007199254740993"),
          T("9223372036854775808.0"), T("1.7976931348623157e308"), T("-1.7976931348623157e308"),
          T("4.9e-324"), T("1e-400"), T("-1e-99999"), T("0e99999999999999999999"),
          T("123456789012345678901234567890.0"), T("100000000000000000000e-1")),
     LIST(T("9223372036854775808"), T("-9223372036854775809"), T("18446744073709551616"), T("1e309"),
          T("-1e309"), T("1e99999999999999999999"), T("1.8e308"), T("100000000000000000000"),
          T("-123123123123123123123123123123"),
          T("[0."
            "4e00669999999999999999999999999999999999999999999999999999999999999999999999999969999999006]"))},
    {"strings",
     LIST(T("\"\""), T("\" \""), T("\"a\""), T("\"\\\"\""), T("\"\\\\\""), T("\"\\/\""), T("\"/\""),
          T("\"'\""), T("\"\\b\\f\\n\\r\\t\""), T("\"\x7f\""), T("\"\\\\n\""), T("\"/* */\""),
          T("\"\\\\u0061\""), T("\"\\u0000\""), T("\"[{\""), T("\"\xe2\x80\xa8\xe2\x80\xa9\""),
          T("\"\xef\xbb\xbf\""), T("\"\xc2\xa0\"")),
     LIST(T("\""), T("\"a"), T("a\""), T("'a'"), T("\"\\\""), T("\"\\\\\\\""), T("\"\\"), T("\"\\x00\""),
          T("\"\\a\""), T("\"\\v\""), T("\"\\0\""), T("\"\\'\""), T("\"\\ \""), T("\"\\\n\""), T("\"\n\""),
          T("\"\t\""), T("\"\r\""), T("\"\0\""), T("\"a\0a\""), T("\"\x1f\""), T("\"\\\xf0\x9f\x8c\x80\""),
          T("\"\\\xe5\""), T("\"a\"b"), T("abc"),
          T("\xe2\x80\x9c"
            "a\xe2\x80\x9d"),
          T("`a`"), T("\"\"\"a\"\"\""), T("\"a\" \"b\""))},
    {"escapes of code points",
     LIST(T("\"\\u0041\""), T("\"\\u00e9\""), T("\"\\uABCD\""), T("\"\\uabcd\""), T("\"\\uaBcD\""),
          T("\"\\uffff\""), T("\"\\ufffe\""), T("\"\\ufdd0\""), T("\"\\ud7ff\""), T("\"\\ue000\""),
          T("\"\\ud800\\udc00\""), T("\"\\udbff\\udfff\""), T("\"\\uD834\\uDD1E\""),
          T("\"\\ud83d\\ude00\\ud83d\\ude00\""), T("\"\\u005C\""), T("\"\\u0022\""), T("\"\\u2028\""),
          T("\"\\ufeff\""), T("\"\\u0060\\u012a\\u12AB\"")),
     LIST(T("\"\\u\""), T("\"\\u0\""), T("\"\\u00\""), T("\"\\u000\""), T("\"\\u00A"), T("\"\\u00G0\""),
          T("\"\\u 041\""), T("\"\\u+041\""), T("\"\\u-041\""), T("\"\\u{41}\""), T("\"\\U0041\""),
          T("\"\\u0x41\""), T("\"\\ud800\""), T("\"\\udbff\""), T("\"\\udc00\""), T("\"\\udfff\""),
          T("\"\\ud800a\""), T("\"\\ud800\\n\""), T("\"\\ud800\\u0041\""), T("\"\\ud800\\ud800\""),
          T("\"\\ud800\\ud800\\udc00\""), T("\"\\udc00\\ud800\""), T("\"\\ud800\\ue000\""),
          T("\"\\ud800\\u\""), T("\"\\ud800\\u1\""), T("\"\\ud800\\udc0\""), T("\"\\ud800\\"),
          T("\"\\ud800\xf0\x90\x80\x80\""), T("\"\\ud800\\uD83Dx\""), T("\"\\u\xc3\xa9\""))},
    {"UTF-8",
     LIST(T("\"\xc2\x80\""), T("\"\xdf\xbf\""), T("\"\xe0\xa0\x80\""), T("\"\xed\x9f\xbf\""),
          T("\"\xee\x80\x80\""), T("\"\xef\xbf\xbf\""), T("\"\xf0\x90\x80\x80\""), T("\"\xf4\x8f\xbf\xbf\""),
          T("\"\xef\xb7\x90\""), T("\"\xf0\x9b\xbf\xbf\""), T("\"\xcd\xbe\""), T("[\"\xe6\x97\xa5\"]")),
     LIST(T("\"\x80\""), T("\"\xbf\""), T("\"\xc0\x80\""), T("\"\xc1\xbf\""), T("\"\xc2\""),
          T("\"\xc2\x41\""), T("\"\xe0\x80\x80\""), T("\"\xe0\x9f\xbf\""), T("\"\xe2\x82\""),
          T("\"\xed\xa0\x80\""), T("\"\xed\xbf\xbf\""), T("\"\xed\xa0\xbd\xed\xb8\x80\""),
          T("\"\xf0\x80\x80\x80\""), T("\"\xf0\x8f\xbf\xbf\""), T("\"\xf0\x9f\x98\""),
          T("\"\xf4\x90\x80\x80\""), T("\"\xf5\x80\x80\x80\""), T("\"\xf8\x88\x80\x80\x80\""),
          T("\"\xfc\x84\x80\x80\x80\x80\""), T("\"\xfe\""), T("\"\xff\""), T("\"\xe9\""), T("[\xff]"),
          T("{\"\xe9\":1}"), T("\xe5"), T("\"\xe2\x82\\u00ac\""))},
    {"white space",
     LIST(T(" 1"), T("1 "), T("\t1\n"), T("\r\n[ \t\r\n1 \t\r\n, \t\r\n2 ] "), T(" {} "), T(" [] \n\n\n"),
          T("{ \"a\" : 1 , \"b\" : 2 }"), T("\n\nnull")),
     LIST(T(""), T(" "), T("\n\t\r "),
          T("\x0b"
            "1"),
          T("1\x0c"), T("[\x0c]"),
          T("\xc2\xa0"
            "1"),
          T("1\xe2\x80\xa8"), T("[\xe2\x81\xa0]"), T("\xe3\x80\x80{}"), T("\x1e{}"),
          T("\xc2\x85"
            "1"),
          T("\\n1"), T("1\x08"))},
    {"words", LIST(T("null"), T("true"), T("false"), T("[null,true,false]"), T(" true ")),
     LIST(T("n"), T("nul"), T("nulll"), T("Null"), T("NULL"), T("tru"), T("truee"), T("True"), T("TRUE"),
          T("fals"), T("falsee"), T("False"), T("nu ll"), T("nullnull"), T("truefalse"), T("undefined"),
          T("None"), T("yes"), T("[nul]"), T("[true1]"), T("t\0rue"), T("null\0"), T("\xef\xbd\x94rue"))},
    {"what stands behind", LIST(T("1\n"), T("{}\r\n"), T("[]\t")),
     LIST(T("1 1"), T("{}{}"), T("[][]"), T("{},"), T("[],"), T("1,"), T("\"a\","), T("null;"), T("{}//x"),
          T("{}/**/"), T("{}#x"), T("1\0"), T("{}\0"), T("[] \0"), T("\"a\"\0"), T("{}\x1a"),
          T("{}\xef\xbb\xbf"), T("1 null"))},
    {"other encodings and byte order marks", LIST(T("\"\xef\xbb\xbf\xef\xbb\xbf\"")),
     LIST(T("\xef\xbb\xbf"), T("\xef\xbb\xbf{}"), T("\xef\xbb\xbf\xef\xbb\xbf{}"), T("\xef\xbb{}"),
          T("\xff\xfe[\0]\0"), T("\xfe\xff\0[\0]"), T("[\0]\0"), T("\0[\0]"), T("\0\0\0[\0\0\0]"),
          T("[\0\0\0]\0\0\0"), T(" \xef\xbb\xbf{}"))},
    {"what other languages permit", LIST(T("\"// no comment\""), T("\"#\"")),
     LIST(T("// x\n1"), T("/* */1"), T("[1/* */]"), T("# x\n1"), T("<!-- -->1"), T("--- 1"),
          T("{\"a\":true && false}"), T("[1,...]"), T("(1)"), T("{a}"), T("<null>"), T("=1"), T("$"),
          T("{\"a\":$x}"), T("new Date()"), T("a=1"), T("[`1`]"), T("\"a\"+\"b\""), T("{\"a\":01}"),
          T("{\"a\":.5}"), T("%7B%7D"), T("\\u0022a\\u0022"))},
};
enum { CLASSES = sizeof classes / sizeof classes[0] };

/* From memory of exactly its size, so that AddressSanitizer sees any byte read behind it. */
static enum tg_status parse_copy(struct json_fixture *fixture, struct tg_slice text)
{
    char *copy = malloc(text.length ? text.length : 1);
    memcpy(copy, text.data, text.length);
    enum tg_status status = json_parse(fixture, (struct tg_slice){copy, text.length});
    free(copy);
    return status;
}

static int expect_all(struct json_fixture *fixture, const struct class *class, const struct tg_slice *texts,
                      enum tg_status expected)
{
    int count = 0;
    for (; texts[count].data; count++) {
        enum tg_status status = parse_copy(fixture, texts[count]);
        if (status != expected)
            fail_msg("%s: \"%.*s\" should be %s: %s", class->name, TG_SLICE_ARG(texts[count]),
                     expected == TG_OK ? "taken" : "refused",
                     status == TG_OK ? "it is not" : fixture->error.text);
    }
    return count;
}

static void agrees_with_the_grammar_in_every_class(void **state)
{
    int taken = 0, refused = 0;
    for (size_t i = 0; i < CLASSES; i++) {
        taken += expect_all(*state, &classes[i], classes[i].taken, TG_OK);
        refused += expect_all(*state, &classes[i], classes[i].refused, TG_E_INVALID);
    }
    /* A row that got lost shows here. */
    assert_int_equal(CLASSES, 13);
    assert_int_equal(taken, 135);
    assert_int_equal(refused, 304);
}

/* Each text must mean the same where it stands inside of another. */
static void agrees_inside_of_an_array_as_well(void **state)
{
    struct tg_buf nested = {0};
    int taken = 0;
    for (size_t i = 0; i < CLASSES; i++)
        for (const struct tg_slice *text = classes[i].taken; text->data; text++, taken++) {
            tg_buf_truncate(&nested, 0);
            tg_buf_append_literal(&nested, "[[\"x\",{\"k\":");
            tg_buf_append_slice(&nested, *text);
            tg_buf_append_literal(&nested, "}],");
            tg_buf_append_slice(&nested, *text);
            tg_buf_append_char(&nested, ']');
            assert_int_equal(parse_copy(*state, tg_buf_peek(&nested)), TG_OK);
        }
    assert_int_equal(taken, 135);
    tg_buf_deinit(&nested);
}

/* Every lead with every second byte, whole and cut short, beside what utf8.h says. */
static void agrees_with_utf8_on_every_pair_of_bytes(void **state)
{
    static const char *const tails[] = {"", "\x80", "\xbf", "\x80\x80", "\xbf\xbf", "\x80\x80\x80", "\xc0"};
    int compared = 0, valid = 0;
    for (int first = 0x80; first <= 0xFF; first++)
        for (int second = 0x80; second <= 0xFF; second++)
            for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++, compared++) {
                char text[8];
                int length = snprintf(text, sizeof text, "\"%c%c%s\"", first, second, tails[i]);
                bool is_valid = tg_utf8_is_valid(text, (size_t)length);
                enum tg_status status = json_parse(*state, (struct tg_slice){text, (size_t)length});
                assert_int_equal(status, is_valid ? TG_OK : TG_E_INVALID);
                valid += is_valid;
            }
    assert_int_equal(compared, 128 * 128 * 7);
    assert_true(valid > 3000);
}

/* Every unit alone, and the pairs at the ends of the ranges of surrogates. */
static void agrees_with_utf16_on_every_escape(void **state)
{
    for (unsigned unit = 0; unit <= 0xFFFF; unit++) {
        char text[16];
        int length = snprintf(text, sizeof text, "\"\\u%04X\"", unit);
        bool is_surrogate = unit >= 0xD800 && unit <= 0xDFFF;
        assert_int_equal(json_parse(*state, (struct tg_slice){text, (size_t)length}),
                         is_surrogate ? TG_E_INVALID : TG_OK);
    }
    const unsigned ends[] = {0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000};
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < 6; j++) {
            char text[24];
            int length = snprintf(text, sizeof text, "\"\\u%04x\\u%04x\"", ends[i], ends[j]);
            bool is_pair = (i == 1 || i == 2) && (j == 3 || j == 4);
            bool is_plain = (i == 0 || i == 5) && (j == 0 || j == 5);
            assert_int_equal(json_parse(*state, (struct tg_slice){text, (size_t)length}),
                             is_pair || is_plain ? TG_OK : TG_E_INVALID);
        }
}

static void opens_as_many_levels_as_it_may(void **state)
{
    static const struct {
        const char *open, *close;
    } kinds[] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"a\":", "}]"}};
    for (size_t i = 0; i < 3; i++)
        for (int excess = 0; excess <= 1; excess++) {
            struct tg_buf text = {0};
            int levels = JSON_MAX_DEPTH / (i == 2 ? 2 : 1) + excess;
            for (int j = 0; j < levels; j++) tg_buf_append_slice(&text, tg_slice_of(kinds[i].open));
            tg_buf_append_char(&text, '1');
            for (int j = 0; j < levels; j++) tg_buf_append_slice(&text, tg_slice_of(kinds[i].close));
            assert_int_equal(parse_copy(*state, tg_buf_peek(&text)), excess ? TG_E_TOO_DEEP : TG_OK);
            tg_buf_deinit(&text);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, json_set_up, json_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(agrees_with_the_grammar_in_every_class),  TEST(agrees_inside_of_an_array_as_well),
        TEST(agrees_with_utf8_on_every_pair_of_bytes), TEST(agrees_with_utf16_on_every_escape),
        TEST(opens_as_many_levels_as_it_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
