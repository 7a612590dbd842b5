/* Clients in groups under a core without sockets, at the end of its memory: the application is
 * spec/support/apps/groups. What it answers when there is enough is shown by spec/wire/groups.test.js. */
#include "script/conn_user.h"

#include "core/group.h"
#include "core/user.h"

#include "support/alloc.h"
#include "support/app_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

static struct fake_client *join(struct app_stage *stage, size_t index, const char *path)
{
    struct fake_client *client = fake_core_open(stage->core, index, path);
    assert_non_null(client);
    fake_core_turn(stage->core);
    client->sent_bytes = 0;
    return client;
}

/* What a client says, what it gets and what the other two get. */
static const struct {
    const char *text, *own, *other, *camel;
} talk[] = {
    {"{\"action\":\"do\",\"payload\":{\"what\":\"profile\",\"with\":{\"user_name\":\"a\",\"labels\":{\"b_c\":"
     "1}}}}",
     "text {\"action\":\"said\",\"payload\":[2]}\n",
     "text "
     "{\"action\":\"profile\",\"payload\":{\"labels\":{\"b_c\":1},\"user_name\":\"a\"},\"is_mine\":false,"
     "\"is_current\":false}\n",
     "text {\"action\":\"profile\",\"payload\":{\"labels\":{\"b_c\":1},\"userName\":\"a\"},\"is_mine\":false,"
     "\"is_current\":false}\n"},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"note\",\"with\":{\"text\":\"a\",\"groups\":[\"shared\","
     "\"b\"]}}}",
     "text {\"action\":\"said\",\"payload\":[2]}\n",
     "text {\"action\":\"note\",\"payload\":{\"text\":\"a\"}}\n",
     "text {\"action\":\"note\",\"payload\":{\"text\":\"a\"}}\n"},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"send_group\",\"with\":{\"name\":\"shared\",\"text\":\"a\"}}"
     "}",
     "text {\"action\":\"said\",\"payload\":[2]}\n",
     "text {\"action\":\"note\",\"payload\":{\"text\":\"a\"}}\n",
     "text {\"action\":\"note\",\"payload\":{\"text\":\"a\"}}\n"},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"join\",\"with\":\"more\"}}",
     "text {\"action\":\"said\",\"payload\":[true]}\n", "", ""},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"groups\"}}",
     "text {\"action\":\"said\",\"payload\":[\"red\",\"more\"]}\n", "", ""},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"members\",\"with\":\"red\"}}",
     "text {\"action\":\"said\",\"payload\":[7]}\n", "", ""},
    {"{\"action\":\"do\",\"payload\":{\"what\":\"user_connections\",\"with\":7}}",
     "text {\"action\":\"said\",\"payload\":[true]}\n", "", ""},
};

static void expect_all(struct app_stage *stage, size_t i)
{
    struct fake_client *clients = stage->core->clients;
    fake_client_say(&clients[0], talk[i].text);
    fake_core_turn(stage->core);
    expect_sent(&clients[0], talk[i].own);
    expect_sent(&clients[1], talk[i].other);
    expect_sent(&clients[2], talk[i].camel);
}

/* Whatever a broadcast cannot get the memory for, nobody gets a part of it, and the next reaches all. */
static void goes_on_after_a_broadcast_without_memory(void **state)
{
    (void)state;
    struct app_stage stage = app_begin("groups", fake_core_new());
    struct fake_client *clients = stage.core->clients;
    join(&stage, 0, "/ws/talk?groups=red&user=7");
    join(&stage, 1, "/ws/shared");
    join(&stage, 2, "/ws/camel");
    for (size_t i = 0; i < sizeof talk / sizeof talk[0]; i++) {
        expect_all(&stage, i);
        size_t failed = 0;
        for (bool has_failed = true; has_failed; failed += has_failed) {
            tg_alloc_fail_from(failed + 1);
            fake_client_say(&clients[0], talk[i].text);
            has_failed = tg_alloc_has_failed();
            tg_alloc_fail_at(0);
            fake_core_turn(stage.core);
            clients[0].sent_bytes = clients[1].sent_bytes = clients[2].sent_bytes = 0;
            expect_all(&stage, i);
        }
        assert_true(failed > 3);
    }
    app_end(&stage);
}

/* A client for whose start the memory is out is closed, or gone; nothing of it is left in a group. */
static void lets_nobody_in_half_way_without_memory(void **state)
{
    (void)state;
    struct app_stage stage = app_begin("groups", fake_core_new());
    struct fake_client *client = &stage.core->clients[0];
    size_t failed = 0;
    for (bool has_failed = true; has_failed; failed += has_failed) {
        tg_alloc_fail_from(failed + 1);
        fake_core_open(stage.core, 0, "/ws/door?who=table");
        has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        fake_core_turn(stage.core);
        if (client->conn && client->conn->state == TG_CONN_OPEN) {
            const struct tg_group *group =
                tg_group_find(&stage.core->worker, TG_GROUP_NAMED, TG_SLICE("inside"));
            assert_non_null(group);
            assert_int_equal(tg_group_count(group), 1);
            assert_int_equal(client->conn->user_id.length, 1);
        } else {
            assert_int_equal(stage.core->worker.metrics.group_memberships, 0);
            assert_null(tg_user_find(&stage.core->worker, TG_SLICE("7")));
        }
        if (client->conn) fake_client_vanish(client);
        client->sent_bytes = 0;
    }
    assert_true(failed > 10);
    app_end(&stage);
}

/* set_user(stage) */
static int set_user(lua_State *L)
{
    struct app_stage *stage = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lua_newtable(L);
    lua_pushinteger(L, 7);
    lua_setfield(L, -2, "id");
    tg_conn_user_set(&stage->host->world, L, stage->core->clients[0].conn, -1);
    return 0;
}

static void takes_a_user_from_who_knows_it_and_does_not_ask(void **state)
{
    (void)state;
    struct app_stage stage = app_begin("groups", fake_core_new());
    struct fake_client *client = fake_core_add(stage.core, 0, "/ws/door?who=refused");
    lua_State *L = stage.host->world.L;
    lua_pushcfunction(L, set_user);
    lua_pushlightuserdata(L, &stage);
    assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_OK);
    tg_conn_start(client->conn);
    fake_core_turn(stage.core);
    expect_sent(
        client,
        "text {\"action\":\"authentication\",\"payload\":{\"status_code\":200,\"status_text\":\"OK\"}}\n"
        "text {\"action\":\"welcome\",\"payload\":{\"user\":{\"id\":7}}}\n");
    assert_non_null(tg_user_find(&stage.core->worker, TG_SLICE("7")));
    app_end(&stage);
}

static int silence(void **state)
{
    (void)state;
    tg_log_open(2, TG_LOG_TEXT, TG_LOG_OFF, NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_on_after_a_broadcast_without_memory),
        cmocka_unit_test(lets_nobody_in_half_way_without_memory),
        cmocka_unit_test(takes_a_user_from_who_knows_it_and_does_not_ask),
    };
    return cmocka_run_group_tests(tests, silence, NULL);
}
