#include "core/group.h"

#include "support/alloc.h"
#include "support/fake_core.h"
#include "support/membership.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    *state = fake_core_new();
    return 0;
}

static int tear_down(void **state)
{
    fake_core_free(*state);
    return 0;
}

static struct tg_conn *open_at(struct fake_core *core, size_t i)
{
    return fake_core_open(core, i, "/chat")->conn;
}

static enum tg_status join(struct tg_conn *conn, const char *name)
{
    return tg_group_join(conn, TG_GROUP_NAMED, tg_slice_of(name));
}

static bool leave(struct tg_conn *conn, const char *name)
{
    return tg_group_leave(conn, TG_GROUP_NAMED, tg_slice_of(name));
}

static struct tg_group *named(struct fake_core *core, const char *name)
{
    return tg_group_find(&core->worker, TG_GROUP_NAMED, tg_slice_of(name));
}

static uint32_t count(struct fake_core *core, const char *name)
{
    const struct tg_group *group = named(core, name);
    return group ? tg_group_count(group) : 0;
}

/* The names of a connection's groups, each with a space behind it. */
static void expect_groups(const struct tg_conn *conn, const char *expected)
{
    char names[256] = "";
    for (struct tg_membership *m = tg_group_first_of(conn, TG_GROUP_NAMED); m; m = tg_group_next_of(m)) {
        struct tg_slice name = tg_group_name(m->group);
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, "%.*s ", TG_SLICE_ARG(name));
    }
    assert_string_equal(names, expected);
}

/* The numbers of a group's members, each with a space behind it. */
static void expect_members(struct fake_core *core, const char *name, const char *expected)
{
    char members[256] = "";
    const struct tg_group *group = named(core, name);
    struct tg_membership *m = group ? tg_group_first(group) : NULL;
    for (; m; m = tg_group_next(m)) {
        size_t at = strlen(members);
        snprintf(members + at, sizeof members - at, "%d ", m->conn->script_ref);
    }
    assert_string_equal(members, expected);
}

static void is_there_as_long_as_somebody_is_in_it(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    assert_null(named(core, "room"));
    assert_int_equal(join(a, "room"), TG_OK);
    assert_int_equal(join(b, "room"), TG_OK);
    expect_members(core, "room", "1 2 ");
    assert_int_equal(count(core, "room"), 2);
    assert_int_equal(core->worker.metrics.groups, 1);
    assert_int_equal(core->worker.metrics.group_memberships, 2);
    assert_true(leave(a, "room"));
    expect_members(core, "room", "2 ");
    assert_true(leave(b, "room"));
    assert_null(named(core, "room"));
    assert_int_equal(core->worker.metrics.groups, 0);
    assert_int_equal(core->worker.metrics.group_memberships, 0);
}

static void is_joined_once_however_often_it_is_asked(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0);
    assert_int_equal(join(a, "room"), TG_OK);
    assert_int_equal(join(a, "room"), TG_OK);
    assert_int_equal(count(core, "room"), 1);
    expect_groups(a, "room ");
    assert_true(leave(a, "room"));
    assert_false(leave(a, "room"));
    expect_groups(a, "");
}

static void is_not_left_by_who_is_not_in_it(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    assert_false(leave(a, "room"));
    assert_int_equal(join(b, "room"), TG_OK);
    assert_false(leave(a, "room"));
    assert_int_equal(count(core, "room"), 1);
}

static void lists_those_of_a_connection_in_the_order_of_joining(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0);
    join(a, "c");
    join(a, "a");
    join(a, "b");
    leave(a, "a");
    join(a, "a");
    assert_int_equal(tg_group_join(a, TG_GROUP_TOPIC, TG_SLICE("t")), TG_OK);
    expect_groups(a, "c b a ");
    assert_true(is_member(a, TG_GROUP_NAMED, TG_SLICE("b")));
    assert_false(is_member(a, TG_GROUP_NAMED, TG_SLICE("t")));
}

static void keeps_names_byte_for_byte(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0);
    static const struct tg_slice names[] = {
        TG_SLICE("room"),           TG_SLICE("Room"),    TG_SLICE("room "),
        TG_SLICE("room\0x"),        TG_SLICE("room\0y"), TG_SLICE(""),
        TG_SLICE("r.oom"),          TG_SLICE("r_oom"),   TG_SLICE("Zürich"),
        TG_SLICE("Zu\xcc\x88rich"),
    };
    enum { NAMES = sizeof names / sizeof names[0] };
    for (int i = 0; i < NAMES; i++) assert_int_equal(tg_group_join(a, TG_GROUP_NAMED, names[i]), TG_OK);
    assert_int_equal(core->worker.metrics.groups, NAMES);
    struct tg_membership *m = tg_group_first_of(a, TG_GROUP_NAMED);
    for (int i = 0; i < NAMES; i++, m = tg_group_next_of(m))
        assert_true(tg_slice_equal(tg_group_name(m->group), names[i]));
    assert_null(m);
}

