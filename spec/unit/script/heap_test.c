#include "script/heap.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BLOCKS = 64, STEPS = 20000, LARGEST = 2000 };

struct block {
    unsigned char *memory;
    size_t bytes;
    unsigned char fill;
};

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void expect_fill(const struct block *block, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) assert_int_equal(block->memory[i], block->fill);
}

/* Makes a block have `bytes` bytes, as Lua would; what both sizes share must be as it was. */
static void resize(struct tg_heap *heap, struct block *block, size_t bytes, unsigned char fill)
{
    size_t shared = block->bytes < bytes ? block->bytes : bytes;
    block->memory = tg_heap_alloc(heap, block->memory, block->bytes, bytes);
    assert_int_equal(block->memory == NULL, bytes == 0);
    if (bytes) {
        assert_int_equal((uintptr_t)block->memory % TG_HEAP_STEP, 0);
        expect_fill(block, shared);
        memset(block->memory, fill, bytes);
    }
    block->bytes = bytes;
    block->fill = fill;
}

static void keeps_every_block_and_counts_every_byte(void **state)
{
    (void)state;
    struct tg_heap heap = {0};
    struct block blocks[BLOCKS] = {0};
    uint64_t total = 0;
    uint32_t seed = 20260102;
    for (int step = 0; step < STEPS; step++) {
        struct block *block = &blocks[next_random(&seed) % BLOCKS];
        size_t most = next_random(&seed) % 4 ? TG_HEAP_SMALL_BYTES + TG_HEAP_STEP : LARGEST;
        size_t bytes = next_random(&seed) % 5 ? next_random(&seed) % most : 0;
        total += bytes;
        total -= block->bytes;
        resize(&heap, block, bytes, (unsigned char)step);
        assert_int_equal(heap.bytes, total);
    }
    for (size_t i = 0; i < BLOCKS; i++) resize(&heap, &blocks[i], 0, 0);
    assert_int_equal(heap.bytes, 0);
    tg_heap_deinit(&heap);
}

static void gives_its_slabs_back_at_the_end(void **state)
{
    (void)state;
    struct tg_heap heap = {0};
    struct block blocks[BLOCKS] = {0};
    for (size_t i = 0; i < BLOCKS; i++) resize(&heap, &blocks[i], i * TG_HEAP_STEP / 2 + 1, 1);
    for (size_t i = 0; i < BLOCKS; i++) resize(&heap, &blocks[i], 0, 0);
    tg_heap_deinit(&heap);
    assert_null(heap.slabs);
    assert_int_equal(heap.bytes, 0);
}

/* Lua passes the type of a new object where the old size stands. */
static void takes_no_size_from_a_block_that_is_new(void **state)
{
    (void)state;
    struct tg_heap heap = {0};
    void *memory = tg_heap_alloc(&heap, NULL, 5, 40);
    assert_int_equal(heap.bytes, 40);
    tg_heap_alloc(&heap, memory, 40, 0);
    assert_null(tg_heap_alloc(&heap, NULL, 5, 0));
    assert_int_equal(heap.bytes, 0);
    tg_heap_deinit(&heap);
}

static void keeps_a_block_that_could_not_grow(void **state)
{
    (void)state;
    struct tg_heap heap = {0};
    struct block block = {0};
    resize(&heap, &block, 100, 7);
    tg_alloc_fail_at(1);
    assert_null(tg_heap_alloc(&heap, block.memory, 100, LARGEST));
    assert_true(tg_alloc_has_failed());
    tg_alloc_fail_at(0);
    assert_int_equal(heap.bytes, 100);
    expect_fill(&block, 100);
    resize(&heap, &block, 0, 0);
    tg_heap_deinit(&heap);
}

static void refuses_only_growth_beyond_its_limit(void **state)
{
    (void)state;
    struct tg_heap heap = {.limit_bytes = 4000};
    struct block blocks[5] = {0};
    for (size_t i = 0; i < 4; i++) resize(&heap, &blocks[i], 1000, 1);
    assert_false(heap.has_refused);
    assert_null(tg_heap_alloc(&heap, NULL, 0, 1));
    assert_true(heap.has_refused);
    assert_int_equal(heap.bytes, 4000);
    resize(&heap, &blocks[0], 600, 1);
    resize(&heap, &blocks[4], 400, 1);
    heap.room_bytes = 100;
    resize(&heap, &blocks[4], 500, 1);
    heap.room_bytes = 0;
    resize(&heap, &blocks[4], 450, 1); /* still more than the limit: shrinking always works */
    for (size_t i = 0; i < 5; i++) resize(&heap, &blocks[i], 0, 0);
    tg_heap_deinit(&heap);
}

static void refuses_a_block_of_more_than_a_quarter_of_its_limit(void **state)
{
    (void)state;
    struct tg_heap heap = {.limit_bytes = 4000};
    struct block block = {0};
    resize(&heap, &block, 1000, 1);
    assert_null(tg_heap_alloc(&heap, block.memory, 1000, 1001));
    expect_fill(&block, 1000);
    resize(&heap, &block, 0, 0);
    tg_heap_deinit(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_every_block_and_counts_every_byte),
        cmocka_unit_test(gives_its_slabs_back_at_the_end),
        cmocka_unit_test(takes_no_size_from_a_block_that_is_new),
        cmocka_unit_test(keeps_a_block_that_could_not_grow),
        cmocka_unit_test(refuses_only_growth_beyond_its_limit),
        cmocka_unit_test(refuses_a_block_of_more_than_a_quarter_of_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
