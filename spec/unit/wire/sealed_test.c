#include "wire/sealed.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct tg_slice secrets[] = {TG_SLICE("the first secret has 32 bytes..."),
                                          TG_SLICE("the second secret has 32 bytes..")};
static const struct tg_seal seal = {secrets, 2, TG_SLICE("session")};

enum { NOW_S = 1700000000 };

static struct tg_buf text, value;

static int set_up(void **state)
{
    (void)state;
    tg_buf_init(&text);
    tg_buf_init(&value);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tg_buf_deinit(&text);
    tg_buf_deinit(&value);
    return 0;
}

static enum tg_sealed_verdict read_by(const struct tg_seal *reader, uint64_t now_s)
{
    uint64_t expires_s;
    tg_buf_truncate(&value, 0);
    return tg_sealed_read(reader, tg_buf_peek(&text), now_s, &value, &expires_s);
}

static void gives_back_what_was_sealed(void **state)
{
    (void)state;
    static const struct tg_slice values[] = {TG_SLICE(""), TG_SLICE("ada"), TG_SLICE("{\"id\":7}\0\xff")};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        uint64_t expires_s;
        tg_buf_truncate(&text, 0);
        tg_buf_truncate(&value, 0);
        assert_int_equal(tg_sealed_write(&seal, values[i], NOW_S + 60, &text), TG_OK);
        for (size_t byte = 0; byte < text.length; byte++)
            assert_non_null(
                strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.", text.data[byte]));
        assert_int_equal(tg_sealed_read(&seal, tg_buf_peek(&text), NOW_S, &value, &expires_s), TG_SEALED_OK);
        assert_true(tg_slice_equal(tg_buf_peek(&value), values[i]));
        assert_int_equal(expires_s, NOW_S + 60);
    }
}

static void counts_until_its_second_begins(void **state)
{
    (void)state;
    assert_int_equal(tg_sealed_write(&seal, TG_SLICE("ada"), NOW_S, &text), TG_OK);
    assert_int_equal(read_by(&seal, NOW_S - 1), TG_SEALED_OK);
    assert_int_equal(read_by(&seal, NOW_S), TG_SEALED_EXPIRED);
    assert_int_equal(value.length, 0);
    tg_buf_truncate(&text, 0);
    assert_int_equal(tg_sealed_write(&seal, TG_SLICE("ada"), 0, &text), TG_OK);
    assert_int_equal(read_by(&seal, UINT64_MAX), TG_SEALED_OK);
}

static void is_of_no_use_for_another_purpose(void **state)
{
    (void)state;
    const struct tg_seal other = {secrets, 2, TG_SLICE("sessio")};
    assert_int_equal(tg_sealed_write(&seal, TG_SLICE("ada"), 0, &text), TG_OK);
    assert_int_equal(read_by(&other, NOW_S), TG_SEALED_SIGNATURE);
}

static void stays_good_while_secrets_are_rotated(void **state)
{
    (void)state;
    const struct tg_seal before = {secrets + 1, 1, seal.purpose}, after = {secrets, 1, seal.purpose};
    assert_int_equal(tg_sealed_write(&before, TG_SLICE("ada"), 0, &text), TG_OK);
    assert_int_equal(read_by(&seal, NOW_S), TG_SEALED_OK);
    assert_int_equal(read_by(&after, NOW_S), TG_SEALED_SIGNATURE);
    tg_buf_truncate(&text, 0);
    assert_int_equal(tg_sealed_write(&seal, TG_SLICE("ada"), 0, &text), TG_OK);
    assert_int_equal(read_by(&after, NOW_S), TG_SEALED_OK); /* the first signs */
}

static void refuses_every_changed_byte(void **state)
{
    (void)state;
    assert_int_equal(tg_sealed_write(&seal, TG_SLICE("ada"), NOW_S, &text), TG_OK);
    for (size_t i = 0; i < text.length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            text.data[i] = (char)(text.data[i] ^ 1 << bit);
            enum tg_sealed_verdict verdict = read_by(&seal, 1);
            assert_true(verdict == TG_SEALED_SIGNATURE || verdict == TG_SEALED_MALFORMED);
            assert_int_equal(value.length, 0);
            text.data[i] = (char)(text.data[i] ^ 1 << bit);
        }
    }
    for (size_t length = text.length; length > 0; length--) {
        text.length = length - 1;
        assert_int_not_equal(read_by(&seal, 1), TG_SEALED_OK);
    }
}

static void refuses_what_is_no_sealed_text(void **state)
{
    (void)state;
    static const struct tg_slice texts[] = {TG_SLICE(""),
                                            TG_SLICE("s1"),
                                            TG_SLICE("s1..."),
                                            TG_SLICE("s1.YQ.0"),
                                            TG_SLICE("s2.YQ.0.x"),
                                            TG_SLICE("s1.YQ.00.YQ"),
                                            TG_SLICE("s1.YQ.-1.YQ"),
                                            TG_SLICE("s1.YQ.0.YQ=="),
                                            TG_SLICE("s1.YQ.99999999999999999999.YQ")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint64_t expires_s;
        enum tg_sealed_verdict verdict = tg_sealed_read(&seal, texts[i], NOW_S, &value, &expires_s);
        if (verdict != TG_SEALED_MALFORMED) fail_msg("%s: %d", texts[i].data, verdict);
    }
}

static enum tg_status seal_once(void *context)
{
    (void)context;
    uint64_t expires_s;
    struct tg_buf sealed, opened;
    tg_buf_init(&sealed);
    tg_buf_init(&opened);
    enum tg_status status = tg_sealed_write(&seal, TG_SLICE("ada"), 0, &sealed);
    if (status != TG_OK) assert_int_equal(sealed.length, 0);
    if (status == TG_OK &&
        tg_sealed_read(&seal, tg_buf_peek(&sealed), NOW_S, &opened, &expires_s) == TG_SEALED_NO_MEMORY)
        status = TG_E_NO_MEMORY;
    tg_buf_deinit(&sealed);
    tg_buf_deinit(&opened);
    return status;
}

static void answers_without_memory(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(seal_once, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_back_what_was_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_until_its_second_begins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_of_no_use_for_another_purpose, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stays_good_while_secrets_are_rotated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_every_changed_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_sealed_text, set_up, tear_down),
        cmocka_unit_test(answers_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