static void never_meets_a_topic_of_the_same_name(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    assert_int_equal(join(a, "room"), TG_OK);
    assert_int_equal(tg_group_join(b, TG_GROUP_TOPIC, TG_SLICE("room")), TG_OK);
    expect_members(core, "room", "1 ");
    assert_int_equal(tg_group_count(tg_group_find(&core->worker, TG_GROUP_TOPIC, TG_SLICE("room"))), 1);
    assert_false(leave(b, "room"));
    assert_true(tg_group_leave(b, TG_GROUP_TOPIC, TG_SLICE("room")));
    expect_members(core, "room", "1 ");
}

static void refuses_names_that_are_too_long(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0);
    static const char long_name[TG_GROUP_KEY_MAX + 1];
    for (size_t n = TG_GROUP_NAME_MAX; n <= TG_GROUP_NAME_MAX + 1; n++)
        assert_int_equal(tg_group_join(a, TG_GROUP_NAMED, (struct tg_slice){long_name, n}),
                         n == TG_GROUP_NAME_MAX ? TG_OK : TG_E_TOO_LARGE);
    for (size_t n = TG_GROUP_KEY_MAX; n <= TG_GROUP_KEY_MAX + 1; n++)
        assert_int_equal(tg_group_join(a, TG_GROUP_TOPIC, (struct tg_slice){long_name, n}),
                         n == TG_GROUP_KEY_MAX ? TG_OK : TG_E_TOO_LARGE);
}

static void are_so_many_for_a_connection_and_no_more(void **state)
{
    struct fake_core *core = *state;
    core->config.max_groups_per_connection = 2;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    assert_int_equal(join(a, "a"), TG_OK);
    assert_int_equal(join(a, "b"), TG_OK);
    assert_int_equal(join(a, "c"), TG_E_FULL);
    assert_null(named(core, "c"));
    assert_int_equal(join(b, "c"), TG_OK);
    assert_int_equal(join(a, "b"), TG_OK);                                    /* it is in */
    assert_int_equal(tg_group_join(a, TG_GROUP_TOPIC, TG_SLICE("t")), TG_OK); /* another limit's */
    assert_int_equal(core->worker.metrics.groups_full, 1);
    leave(a, "a");
    assert_int_equal(join(a, "c"), TG_OK);
    expect_groups(a, "b c ");
}

/* Each way in which a connection can end: what it does, after which the connection is not OPEN. */
static void by_close(struct fake_client *client)
{
    tg_conn_close(client->conn, 1000, TG_SLICE("bye"));
}

static void by_its_own_close(struct fake_client *client)
{
    tg_conn_peer_closing(client->conn, 1001, TG_SLICE(""));
}

static void by_a_breach(struct fake_client *client)
{
    tg_conn_protocol_error(client->conn);
}

static void by_drain(struct fake_client *client)
{
    tg_conn_drain(client->conn);
}

static int farewells;

static void note_farewell(struct fake_core *core, struct tg_conn *conn)
{
    farewells++;
    expect_groups(conn, "b a ");
    assert_int_equal(count(core, "a"), 1);
    assert_null(named(core, "b"));
    assert_int_equal(join(conn, "c"), TG_E_CLOSED);
    assert_false(leave(conn, "a"));
}

static void is_left_as_soon_as_the_connection_is_not_open_in_whatever_way(void **state)
{
    struct fake_core *core = *state;
    static void (*const ways[])(struct fake_client * client) = {by_close, by_its_own_close, by_a_breach,
                                                                by_drain, NULL};
    core->on_disconnected = note_farewell;
    struct tg_conn *witness = open_at(core, 1);
    join(witness, "a");
    farewells = 0;
    for (int i = 0; i < 5; i++) {
        struct fake_client *client = fake_core_open(core, 0, "/chat");
        join(client->conn, "b");
        join(client->conn, "a");
        assert_int_equal(count(core, "a"), 2);
        if (ways[i]) {
            ways[i](client);
            assert_int_equal(count(core, "a"), 1);
            assert_null(named(core, "b"));
            expect_groups(client->conn, "b a ");
            assert_int_equal(join(client->conn, "a"), TG_E_CLOSED);
        }
        fake_client_vanish(client);
        assert_int_equal(farewells, i + 1);
        assert_int_equal(core->worker.metrics.group_memberships, 1);
    }
    core->on_disconnected = NULL;
}

static void
of_the_same_name_is_another_one_for_who_comes_while_the_last_member_still_says_goodbye(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    join(a, "room");
    tg_conn_close(a, 1000, TG_SLICE(""));
    assert_int_equal(join(b, "room"), TG_OK);
    expect_members(core, "room", "2 ");
    expect_groups(a, "room ");
    fake_client_vanish(&core->clients[0]);
    expect_members(core, "room", "2 ");
}

