/* Requests to routes without sockets and without Lua: which route, what is refused, and when it is answered.
 */
#include "core/exchange.h"

#include "support/alloc.h"
#include "support/fake_core.h"
#include "support/fake_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct {
    struct fake_core *core;
    struct tg_script_ops ops;
    struct tg_http_route *post; /* takes a payload */
    struct tg_http_answer answer;
    struct tg_exchange_client client;
    int answered, ran, cancelled;
    bool waits;
    char payload[64];
} stage;

/* ---- fakes ---- */

static void note_answered(struct tg_exchange_client *client)
{
    assert_ptr_equal(client, &stage.client);
    stage.answered++;
}

static void run_exchange(struct tg_script *script, struct tg_exchange *exchange)
{
    (void)script;
    stage.ran++;
    if (exchange->payload)
        snprintf(stage.payload, sizeof stage.payload, "%d of %u", exchange->payload->type,
                 exchange->payload->length);
    if (stage.waits) {
        exchange->script_task = &stage;
        return;
    }
    tg_http_answer_begin(&exchange->answer, 200);
    tg_exchange_answered(exchange);
}

static void cancel_exchange(struct tg_script *script, struct tg_exchange *exchange)
{
    (void)script;
    assert_ptr_equal(exchange->script_task, &stage);
    exchange->script_task = NULL;
    stage.cancelled++;
}

static enum tg_status add_route_to(struct tg_registry *registry, enum tg_http_method method,
                                   const char *pattern, bool has_payload, struct tg_http_route **added)
{
    struct tg_error error;
    struct tg_http_route *route = tg_arena_calloc(&registry->arena, 1, sizeof *route);
    if (!route) return TG_E_NO_MEMORY;
    route->method = method;
    route->source = TG_SLICE("routes.lua:1");
    route->payload = tg_schema_new(&registry->arena, has_payload ? TG_SCHEMA_ANY : TG_SCHEMA_NULL);
    if (!route->payload) return TG_E_NO_MEMORY;
    if (added) *added = route;
    return tg_http_routes_add(&registry->routes, &registry->arena, route, tg_slice_of(pattern), &error);
}

static enum tg_status add_route(enum tg_http_method method, const char *pattern, bool has_payload,
                                struct tg_http_route **added)
{
    return add_route_to(&stage.core->generation.registry, method, pattern, has_payload, added);
}

