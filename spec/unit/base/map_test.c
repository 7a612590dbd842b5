#include "base/map.h"
#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { KEYS = 500 };

static const struct tg_hash_seed seed = {0x0706050403020100u, 0x0F0E0D0C0B0A0908u};

static struct tg_slice key_of(char text[static 16], int number)
{
    snprintf(text, 16, "key%d", number);
    return tg_slice_of(text);
}

static void finds_nothing_in_an_empty_map(void **state)
{
    (void)state;
    struct tg_map map;
    tg_map_init(&map, seed);
    assert_null(tg_map_get(&map, TG_SLICE("a")));
    tg_map_deinit(&map);
}

static void finds_every_key_after_growing(void **state)
{
    (void)state;
    static char texts[KEYS][16];
    static int values[KEYS];
    struct tg_map map;
    tg_map_init(&map, seed);
    for (int i = 0; i < KEYS; i++) assert_int_equal(tg_map_add(&map, key_of(texts[i], i), &values[i]), TG_OK);
    assert_int_equal(map.count, KEYS);
    char text[16];
    for (int i = 0; i < KEYS; i++) assert_ptr_equal(tg_map_get(&map, key_of(text, i)), &values[i]);
    assert_null(tg_map_get(&map, key_of(text, KEYS)));
    tg_map_deinit(&map);
}

static void refuses_a_key_that_is_there(void **state)
{
    (void)state;
    int first, second;
    struct tg_map map;
    tg_map_init(&map, seed);
    assert_int_equal(tg_map_add(&map, TG_SLICE("chat"), &first), TG_OK);
    assert_int_equal(tg_map_add(&map, TG_SLICE("chat"), &second), TG_E_EXISTS);
    assert_ptr_equal(tg_map_get(&map, TG_SLICE("chat")), &first);
    assert_int_equal(map.count, 1);
    tg_map_deinit(&map);
}

static void tells_an_empty_key_and_a_nul_apart(void **state)
{
    (void)state;
    int empty, nul;
    struct tg_map map;
    tg_map_init(&map, seed);
    assert_int_equal(tg_map_add(&map, (struct tg_slice){0}, &empty), TG_OK);
    assert_int_equal(tg_map_add(&map, TG_SLICE("\0"), &nul), TG_OK);
    assert_int_equal(tg_map_add(&map, TG_SLICE(""), &nul), TG_E_EXISTS);
    assert_ptr_equal(tg_map_get(&map, TG_SLICE("")), &empty);
    assert_ptr_equal(tg_map_get(&map, TG_SLICE("\0")), &nul);
    tg_map_deinit(&map);
}

/* Keyed with 00 to 0F over 00, 01, 02, ...; computed with an implementation that agrees with the paper's
 * vector for SipHash-2-4 and with CPython's hash of bytes, which is SipHash-1-3. */
static void hashes_as_siphash_1_3(void **state)
{
    (void)state;
    char bytes[15];
    for (int i = 0; i < 15; i++) bytes[i] = (char)i;
    assert_true(tg_hash(seed, (struct tg_slice){bytes, 0}) == 0xABAC0158050FC4DCu);
    assert_true(tg_hash(seed, (struct tg_slice){bytes, 1}) == 0xC9F49BF37D57CA93u);
    assert_true(tg_hash(seed, (struct tg_slice){bytes, 7}) == 0xD3927D989BB11140u);
    assert_true(tg_hash(seed, (struct tg_slice){bytes, 8}) == 0x369095118D299A8Eu);
    assert_true(tg_hash(seed, (struct tg_slice){bytes, 15}) == 0xD320D86D2A519956u);
}

static void hashes_differently_under_another_seed(void **state)
{
    (void)state;
    struct tg_hash_seed other = {seed.k0 + 1, seed.k1};
    assert_true(tg_hash(seed, TG_SLICE("chat")) != tg_hash(other, TG_SLICE("chat")));
}

static void draws_another_seed_each_time(void **state)
{
    (void)state;
    struct tg_hash_seed a = tg_hash_seed_random(), b = tg_hash_seed_random();
    assert_false(a.k0 == b.k0 && a.k1 == b.k1);
}

static enum tg_status add_many(void *context)
{
    (void)context;
    static char texts[100][16];
    int value;
    struct tg_map map;
    tg_map_init(&map, seed);
    enum tg_status status = TG_OK;
    size_t added = 0;
    while (added < 100 && (status = tg_map_add(&map, key_of(texts[added], (int)added), &value)) == TG_OK)
        added++;
    assert_int_equal(map.count, added);
    for (size_t i = 0; i < added; i++) assert_ptr_equal(tg_map_get(&map, tg_slice_of(texts[i])), &value);
    if (status != TG_OK) assert_int_equal(tg_map_add(&map, TG_SLICE("after"), &value), TG_OK);
    tg_map_deinit(&map);
    return status;
}

static void survives_any_allocation_that_fails(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(add_many, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_nothing_in_an_empty_map),
        cmocka_unit_test(finds_every_key_after_growing),
        cmocka_unit_test(refuses_a_key_that_is_there),
        cmocka_unit_test(tells_an_empty_key_and_a_nul_apart),
        cmocka_unit_test(hashes_as_siphash_1_3),
        cmocka_unit_test(hashes_differently_under_another_seed),
        cmocka_unit_test(draws_another_seed_each_time),
        cmocka_unit_test(survives_any_allocation_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
