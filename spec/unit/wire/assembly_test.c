#include "support/alloc.h"
#include "wire/assembly.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAX_BYTES = 1 << 20, MIDDLE = 0, FIRST = 1, LAST = 2, WHOLE = FIRST | LAST, BINARY = 4 };

struct fixture {
    struct tg_assembly assembly;
    struct tg_slice message;
    bool is_whole;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.is_whole = false};
    tg_assembly_init(&fixture.assembly);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tg_assembly_deinit(&f->assembly);
    return 0;
}

static enum tg_status feed(struct fixture *f, struct tg_slice bytes, int flags, size_t max_bytes)
{
    struct tg_chunk chunk = {
        .bytes = bytes, .is_first = flags & FIRST, .is_last = flags & LAST, .is_binary = flags & BINARY};
    return tg_assembly_feed(&f->assembly, &chunk, max_bytes, &f->message, &f->is_whole);
}

#define FEED(f, literal, flags) feed((f), TG_SLICE(literal), (flags), MAX_BYTES)

static void assert_message(struct fixture *f, const char *expected)
{
    assert_true(f->is_whole);
    assert_int_equal(f->message.length, strlen(expected));
    assert_memory_equal(f->message.data, expected, strlen(expected));
    tg_assembly_done(&f->assembly);
    assert_null(f->assembly.bytes.data);
}

static void passes_a_message_in_one_chunk_through_uncopied(void **state)
{
    struct fixture *f = *state;
    const char *text = "hello";
    tg_alloc_fail_at(1);
    assert_int_equal(feed(f, tg_slice_of(text), WHOLE, MAX_BYTES), TG_OK);
    assert_false(tg_alloc_has_failed());
    tg_alloc_fail_at(0);
    assert_ptr_equal(f->message.data, text);
    assert_message(f, "hello");
}

static void joins_the_chunks_of_a_message(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "hel", FIRST), TG_OK);
    assert_false(f->is_whole);
    assert_int_equal(FEED(f, "", MIDDLE), TG_OK);
    assert_int_equal(FEED(f, "lo", MIDDLE), TG_OK);
    assert_int_equal(FEED(f, "!", LAST), TG_OK);
    assert_message(f, "hello!");
}

static void takes_message_after_message(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(FEED(f, "a", FIRST), TG_OK);
        assert_int_equal(FEED(f, "b", LAST), TG_OK);
        assert_message(f, "ab");
        assert_int_equal(FEED(f, "c", WHOLE), TG_OK);
        assert_message(f, "c");
    }
}

static void takes_an_empty_message(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed(f, (struct tg_slice){0}, WHOLE, 0), TG_OK);
    assert_message(f, "");
    assert_int_equal(feed(f, (struct tg_slice){0}, FIRST, 0), TG_OK);
    assert_int_equal(feed(f, (struct tg_slice){0}, LAST, 0), TG_OK);
    assert_message(f, "");
}

static void takes_a_character_cut_in_three(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "\xE2", FIRST), TG_OK);
    assert_int_equal(FEED(f, "\x82", MIDDLE), TG_OK);
    assert_int_equal(FEED(f, "\xAC", LAST), TG_OK);
    assert_message(f, "\xE2\x82\xAC");
}

static void refuses_bad_text_before_the_message_ends(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "good \xED", FIRST), TG_OK);
    assert_int_equal(FEED(f, "\xA0", MIDDLE), TG_E_UTF8);
    assert_false(f->is_whole);
    assert_null(f->assembly.bytes.data);
}

static void refuses_text_that_ends_inside_a_character(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "\xF0\x9F\x94", WHOLE), TG_E_UTF8);
    assert_int_equal(FEED(f, "\xF0\x9F", FIRST), TG_OK);
    assert_int_equal(FEED(f, "", LAST), TG_E_UTF8);
}

static void forgets_half_a_character_with_its_message(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "\xF0\x9F", WHOLE), TG_E_UTF8);
    assert_int_equal(FEED(f, "ok", WHOLE), TG_OK);
    assert_message(f, "ok");
}

