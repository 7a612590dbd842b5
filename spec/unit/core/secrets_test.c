#include "core/secrets.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECRET "0123456789abcdef0123456789abcdef"

static void takes_one_after_the_other(void **state)
{
    (void)state;
    struct tg_slice rest = TG_SLICE(" first , second,third"), secret;
    static const struct tg_slice expected[] = {TG_SLICE("first"), TG_SLICE("second"), TG_SLICE("third")};
    for (size_t i = 0; i < 3; i++) {
        assert_true(tg_secrets_next(&rest, &secret));
        assert_true(tg_slice_equal(secret, expected[i]));
    }
    assert_false(tg_secrets_next(&rest, &secret));
    rest = TG_SLICE("");
    assert_false(tg_secrets_next(&rest, &secret));
}

static void asks_for_long_ones_and_quotes_none(void **state)
{
    (void)state;
    struct tg_error error;
    assert_int_equal(tg_secrets_check(TG_SLICE(""), &error), TG_OK);
    assert_int_equal(tg_secrets_check(TG_SLICE(SECRET ", " SECRET), &error), TG_OK);
    assert_int_equal(tg_secrets_check(TG_SLICE(SECRET ",hunter2"), &error), TG_E_INVALID);
    assert_non_null(strstr(error.text, "number 2 is none"));
    assert_null(strstr(error.text, "hunter2"));
    assert_int_equal(tg_secrets_check(TG_SLICE(SECRET ","), &error), TG_OK); /* a comma at the end is none */
    assert_int_equal(tg_secrets_check(TG_SLICE("," SECRET), &error), TG_E_INVALID);
    assert_int_equal(tg_secrets_check(TG_SLICE(SECRET " " SECRET), &error), TG_E_INVALID);
    assert_int_equal(tg_secrets_check(TG_SLICE(SECRET "\xc3\xa4"), &error), TG_E_INVALID);
}

static void knows_how_many_there_may_be(void **state)
{
    (void)state;
    struct tg_error error;
    char text[40 * (TG_SECRETS_MAX + 1)] = SECRET;
    for (int i = 1; i < TG_SECRETS_MAX; i++) strcat(text, "," SECRET);
    assert_int_equal(tg_secrets_check(tg_slice_of(text), &error), TG_OK);
    strcat(text, "," SECRET);
    assert_int_equal(tg_secrets_check(tg_slice_of(text), &error), TG_E_INVALID);
    assert_non_null(strstr(error.text, "17 of them; 16 are the most"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_one_after_the_other),
        cmocka_unit_test(asks_for_long_ones_and_quotes_none),
        cmocka_unit_test(knows_how_many_there_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
