/* An exchange is in worker->exchanges from its begin to its close, and points at its generation until it is
 * answered; so a generation that none points at may go. It is answered once: whatever is to be told later is
 * dropped.
 */
#include "core/exchange.h"

#include "base/log.h"
#include "core/exchange_body.h"
#include "core/origin.h"
#include "core/proxy.h"
#include "core/script.h"
#include "core/worker.h"

#include <stdlib.h>
#include <string.h>

/* ---- answers ---- */

#define ANSWER_DETAIL(answer, status, detail) tg_http_answer_detail((answer), (status), TG_SLICE(detail))

/* What the whole of the path answers, for 405 and OPTIONS. */
static void add_methods(struct tg_http_answer *answer, uint32_t methods)
{
    tg_buf_append_literal(&answer->headers, "Allow: ");
    tg_http_methods_write(methods, &answer->headers);
    tg_buf_append_literal(&answer->headers, "\r\n");
}

/* ---- the head ---- */

static bool is_declared_origin(const struct tg_http_route *route, struct tg_slice text)
{
    struct tg_origin origin;
    if (!tg_origin_read(text, &origin)) return false;
    for (uint32_t i = 0; i < route->origin_count; i++)
        if (tg_origin_matches(&route->origins[i], &origin)) return true;
    return false;
}

/* A page of another site can send a form with the user's cookies (CSRF), as it can open a WebSocket. Its
 * browser says where it comes from; what is no browser need not. */
static bool is_foreign(const struct tg_http_route *route, const struct tg_request *request)
{
    struct tg_slice text = tg_pairs_get(&request->headers, TG_SLICE("origin"));
    if (tg_http_method_is_safe(route->method) || !text.data) return false;
    return !tg_origin_is_same(&request->headers, request->is_secure) && !is_declared_origin(route, text);
}

static uint64_t max_body_bytes(const struct tg_worker *worker, const struct tg_http_route *route)
{
    return route->max_body_bytes ? route->max_body_bytes : worker->config->max_body_bytes;
}

static bool takes_payload(const struct tg_http_route *route)
{
    return route->payload->kind != TG_SCHEMA_NULL;
}

/* What is wrong with the request, whatever the load. */
static bool find_objection(struct tg_worker *worker, const struct tg_http_match *match,
                           const struct tg_http_head *head, struct tg_http_answer *answer)
{
    const struct tg_http_route *route = match->route;
    if (match->methods == 0) {
        ANSWER_DETAIL(answer, 404, "Not found");
    } else if (!route && head->method == TG_HTTP_OPTIONS) {
        tg_http_answer_begin(answer, 204);
        add_methods(answer, match->methods);
    } else if (!route) {
        ANSWER_DETAIL(answer, 405, "Method not allowed");
        add_methods(answer, match->methods);
    } else if (is_foreign(route, &head->request)) {
        worker->metrics.http_origins_refused++;
        ANSWER_DETAIL(answer, 403, "This origin is not allowed");
    } else if (head->is_chunked) {
        ANSWER_DETAIL(answer, 411, "The length of the body has to be told in Content-Length");
    } else if (takes_payload(route) && head->body_bytes && !tg_exchange_body_is_known(head->content_type)) {
        ANSWER_DETAIL(answer, 415,
                      "The body has to be application/json or application/x-www-form-urlencoded");
    } else if (head->body_bytes > max_body_bytes(worker, route)) {
        worker->metrics.http_too_large++;
        ANSWER_DETAIL(answer, 413, "The body is longer than max_body_bytes");
    } else {
        return false;
    }
    return true;
}

/* Whether the client guesses at passwords, and is told so. */
static bool is_guessing(struct tg_worker *worker, const struct tg_http_route *route, struct tg_slice peer,
                        struct tg_http_answer *answer)
{
    uint32_t seconds = route->is_login ? tg_worker_refuse_attempt(worker, peer) : 0;
    if (!seconds) return false;
    ANSWER_DETAIL(answer, 429, "Too many attempts to log in");
    tg_buf_printf(&answer->headers, "Retry-After: %u\r\n", seconds);
    return true;
}

/* What we do not want to do now. */
static bool is_beyond_limits(struct tg_worker *worker, const struct tg_http_route *route,
                             const struct tg_http_head *head, struct tg_http_answer *answer)
{
    struct tg_metrics *metrics = &worker->metrics;
    if (is_guessing(worker, route, head->request.peer, answer)) return true;
    if (worker->is_draining) {
        ANSWER_DETAIL(answer, 503, "The server is shutting down");
    } else if (metrics->http_exchanges >= worker->config->max_http_requests) {
        metrics->http_full++;
        ANSWER_DETAIL(answer, 503, "Too many requests at once");
    } else {
        return false;
    }
    return true;
}

/* ---- life ---- */

static void too_late(struct tg_timer *timer);

static void arm(struct tg_exchange *exchange, uint64_t timeout_ms)
{
    if (timeout_ms)
        tg_worker_arm(exchange->worker, &exchange->timer, tg_worker_now_ms(exchange->worker) + timeout_ms);
}

