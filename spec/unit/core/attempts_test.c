/* How often somebody may be refused. */
#include "core/attempts.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { PER_MINUTE = 20, ADDRESSES = 64, MINUTE_MS = 60000 };

#define PEER TG_SLICE("192.0.2.1:4711")

static struct tg_attempts attempts;

static int set_up(void **state)
{
    (void)state;
    tg_attempts_init(&attempts, PER_MINUTE, ADDRESSES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tg_attempts_deinit(&attempts);
    return 0;
}

static void note(struct tg_slice peer, uint32_t times, uint64_t now_ms)
{
    for (uint32_t i = 0; i < times; i++) assert_int_equal(tg_attempts_note(&attempts, peer, now_ms), TG_OK);
}

static void lets_try_as_often_as_the_setting_says(void **state)
{
    (void)state;
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 1000), 0);
    note(PEER, PER_MINUTE - 1, 1000);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 1000), 0);
    note(PEER, 1, 1000);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 1000), 3);
}

static void lets_try_again_once_for_each_part_of_a_minute(void **state)
{
    (void)state;
    note(PEER, PER_MINUTE, 0);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 1), 3);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 2999), 1);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 3000), 0);
    note(PEER, 1, 3000);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 3000), 3);
    /* After a minute without any all of them are back. */
    uint64_t later_ms = 3000 + MINUTE_MS;
    note(PEER, PER_MINUTE - 1, later_ms);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, later_ms), 0);
}

/* A thousand connections that were let in to try are refused at once. */
static void never_has_anybody_wait_longer_than_for_two(void **state)
{
    (void)state;
    note(PEER, 1000, 0);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 0), 6);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 6000), 0);
}

static void counts_addresses_whatever_their_ports(void **state)
{
    (void)state;
    note(TG_SLICE("192.0.2.1:1"), PER_MINUTE / 2, 0);
    note(TG_SLICE("192.0.2.1:2"), PER_MINUTE / 2, 0);
    assert_true(tg_attempts_wait_seconds(&attempts, TG_SLICE("192.0.2.1"), 0) > 0);
    assert_true(tg_attempts_wait_seconds(&attempts, TG_SLICE("[::ffff:192.0.2.1]:5"), 0) > 0);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, TG_SLICE("192.0.2.2:1"), 0), 0);
}

static void counts_the_networks_of_ipv6(void **state)
{
    (void)state;
    note(TG_SLICE("[2001:db8:0:1::1]:1"), PER_MINUTE, 0);
    assert_true(tg_attempts_wait_seconds(&attempts, TG_SLICE("[2001:db8:0:1:ffff::2]:9"), 0) > 0);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, TG_SLICE("[2001:db8:0:2::1]:1"), 0), 0);
}

static struct tg_slice peer_number(uint32_t number, char text[32])
{
    int length = snprintf(text, 32, "10.%u.%u.%u", number >> 16 & 255, number >> 8 & 255, number & 255);
    return (struct tg_slice){text, (size_t)length};
}

static void forgets_who_was_refused_least_when_there_are_too_many(void **state)
{
    (void)state;
    char text[32];
    note(PEER, PER_MINUTE, 0);
    for (uint32_t i = 0; i < 100 * ADDRESSES; i++) note(peer_number(i, text), 1, 0);
    assert_true(tg_attempts_wait_seconds(&attempts, PEER, 0) > 0);
    assert_true(attempts.forgotten >= 99ull * ADDRESSES);
    assert_true(attempts.forgotten <= 100ull * ADDRESSES);
}

static void forgets_nobody_whose_attempts_are_over(void **state)
{
    (void)state;
    char text[32];
    for (uint32_t i = 0; i < 100 * ADDRESSES; i++) note(peer_number(i, text), 1, (uint64_t)i * MINUTE_MS);
    assert_int_equal(attempts.forgotten, 0);
}

static void limits_nobody_when_the_setting_is_0(void **state)
{
    (void)state;
    tg_attempts_deinit(&attempts);
    tg_attempts_init(&attempts, 0, ADDRESSES);
    note(PEER, 1000, 0);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 0), 0);
    assert_null(attempts.table);
}

static void says_when_there_is_no_memory(void **state)
{
    (void)state;
    tg_alloc_fail_at(1);
    assert_int_equal(tg_attempts_note(&attempts, PEER, 0), TG_E_NO_MEMORY);
    tg_alloc_fail_at(0);
    assert_int_equal(tg_attempts_wait_seconds(&attempts, PEER, 0), 0);
    note(PEER, PER_MINUTE, 0);
    assert_true(tg_attempts_wait_seconds(&attempts, PEER, 0) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lets_try_as_often_as_the_setting_says),
        TEST(lets_try_again_once_for_each_part_of_a_minute),
        TEST(never_has_anybody_wait_longer_than_for_two),
        TEST(counts_addresses_whatever_their_ports),
        TEST(counts_the_networks_of_ipv6),
        TEST(forgets_who_was_refused_least_when_there_are_too_many),
        TEST(forgets_nobody_whose_attempts_are_over),
        TEST(limits_nobody_when_the_setting_is_0),
        TEST(says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
