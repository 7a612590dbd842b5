#include "wire/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void assert_header(uint64_t payload_bytes, const char *expected, size_t length)
{
    unsigned char header[TG_FRAME_HEADER_MAX];
    assert_int_equal(tg_frame_header_length(payload_bytes), length);
    assert_int_equal(tg_frame_write_header(header, TG_OPCODE_TEXT, payload_bytes), length);
    assert_memory_equal(header, expected, length);
}

static void writes_a_short_length_in_the_second_byte(void **state)
{
    (void)state;
    assert_header(0, "\x81\x00", 2);
    assert_header(125, "\x81\x7D", 2);
}

static void writes_a_middle_length_in_two_bytes_more(void **state)
{
    (void)state;
    assert_header(126, "\x81\x7E\x00\x7E", 4);
    assert_header(65535, "\x81\x7E\xFF\xFF", 4);
}

static void writes_a_long_length_in_eight_bytes_more(void **state)
{
    (void)state;
    assert_header(65536, "\x81\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10);
    assert_header(0x0102030405060708, "\x81\x7F\x01\x02\x03\x04\x05\x06\x07\x08", 10);
}

static void sets_the_opcode_and_the_final_bit(void **state)
{
    (void)state;
    unsigned char header[TG_FRAME_HEADER_MAX];
    tg_frame_write_header(header, TG_OPCODE_BINARY, 1);
    assert_int_equal(header[0], 0x82);
    tg_frame_write_header(header, TG_OPCODE_PING, 1);
    assert_int_equal(header[0], 0x89);
    tg_frame_write_header(header, TG_OPCODE_PONG, 1);
    assert_int_equal(header[0], 0x8A);
}

static void writes_a_close_frame_with_code_and_reason(void **state)
{
    (void)state;
    unsigned char frame[2 + TG_CONTROL_PAYLOAD_MAX];
    assert_int_equal(tg_frame_write_close(frame, 1001, "bye", 3), 7);
    assert_memory_equal(frame,
                        "\x88\x05\x03\xE9"
                        "bye",
                        7);
    assert_int_equal(tg_frame_write_close(frame, 4401, NULL, 0), 4);
    assert_memory_equal(frame, "\x88\x02\x11\x31", 4);
}

/* How many bytes are kept of a reason of `ascii` bytes and then characters of three. */
static size_t kept_of(size_t ascii)
{
    char reason[200];
    memset(reason, 'x', ascii);
    for (size_t i = ascii; i + 3 <= sizeof reason; i += 3) memcpy(reason + i, "\xE2\x82\xAC", 3);
    unsigned char frame[2 + TG_CONTROL_PAYLOAD_MAX];
    size_t length = tg_frame_write_close(frame, 1000, reason, ascii + 60);
    assert_int_equal(frame[1], length - 2);
    assert_memory_equal(frame + 4, reason, length - 4);
    return length - 4;
}

static void cuts_a_long_reason_between_two_characters(void **state)
{
    (void)state;
    assert_int_equal(kept_of(120), 123);
    assert_int_equal(kept_of(119), 122);
    assert_int_equal(kept_of(118), 121);
    assert_int_equal(kept_of(123), 123);
}

static void keeps_a_reason_that_just_fits(void **state)
{
    (void)state;
    assert_int_equal(kept_of(63), 123);
}

static void sends_only_codes_that_may_travel(void **state)
{
    (void)state;
    static const unsigned sendable[] = {1000, 1001, 1002, 1003, 1007, 1008, 1014, 3000, 4000, 4999};
    static const unsigned others[] = {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535};
    for (size_t i = 0; i < sizeof sendable / sizeof *sendable; i++)
        assert_true(tg_close_code_is_sendable(sendable[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(tg_close_code_is_sendable(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_short_length_in_the_second_byte),
        cmocka_unit_test(writes_a_middle_length_in_two_bytes_more),
        cmocka_unit_test(writes_a_long_length_in_eight_bytes_more),
        cmocka_unit_test(sets_the_opcode_and_the_final_bit),
        cmocka_unit_test(writes_a_close_frame_with_code_and_reason),
        cmocka_unit_test(cuts_a_long_reason_between_two_characters),
        cmocka_unit_test(keeps_a_reason_that_just_fits),
        cmocka_unit_test(sends_only_codes_that_may_travel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
