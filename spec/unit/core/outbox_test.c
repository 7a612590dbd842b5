#include "core/outbox.h"

#include "core/transport.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NO_COUNT_LIMIT = INT32_MAX };
#define NO_BYTE_LIMIT SIZE_MAX

struct fixture {
    struct tg_segment_pool pool;
    struct tg_outbox outbox;
    struct tg_buf sent; /* everything that left, in order */
    size_t pieces;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    tg_segment_pool_init(&f->pool);
    tg_outbox_init(&f->outbox);
    tg_buf_init(&f->sent);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    tg_outbox_clear(&f->outbox, &f->pool);
    assert_int_equal(f->outbox.queued_bytes, 0);
    assert_int_equal(f->outbox.queued_messages, 0);
    tg_segment_pool_deinit(&f->pool);
    tg_buf_deinit(&f->sent);
    free(f);
    return 0;
}

/* Appends `bytes` bytes of a pattern that depends on `seed`. */
static void append_pattern(struct tg_buf *buf, size_t bytes, unsigned seed)
{
    for (size_t i = 0; i < bytes; i++) tg_buf_append_char(buf, (char)(seed + i * 7));
}

static enum tg_status queue_limited(struct fixture *f, size_t bytes, unsigned seed, size_t max_bytes,
                                    uint32_t max_messages)
{
    struct tg_buf *buf = tg_outbox_begin(&f->outbox, &f->pool);
    if (!buf) return TG_E_NO_MEMORY;
    append_pattern(buf, bytes, seed);
    return tg_outbox_commit(&f->outbox, TG_OPCODE_TEXT, max_bytes, max_messages);
}

static enum tg_status queue(struct fixture *f, size_t bytes, unsigned seed)
{
    return queue_limited(f, bytes, seed, NO_BYTE_LIMIT, NO_COUNT_LIMIT);
}

/* Sends all pieces as a transport would, which scribbles on the headroom. */
static void send_all(struct fixture *f)
{
    struct tg_outbox_view view;
    while (tg_outbox_peek(&f->outbox, &f->pool, &view)) {
        assert_true(view.length > 0);
        memset(view.bytes - TG_TRANSPORT_HEADROOM, 0xEE, TG_TRANSPORT_HEADROOM);
        tg_buf_append(&f->sent, view.bytes, view.length);
        tg_outbox_sent(&f->outbox, &f->pool, &view);
        f->pieces++;
    }
    assert_int_equal(f->outbox.queued_bytes, 0);
    assert_int_equal(f->outbox.queued_messages, 0);
    assert_null(f->outbox.first);
    assert_null(f->outbox.last);
}

/* Reads one frame of `sent` at `*at` and asserts that it is the text frame that queue() made. */
static void expect_frame(const struct fixture *f, size_t *at, size_t bytes, unsigned seed)
{
    const unsigned char *p = (const unsigned char *)f->sent.data + *at;
    assert_int_equal(p[0], 0x81);
    size_t header = 2, length = p[1];
    if (p[1] == 126) {
        header = 4;
        length = (size_t)p[2] << 8 | p[3];
        assert_true(length > 125);
    } else if (p[1] == 127) {
        header = 10;
        length = 0;
        for (size_t i = 2; i < 10; i++) length = length << 8 | p[i];
        assert_true(length > 65535);
    }
    assert_int_equal(length, bytes);
    assert_true(*at + header + length <= f->sent.length);
    for (size_t i = 0; i < length; i++) assert_int_equal(p[header + i], (unsigned char)(seed + i * 7));
    *at += header + length;
}

static void puts_the_right_header_before_payloads_of_every_size_class(void **state)
{
    struct fixture *f = *state;
    static const size_t sizes[] = {0, 1, 125, 126, 65535, 65536, 200000};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    for (unsigned i = 0; i < SIZES; i++) assert_int_equal(queue(f, sizes[i], i), TG_OK);
    assert_int_equal(f->outbox.queued_messages, SIZES);
    size_t queued = f->outbox.queued_bytes;
    send_all(f);
    assert_int_equal(f->sent.length, queued);
    size_t at = 0;
    for (unsigned i = 0; i < SIZES; i++) expect_frame(f, &at, sizes[i], i);
    assert_int_equal(at, f->sent.length);
}

static void writes_the_opcode_it_was_given(void **state)
{
    struct fixture *f = *state;
    assert_non_null(tg_outbox_begin(&f->outbox, &f->pool));
    assert_int_equal(tg_outbox_commit(&f->outbox, TG_OPCODE_PING, NO_BYTE_LIMIT, NO_COUNT_LIMIT), TG_OK);
    send_all(f);
    assert_int_equal(f->sent.length, 2);
    assert_memory_equal(f->sent.data, "\x89\x00", 2);
}

