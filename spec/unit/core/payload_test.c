#include "core/payload.h"

#include "core/transport.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void holds_a_whole_frame(void **state)
{
    (void)state;
    uint64_t alive_bytes = 0;
    struct tg_payload *payload =
        tg_payload_new(&alive_bytes, TG_OPCODE_TEXT, TG_SLICE("{\"a\":1"), TG_SLICE(",\"b\":2}"));
    assert_int_equal(payload->frame_bytes, 2 + 13);
    assert_memory_equal(tg_payload_frame(payload), "\x81\x0d{\"a\":1,\"b\":2}", 15);
    assert_true(tg_slice_equal(tg_payload_text(payload), TG_SLICE("{\"a\":1,\"b\":2}")));
    memset(tg_payload_frame(payload) - TG_TRANSPORT_HEADROOM, 0xEE, TG_TRANSPORT_HEADROOM);
    assert_true(tg_slice_equal(tg_payload_text(payload), TG_SLICE("{\"a\":1,\"b\":2}")));
    tg_payload_unref(payload);
}

static void has_the_header_that_its_length_asks_for(void **state)
{
    (void)state;
    static const size_t lengths[] = {0, 125, 126, 65535, 65536}, headers[] = {2, 2, 4, 4, 10};
    char *text = calloc(1, 65536);
    for (size_t i = 0; i < 5; i++) {
        uint64_t alive_bytes = 0;
        struct tg_payload *payload = tg_payload_new(
            &alive_bytes, TG_OPCODE_BINARY, (struct tg_slice){text, lengths[i]}, (struct tg_slice){0});
        assert_int_equal(payload->frame_bytes, headers[i] + lengths[i]);
        assert_int_equal(tg_payload_frame(payload)[0], 0x82);
        assert_int_equal(tg_payload_text(payload).length, lengths[i]);
        tg_payload_unref(payload);
    }
    free(text);
}

static void lives_until_the_last_reference_is_gone_and_is_counted_so_long(void **state)
{
    (void)state;
    uint64_t alive_bytes = 100;
    struct tg_payload *payload =
        tg_payload_new(&alive_bytes, TG_OPCODE_TEXT, TG_SLICE("hello"), (struct tg_slice){0});
    assert_int_equal(alive_bytes, 107);
    assert_ptr_equal(tg_payload_ref(payload), payload);
    tg_payload_unref(payload);
    assert_int_equal(alive_bytes, 107);
    tg_payload_unref(payload);
    assert_int_equal(alive_bytes, 100);
    tg_payload_unref(NULL);
}

static void is_null_without_memory(void **state)
{
    (void)state;
    uint64_t alive_bytes = 0;
    tg_alloc_fail_at(1);
    assert_null(tg_payload_new(&alive_bytes, TG_OPCODE_TEXT, TG_SLICE("hello"), (struct tg_slice){0}));
    assert_int_equal(alive_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_whole_frame),
        cmocka_unit_test(has_the_header_that_its_length_asks_for),
        cmocka_unit_test(lives_until_the_last_reference_is_gone_and_is_counted_so_long),
        cmocka_unit_test(is_null_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
