/* Frames that several outboxes refer to, among those that are their own. */
#include "core/outbox.h"

#include "core/transport.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BOXES = 3 };

struct fixture {
    struct tg_segment_pool pool;
    struct tg_outbox boxes[BOXES];
    uint64_t alive_bytes;
    struct tg_buf sent;     /* what left the first, in order */
    struct tg_buf expected; /* what should have */
    size_t writes;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    tg_segment_pool_init(&f->pool);
    for (int i = 0; i < BOXES; i++) tg_outbox_init(&f->boxes[i]);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < BOXES; i++) {
        tg_outbox_clear(&f->boxes[i], &f->pool);
        assert_int_equal(f->boxes[i].queued_bytes, 0);
        assert_int_equal(f->boxes[i].queued_messages, 0);
        assert_null(f->boxes[i].first);
    }
    assert_int_equal(f->alive_bytes, 0);
    tg_segment_pool_deinit(&f->pool);
    tg_buf_deinit(&f->sent);
    tg_buf_deinit(&f->expected);
    free(f);
    return 0;
}

static void expect(struct fixture *f, const char *text, size_t bytes, char fill)
{
    unsigned char header[TG_FRAME_HEADER_MAX];
    tg_buf_append(&f->expected, header,
                  tg_frame_write_header(header, TG_OPCODE_TEXT, text ? strlen(text) : bytes));
    if (text) tg_buf_append(&f->expected, text, strlen(text));
    for (size_t i = 0; !text && i < bytes; i++) tg_buf_append_char(&f->expected, fill);
}

static void own(struct fixture *f, const char *text)
{
    struct tg_buf *out = tg_outbox_begin(&f->boxes[0], &f->pool);
    tg_buf_append(out, text, strlen(text));
    assert_int_equal(tg_outbox_commit(&f->boxes[0], TG_OPCODE_TEXT, SIZE_MAX, UINT32_MAX), TG_OK);
    expect(f, text, 0, 0);
}

static struct tg_payload *filled(struct fixture *f, size_t bytes, char fill)
{
    char *text = malloc(bytes + 1);
    memset(text, fill, bytes);
    struct tg_payload *payload =
        tg_payload_new(&f->alive_bytes, TG_OPCODE_TEXT, (struct tg_slice){text, bytes}, (struct tg_slice){0});
    free(text);
    assert_non_null(payload);
    return payload;
}

static enum tg_status share_in(struct fixture *f, int box, struct tg_payload *payload)
{
    return tg_outbox_share(&f->boxes[box], &f->pool, payload, SIZE_MAX, UINT32_MAX);
}

/* Queues one that only the first outbox gets. */
static void share(struct fixture *f, size_t bytes, char fill)
{
    struct tg_payload *payload = filled(f, bytes, fill);
    assert_int_equal(share_in(f, 0, payload), TG_OK);
    tg_payload_unref(payload);
    expect(f, NULL, bytes, fill);
}

/* Sends all as a transport would, which scribbles on the headroom, and asserts that it is what was queued. */
static void send_all(struct fixture *f)
{
    struct tg_outbox_view view;
    while (tg_outbox_peek(&f->boxes[0], &f->pool, &view)) {
        assert_true(view.length > 0);
        memset(view.bytes - TG_TRANSPORT_HEADROOM, 0xEE, TG_TRANSPORT_HEADROOM);
        tg_buf_append(&f->sent, view.bytes, view.length);
        tg_outbox_sent(&f->boxes[0], &f->pool, &view);
        f->writes++;
    }
    assert_int_equal(f->sent.length, f->expected.length);
    if (f->sent.length) assert_memory_equal(f->sent.data, f->expected.data, f->sent.length);
    assert_int_equal(f->boxes[0].queued_bytes, 0);
    assert_int_equal(f->boxes[0].queued_messages, 0);
}