static void gives_the_ids_of_its_members(void **state)
{
    struct fake_core *core = *state;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    join(b, "room");
    join(a, "room");
    struct tg_buf ids;
    tg_buf_init(&ids);
    tg_group_ids(named(core, "room"), &ids);
    assert_int_equal(ids.length, 2 * sizeof(uint64_t));
    assert_memory_equal(ids.data, ((uint64_t[]){b->id, a->id}), ids.length);
    tg_buf_deinit(&ids);
}

/* ---- the layer ---- */

static struct tg_layer fake_layer;
static enum tg_status layer_answer;
static char layer_calls[128];

static void note_layer(const char *what, enum tg_group_kind kind, struct tg_slice name)
{
    size_t at = strlen(layer_calls);
    snprintf(layer_calls + at, sizeof layer_calls - at, "%s %d %.*s\n", what, (int)kind, TG_SLICE_ARG(name));
}

static enum tg_status subscribe(struct tg_layer *layer, struct tg_worker *worker, enum tg_group_kind kind,
                                struct tg_slice name)
{
    assert_ptr_equal(layer, &fake_layer);
    assert_non_null(worker);
    note_layer("+", kind, name);
    return layer_answer;
}

static void unsubscribe(struct tg_layer *layer, struct tg_worker *worker, enum tg_group_kind kind,
                        struct tg_slice name)
{
    (void)layer;
    (void)worker;
    note_layer("-", kind, name);
}

static const struct tg_layer_ops fake_layer_ops = {NULL, subscribe, unsubscribe};

static void expect_layer(const char *expected)
{
    assert_string_equal(layer_calls, expected);
    layer_calls[0] = '\0';
}

static void tells_the_layer_of_its_first_member_and_its_last(void **state)
{
    struct fake_core *core = *state;
    fake_layer.ops = &fake_layer_ops;
    layer_answer = TG_OK;
    core->worker.layer = &fake_layer;
    struct tg_conn *a = open_at(core, 0), *b = open_at(core, 1);
    join(a, "room");
    join(b, "room");
    tg_group_join(b, TG_GROUP_TOPIC, TG_SLICE("room"));
    expect_layer("+ 0 room\n+ 1 room\n");
    leave(a, "room");
    expect_layer("");
    tg_conn_close(b, 1000, TG_SLICE(""));
    expect_layer("- 0 room\n- 1 room\n");
}

static void lets_nobody_in_whom_the_layer_refuses(void **state)
{
    struct fake_core *core = *state;
    fake_layer.ops = &fake_layer_ops;
    layer_answer = TG_E_IO;
    core->worker.layer = &fake_layer;
    struct tg_conn *a = open_at(core, 0);
    assert_int_equal(join(a, "room"), TG_E_IO);
    expect_layer("+ 0 room\n");
    assert_null(named(core, "room"));
    expect_groups(a, "");
    assert_int_equal(core->worker.metrics.groups, 0);
}

/* ---- memory ---- */

static enum tg_status join_and_leave(void *context)
{
    struct fake_core *core = context;
    struct tg_conn *a = core->clients[0].conn;
    enum tg_status status = join(a, "room");
    if (status == TG_OK) {
        assert_true(leave(a, "room"));
    } else {
        assert_null(named(core, "room"));
        expect_groups(a, "");
        assert_int_equal(core->worker.metrics.groups, 0);
        assert_int_equal(core->worker.metrics.group_memberships, 0);
    }
    return status;
}

static void is_not_joined_without_memory(void **state)
{
    struct fake_core *core = *state;
    open_at(core, 0);
    assert_int_equal(tg_alloc_sweep(join_and_leave, core), 4); /* group, membership, two indexes */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_there_as_long_as_somebody_is_in_it),
        TEST(is_joined_once_however_often_it_is_asked),
        TEST(is_not_left_by_who_is_not_in_it),
        TEST(lists_those_of_a_connection_in_the_order_of_joining),
        TEST(keeps_names_byte_for_byte),
        TEST(never_meets_a_topic_of_the_same_name),
        TEST(refuses_names_that_are_too_long),
        TEST(are_so_many_for_a_connection_and_no_more),
        TEST(is_left_as_soon_as_the_connection_is_not_open_in_whatever_way),
        TEST(of_the_same_name_is_another_one_for_who_comes_while_the_last_member_still_says_goodbye),
        TEST(gives_the_ids_of_its_members),
        TEST(tells_the_layer_of_its_first_member_and_its_last),
        TEST(lets_nobody_in_whom_the_layer_refuses),
        TEST(is_not_joined_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
