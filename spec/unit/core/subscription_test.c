/* How subscriptions are found, among those of several connections. */
#include "core/subscription.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROOMS = 100 };

static int setup(void **state)
{
    struct fake_core *core = fake_core_new();
    core->is_journal_closed = true;
    *state = core;
    return 0;
}

static int teardown(void **state)
{
    fake_core_free(*state);
    return 0;
}

static struct tg_conn *open_in(struct fake_core *core, size_t index, int rooms)
{
    struct fake_client *client = fake_core_open(core, index, "/hub");
    for (int i = 0; i < rooms; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"action\":\"subscribe\",\"topic\":\"room:%d\"}", i);
        fake_client_say(client, text);
    }
    fake_core_turn(core);
    client->sent_bytes = 0;
    return client->conn;
}

static struct tg_subscription *room(const struct tg_conn *conn, int number)
{
    char name[16];
    snprintf(name, sizeof name, "room:%d", number);
    return tg_subscription_find(conn, tg_slice_of(name));
}

static void is_found_by_name_key_and_number_on_its_own_connection(void **state)
{
    struct fake_core *core = *state;
    const struct tg_conn *ann = open_in(core, 0, ROOMS), *bob = open_in(core, 1, ROOMS);
    assert_int_equal(ann->subscription_count, ROOMS);
    for (int i = 0; i < ROOMS; i++) {
        struct tg_subscription *hers = room(ann, i), *his = room(bob, i);
        assert_ptr_not_equal(hers, his);
        assert_ptr_equal(hers->conn, ann);
        assert_ptr_equal(his->conn, bob);
        assert_ptr_equal(tg_subscription_find_key(ann, hers->key), hers);
        assert_ptr_equal(tg_subscription_find_key(bob, hers->key), his);
        assert_ptr_equal(tg_subscription_find_number(ann, hers->number), hers);
    }
}

static void is_not_found_under_the_key_of_another_topic(void **state)
{
    const struct tg_conn *conn = open_in(*state, 0, 1);
    static const char other[] = "room:{id}\0room:0", none[] = "room:0";
    assert_non_null(room(conn, 0));
    assert_null(tg_subscription_find_key(conn, (struct tg_slice){other, sizeof other - 1}));
    assert_null(tg_subscription_find_key(conn, (struct tg_slice){none, sizeof none - 1}));
    assert_null(tg_subscription_find_key(conn, (struct tg_slice){0}));
}

static void is_gone_when_it_is_left_and_comes_back_under_another_number(void **state)
{
    struct fake_core *core = *state;
    const struct tg_conn *conn = open_in(core, 0, 3);
    uint64_t number = room(conn, 1)->number;
    fake_client_say(&core->clients[0], "{\"action\":\"unsubscribe\",\"topic\":\"room:1\"}");
    assert_null(room(conn, 1));
    assert_null(tg_subscription_find_number(conn, number));
    assert_non_null(room(conn, 0));
    assert_non_null(room(conn, 2));
    fake_client_say(&core->clients[0], "{\"action\":\"subscribe\",\"topic\":\"room:1\"}");
    assert_non_null(room(conn, 1));
    assert_null(tg_subscription_find_number(conn, number));
}

static enum tg_status subscribe_again(void *context)
{
    struct tg_conn *conn = context;
    const struct tg_ref ref = {.type = TG_REF_STRING, .string = TG_SLICE("7")};
    const uint32_t count = conn->subscription_count;
    struct tg_subscription *made = tg_subscription_new(conn, room(conn, 0)->topic, TG_SLICE("room:x"), &ref);
    assert_int_equal(conn->subscription_count, count + (made ? 1 : 0));
    assert_ptr_equal(tg_subscription_find(conn, TG_SLICE("room:x")), made);
    if (!made) return TG_E_NO_MEMORY;
    tg_subscription_free(made);
    return TG_OK;
}

static void leaves_nothing_behind_when_memory_is_out(void **state)
{
    assert_true(tg_alloc_sweep(subscribe_again, open_in(*state, 0, 16)) >
                0); /* the indexes grow with the next */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_found_by_name_key_and_number_on_its_own_connection),
        TEST(is_not_found_under_the_key_of_another_topic),
        TEST(is_gone_when_it_is_left_and_comes_back_under_another_number),
        TEST(leaves_nothing_behind_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