static int setup(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    stage.core = fake_core_new();
    stage.ops = *stage.core->script.script.ops;
    stage.ops.exchange = run_exchange;
    stage.ops.cancel_exchange = cancel_exchange;
    stage.core->script.script.ops = &stage.ops;
    stage.client.answered = note_answered;
    tg_http_answer_init(&stage.answer);
    assert_int_equal(add_route(TG_HTTP_POST, "/things/{name}", true, &stage.post), TG_OK);
    assert_int_equal(add_route(TG_HTTP_GET, "/things/{name}", false, NULL), TG_OK);
    assert_int_equal(add_route(TG_HTTP_GET, "/things/list", false, NULL), TG_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tg_http_answer_deinit(&stage.answer);
    fake_core_free(stage.core);
    return 0;
}

/* ---- asking ---- */

static struct tg_pair headers[] = {{TG_SLICE("host"), TG_SLICE("example.org")},
                                   {TG_SLICE("origin"), TG_SLICE("https://evil.example")}};

static struct tg_http_head json_head(const char *body)
{
    return (struct tg_http_head){.method = TG_HTTP_POST,
                                 .request = {.path = TG_SLICE("/things/x"),
                                             .query = TG_SLICE(""),
                                             .peer = TG_SLICE("127.0.0.1:1"),
                                             .headers = {headers, 1}},
                                 .content_type = TG_SLICE("application/json"),
                                 .body_bytes = strlen(body)};
}

static struct tg_exchange *begin(const struct tg_http_head *head)
{
    struct tg_http_match match;
    tg_http_routes_find(&stage.core->worker.generation->registry.routes, head->method, head->request.path,
                        &match);
    tg_http_answer_deinit(&stage.answer);
    tg_http_answer_init(&stage.answer);
    return tg_exchange_begin(&stage.core->worker, &match, head, &stage.client, &stage.answer);
}

static struct tg_exchange *ask(const char *body)
{
    const struct tg_http_head head = json_head(body);
    struct tg_exchange *exchange = begin(&head);
    assert_non_null(exchange);
    assert_true(tg_exchange_read(exchange, tg_slice_of(body)));
    tg_exchange_run(exchange);
    return exchange;
}

static void expect_refused(const struct tg_http_head *head, unsigned status)
{
    assert_null(begin(head));
    assert_int_equal(stage.answer.status, status);
    assert_int_equal(stage.ran, 0);
}

/* ---- specs ---- */

static void finds_the_path_first_and_then_the_method(void **state)
{
    (void)state;
    const struct tg_http_routes *routes = &stage.core->generation.registry.routes;
    struct tg_http_match match;
    tg_http_routes_find(routes, TG_HTTP_HEAD, TG_SLICE("/things/list"), &match);
    assert_string_equal(match.route->name.data, "GET /things/list");
    tg_http_routes_find(routes, TG_HTTP_POST, TG_SLICE("/things/list"), &match);
    assert_null(match.route);
    assert_int_equal(match.methods, 1u << TG_HTTP_GET);
    tg_http_routes_find(routes, TG_HTTP_POST, TG_SLICE("/things/x"), &match);
    assert_ptr_equal(match.route, stage.post);
    assert_int_equal(match.params.count, 1);
    tg_http_routes_find(routes, TG_HTTP_GET, TG_SLICE("/other"), &match);
    assert_int_equal(match.methods, 0);
    tg_http_routes_find(routes, TG_HTTP_GET, (struct tg_slice){0}, &match);
    assert_int_equal(match.methods, 0);
}

static void hands_over_what_is_right_and_answers_once(void **state)
{
    (void)state;
    struct tg_exchange *exchange = ask("{\"a\":1,\"b\":2}");
    assert_int_equal(stage.ran, 1);
    assert_int_equal(stage.answered, 1);
    assert_string_equal(stage.payload, "6 of 2");
    assert_null(exchange->generation);
    tg_exchange_answered(exchange);
    assert_int_equal(stage.answered, 1);
    assert_int_equal(stage.core->worker.metrics.http_exchanges, 1);
    tg_exchange_close(exchange);
    assert_int_equal(stage.core->worker.metrics.http_exchanges, 0);
}

static void answers_what_is_wrong_without_the_script(void **state)
{
    (void)state;
    struct tg_exchange *exchange = ask("{\"a\"");
    assert_int_equal(exchange->answer.status, 400);
    tg_exchange_close(exchange);
    assert_int_equal(stage.ran, 0);
    assert_int_equal(stage.core->worker.metrics.http_invalid, 1);
}

static void refuses_by_the_head_alone(void **state)
{
    (void)state;
    struct tg_http_head head = json_head("{}");
    head.is_chunked = true;
    expect_refused(&head, 411);
    assert_true(stage.answer.is_unread);
    head = json_head("{}");
    head.content_type = TG_SLICE("text/plain");
    expect_refused(&head, 415);
    head = json_head("{}");
    head.request.headers.count = 2;
    expect_refused(&head, 403);
    head = json_head("{}");
    head.body_bytes = stage.core->config.max_body_bytes + 1;
    expect_refused(&head, 413);
    head = json_head("{}");
    head.method = TG_HTTP_DELETE;
    expect_refused(&head, 405);
    stage.core->worker.is_draining = true;
    head = json_head("{}");
    expect_refused(&head, 503);
    stage.core->worker.is_draining = false;
}

static void takes_no_more_than_so_many(void **state)
{
    (void)state;
    stage.core->config.max_http_requests = 1;
    struct tg_http_head head = json_head("{}");
    struct tg_exchange *exchange = begin(&head);
    assert_non_null(exchange);
    expect_refused(&head, 503);
    assert_int_equal(stage.core->worker.metrics.http_full, 1);
    tg_exchange_close(exchange);
    exchange = begin(&head);
    assert_non_null(exchange);
    tg_exchange_close(exchange);
}

static void takes_no_more_body_than_was_told(void **state)
{
    (void)state;
    struct tg_http_head head = json_head("{}");
    struct tg_exchange *exchange = begin(&head);
    assert_true(tg_exchange_read(exchange, TG_SLICE("{")));
    assert_false(tg_exchange_read(exchange, TG_SLICE("}}")));
    tg_exchange_close(exchange);
}

static void waits_for_the_body_no_longer_than_it_may(void **state)
{
    (void)state;
    struct tg_http_head head = json_head("{}");
    struct tg_exchange *exchange = begin(&head);
    fake_core_sleep(stage.core, stage.core->config.body_timeout_ms);
    assert_int_equal(stage.answered, 1);
    assert_int_equal(exchange->answer.status, 408);
    tg_exchange_run(exchange);
    assert_int_equal(stage.ran, 0);
    tg_exchange_close(exchange);
}

static void cancels_what_waits_longer_than_its_route_allows(void **state)
{
    (void)state;
    stage.waits = true;
    stage.post->timeout_ms = 100;
    struct tg_exchange *exchange = ask("{}");
    fake_core_sleep(stage.core, 99);
    assert_int_equal(stage.cancelled, 0);
    fake_core_sleep(stage.core, 1);
    assert_int_equal(stage.cancelled, 1);
    assert_int_equal(exchange->answer.status, 503);
    tg_exchange_close(exchange);
}

/* Logins that come together are let try before the first has failed. */
static void tells_many_logins_at_once_no_more_than_one_after_the_other(void **state)
{
    enum { LIMIT = 30, ASKED = LIMIT + 3 };
    struct tg_exchange *exchanges[ASKED];
    (void)state;
    stage.waits = true;
    stage.post->is_login = true;
    assert_int_equal(stage.core->config.login_attempts, LIMIT);
    for (int i = 0; i < ASKED; i++) exchanges[i] = ask("{}");
    assert_int_equal(stage.ran, ASKED);
    for (int i = 0; i < ASKED; i++) {
        struct tg_http_answer *answer = &exchanges[i]->answer;
        exchanges[i]->script_task = NULL;
        tg_http_answer_begin(answer, i == ASKED - 1 ? 200 : i == ASKED - 2 ? 422 : 401);
        tg_buf_append_literal(&answer->headers, "Set-Cookie: sessionid=s1\r\n");
        tg_exchange_answered(exchanges[i]);
        unsigned expected = i == ASKED - 2 ? 422 : i >= LIMIT ? 429 : 401;
        assert_int_equal(answer->status, expected);
        bool has_cookie = memmem(answer->headers.data, answer->headers.length, "Set-Cookie", 10);
        assert_int_equal(has_cookie, expected != 429);
        tg_exchange_close(exchanges[i]);
    }
    assert_int_equal(stage.core->worker.metrics.login_attempts_refused, 2);
}

static void cancels_what_waits_when_its_client_leaves(void **state)
{
    (void)state;
    stage.waits = true;
    tg_exchange_close(ask("{}"));
    assert_int_equal(stage.cancelled, 1);
    assert_int_equal(stage.answered, 0);
}

static void ends_with_the_generation_that_it_runs_in(void **state)
{
    (void)state;
    stage.waits = true;
    struct tg_generation other = {0};
    struct tg_worker *worker = &stage.core->worker;
    struct tg_exchange *exchange = ask("{}");
    assert_true(tg_exchange_is_any(worker, &stage.core->generation));
    assert_false(tg_exchange_is_any(worker, &other));
    tg_exchange_cancel_all(worker, &other);
    assert_int_equal(stage.cancelled, 0);
    tg_exchange_cancel_all(worker, &stage.core->generation);
    assert_int_equal(stage.cancelled, 1);
    assert_int_equal(exchange->answer.status, 503);
    assert_false(tg_exchange_is_any(worker, &stage.core->generation));
    tg_exchange_close(exchange);
}

/* ---- new code ---- */

static void expect_alive(uint64_t count)
{
    fake_core_turn(stage.core);
    assert_int_equal(stage.core->worker.metrics.generations_alive, count);
}

static void a_handler_that_waits_keeps_its_generation_until_it_has_answered(void **state)
{
    (void)state;
    struct fake_reload *reload = fake_reload_new(stage.core);
    stage.waits = true;
    struct tg_exchange *exchange = ask("{}");
    fake_reload_expect(reload, TG_RELOAD_OK);
    expect_alive(2);
    stage.core->turns_requested = 0;
    exchange->script_task = NULL;
    tg_http_answer_begin(&exchange->answer, 200);
    tg_exchange_answered(exchange);
    assert_int_equal(stage.core->turns_requested, 1);
    expect_alive(1);
    tg_exchange_close(exchange);
    fake_reload_free(reload);
}

/* Begins, and has the code replaced before the body is there. The new code has POST PATTERN. */
static struct tg_exchange *begin_before(struct fake_reload *reload, const char *pattern)
{
    const struct tg_http_head head = json_head("{}");
    struct tg_exchange *exchange = begin(&head);
    fake_reload_expect(reload, TG_RELOAD_OK);
    assert_int_equal(
        add_route_to(&stage.core->worker.generation->registry, TG_HTTP_POST, pattern, true, NULL), TG_OK);
    expect_alive(2);
    return exchange;
}

static void finish(struct tg_exchange *exchange, unsigned status, int ran)
{
    assert_true(tg_exchange_read(exchange, TG_SLICE("{}")));
    tg_exchange_run(exchange);
    assert_int_equal(exchange->answer.status, status);
    assert_int_equal(stage.ran, ran);
    expect_alive(1);
    tg_exchange_close(exchange);
}

static void begins_in_the_code_that_serves_when_the_body_is_whole(void **state)
{
    (void)state;
    struct fake_reload *reload = fake_reload_new(stage.core);
    struct tg_exchange *exchange = begin_before(reload, "/things/{id}");
    finish(exchange, 200, 1);
    finish(begin_before(reload, "/others"), 404, 1);
    fake_reload_free(reload);
}

static void goes_over_to_new_code_when_the_old_has_no_time_left(void **state)
{
    (void)state;
    struct fake_reload *reload = fake_reload_new(stage.core);
    struct tg_exchange *exchange = begin_before(reload, "/things/{id}");
    tg_generation_expire(&stage.core->generation, false);
    expect_alive(1);
    assert_true(tg_slice_equal(exchange->request->params[0].name, TG_SLICE("id")));
    finish(exchange, 200, 1);
    fake_reload_free(reload);
}

static void answers_503_when_there_is_no_memory_to_go_over(void **state)
{
    (void)state;
    struct fake_reload *reload = fake_reload_new(stage.core);
    struct tg_exchange *exchange = begin_before(reload, "/things/{id}");
    assert_true(tg_exchange_read(exchange, TG_SLICE("{}")));
    tg_alloc_fail_at(1);
    tg_exchange_run(exchange);
    tg_alloc_fail_at(0);
    assert_int_equal(exchange->answer.status, 503);
    tg_exchange_close(exchange);
    expect_alive(1);
    fake_reload_free(reload);
}

/* Without memory: refused, or answered with 503. */
static enum tg_status ask_once(void *context)
{
    (void)context;
    const struct tg_http_head head = json_head("{\"a\":[1,2]}");
    stage.answered = 0;
    struct tg_exchange *exchange = begin(&head);
    if (!exchange) return TG_E_NO_MEMORY;
    tg_exchange_read(exchange, TG_SLICE("{\"a\":[1,2]}"));
    tg_exchange_run(exchange);
    assert_int_equal(stage.answered, 1);
    unsigned status = exchange->answer.status;
    tg_exchange_close(exchange);
    assert_true(status == 200 || status == 503);
    return status == 200 ? TG_OK : TG_E_NO_MEMORY;
}

static void answers_503_whichever_allocation_fails(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(ask_once, NULL) > 2);
    assert_int_equal(stage.core->worker.metrics.http_exchanges, 0);
}

