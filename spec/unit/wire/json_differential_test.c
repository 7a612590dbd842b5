/* Two parsers, one opinion: over generated documents, whole and mutated. */
#include "base/utf8.h"
#include "support/json_fixture.h"
#include "wire/json.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

enum { GENERATED_DOCUMENTS = 12000 };

static void assert_text(struct tg_slice got, struct tg_slice wanted)
{
    if (!tg_slice_equal(got, wanted))
        fail_msg("got %.*s, wanted %.*s", TG_SLICE_ARG(got), TG_SLICE_ARG(wanted));
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Jansson is asked to be as strict as it can. What stays different on purpose:
 *   - an escaped NUL in a key is fine here and refused by jansson,
 *   - a bare NUL behind a number or a word is refused here and overlooked by jansson,
 *   - nothing else: range of numbers, UTF-8, surrogates, duplicate keys, white space agree. */
static const size_t jansson_flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;

static bool same(const struct tg_value *value, const json_t *json);

static bool same_object(const struct tg_value *value, const json_t *json)
{
    if (!json_is_object(json) || json_object_size(json) != value->length) return false;
    for (uint32_t i = 0; i < value->length; i++) {
        struct tg_slice key = tg_member_key(&value->members[i]);
        if (!same(&value->members[i].value, json_object_getn(json, key.data, key.length))) return false;
    }
    return true;
}

static bool same_array(const struct tg_value *value, const json_t *json)
{
    if (!json_is_array(json) || json_array_size(json) != value->length) return false;
    for (uint32_t i = 0; i < value->length; i++)
        if (!same(&value->items[i], json_array_get(json, i))) return false;
    return true;
}

static bool same(const struct tg_value *value, const json_t *json)
{
    switch (value->type) {
    case TG_VALUE_NULL:
        return json_is_null(json);
    case TG_VALUE_BOOLEAN:
        return json_is_boolean(json) && json_is_true(json) == value->boolean;
    case TG_VALUE_INTEGER:
        return json_is_integer(json) && json_integer_value(json) == value->integer;
    case TG_VALUE_NUMBER:
        return json_is_real(json) && json_real_value(json) == value->number;
    case TG_VALUE_STRING:
        return json_is_string(json) && json_string_length(json) == value->length &&
               memcmp(json_string_value(json), value->string, value->length) == 0;
    case TG_VALUE_ARRAY:
        return same_array(value, json);
    case TG_VALUE_OBJECT:
        return same_object(value, json);
    }
    return false;
}

/* Returns whether both took it. */
static bool compare_with_jansson(struct json_fixture *fixture, struct tg_slice text)
{
    json_error_t error;
    json_t *json = json_loadb(text.data ? text.data : "", text.length, jansson_flags, &error);
    enum tg_status status = json_parse(fixture, text);
    bool is_nul_in_key = !json && json_error_code(&error) == json_error_null_byte_in_key;
    bool agree = status == TG_OK ? json && same(&fixture->value, json) : !json;
    bool is_bare_nul = status != TG_OK && text.length && memchr(text.data, 0, text.length);
    if (!agree && !is_nul_in_key && !is_bare_nul)
        fail_msg("%.*s: we say \"%s\", jansson \"%s\"", TG_SLICE_ARG(text), fixture->error.text,
                 json ? "" : error.text);
    json_decref(json);
    if (status != TG_OK) {
        assert_true(fixture->error.offset <= text.length);
        return false;
    }
    struct tg_buf first = {0};
    tg_json_write_value(&first, &fixture->value);
    json_parse_good(fixture, tg_buf_peek(&first));
    assert_text(json_write_out(fixture, &fixture->value), tg_buf_peek(&first));
    tg_buf_deinit(&first);
    return true;
}

static struct tg_slice pick(uint64_t *seed, const struct tg_slice *from, size_t count)
{
    return from[next_random(seed) % count];
}

static const struct tg_slice scalars[] = {
    TG_SLICE("null"),
    TG_SLICE("true"),
    TG_SLICE("false"),
    TG_SLICE("0"),
    TG_SLICE("-0"),
    TG_SLICE("-0.0"),
    TG_SLICE("42"),
    TG_SLICE("-9223372036854775808"),
    TG_SLICE("9223372036854775807"),
    TG_SLICE("9223372036854775808"),
    TG_SLICE("1.5"),
    TG_SLICE("1e5"),
    TG_SLICE("2.5E-3"),
    TG_SLICE("1e400"),
    TG_SLICE("123456789012345678.25"),
    TG_SLICE("1e-330"),
    TG_SLICE("0.1"),
    TG_SLICE("\"\""),
    TG_SLICE("\"plain\""),
    TG_SLICE("\"a longer string without anything\""),
    TG_SLICE("\"\\n\\\"\\\\\\/\""),
    TG_SLICE("\"\\u00e9\\ud83d\\ude00\""),
    TG_SLICE("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""),
    TG_SLICE("\"\\u0000\""),
    TG_SLICE("[]"),
    TG_SLICE("{}"),
};
static const struct tg_slice spaces[] = {TG_SLICE(""),  TG_SLICE(""),   TG_SLICE(""),
                                         TG_SLICE(" "), TG_SLICE("\n"), TG_SLICE("\t \r")};
static const struct tg_slice pieces[] = {
    TG_SLICE("\""),
    TG_SLICE("\\"),
    TG_SLICE("{"),
    TG_SLICE("}"),
    TG_SLICE("["),
    TG_SLICE("]"),
    TG_SLICE(","),
    TG_SLICE(":"),
    TG_SLICE("\\u"),
    TG_SLICE("\\ud800"),
    TG_SLICE("\\udc00"),
    TG_SLICE("e"),
    TG_SLICE("E+"),
    TG_SLICE("."),
    TG_SLICE("-"),
    TG_SLICE("0"),
    TG_SLICE("00"),
    TG_SLICE("99999999999999999999"),
    TG_SLICE("null"),
    TG_SLICE("\xff"),
    TG_SLICE("\xc3"),
    TG_SLICE("\xed\xa0\x80"),
    TG_SLICE("\x00"),
    TG_SLICE("\x1f"),
    TG_SLICE("\xef\xbb\xbf"),
};
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* A number with any count of digits, fraction and exponent; now and then out of range. */
static void generate_number(struct tg_buf *out, uint64_t *seed)
{
    uint64_t digits = next_random(seed) >> next_random(seed) % 64;
    tg_buf_printf(out, "%s%" PRIu64, next_random(seed) % 2 ? "-" : "", digits);
    if (next_random(seed) % 2) tg_buf_printf(out, ".%" PRIu64, next_random(seed) >> next_random(seed) % 64);
    if (next_random(seed) % 3 == 0) tg_buf_printf(out, "e%d", (int)(next_random(seed) % 660) - 330);
}

/* Characters of any length, as they are or escaped, in pairs of surrogates above U+FFFF. */
static void generate_string(struct tg_buf *out, uint64_t *seed)
{
    static const uint32_t ends[] = {0x80, 0x800, 0xD800, 0x10000, 0x110000};
    tg_buf_append_char(out, '"');
    for (uint64_t left = next_random(seed) % 24; left > 0; left--) {
        uint32_t code_point = (uint32_t)(next_random(seed) % ends[next_random(seed) % 5]);
        if (code_point >= 0xD800 && code_point < 0xE000) code_point = 0xFFFD;
        bool is_escaped = code_point < 0x20 || code_point == '"' || code_point == '\\' || left % 3 == 0;
        if (is_escaped && code_point >= 0x10000) {
            tg_buf_printf(out, "\\u%04x", (unsigned)(0xD800 + ((code_point - 0x10000) >> 10)));
            code_point = 0xDC00 + ((code_point - 0x10000) & 0x3FF);
        }
        char bytes[4];
        if (is_escaped)
            tg_buf_printf(out, left % 2 ? "\\u%04x" : "\\u%04X", (unsigned)code_point);
        else
            tg_buf_append(out, bytes, tg_utf8_encode(code_point, bytes));
    }
    tg_buf_append_char(out, '"');
}

static void generate(struct tg_buf *out, uint64_t *seed, int depth)
{
    uint64_t choice = next_random(seed) % 8;
    if (choice == 0) {
        generate_number(out, seed);
        return;
    }
    if (choice == 1) {
        generate_string(out, seed);
        return;
    }
    if (depth == 0 || choice < 4) {
        tg_buf_append_slice(out, pick(seed, scalars, COUNT(scalars)));
        return;
    }
    bool is_object = choice < 6;
    size_t count = next_random(seed) % 5;
    if (next_random(seed) % 40 == 0) count += 30;
    tg_buf_append_char(out, is_object ? '{' : '[');
    for (size_t i = 0; i < count; i++) {
        if (i) tg_buf_append_char(out, ',');
        tg_buf_append_slice(out, pick(seed, spaces, COUNT(spaces)));
        if (is_object) tg_buf_printf(out, "\"k%d\":", (int)(i * 60 + next_random(seed) % 64));
        generate(out, seed, depth - 1);
        tg_buf_append_slice(out, pick(seed, spaces, COUNT(spaces)));
    }
    tg_buf_append_char(out, is_object ? '}' : ']');
}

/* Changes a byte, takes some away or puts a piece in. */
static void mutate(struct tg_buf *text, struct tg_buf *mutant, uint64_t *seed)
{
    size_t at = next_random(seed) % (text->length + 1), left = text->length - at;
    struct tg_slice piece = pick(seed, pieces, COUNT(pieces));
    size_t dropped = next_random(seed) % 3;
    if (dropped > left) dropped = left;
    if (next_random(seed) % 4 == 0) piece.length = 0;
    tg_buf_truncate(mutant, 0);
    tg_buf_append(mutant, text->data, at);
    tg_buf_append_slice(mutant, piece);
    tg_buf_append(mutant, text->data + at + dropped, left - dropped);
}

static void agrees_with_jansson(void **state)
{
    struct json_fixture *fixture = *state;
    struct tg_buf text = {0}, mutant = {0};
    uint64_t seed = 1871;
    int taken = 0, refusals = 0;
    for (int i = 0; i < GENERATED_DOCUMENTS; i++) {
        tg_buf_truncate(&text, 0);
        generate(&text, &seed, 5);
        compare_with_jansson(fixture, tg_buf_peek(&text)) ? taken++ : refusals++;
        for (int j = 0; j < 2; j++) {
            mutate(&text, &mutant, &seed);
            compare_with_jansson(fixture, tg_buf_peek(&mutant)) ? taken++ : refusals++;
        }
    }
    /* Were one side hardly met, the comparison would say little about it. */
    assert_int_equal(taken + refusals, 3 * GENERATED_DOCUMENTS);
    assert_true(taken > GENERATED_DOCUMENTS / 2);
    assert_true(refusals > GENERATED_DOCUMENTS / 2);
    tg_buf_deinit(&text);
    tg_buf_deinit(&mutant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(agrees_with_jansson, json_set_up, json_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