static struct tg_request *copy_request(const struct tg_http_head *head, const struct tg_http_match *match)
{
    struct tg_request parts = head->request;
    parts.params = (struct tg_param *)match->params.items; /* copied, not changed */
    parts.param_count = match->params.count;
    return tg_request_new(&parts);
}

static struct tg_exchange *new_exchange(struct tg_worker *worker, const struct tg_http_match *match,
                                        const struct tg_http_head *head)
{
    struct tg_exchange *exchange = malloc(sizeof *exchange + head->content_type.length);
    if (!exchange) return NULL;
    *exchange = (struct tg_exchange){.worker = worker,
                                     .generation = worker->generation,
                                     .route = match->route,
                                     .request = copy_request(head, match),
                                     .method = head->method,
                                     .body_bytes = head->body_bytes};
    if (!exchange->request) {
        free(exchange);
        return NULL;
    }
    char *type = (char *)(exchange + 1);
    if (head->content_type.length) memcpy(type, head->content_type.data, head->content_type.length);
    exchange->content_type = (struct tg_slice){type, head->content_type.length};
    tg_buf_init(&exchange->body);
    tg_http_answer_init(&exchange->answer);
    tg_timer_init(&exchange->timer, too_late);
    return exchange;
}

struct tg_exchange *tg_exchange_begin(struct tg_worker *worker, const struct tg_http_match *match,
                                      const struct tg_http_head *given, struct tg_exchange_client *client,
                                      struct tg_http_answer *answer)
{
    struct tg_client from;
    struct tg_http_head resolved = *given, *head = &resolved;
    tg_proxy_resolve(worker->config, given->request.peer, given->request.is_secure, &given->request.headers,
                     &from);
    head->request.peer = from.peer;
    head->request.is_secure = from.is_secure;
    answer->is_unread = head->body_bytes > 0 || head->is_chunked;
    if (find_objection(worker, match, head, answer)) return NULL;
    if (is_beyond_limits(worker, match->route, head, answer)) return NULL;
    struct tg_exchange *exchange = new_exchange(worker, match, head);
    if (!exchange) {
        worker->metrics.no_memory++;
        ANSWER_DETAIL(answer, 503, "Out of memory");
        return NULL;
    }
    exchange->client = client;
    tg_list_append(&worker->exchanges, &exchange->link);
    worker->metrics.http_exchanges++;
    arm(exchange, worker->config->body_timeout_ms);
    return exchange;
}

static void cancel(struct tg_exchange *exchange)
{
    if (!exchange->script_task) return;
    struct tg_script *script = exchange->generation->script;
    script->ops->cancel_exchange(script, exchange);
}

void tg_exchange_close(struct tg_exchange *exchange)
{
    struct tg_worker *worker = exchange->worker;
    cancel(exchange);
    tg_wheel_disarm(&worker->wheel, &exchange->timer);
    tg_list_remove(&exchange->link);
    worker->metrics.http_exchanges--;
    tg_http_answer_deinit(&exchange->answer);
    tg_buf_deinit(&exchange->body);
    free(exchange->request);
    free(exchange);
    tg_worker_exchange_closed(worker);
}

/* ---- the answer ---- */

/* A generation that retires may go now. */
static void leave_generation(struct tg_exchange *exchange)
{
    struct tg_loop *loop = exchange->worker->loop;
    bool is_retiring = exchange->generation->state == TG_GENERATION_RETIRING;
    exchange->generation = NULL;
    exchange->route = NULL;
    if (is_retiring) loop->ops->request_turn(loop);
}

/* Many may be let try before the first has failed. What those behind the limit have shown is not told, right
 * or wrong, so they learn no more than if they had come one after the other. */
static void note_login(struct tg_exchange *exchange)
{
    struct tg_http_answer *answer = &exchange->answer;
    bool is_verdict = exchange->route->is_login && (answer->status == 401 || answer->status < 400);
    if (!is_verdict || is_guessing(exchange->worker, exchange->route, exchange->request->peer, answer))
        return;
    if (answer->status == 401) tg_worker_note_attempt(exchange->worker, exchange->request->peer);
}

void tg_exchange_answered(struct tg_exchange *exchange)
{
    if (exchange->state == TG_EXCHANGE_ANSWERED) return;
    note_login(exchange);
    struct tg_http_answer *answer = &exchange->answer;
    if (answer->type.has_failed || answer->headers.has_failed || answer->body.has_failed) {
        exchange->worker->metrics.no_memory++;
        ANSWER_DETAIL(answer, 503, "Out of memory");
    }
    tg_log(TG_LOG_DEBUG, "http_answered", TG_LOG_EXCHANGE(exchange), TG_LOG_I("status", answer->status),
           TG_LOG_STR("peer", exchange->request->peer));
    tg_wheel_disarm(&exchange->worker->wheel, &exchange->timer);
    exchange->state = TG_EXCHANGE_ANSWERED;
    leave_generation(exchange);
    exchange->client->answered(exchange->client);
}

static void answer_detail(struct tg_exchange *exchange, unsigned status, const char *detail)
{
    tg_http_answer_detail(&exchange->answer, status, tg_slice_of(detail));
    tg_exchange_answered(exchange);
}