static void sends_many_small_frames_as_one_piece(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 500; i++) assert_int_equal(queue(f, 100, i), TG_OK);
    send_all(f);
    assert_int_equal(f->pieces, 1);
    size_t at = 0;
    for (unsigned i = 0; i < 500; i++) expect_frame(f, &at, 100, i);
}

static void starts_a_new_piece_when_one_has_reached_its_size(void **state)
{
    struct fixture *f = *state;
    /* 1020 bytes a frame: the 65th takes the first piece over TG_SEGMENT_BYTES. */
    for (unsigned i = 0; i < 66; i++) assert_int_equal(queue(f, 1016, i), TG_OK);
    struct tg_outbox_view view;
    assert_true(tg_outbox_peek(&f->outbox, &f->pool, &view));
    assert_int_equal(view.length, 65 * 1020);
    send_all(f);
    assert_int_equal(f->pieces, 2);
    size_t at = 0;
    for (unsigned i = 0; i < 66; i++) expect_frame(f, &at, 1016, i);
}

static void is_empty_when_nothing_was_committed(void **state)
{
    struct fixture *f = *state;
    struct tg_outbox_view view;
    assert_false(tg_outbox_peek(&f->outbox, &f->pool, &view));
    tg_buf_append_literal(tg_outbox_begin(&f->outbox, &f->pool), "given up");
    assert_false(tg_outbox_peek(&f->outbox, &f->pool, &view));
}

static void forgets_a_frame_that_was_given_up(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue(f, 10, 1), TG_OK);
    append_pattern(tg_outbox_begin(&f->outbox, &f->pool), 5000, 2);
    assert_int_equal(queue(f, 20, 3), TG_OK);
    append_pattern(tg_outbox_begin(&f->outbox, &f->pool), 300, 4);
    assert_int_equal(f->outbox.queued_messages, 2);
    assert_int_equal(f->outbox.queued_bytes, 12 + 22);
    send_all(f);
    size_t at = 0;
    expect_frame(f, &at, 10, 1);
    expect_frame(f, &at, 20, 3);
    assert_int_equal(at, f->sent.length);
}

static void sends_what_lies_before_a_new_segment_that_was_given_up(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue(f, TG_SEGMENT_BYTES, 1), TG_OK);
    append_pattern(tg_outbox_begin(&f->outbox, &f->pool), 10, 2);
    struct tg_outbox_view view;
    assert_true(tg_outbox_peek(&f->outbox, &f->pool, &view));
    tg_outbox_sent(&f->outbox, &f->pool, &view);
    assert_false(tg_outbox_peek(&f->outbox, &f->pool, &view));
    assert_int_equal(queue(f, 30, 3), TG_OK);
    send_all(f);
    size_t at = 0;
    expect_frame(f, &at, 30, 3);
    assert_int_equal(at, f->sent.length);
}

static void refuses_a_frame_that_would_pass_the_byte_limit(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue_limited(f, 100, 1, 204, NO_COUNT_LIMIT), TG_OK);
    assert_int_equal(queue_limited(f, 101, 2, 204, NO_COUNT_LIMIT), TG_E_FULL);
    assert_int_equal(f->outbox.queued_bytes, 102);
    assert_int_equal(queue_limited(f, 100, 3, 204, NO_COUNT_LIMIT), TG_OK);
    assert_int_equal(queue_limited(f, 0, 4, 204, NO_COUNT_LIMIT), TG_E_FULL);
    send_all(f);
    size_t at = 0;
    expect_frame(f, &at, 100, 1);
    expect_frame(f, &at, 100, 3);
    assert_int_equal(at, f->sent.length);
}

static void counts_the_long_header_against_the_limit(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue_limited(f, 126, 1, 129, NO_COUNT_LIMIT), TG_E_FULL);
    assert_int_equal(queue_limited(f, 126, 1, 130, NO_COUNT_LIMIT), TG_OK);
}

static void refuses_when_the_limit_has_sunk_below_what_is_queued(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue(f, 100, 1), TG_OK);
    assert_int_equal(queue_limited(f, 0, 2, 50, NO_COUNT_LIMIT), TG_E_FULL);
}

static void refuses_a_frame_that_would_pass_the_count_limit(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++) assert_int_equal(queue_limited(f, 1, i, NO_BYTE_LIMIT, 3), TG_OK);
    assert_int_equal(queue_limited(f, 1, 9, NO_BYTE_LIMIT, 3), TG_E_FULL);
    assert_int_equal(f->outbox.queued_messages, 3);
    send_all(f);
    assert_int_equal(queue_limited(f, 1, 9, NO_BYTE_LIMIT, 3), TG_OK);
}

