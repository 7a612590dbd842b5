/* Which requests for an upgrade are granted, and how the others are answered. */
#include "core/upgrade.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEY TG_SLICE("dGhlIHNhbXBsZSBub25jZQ==") /* RFC 6455 1.3 */

static const struct tg_upgrade good = {.path = TG_SLICE("/chat"), .version = TG_SLICE("13"), .key = KEY};

/* What a client sends beside that: names and values in turn, NULL at the end. */
struct asked {
    const char *headers[16];
    const char *peer; /* NULL: "192.0.2.1:4711" */
};

static const struct asked nothing = {{NULL}, NULL};

static struct tg_entrance *entrance_of(struct fake_core *core)
{
    struct tg_params params;
    const struct tg_consumer *consumer =
        tg_registry_find(&core->generation.registry, TG_SLICE("/chat"), &params);
    return (struct tg_entrance *)&consumer->entrance;
}

/* Both questions, one after the other. */
static struct tg_request *ask(struct fake_core *core, struct tg_upgrade upgrade, struct asked asked,
                              struct tg_refusal *refusal)
{
    struct tg_pair items[8];
    struct tg_request parts = {.path = upgrade.path, .headers = {items, 0}};
    tg_arena_reset(&core->worker.arena);
    const struct tg_consumer *consumer = tg_upgrade_find(&core->worker, &upgrade, refusal);
    if (!consumer) return NULL;
    for (const char *const *text = asked.headers; *text; text += 2)
        items[parts.headers.count++] = (struct tg_pair){tg_slice_of(text[0]), tg_slice_of(text[1])};
    parts.peer = tg_slice_of(asked.peer ? asked.peer : "192.0.2.1:4711");
    return tg_upgrade_decide(&core->worker, consumer, &upgrade, &parts, refusal);
}

static void expect_refusal_of(struct fake_core *core, struct tg_upgrade upgrade, struct asked asked,
                              unsigned status, const char *body)
{
    struct tg_refusal refusal = {0};
    uint64_t before = core->worker.metrics.handshakes_refused;
    assert_null(ask(core, upgrade, asked, &refusal));
    assert_int_equal(refusal.status, status);
    assert_int_equal(refusal.body.length, strlen(body));
    assert_memory_equal(refusal.body.data, body, refusal.body.length);
    assert_int_equal(core->worker.metrics.handshakes_refused, before + 1);
}

static void expect_refusal(struct fake_core *core, struct tg_upgrade upgrade, unsigned status,
                           const char *body)
{
    expect_refusal_of(core, upgrade, nothing, status, body);
}

static void expect_grant(struct fake_core *core, struct asked asked, const char *subprotocol,
                         const char *peer)
{
    struct tg_refusal refusal;
    struct tg_request *request = ask(core, good, asked, &refusal);
    assert_non_null(request);
    assert_true(tg_slice_equal(request->subprotocol, tg_slice_of(subprotocol)));
    assert_true(tg_slice_equal(request->peer, tg_slice_of(peer)));
    assert_true(tg_slice_equal(request->path, TG_SLICE("/chat")));
    free(request);
}

static bool is_granted(struct fake_core *core)
{
    struct tg_refusal refusal;
    struct tg_request *request = ask(core, good, nothing, &refusal);
    free(request);
    return request != NULL;
}

static void grants_what_rfc_6455_asks_for(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    expect_grant(core, nothing, "", "192.0.2.1:4711");
    assert_int_equal(core->worker.metrics.handshakes_refused, 0);
    fake_core_free(core);
}

static void names_the_first_condition_that_is_not_met(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_upgrade upgrade = good;
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
    assert_null(ask(core, good, nothing, &refusal));
    assert_int_equal(refusal.status, 503);
    assert_int_equal(core->worker.metrics.connections_refused, 1);
    assert_int_equal(core->worker.metrics.handshakes_refused, 0);
    fake_client_vanish(&core->clients[0]);
    assert_true(is_granted(core));
    fake_core_free(core);
}

/* ---- origins ---- */

#define FORBIDDEN "{\"detail\":\"This origin is not allowed\"}"

#define FROM(host, origin)                                                                                   \
    (struct asked)                                                                                           \
    {                                                                                                        \
        {"host", (host), "origin", (origin), NULL}, NULL                                                     \
    }