static void write_list(struct tg_exchange *exchange, unsigned status, struct tg_slice issues)
{
    exchange->worker->metrics.http_invalid++;
    tg_http_answer_begin_json(&exchange->answer, status);
    tg_buf_append_literal(&exchange->answer.body, "{\"detail\":[");
    tg_buf_append_slice(&exchange->answer.body, issues);
    tg_buf_append_literal(&exchange->answer.body, "]}");
}

void tg_exchange_write_issues(struct tg_exchange *exchange, struct tg_slice issues)
{
    write_list(exchange, 422, issues);
}

static void too_late(struct tg_timer *timer)
{
    struct tg_exchange *exchange = TG_CONTAINER(timer, struct tg_exchange, timer);
    struct tg_metrics *metrics = &exchange->worker->metrics;
    if (exchange->state == TG_EXCHANGE_READING) {
        metrics->http_body_timeouts++;
        exchange->answer.is_unread = true;
        answer_detail(exchange, 408, "The body did not come in time");
        return;
    }
    metrics->handler_timeouts++;
    tg_log(TG_LOG_WARNING, "handler_timeout", TG_LOG_EXCHANGE(exchange));
    cancel(exchange);
    answer_detail(exchange, 503, "The handler took too long");
}

/* ---- the body ---- */

bool tg_exchange_read(struct tg_exchange *exchange, struct tg_slice piece)
{
    if (exchange->state != TG_EXCHANGE_READING) return true;
    if (piece.length > exchange->body_bytes - exchange->body.length) return false;
    tg_buf_append_slice(&exchange->body, piece);
    return true;
}

/* False: it is wrong, and answered. */
static bool check_body(struct tg_exchange *exchange)
{
    unsigned status = tg_exchange_body_check(exchange);
    if (status == 0) return true;
    if (status == 503) {
        exchange->worker->metrics.no_memory++;
        answer_detail(exchange, 503, "Out of memory");
    } else {
        write_list(exchange, status, tg_buf_peek(&exchange->worker->issues));
        tg_exchange_answered(exchange);
    }
    return false;
}

/* It begins in the code that serves, which has come while the body came: the route is looked for anew. False:
 * there is none for it any more, and that is answered. */
static bool find_anew(struct tg_exchange *exchange)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_generation *serving = worker->generation;
    const struct tg_http_head head = {.method = exchange->method,
                                      .request = *exchange->request,
                                      .content_type = exchange->content_type,
                                      .body_bytes = exchange->body_bytes};
    struct tg_http_match match;
    if (exchange->generation == serving) return true;
    tg_http_routes_find(&serving->registry.routes, exchange->method, exchange->request->path, &match);
    if (find_objection(worker, &match, &head, &exchange->answer)) {
        tg_exchange_answered(exchange);
        return false;
    }
    struct tg_request *request = copy_request(&head, &match);
    if (!request) {
        worker->metrics.no_memory++;
        answer_detail(exchange, 503, "Out of memory");
        return false;
    }
    free(exchange->request);
    exchange->request = request;
    leave_generation(exchange);
    exchange->generation = serving;
    exchange->route = match.route;
    return true;
}

void tg_exchange_run(struct tg_exchange *exchange)
{
    struct tg_worker *worker = exchange->worker;
    if (exchange->state != TG_EXCHANGE_READING) return;
    tg_wheel_disarm(&worker->wheel, &exchange->timer);
    exchange->state = TG_EXCHANGE_RUNNING;
    if (exchange->body.has_failed) {
        worker->metrics.no_memory++;
        answer_detail(exchange, 503, "Out of memory");
        return;
    }
    if (!find_anew(exchange)) return;
    exchange->route->handler->messages++;
    if (takes_payload(exchange->route) && !check_body(exchange)) return;
    arm(exchange,
        exchange->route->timeout_ms ? exchange->route->timeout_ms : worker->config->handler_timeout_ms);
    struct tg_script *script = exchange->generation->script;
    script->ops->exchange(script, exchange);
    exchange->payload = NULL;
    exchange->calls = NULL;
}

/* ---- the end of a generation ---- */

void tg_exchange_cancel_all(struct tg_worker *worker, const struct tg_generation *generation)
{
    for (struct tg_list *node = worker->exchanges.next, *next; node != &worker->exchanges; node = next) {
        struct tg_exchange *exchange = TG_CONTAINER(node, struct tg_exchange, link);
        next = node->next;
        if (!exchange->generation || (generation && exchange->generation != generation)) continue;
        exchange->answer.is_unread = exchange->state == TG_EXCHANGE_READING;
        if (exchange->answer.is_unread && generation) {
            exchange->answer.is_unread = !find_anew(exchange);
            continue;
        }
        cancel(exchange);
        answer_detail(exchange, 503, "The handler was ended");
    }
}

bool tg_exchange_is_any(const struct tg_worker *worker, const struct tg_generation *generation)
{
    for (const struct tg_list *node = worker->exchanges.next; node != &worker->exchanges; node = node->next)
        if (TG_CONTAINER(node, struct tg_exchange, link)->generation == generation) return true;
    return false;
}