static void drops_everything_when_cleared(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 4; i++) assert_int_equal(queue(f, 50000, i), TG_OK);
    append_pattern(tg_outbox_begin(&f->outbox, &f->pool), 10, 2);
    tg_outbox_clear(&f->outbox, &f->pool);
    assert_int_equal(f->outbox.queued_bytes, 0);
    assert_int_equal(f->outbox.queued_messages, 0);
    assert_null(f->outbox.first);
    send_all(f);
    assert_int_equal(f->sent.length, 0);
}

static void allocates_nothing_once_it_has_warmed_up(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue(f, 60000, 0), TG_OK);
    assert_int_equal(queue(f, 60000, 0), TG_OK);
    send_all(f);
    f->sent.length = 0;
    for (unsigned i = 0; i < 100; i++) {
        /* Any allocation from here on would fail. */
        tg_alloc_fail_at(1);
        assert_int_equal(queue(f, 60000, i), TG_OK);
        assert_int_equal(queue(f, 60000, i), TG_OK);
        assert_false(tg_alloc_has_failed());
        tg_alloc_fail_at(0);
        send_all(f);
        f->sent.length = 0;
    }
}

static void shares_the_segments_of_a_pool_between_outboxes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue(f, 100, 1), TG_OK);
    send_all(f);
    assert_int_equal(f->pool.segment_count, 1);
    struct tg_outbox other;
    tg_outbox_init(&other);
    assert_non_null(tg_outbox_begin(&other, &f->pool));
    assert_int_equal(f->pool.segment_count, 0);
    tg_outbox_clear(&other, &f->pool);
    assert_int_equal(f->pool.segment_count, 1);
}

static void keeps_no_segment_that_grew_large(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(queue(f, 1000000, 1), TG_OK);
    send_all(f);
    assert_int_equal(f->pool.segment_count, 0);
}

static void keeps_a_bounded_number_of_segments(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 200; i++) assert_int_equal(queue(f, TG_SEGMENT_BYTES, i), TG_OK);
    tg_outbox_clear(&f->outbox, &f->pool);
    assert_in_range(f->pool.segment_count, 1, 64);
}

static enum tg_status queue_three_sizes(void *context)
{
    struct fixture *f = context;
    static const size_t sizes[] = {10, 70000, 300};
    enum tg_status status = TG_OK;
    size_t queued = 0;
    for (unsigned i = 0; i < 3 && status == TG_OK; i++) {
        status = queue(f, sizes[i], i);
        if (status == TG_OK) queued++;
    }
    if (tg_alloc_has_failed()) {
        /* What was queued before is whole, and the next frame goes through. */
        assert_int_equal(f->outbox.queued_messages, queued);
        assert_int_equal(queue(f, 40, 9), TG_OK);
        f->sent.length = 0;
        send_all(f);
        size_t at = 0;
        for (unsigned i = 0; i < queued; i++) expect_frame(f, &at, sizes[i], i);
        expect_frame(f, &at, 40, 9);
        assert_int_equal(at, f->sent.length);
    }
    tg_outbox_clear(&f->outbox, &f->pool);
    tg_segment_pool_deinit(&f->pool);
    return status;
}

static void loses_only_the_frame_that_found_no_memory(void **state)
{
    assert_true(tg_alloc_sweep(queue_three_sizes, *state) > 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(puts_the_right_header_before_payloads_of_every_size_class),
        TEST(writes_the_opcode_it_was_given),
        TEST(sends_many_small_frames_as_one_piece),
        TEST(starts_a_new_piece_when_one_has_reached_its_size),
        TEST(is_empty_when_nothing_was_committed),
        TEST(forgets_a_frame_that_was_given_up),
        TEST(sends_what_lies_before_a_new_segment_that_was_given_up),
        TEST(refuses_a_frame_that_would_pass_the_byte_limit),
        TEST(counts_the_long_header_against_the_limit),
        TEST(refuses_when_the_limit_has_sunk_below_what_is_queued),
        TEST(refuses_a_frame_that_would_pass_the_count_limit),
        TEST(drops_everything_when_cleared),
        TEST(allocates_nothing_once_it_has_warmed_up),
        TEST(shares_the_segments_of_a_pool_between_outboxes),
        TEST(keeps_no_segment_that_grew_large),
        TEST(keeps_a_bounded_number_of_segments),
        TEST(loses_only_the_frame_that_found_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