/* Into an arena that has no room yet. */
static enum tg_status declare_once(void *context)
{
    struct tg_http_routes routes = {0};
    struct tg_arena arena;
    struct tg_error error;
    struct tg_http_route route = {.method = TG_HTTP_PUT, .source = TG_SLICE("routes.lua:1")};
    (void)context;
    tg_arena_init(&arena, 0);
    enum tg_status status = tg_http_routes_add(&routes, &arena, &route, TG_SLICE("/put/{x}"), &error);
    assert_int_equal(routes.count, status == TG_OK);
    tg_arena_deinit(&arena);
    return status;
}

static void declares_no_half_of_a_route(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(declare_once, NULL) > 0);
}

int main(void)
{
#define SPEC(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        SPEC(finds_the_path_first_and_then_the_method),
        SPEC(hands_over_what_is_right_and_answers_once),
        SPEC(answers_what_is_wrong_without_the_script),
        SPEC(refuses_by_the_head_alone),
        SPEC(takes_no_more_than_so_many),
        SPEC(takes_no_more_body_than_was_told),
        SPEC(waits_for_the_body_no_longer_than_it_may),
        SPEC(cancels_what_waits_longer_than_its_route_allows),
        SPEC(tells_many_logins_at_once_no_more_than_one_after_the_other),
        SPEC(cancels_what_waits_when_its_client_leaves),
        SPEC(ends_with_the_generation_that_it_runs_in),
        SPEC(a_handler_that_waits_keeps_its_generation_until_it_has_answered),
        SPEC(begins_in_the_code_that_serves_when_the_body_is_whole),
        SPEC(goes_over_to_new_code_when_the_old_has_no_time_left),
        SPEC(answers_503_when_there_is_no_memory_to_go_over),
        SPEC(answers_503_whichever_allocation_fails),
        SPEC(declares_no_half_of_a_route),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