static void takes_any_byte_in_a_binary_message(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "\xFF", FIRST | BINARY), TG_OK);
    assert_int_equal(FEED(f, "\xC3", LAST), TG_OK);
    assert_true(f->assembly.is_binary);
    assert_message(f, "\xFF\xC3");
}

static void refuses_a_message_that_begins_inside_another(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "a", FIRST), TG_OK);
    assert_int_equal(FEED(f, "b", WHOLE), TG_E_PROTOCOL);
    assert_null(f->assembly.bytes.data);
}

static void refuses_a_continuation_of_nothing(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(FEED(f, "a", MIDDLE), TG_E_PROTOCOL);
    assert_int_equal(FEED(f, "a", LAST), TG_E_PROTOCOL);
}

static void takes_a_message_as_long_as_the_limit(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed(f, TG_SLICE("abcd"), WHOLE, 4), TG_OK);
    assert_message(f, "abcd");
    assert_int_equal(feed(f, TG_SLICE("ab"), FIRST, 4), TG_OK);
    assert_int_equal(feed(f, TG_SLICE("cd"), LAST, 4), TG_OK);
    assert_message(f, "abcd");
}

static void refuses_the_chunk_that_passes_the_limit(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(feed(f, TG_SLICE("abcde"), WHOLE, 4), TG_E_TOO_LARGE);
    assert_int_equal(feed(f, TG_SLICE("abc"), FIRST, 4), TG_OK);
    tg_alloc_fail_at(1);
    assert_int_equal(feed(f, TG_SLICE("de"), MIDDLE, 4), TG_E_TOO_LARGE);
    tg_alloc_fail_at(0);
    assert_null(f->assembly.bytes.data);
}

static void grows_rarely_over_a_thousand_chunks(void **state)
{
    struct fixture *f = *state;
    static char chunk[1024];
    memset(chunk, 'x', sizeof chunk);
    size_t capacity = 0, moves = 0;
    for (int i = 0; i < 1024; i++) {
        int flags = (i == 0 ? FIRST : 0) | (i == 1023 ? LAST : 0);
        assert_int_equal(feed(f, (struct tg_slice){chunk, sizeof chunk}, flags, MAX_BYTES), TG_OK);
        moves += f->assembly.bytes.capacity != capacity;
        capacity = f->assembly.bytes.capacity;
    }
    assert_true(f->is_whole);
    assert_int_equal(f->message.length, MAX_BYTES);
    assert_true(moves <= 11);
}

static enum tg_status assemble(void *context)
{
    struct fixture *f = context;
    enum tg_status status = TG_OK;
    for (int i = 0; i < 20 && status == TG_OK; i++)
        status = FEED(f, "a chunk of some twenty bytes", i == 0 ? FIRST : i == 19 ? LAST : MIDDLE);
    assert_int_equal(f->is_whole, status == TG_OK);
    if (status != TG_OK) {
        assert_null(f->assembly.bytes.data);
        assert_int_equal(FEED(f, "x", FIRST), TG_OK);
        assert_int_equal(FEED(f, "y", LAST), TG_OK);
        assert_message(f, "xy");
    }
    tg_assembly_done(&f->assembly);
    return status;
}

static void survives_any_allocation_that_fails(void **state)
{
    assert_true(tg_alloc_sweep(assemble, *state) >= 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(passes_a_message_in_one_chunk_through_uncopied),
        TEST(joins_the_chunks_of_a_message),
        TEST(takes_message_after_message),
        TEST(takes_an_empty_message),
        TEST(takes_a_character_cut_in_three),
        TEST(refuses_bad_text_before_the_message_ends),
        TEST(refuses_text_that_ends_inside_a_character),
        TEST(forgets_half_a_character_with_its_message),
        TEST(takes_any_byte_in_a_binary_message),
        TEST(refuses_a_message_that_begins_inside_another),
        TEST(refuses_a_continuation_of_nothing),
        TEST(takes_a_message_as_long_as_the_limit),
        TEST(refuses_the_chunk_that_passes_the_limit),
        TEST(grows_rarely_over_a_thousand_chunks),
        TEST(survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
