#include "frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h> /* after what it uses and does not include */

/* The masked "Hello" that RFC 6455 5.7 prints. */
static void masks_as_the_rfc_prints_it(void **state)
{
    (void)state;
    const unsigned char printed[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58};
    uint32_t mask;
    memcpy(&mask, printed + 2, sizeof mask);
    char out[5 + 14];
    assert_int_equal(tg_frame_mask(out, TG_OPCODE_TEXT, "Hello", 5, mask), sizeof printed);
    assert_memory_equal(out, printed, sizeof printed);
}

static void chooses_the_shortest_length(void **state)
{
    (void)state;
    const struct {
        size_t length, frame_bytes;
        unsigned char second;
    } cases[] = {
        {0, 6, 0x80}, {125, 131, 0xfd}, {126, 134, 0xfe}, {65535, 65543, 0xfe}, {65536, 65550, 0xff}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *payload = calloc(1, cases[i].length + 1), *out = malloc(cases[i].length + 14);
        assert_non_null(payload);
        assert_non_null(out);
        assert_int_equal(tg_frame_mask(out, TG_OPCODE_TEXT, payload, cases[i].length, 1),
                         cases[i].frame_bytes);
        assert_int_equal((unsigned char)out[1], cases[i].second);
        free(payload);
        free(out);
    }
}

static void repeats_the_row_so_that_any_offset_is_contiguous(void **state)
{
    (void)state;
    struct tg_batch batch;
    assert_true(tg_batch_init(&batch, "Hello", 3));
    assert_int_equal(batch.frame_bytes, 11);
    assert_memory_equal(batch.bytes, batch.bytes + 33, 33);
    assert_memory_not_equal(batch.bytes, batch.bytes + 11, 11);
    tg_batch_deinit(&batch);
}

static void waits_for_the_rest_of_a_frame(void **state)
{
    (void)state;
    char bytes[4 + 300] = {(char)0x81, 126, 300 >> 8, (char)(300 & 0xff)};
    struct tg_frame frame;
    for (size_t length = 0; length < sizeof bytes; length++)
        assert_int_equal(tg_frame_parse(bytes, length, &frame), 0);
    assert_int_equal(tg_frame_parse(bytes, sizeof bytes, &frame), sizeof bytes);
    assert_int_equal(frame.first_byte, 0x81);
    assert_int_equal(frame.length, 300);
    assert_ptr_equal(frame.payload, bytes + 4);
}

static void refuses_a_masked_frame_of_a_server(void **state)
{
    (void)state;
    struct tg_frame frame;
    assert_int_equal(tg_frame_parse("\x81\x80\x01\x02\x03\x04", 6, &frame), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masks_as_the_rfc_prints_it),
        cmocka_unit_test(chooses_the_shortest_length),
        cmocka_unit_test(repeats_the_row_so_that_any_offset_is_contiguous),
        cmocka_unit_test(waits_for_the_rest_of_a_frame),
        cmocka_unit_test(refuses_a_masked_frame_of_a_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