static void is_written_from_where_it_lies_when_it_is_alone(void **state)
{
    struct fixture *f = *state;
    struct tg_payload *payload = filled(f, 64, 'x');
    assert_int_equal(share_in(f, 0, payload), TG_OK);
    struct tg_outbox_view view;
    assert_true(tg_outbox_peek(&f->boxes[0], &f->pool, &view));
    assert_ptr_equal(view.bytes, tg_payload_frame(payload));
    assert_int_equal(view.length, 66);
    tg_outbox_sent(&f->boxes[0], &f->pool, &view);
    assert_int_equal(payload->references, 1);
    assert_null(f->pool.gathered);
    tg_payload_unref(payload);
}

static void is_one_copy_however_many_have_it_queued(void **state)
{
    struct fixture *f = *state;
    struct tg_payload *payload = filled(f, 1000, 'x');
    for (int i = 0; i < BOXES; i++) assert_int_equal(share_in(f, i, payload), TG_OK);
    assert_int_equal(payload->references, 1 + BOXES);
    assert_int_equal(f->alive_bytes, 1004);
    for (int i = 0; i < BOXES; i++) assert_int_equal(f->boxes[i].queued_bytes, 1004);
    tg_payload_unref(payload);
    for (int i = 0; i < BOXES; i++) {
        assert_int_equal(f->alive_bytes, 1004);
        tg_outbox_clear(&f->boxes[i], &f->pool);
    }
    assert_int_equal(f->alive_bytes, 0);
}

static void leaves_with_its_neighbours_in_one_write_and_in_order(void **state)
{
    struct fixture *f = *state;
    own(f, "one");
    share(f, 64, 'a');
    share(f, 300, 'b');
    own(f, "two");
    own(f, "three");
    share(f, 0, 'c');
    send_all(f);
    assert_int_equal(f->writes, 1);
}

static void is_gathered_up_to_a_bound(void **state)
{
    struct fixture *f = *state;
    /* Frames of 1,004 bytes: 65 of them pass in one write. */
    for (int i = 0; i < 130; i++) share(f, 1000, (char)('a' + i % 26));
    struct tg_outbox_view view;
    assert_true(tg_outbox_peek(&f->boxes[0], &f->pool, &view));
    assert_int_equal(view.length, TG_GATHER_BYTES / 1004 * 1004);
    send_all(f);
    assert_int_equal(f->writes, 2);
}

static void is_not_copied_when_it_is_large(void **state)
{
    struct fixture *f = *state;
    share(f, 10, 'a');
    struct tg_payload *large = filled(f, TG_GATHER_PIECE_BYTES, 'b');
    assert_int_equal(share_in(f, 0, large), TG_OK);
    expect(f, NULL, TG_GATHER_PIECE_BYTES, 'b');
    share(f, 10, 'c');
    share(f, 10, 'd');
    struct tg_outbox_view view;
    assert_true(tg_outbox_peek(&f->boxes[0], &f->pool, &view));
    assert_int_equal(view.length, 12);
    tg_buf_append(&f->sent, view.bytes, view.length);
    tg_outbox_sent(&f->boxes[0], &f->pool, &view);
    assert_true(tg_outbox_peek(&f->boxes[0], &f->pool, &view));
    assert_ptr_equal(view.bytes, tg_payload_frame(large));
    tg_payload_unref(large);
    send_all(f);
    assert_int_equal(f->writes, 2); /* the large one, and both behind it */
}

static void passes_over_a_frame_that_was_given_up(void **state)
{
    struct fixture *f = *state;
    tg_buf_append_literal(tg_outbox_begin(&f->boxes[0], &f->pool), "given up");
    share(f, 10, 'a');
    tg_buf_append_literal(tg_outbox_begin(&f->boxes[0], &f->pool), "given up too");
    share(f, 20, 'b');
    own(f, "own");
    tg_buf_append_literal(tg_outbox_begin(&f->boxes[0], &f->pool), "and this");
    send_all(f);
    assert_int_equal(f->writes, 1);
}

static void begins_no_frame_of_its_own_within_a_shared_one(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        share(f, 10, 'a');
        own(f, "own");
        tg_buf_append_literal(tg_outbox_begin(&f->boxes[0], &f->pool), "given up");
    }
    assert_int_equal(f->boxes[0].queued_messages, 40);
    assert_int_equal(f->boxes[0].queued_bytes, 20 * (12 + 5));
    send_all(f);
}

