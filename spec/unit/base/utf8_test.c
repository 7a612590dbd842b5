#include "base/utf8.h"

#include "base/slice.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Where `text` is bad, however it is cut in two; its length when it is good so far. */
static size_t bad_at(struct tg_slice text)
{
    struct tg_utf8 whole = {0};
    size_t expected = tg_utf8_feed(&whole, text.data, text.length);
    for (size_t cut = 0; cut <= text.length; cut++) {
        struct tg_utf8 utf8 = {0};
        size_t fine = tg_utf8_feed(&utf8, text.data, cut);
        if (fine == cut) fine += tg_utf8_feed(&utf8, text.data + cut, text.length - cut);
        assert_int_equal(fine, expected);
    }
    return expected;
}

static bool is_valid(struct tg_slice text)
{
    return tg_utf8_is_valid(text.data, text.length);
}

static void accepts_the_first_and_last_character_of_each_length(void **state)
{
    (void)state;
    assert_true(is_valid(TG_SLICE("")));
    assert_true(is_valid(TG_SLICE("\x00\x7F")));
    assert_true(is_valid(TG_SLICE("\xC2\x80\xDF\xBF")));
    assert_true(is_valid(TG_SLICE("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF")));
    assert_true(is_valid(TG_SLICE("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF")));
}

static void refuses_overlong_forms_at_the_bad_byte(void **state)
{
    (void)state;
    assert_int_equal(bad_at(TG_SLICE("a\xC0\xAF")), 1);
    assert_int_equal(bad_at(TG_SLICE("a\xC1\xBF")), 1);
    assert_int_equal(bad_at(TG_SLICE("a\xE0\x9F\xBF")), 2);
    assert_int_equal(bad_at(TG_SLICE("a\xF0\x8F\xBF\xBF")), 2);
}

static void refuses_a_lone_surrogate(void **state)
{
    (void)state;
    assert_int_equal(bad_at(TG_SLICE("\xED\xA0\x80")), 1);
    assert_int_equal(bad_at(TG_SLICE("\xED\xBF\xBF")), 1);
}

static void refuses_what_is_above_the_last_code_point(void **state)
{
    (void)state;
    assert_int_equal(bad_at(TG_SLICE("\xF4\x90\x80\x80")), 1);
    assert_int_equal(bad_at(TG_SLICE("\xF5\x80\x80\x80")), 0);
    assert_int_equal(bad_at(TG_SLICE("\xFE")), 0);
    assert_int_equal(bad_at(TG_SLICE("\xFF")), 0);
}

static void refuses_a_continuation_without_a_beginning(void **state)
{
    (void)state;
    assert_int_equal(bad_at(TG_SLICE("abc\x80")), 3);
    assert_int_equal(bad_at(TG_SLICE("\xC3\xA9\xA9")), 2);
}

static void refuses_a_beginning_without_a_continuation(void **state)
{
    (void)state;
    assert_int_equal(bad_at(TG_SLICE("\xE2\x82(")), 2);
    assert_int_equal(bad_at(TG_SLICE("\xF0\x9F\x94\xC3\xA9")), 3);
}

static void finds_the_bad_byte_behind_a_long_run_of_ascii(void **state)
{
    (void)state;
    assert_int_equal(bad_at(TG_SLICE("0123456789abcdef0123\xFFxyz")), 20);
    assert_int_equal(bad_at(TG_SLICE("0123456\xFF"
                                     "89abcdef")),
                     7);
}

static void is_incomplete_in_the_middle_of_a_character(void **state)
{
    (void)state;
    struct tg_utf8 utf8 = {0};
    assert_true(tg_utf8_is_complete(&utf8));
    assert_int_equal(tg_utf8_feed(&utf8, "\xE2\x82", 2), 2);
    assert_false(tg_utf8_is_complete(&utf8));
    assert_int_equal(tg_utf8_feed(&utf8, "\xAC", 1), 1);
    assert_true(tg_utf8_is_complete(&utf8));
    assert_false(is_valid(TG_SLICE("\xE2\x82")));
}

static void counts_code_points(void **state)
{
    (void)state;
    struct tg_slice text = TG_SLICE("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\xA7");
    assert_int_equal(tg_utf8_count(text.data, text.length), 4);
    assert_int_equal(tg_utf8_count(NULL, 0), 0);
}

static void encodes_every_code_point_validly(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        char bytes[4];
        size_t length = tg_utf8_encode(code_point, bytes);
        bool is_surrogate = code_point >= 0xD800 && code_point <= 0xDFFF;
        if (tg_utf8_is_valid(bytes, length) == is_surrogate) fail_msg("U+%04X", code_point);
    }
}

static void encodes_the_bytes_of_rfc_3629(void **state)
{
    (void)state;
    char bytes[4];
    assert_int_equal(tg_utf8_encode(0x2262, bytes), 3);
    assert_memory_equal(bytes, "\xE2\x89\xA2", 3);
    assert_int_equal(tg_utf8_encode(0x233B4, bytes), 4);
    assert_memory_equal(bytes, "\xF0\xA3\x8E\xB4", 4);
}

static void reads_one_character(void **state)
{
    (void)state;
    const struct {
        const char *text;
        size_t length;
        uint32_t code_point;
    } rows[] = {{"ab", 1, 'a'},
                {"\xc3\xa9z", 2, 0xE9},
                {"\xe2\x82\xac", 3, 0x20AC},
                {"\xf0\x9f\x98\x80!", 4, 0x1F600}};
    uint32_t code_point;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(tg_utf8_read(rows[i].text, strlen(rows[i].text), &code_point), rows[i].length);
        assert_int_equal(code_point, rows[i].code_point);
        if (rows[i].length > 1) assert_int_equal(tg_utf8_read(rows[i].text, 1, &code_point), 0);
    }
    assert_int_equal(tg_utf8_read("\xed\xa0\x80", 3, &code_point), 0);
    assert_int_equal(tg_utf8_read("\x80", 1, &code_point), 0);
}

static void knows_what_breaks_a_line(void **state)
{
    (void)state;
    const uint32_t unsafe[] = {0, '\n', 0x1F, 0x7F, 0x9F, 0x61C, 0x200E, 0x2028, 0x202E, 0x2066, 0x2069};
    const uint32_t safe[] = {' ', '~', 0xA0, 0x200D, 0x202F, 0x206A, 0x1F600};
    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++) assert_true(tg_utf8_is_unsafe(unsafe[i]));
    for (size_t i = 0; i < sizeof safe / sizeof safe[0]; i++) assert_false(tg_utf8_is_unsafe(safe[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_the_first_and_last_character_of_each_length),
        cmocka_unit_test(refuses_overlong_forms_at_the_bad_byte),
        cmocka_unit_test(refuses_a_lone_surrogate),
        cmocka_unit_test(refuses_what_is_above_the_last_code_point),
        cmocka_unit_test(refuses_a_continuation_without_a_beginning),
        cmocka_unit_test(refuses_a_beginning_without_a_continuation),
        cmocka_unit_test(finds_the_bad_byte_behind_a_long_run_of_ascii),
        cmocka_unit_test(is_incomplete_in_the_middle_of_a_character),
        cmocka_unit_test(counts_code_points),
        cmocka_unit_test(encodes_every_code_point_validly),
        cmocka_unit_test(encodes_the_bytes_of_rfc_3629),
        cmocka_unit_test(reads_one_character),
        cmocka_unit_test(knows_what_breaks_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