static void lets_in_the_same_origin_and_what_is_no_page(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    assert_true(is_granted(core));
    expect_grant(core, FROM("example.org:8000", "http://example.org:8000"), "", "192.0.2.1:4711");
    static const char *const others[] = {"https://example.org:8000",
                                         "http://example.org",
                                         "null",
                                         "",
                                         "http://example.org:8000, http://example.org:8000",
                                         "http://evil.example:8000"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        expect_refusal_of(core, good, FROM("example.org:8000", others[i]), 403, FORBIDDEN);
    assert_int_equal(core->worker.metrics.origins_refused, 6);
    fake_core_free(core);
}

static void lets_in_the_origins_that_a_consumer_declares(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_origin declared[2];
    tg_origin_read_pattern(TG_SLICE("https://app.example"), &declared[0]);
    tg_origin_read_pattern(TG_SLICE("https://*.example.org"), &declared[1]);
    entrance_of(core)->origins = declared;
    entrance_of(core)->origin_count = 2;
    expect_grant(core, FROM("gate:8000", "https://app.example"), "", "192.0.2.1:4711");
    expect_grant(core, FROM("gate:8000", "https://a.example.org"), "", "192.0.2.1:4711");
    expect_grant(core, FROM("gate:8000", "http://gate:8000"), "", "192.0.2.1:4711");
    expect_refusal_of(core, good, FROM("gate:8000", "null"), 403, FORBIDDEN);
    tg_origin_read_pattern(TG_SLICE("*"), &declared[1]);
    expect_grant(core, FROM("gate:8000", "null"), "", "192.0.2.1:4711");
    fake_core_free(core);
}

static void refuses_who_sends_none_where_one_is_required(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_origin any;
    tg_origin_read_pattern(TG_SLICE("*"), &any);
    entrance_of(core)->requires_origin = true;
    expect_refusal(core, good, 403, FORBIDDEN);
    expect_grant(core, FROM("gate", "http://gate"), "", "192.0.2.1:4711");
    entrance_of(core)->origins = &any;
    entrance_of(core)->origin_count = 1;
    expect_refusal(core, good, 403, FORBIDDEN);
    fake_core_free(core);
}

/* TLS ends at the proxy: without it the scheme of the page is not ours. */
static void knows_the_scheme_from_a_trusted_proxy(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    static char trusted[] = "10.0.0.0/8";
    const struct asked asked = {{"host", "example.org", "origin", "https://example.org", "x-forwarded-for",
                                 "203.0.113.9", "x-forwarded-proto", "https", NULL},
                                "10.0.0.1:3000"};
    expect_refusal_of(core, good, asked, 403, FORBIDDEN);
    char *before = core->config.trusted_proxies;
    core->config.trusted_proxies = trusted;
    expect_grant(core, asked, "", "203.0.113.9");
    core->config.trusted_proxies = before;
    fake_core_free(core);
}

/* ---- subprotocols ---- */

#define OFFERING(list)                                                                                       \
    (struct asked)                                                                                           \
    {                                                                                                        \
        {"sec-websocket-protocol", (list), NULL}, NULL                                                       \
    }

static void agrees_on_the_first_subprotocol_of_the_consumer(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    static const struct tg_slice spoken[] = {TG_SLICE("chat.v2"), TG_SLICE("chat.v1")};
    entrance_of(core)->subprotocols = spoken;
    entrance_of(core)->subprotocol_count = 2;
    expect_grant(core, OFFERING("chat.v1, chat.v2"), "chat.v2", "192.0.2.1:4711");
    expect_grant(core, OFFERING("other,\tchat.v1 "), "chat.v1", "192.0.2.1:4711");
    expect_grant(core, OFFERING("CHAT.V1"), "", "192.0.2.1:4711");
    expect_grant(core, nothing, "", "192.0.2.1:4711");
    fake_core_free(core);
}

static void goes_on_without_a_subprotocol_that_nobody_speaks(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    expect_grant(core, OFFERING("chat"), "", "192.0.2.1:4711");
    fake_core_free(core);
}

static void refuses_a_list_of_subprotocols_that_the_library_cannot_read(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    static const char *const malformed[] = {",", "a,,b", "a b", "a;b", "a, ", "\"a\"", "a/b"};
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        expect_refusal_of(core, good, OFFERING(malformed[i]), 400,
                          "{\"detail\":\"Sec-WebSocket-Protocol is not a list of names\"}");
    char name[TG_SUBPROTOCOLS_BYTES_MAX + 2] = "a,";
    memset(name + 2, 'b', sizeof name - 3);
    expect_refusal_of(core, good, OFFERING(name), 400,
                      "{\"detail\":\"Sec-WebSocket-Protocol has more than 126 bytes\"}");
    expect_grant(core, OFFERING((name[TG_SUBPROTOCOLS_BYTES_MAX] = '\0', name)), "", "192.0.2.1:4711");
    const char *unreadable =
        "{\"detail\":\"The first name of Sec-WebSocket-Protocol is a number, or has more than 62 bytes\"}";
    expect_refusal_of(core, good, OFFERING("13, chat"), 400, unreadable);
    expect_refusal_of(core, good, OFFERING("1.0"), 400, unreadable);
    expect_refusal_of(core, good, OFFERING(name + 2), 400, unreadable);
    expect_grant(core, OFFERING("chat, 13"), "", "192.0.2.1:4711");
    expect_grant(core, OFFERING("1a"), "", "192.0.2.1:4711");
    fake_core_free(core);
}

/* ---- the script ---- */

static int asked_times;

static bool admit_nobody(struct fake_core *core, const struct tg_request *request, struct tg_refusal *refusal)
{
    (void)core;
    asked_times++;
    assert_true(tg_slice_equal(request->peer, TG_SLICE("192.0.2.1:4711")));
    *refusal =
        (struct tg_refusal){401, TG_SLICE("{\"detail\":\"Who?\"}"), TG_SLICE("WWW-Authenticate: Basic\r\n")};
    return false;
}

static bool admit_all(struct fake_core *core, const struct tg_request *request, struct tg_refusal *refusal)
{
    (void)core, (void)request, (void)refusal;
    asked_times++;
    return true;
}

static void asks_the_script_last(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_entrance *entrance = entrance_of(core);
    entrance->has_admit = entrance->authenticates = true;
    core->on_admit = admit_nobody;
    asked_times = 0;
    expect_refusal_of(core, good, FROM("gate", "http://evil.example"), 403, FORBIDDEN);
    assert_int_equal(asked_times, 0);
    expect_refusal(core, good, 401, "{\"detail\":\"Who?\"}");
    assert_int_equal(asked_times, 1);
    assert_int_equal(core->worker.metrics.admissions_refused, 1);
    core->on_admit = admit_all;
    assert_true(is_granted(core));
    assert_int_equal(asked_times, 2);
    fake_core_free(core);
}

static void asks_it_no_more_for_who_was_refused_too_often(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    struct tg_entrance *entrance = entrance_of(core);
    struct tg_refusal refusal;
    entrance->has_admit = entrance->authenticates = true;
    core->on_admit = admit_nobody;
    asked_times = 0;
    for (uint32_t i = 0; i < core->config.login_attempts; i++)
        expect_refusal(core, good, 401, "{\"detail\":\"Who?\"}");
    expect_refusal(core, good, 429, "{\"detail\":\"Too many attempts to log in\"}");
    assert_int_equal(asked_times, core->config.login_attempts);
    assert_int_equal(core->worker.metrics.login_attempts_refused, 1);
    assert_null(ask(core, good, nothing, &refusal));
    assert_true(tg_slice_equal(refusal.headers, TG_SLICE("Retry-After: 2\r\n")));
    /* Those who come to a consumer that asks nobody who they are do not notice. */
    entrance->authenticates = entrance->has_admit = false;
    assert_true(is_granted(core));
    entrance->authenticates = entrance->has_admit = true;
    fake_core_sleep(core, 2000);
    expect_refusal(core, good, 401, "{\"detail\":\"Who?\"}");
    fake_core_free(core);
}

static enum tg_status grant_once(void *context)
{
    struct fake_core *core = context;
    struct tg_refusal refusal = {0};
    struct tg_request *request = ask(core, good, OFFERING("chat"), &refusal);
    if (!request) assert_int_equal(refusal.status, 503);
    free(request);
    return request ? TG_OK : TG_E_NO_MEMORY;
}

static void refuses_when_there_is_no_memory(void **state)
{
    (void)state;
    struct fake_core *core = fake_core_new();
    assert_int_equal(tg_alloc_sweep(grant_once, core), 1);
    assert_int_equal(core->worker.metrics.no_memory, 1);
    core->worker.metrics.no_memory = 0;
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
        cmocka_unit_test(lets_in_the_same_origin_and_what_is_no_page),
        cmocka_unit_test(lets_in_the_origins_that_a_consumer_declares),
        cmocka_unit_test(refuses_who_sends_none_where_one_is_required),
        cmocka_unit_test(knows_the_scheme_from_a_trusted_proxy),
        cmocka_unit_test(agrees_on_the_first_subprotocol_of_the_consumer),
        cmocka_unit_test(goes_on_without_a_subprotocol_that_nobody_speaks),
        cmocka_unit_test(refuses_a_list_of_subprotocols_that_the_library_cannot_read),
        cmocka_unit_test(asks_the_script_last),
        cmocka_unit_test(asks_it_no_more_for_who_was_refused_too_often),
        cmocka_unit_test(refuses_when_there_is_no_memory),
        cmocka_unit_test(keeps_the_common_headers_and_those_that_a_consumer_asks_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