static void is_not_queued_beyond_a_limit(void **state)
{
    struct fixture *f = *state;
    struct tg_payload *payload = filled(f, 10, 'a');
    struct tg_outbox *box = &f->boxes[0];
    assert_int_equal(tg_outbox_share(box, &f->pool, payload, 11, 9), TG_E_FULL);
    assert_int_equal(tg_outbox_share(box, &f->pool, payload, 12, 0), TG_E_FULL);
    assert_int_equal(tg_outbox_share(box, &f->pool, payload, 12, 1), TG_OK);
    assert_int_equal(tg_outbox_share(box, &f->pool, payload, 23, 9), TG_E_FULL);
    assert_int_equal(tg_outbox_share(box, &f->pool, payload, 24, 2), TG_OK);
    assert_int_equal(tg_outbox_share(box, &f->pool, payload, SIZE_MAX, 2), TG_E_FULL);
    assert_int_equal(payload->references, 3);
    assert_int_equal(box->queued_messages, 2);
    tg_payload_unref(payload);
}

static void allocates_nothing_once_it_has_warmed_up(void **state)
{
    struct fixture *f = *state;
    struct tg_payload *payload = filled(f, 64, 'x');
    for (int turn = 0; turn < 3; turn++) {
        if (turn) tg_alloc_fail_at(1);
        for (int i = 0; i < 8; i++) {
            assert_int_equal(share_in(f, 0, payload), TG_OK);
            f->expected.length = 0;
        }
        struct tg_outbox_view view;
        assert_true(tg_outbox_peek(&f->boxes[0], &f->pool, &view));
        assert_int_equal(view.length, 8 * 66);
        tg_outbox_sent(&f->boxes[0], &f->pool, &view);
        assert_false(tg_alloc_has_failed());
        tg_alloc_fail_at(0);
    }
    tg_payload_unref(payload);
}

static void keeps_a_bounded_number_of_free_pieces(void **state)
{
    struct fixture *f = *state;
    struct tg_payload *payload = filled(f, 1, 'x');
    for (int i = 0; i < 20000; i++) assert_int_equal(share_in(f, 0, payload), TG_OK);
    tg_outbox_clear(&f->boxes[0], &f->pool);
    assert_in_range(f->pool.share_count, 1000, 10000);
    tg_payload_unref(payload);
}

static void leaves_piece_by_piece_without_memory_to_gather(void **state)
{
    struct fixture *f = *state;
    share(f, 10, 'a');
    share(f, 20, 'b');
    tg_alloc_fail_at(1);
    struct tg_outbox_view view;
    assert_true(tg_outbox_peek(&f->boxes[0], &f->pool, &view));
    assert_int_equal(view.length, 12);
    tg_buf_append(&f->sent, view.bytes, view.length);
    tg_outbox_sent(&f->boxes[0], &f->pool, &view);
    send_all(f);
}

static void is_not_queued_without_memory(void **state)
{
    struct fixture *f = *state;
    struct tg_payload *payload = filled(f, 10, 'a');
    tg_alloc_fail_at(1);
    assert_int_equal(share_in(f, 0, payload), TG_E_NO_MEMORY);
    assert_int_equal(payload->references, 1);
    assert_int_equal(f->boxes[0].queued_messages, 0);
    tg_payload_unref(payload);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_written_from_where_it_lies_when_it_is_alone),
        TEST(is_one_copy_however_many_have_it_queued),
        TEST(leaves_with_its_neighbours_in_one_write_and_in_order),
        TEST(is_gathered_up_to_a_bound),
        TEST(is_not_copied_when_it_is_large),
        TEST(passes_over_a_frame_that_was_given_up),
        TEST(begins_no_frame_of_its_own_within_a_shared_one),
        TEST(is_not_queued_beyond_a_limit),
        TEST(allocates_nothing_once_it_has_warmed_up),
        TEST(keeps_a_bounded_number_of_free_pieces),
        TEST(leaves_piece_by_piece_without_memory_to_gather),
        TEST(is_not_queued_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
