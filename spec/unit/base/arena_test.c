#include "base/arena.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void aligns_every_object_to_eight_bytes(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 4096);
    for (size_t bytes = 0; bytes < 40; bytes++) {
        char *memory = tg_arena_alloc(&arena, bytes);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 8, 0);
        memset(memory, 0xAA, bytes);
    }
    tg_arena_deinit(&arena);
}

static void keeps_objects_apart_over_many_chunks(void **state)
{
    (void)state;
    enum { OBJECTS = 1000, BYTES = 100 };
    struct tg_arena arena;
    tg_arena_init(&arena, 4096);
    char *objects[OBJECTS];
    for (int i = 0; i < OBJECTS; i++) {
        objects[i] = tg_arena_alloc(&arena, BYTES);
        memset(objects[i], i % 251, BYTES);
    }
    for (int i = 0; i < OBJECTS; i++)
        for (int j = 0; j < BYTES; j++) assert_int_equal((unsigned char)objects[i][j], i % 251);
    tg_arena_deinit(&arena);
}

static void gives_an_object_larger_than_a_chunk(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 4096);
    size_t bytes = 3u << 20;
    char *memory = tg_arena_alloc(&arena, bytes);
    assert_non_null(memory);
    memset(memory, 1, bytes);
    assert_non_null(tg_arena_alloc(&arena, 8));
    tg_arena_deinit(&arena);
}

static void zeroes_what_calloc_gives(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 1 << 20);
    memset(tg_arena_alloc(&arena, 2048), 0xFF, 2048);
    tg_arena_reset(&arena);
    unsigned char *zeroed = tg_arena_calloc(&arena, 16, 16);
    for (int i = 0; i < 256; i++) assert_int_equal(zeroed[i], 0);
    tg_arena_deinit(&arena);
}

static void refuses_sizes_that_overflow(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 4096);
    assert_null(tg_arena_calloc(&arena, SIZE_MAX / 8, 16));
    assert_null(tg_arena_alloc(&arena, SIZE_MAX));
    assert_null(tg_arena_alloc(&arena, SIZE_MAX - 8));
    assert_non_null(tg_arena_alloc(&arena, 8));
    tg_arena_deinit(&arena);
}

static void copies_with_a_nul_that_the_length_does_not_count(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 4096);
    char text[] = "room";
    struct tg_slice copy = tg_arena_copy(&arena, tg_slice_of(text));
    text[0] = 'x';
    assert_string_equal(copy.data, "room");
    assert_int_equal(copy.length, 4);
    struct tg_slice nothing = tg_arena_copy(&arena, (struct tg_slice){0});
    assert_string_equal(nothing.data, "");
    tg_arena_deinit(&arena);
}

static void serves_message_after_message_without_allocating(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 1 << 20);
    for (int i = 0; i < 200; i++) tg_arena_alloc(&arena, 100);
    tg_arena_reset(&arena);
    for (int i = 0; i < 200; i++) tg_arena_alloc(&arena, 100);
    tg_alloc_fail_at(1);
    for (int message = 0; message < 5; message++) {
        tg_arena_reset(&arena);
        for (int i = 0; i < 200; i++) assert_non_null(tg_arena_alloc(&arena, 100));
    }
    assert_false(tg_alloc_has_failed());
    tg_alloc_fail_at(0);
    tg_arena_deinit(&arena);
}

static void keeps_no_more_than_it_may_at_reset(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 8192);
    tg_arena_alloc(&arena, 100000);
    assert_non_null(arena.chunks);
    tg_arena_reset(&arena);
    assert_null(arena.chunks);
    assert_non_null(tg_arena_alloc(&arena, 100));
    tg_arena_reset(&arena);
    assert_non_null(arena.chunks);
    tg_arena_deinit(&arena);
}

static void resets_before_it_was_used(void **state)
{
    (void)state;
    struct tg_arena arena;
    tg_arena_init(&arena, 8192);
    tg_arena_reset(&arena);
    assert_non_null(tg_arena_alloc(&arena, 1));
    tg_arena_deinit(&arena);
}

static enum tg_status fill(void *context)
{
    (void)context;
    struct tg_arena arena;
    tg_arena_init(&arena, 4096);
    enum tg_status status = TG_OK;
    for (int i = 0; i < 3 && status == TG_OK; i++)
        if (!tg_arena_copy(&arena, TG_SLICE("text")).data || !tg_arena_calloc(&arena, 1000, 8))
            status = TG_E_NO_MEMORY;
    if (status != TG_OK) assert_non_null(tg_arena_alloc(&arena, 16));
    tg_arena_deinit(&arena);
    return status;
}

static void survives_any_allocation_that_fails(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(fill, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aligns_every_object_to_eight_bytes),
        cmocka_unit_test(keeps_objects_apart_over_many_chunks),
        cmocka_unit_test(gives_an_object_larger_than_a_chunk),
        cmocka_unit_test(zeroes_what_calloc_gives),
        cmocka_unit_test(refuses_sizes_that_overflow),
        cmocka_unit_test(copies_with_a_nul_that_the_length_does_not_count),
        cmocka_unit_test(serves_message_after_message_without_allocating),
        cmocka_unit_test(keeps_no_more_than_it_may_at_reset),
        cmocka_unit_test(resets_before_it_was_used),
        cmocka_unit_test(survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
