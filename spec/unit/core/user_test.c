#include "core/user.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = fake_core_new();
    return 0;
}

static int tear_down(void **state)
{
    struct fake_core *core = *state;
    for (size_t i = 0; i < core->client_count; i++)
        if (core->clients[i].conn) fake_client_vanish(&core->clients[i]);
    assert_int_equal(core->worker.users.by_id.count, 0);
    fake_core_free(core);
    return 0;
}

static struct tg_conn *open_for(struct fake_core *core, size_t i, const char *id)
{
    struct tg_conn *conn = fake_core_open(core, i, "/chat")->conn;
    assert_int_equal(tg_user_set(conn, tg_slice_of(id)), TG_OK);
    return conn;
}

static struct tg_user *find(struct fake_core *core, const char *id)
{
    return tg_user_find(&core->worker, tg_slice_of(id));
}

static void finds_all_connections_of_a_user_oldest_first(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_for(core, 0, "ann"), *b = open_for(core, 1, "bob"),
                   *c = open_for(core, 2, "ann");
    struct tg_user *ann = find(core, "ann");
    assert_int_equal(tg_user_count(ann), 2);
    assert_ptr_equal(tg_user_first(ann), a);
    assert_ptr_equal(tg_user_next(a), c);
    assert_null(tg_user_next(c));
    assert_ptr_equal(tg_user_first(find(core, "bob")), b);
    assert_null(find(core, "an"));
    struct tg_buf ids;
    tg_buf_init(&ids);
    tg_user_ids(ann, &ids);
    assert_int_equal(ids.length, 2 * sizeof(uint64_t));
    assert_memory_equal(ids.data, ((uint64_t[]){a->id, c->id}), ids.length);
    tg_buf_deinit(&ids);
}

static void is_found_no_more_when_its_last_connection_is_ending(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_for(core, 0, "ann");
    open_for(core, 1, "ann");
    tg_conn_close(a, 1000, TG_SLICE(""));
    assert_int_equal(tg_user_count(find(core, "ann")), 1);
    assert_true(tg_slice_equal(a->user_id, TG_SLICE("ann")));
    fake_client_vanish(&core->clients[1]);
    assert_null(find(core, "ann"));
    assert_true(tg_slice_equal(a->user_id, TG_SLICE("ann")));
}

static void is_somebody_new_who_comes_back_meanwhile(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_for(core, 0, "ann");
    tg_conn_close(a, 1000, TG_SLICE(""));
    struct tg_conn *b = open_for(core, 1, "ann");
    assert_int_equal(tg_user_count(find(core, "ann")), 1);
    assert_ptr_equal(tg_user_first(find(core, "ann")), b);
    fake_client_vanish(&core->clients[0]);
    assert_ptr_equal(tg_user_first(find(core, "ann")), b);
}

static void is_set_once_and_while_the_connection_is_open(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_for(core, 0, "ann");
    assert_int_equal(tg_user_set(a, TG_SLICE("bob")), TG_E_EXISTS);
    struct tg_conn *b = fake_core_open(core, 1, "/chat")->conn;
    tg_conn_close(b, 1000, TG_SLICE(""));
    assert_int_equal(tg_user_set(b, TG_SLICE("bob")), TG_E_CLOSED);
    assert_null(find(core, "bob"));
}

static void is_nobody_without_an_id(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_for(core, 0, "");
    assert_null(a->user);
    assert_null(find(core, ""));
}

static enum tg_status set_user(void *context)
{
    struct fake_core *core = context;
    enum tg_status status = tg_user_set(core->clients[0].conn, TG_SLICE("ann"));
    if (status != TG_OK) {
        assert_null(core->clients[0].conn->user);
        assert_null(find(core, "ann"));
    }
    return status;
}

static void is_not_set_without_memory(void **state)
{
    struct fake_core *core = *state;
    fake_core_open(core, 0, "/chat");
    assert_int_equal(tg_alloc_sweep(set_user, core), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_all_connections_of_a_user_oldest_first),
        TEST(is_found_no_more_when_its_last_connection_is_ending),
        TEST(is_somebody_new_who_comes_back_meanwhile),
        TEST(is_set_once_and_while_the_connection_is_open),
        TEST(is_nobody_without_an_id),
        TEST(is_not_set_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
