/* Which requests for an upgrade are granted, and how the others are answered. */
#include "core/upgrade.h"

#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define KEY TG_SLICE("dGhlIHNhbXBsZSBub25jZQ==") /* RFC 6455 1.3 */

static const struct tg_upgrade good = {.path = TG_SLICE("/chat"), .version = TG_SLICE("13"), .key = KEY};

static void expect_refusal(struct fake_core *core, struct tg_upgrade upgrade, unsigned status,
                           const char *body)
{
    struct tg_refusal refusal = {0};
    uint64_t before = core->worker.metrics.handshakes_refused;
    assert_true(tg_upgrade_is_refused(&core->worker, &upgrade, &refusal));
    assert_int_equal(refusal.status, status);
    assert_int_equal(refusal.body.length, strlen(body));
    assert_memory_equal(refusal.body.data, body, refusal.body.length);
    assert_int_equal(core->worker.metrics.handshakes_refused, before + 1);
}

static bool is_granted(struct fake_core *core, struct tg_upgrade upgrade)
{
    struct tg_refusal refusal;
    return !tg_upgrade_is_refused(&core->worker, &upgrade, &refusal);
}

static void grants_what_rfc_6455_asks_for(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    assert_true(is_granted(core, good));
    assert_int_equal(core->worker.metrics.handshakes_refused, 0);
    fake_core_free(core);
}

static void names_the_first_condition_that_is_not_met(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_upgrade upgrade = good;
    upgrade.protocol = TG_SLICE("chat");
    expect_refusal(core, upgrade, 400, "{\"detail\":\"No WebSocket subprotocol is spoken here\"}");
    upgrade.key = TG_SLICE("c2hvcnQ=");
    expect_refusal(core, upgrade, 400, "{\"detail\":\"Sec-WebSocket-Key is not 16 bytes in base64\"}");
    upgrade.version = TG_SLICE("8");
    expect_refusal(core, upgrade, 426, "{\"detail\":\"The WebSocket version is not supported\"}");
    upgrade.version = (struct tg_slice){0};
    expect_refusal(core, upgrade, 426, "{\"detail\":\"The WebSocket version is not supported\"}");
    upgrade.path = TG_SLICE("/nowhere");
    expect_refusal(core, upgrade, 404, "{\"detail\":\"Not found\"}");
    upgrade.path = (struct tg_slice){0};
    expect_refusal(core, upgrade, 404, "{\"detail\":\"Not found\"}");
    upgrade.is_stopping = true;
    expect_refusal(core, upgrade, 503, "{\"detail\":\"The server is shutting down\"}");
    fake_core_free(core);
}

static void is_told_that_there_is_no_room_when_all_else_is_right(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    for (size_t i = 0; i < FAKE_CLIENTS; i++) fake_core_open(core, i, "/chat");
    struct tg_refusal refusal = {0};
    assert_true(tg_upgrade_is_refused(&core->worker, &good, &refusal));
    assert_int_equal(refusal.status, 503);
    assert_int_equal(core->worker.metrics.connections_refused, 1);
    assert_int_equal(core->worker.metrics.handshakes_refused, 0);
    fake_client_vanish(&core->clients[0]);
    assert_true(is_granted(core, good));
    fake_core_free(core);
}

static void keeps_the_common_headers_and_those_that_a_consumer_asks_for(void **state)
{
    (void)state;
    static const struct tg_slice asked[] = {TG_SLICE("x-tenant")};
    const struct tg_consumer plain = {0}, curious = {.headers = {asked, 1}};
    assert_true(tg_upgrade_keeps(&plain.headers, TG_SLICE("cookie")));
    assert_true(tg_upgrade_keeps(&plain.headers, TG_SLICE("user-agent")));
    assert_false(tg_upgrade_keeps(&plain.headers, TG_SLICE("x-tenant")));
    assert_true(tg_upgrade_keeps(&curious.headers, TG_SLICE("x-tenant")));
    assert_false(tg_upgrade_keeps(&curious.headers, TG_SLICE("x-other")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_what_rfc_6455_asks_for),
        cmocka_unit_test(names_the_first_condition_that_is_not_met),
        cmocka_unit_test(is_told_that_there_is_no_room_when_all_else_is_right),
        cmocka_unit_test(keeps_the_common_headers_and_those_that_a_consumer_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
