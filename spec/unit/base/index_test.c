#include "base/index.h"
#include "base/list.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <cmocka.h>

enum { ITEMS = 3000 };

struct item {
    struct tg_index_node node;
    bool is_in;
};

static bool has(const struct tg_index *index, const struct item *item, uint64_t hash)
{
    unsigned found = 0;
    for (struct tg_index_node *node = tg_index_first(index, hash); node; node = tg_index_next(node)) {
        assert_int_equal(node->hash, hash);
        if (node == &item->node) found++;
    }
    assert_in_range(found, 0, 1);
    return found == 1;
}

static void finds_nothing_in_an_empty_one(void **state)
{
    (void)state;
    struct tg_index index = {0};
    assert_null(tg_index_first(&index, 0));
    tg_index_deinit(&index);
}

static void tells_apart_what_has_the_same_hash(void **state)
{
    (void)state;
    struct tg_index index = {0};
    struct item one, two, other;
    assert_int_equal(tg_index_add(&index, &one.node, 7), TG_OK);
    assert_int_equal(tg_index_add(&index, &two.node, 7), TG_OK);
    assert_int_equal(tg_index_add(&index, &other.node, 7 + 16), TG_OK); /* the same bucket */
    assert_true(has(&index, &one, 7) && has(&index, &two, 7) && has(&index, &other, 7 + 16));
    assert_false(has(&index, &other, 7));
    tg_index_remove(&index, &one.node);
    assert_false(has(&index, &one, 7));
    assert_true(has(&index, &two, 7));
    tg_index_remove(&index, &other.node);
    tg_index_remove(&index, &two.node);
    assert_null(index.buckets);
}

/* The hash of the i-th: some share theirs. */
static uint64_t hash_of(unsigned i)
{
    return (i / 2) * 0x9e3779b97f4a7c15u;
}

static void keeps_what_was_added_and_not_removed_while_it_grows_and_shrinks(void **state)
{
    (void)state;
    static struct item items[ITEMS];
    struct tg_index index = {0};
    for (unsigned i = 0; i < ITEMS; i++)
        assert_int_equal(tg_index_add(&index, &items[i].node, hash_of(i)), TG_OK);
    assert_int_equal(index.count, ITEMS);
    size_t most = index.bucket_count;
    assert_in_range(most, ITEMS, 2 * ITEMS);
    for (unsigned i = 0; i < ITEMS; i++)
        if (i % 50) tg_index_remove(&index, &items[i].node);
    assert_int_equal(index.count, ITEMS / 50);
    assert_true(index.bucket_count <= 16 * index.count);
    for (unsigned i = 0; i < ITEMS; i++) assert_int_equal(has(&index, &items[i], hash_of(i)), i % 50 == 0);
    tg_index_deinit(&index);
    assert_int_equal(index.count, 0);
}

static void adds_nothing_without_memory(void **state)
{
    (void)state;
    struct tg_index index = {0};
    static struct item items[17];
    tg_alloc_fail_at(1);
    assert_int_equal(tg_index_add(&index, &items[0].node, 1), TG_E_NO_MEMORY);
    assert_null(tg_index_first(&index, 1));
    for (unsigned i = 0; i < 16; i++) assert_int_equal(tg_index_add(&index, &items[i].node, i), TG_OK);
    tg_alloc_fail_at(1);
    assert_int_equal(tg_index_add(&index, &items[16].node, 16), TG_E_NO_MEMORY);
    assert_int_equal(index.count, 16);
    for (unsigned i = 0; i < 16; i++) assert_true(has(&index, &items[i], i));
    tg_index_deinit(&index);
}

static void removes_also_without_memory_to_shrink(void **state)
{
    (void)state;
    static struct item items[64];
    struct tg_index index = {0};
    for (unsigned i = 0; i < 64; i++) assert_int_equal(tg_index_add(&index, &items[i].node, i), TG_OK);
    for (unsigned i = 1; i < 64; i++) {
        tg_alloc_fail_at(1);
        tg_index_remove(&index, &items[i].node);
    }
    tg_alloc_fail_at(0);
    assert_int_equal(index.bucket_count, 64);
    assert_true(has(&index, &items[0], 0));
    tg_index_deinit(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_in_an_empty_one),
        cmocka_unit_test(tells_apart_what_has_the_same_hash),
        cmocka_unit_test(keeps_what_was_added_and_not_removed_while_it_grows_and_shrinks),
        cmocka_unit_test(adds_nothing_without_memory),
        cmocka_unit_test(removes_also_without_memory_to_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
