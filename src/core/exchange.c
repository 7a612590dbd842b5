/* An exchange is in worker->exchanges from its begin to its close, and points at its generation until it is
 * answered; so a generation that none points at may go. It is answered once: whatever is to be told later is
 * dropped.
 */
#include "core/exchange.h"

#include "base/log.h"
#include "core/origin.h"
#include "core/proxy.h"
#include "core/script.h"
#include "core/worker.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

static bool has_type(struct tg_slice content_type, struct tg_slice type)
{
    if (content_type.length < type.length) return false;
    if (strncasecmp(content_type.data, type.data, type.length) != 0) return false;
    return content_type.length == type.length || strchr(" \t;", content_type.data[type.length]);
}

static bool is_form(struct tg_slice content_type)
{
    return has_type(content_type, TG_SLICE("application/x-www-form-urlencoded"));
}

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
    if (!route && head->method == TG_HTTP_OPTIONS) {
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
    } else if (takes_payload(route) && head->body_bytes && !is_form(head->content_type) &&
               !has_type(head->content_type, TG_SLICE("application/json"))) {
        ANSWER_DETAIL(answer, 415,
                      "The body has to be application/json or application/x-www-form-urlencoded");
    } else {
        return false;
    }
    return true;
}

/* What we cannot or do not want to read now. */
static bool is_beyond_limits(struct tg_worker *worker, const struct tg_http_route *route,
                             const struct tg_http_head *head, struct tg_http_answer *answer)
{
    struct tg_metrics *metrics = &worker->metrics;
    if (head->body_bytes > max_body_bytes(worker, route)) {
        metrics->http_too_large++;
        ANSWER_DETAIL(answer, 413, "The body is longer than max_body_bytes");
    } else if (worker->is_draining) {
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

static struct tg_exchange *new_exchange(struct tg_worker *worker, const struct tg_http_match *match,
                                        const struct tg_http_head *head)
{
    struct tg_exchange *exchange = malloc(sizeof *exchange + head->content_type.length);
    if (!exchange) return NULL;
    struct tg_request parts = head->request;
    parts.params = (struct tg_param *)match->params.items; /* copied, not changed */
    parts.param_count = match->params.count;
    *exchange = (struct tg_exchange){.worker = worker,
                                     .generation = worker->generation,
                                     .route = match->route,
                                     .request = tg_request_new(&parts),
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

void tg_exchange_answered(struct tg_exchange *exchange)
{
    if (exchange->state == TG_EXCHANGE_ANSWERED) return;
    struct tg_http_answer *answer = &exchange->answer;
    if (answer->type.has_failed || answer->headers.has_failed || answer->body.has_failed) {
        exchange->worker->metrics.no_memory++;
        ANSWER_DETAIL(answer, 503, "Out of memory");
    }
    tg_log(TG_LOG_DEBUG, "http_answered", TG_LOG_EXCHANGE(exchange), TG_LOG_I("status", answer->status),
           TG_LOG_STR("peer", exchange->request->peer));
    tg_wheel_disarm(&exchange->worker->wheel, &exchange->timer);
    exchange->state = TG_EXCHANGE_ANSWERED;
    exchange->generation = NULL;
    exchange->route = NULL;
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

static struct tg_value *find_field(const struct tg_value *form, struct tg_slice name)
{
    for (uint32_t i = 0; i < form->length; i++)
        if (tg_slice_equal(tg_member_key(&form->members[i]), name)) return &form->members[i].value;
    return NULL;
}

/* What came behind a name that stands once in a form is a string; behind one that stands twice, a list. */
static bool add_field(struct tg_arena *arena, struct tg_value *form, const struct tg_pair *pair,
                      uint32_t room)
{
    struct tg_value text = {.type = TG_VALUE_STRING,
                            .length = (uint32_t)pair->value.length,
                            .string = pair->value.length ? pair->value.data : ""};
    struct tg_value *there = find_field(form, pair->name);
    if (!there) {
        form->members[form->length++] = (struct tg_member){
            .key = pair->name.data, .key_length = (uint32_t)pair->name.length, .value = text};
        return true;
    }
    if (there->type != TG_VALUE_ARRAY) {
        struct tg_value *items = tg_arena_calloc(arena, room, sizeof *items);
        if (!items) return false;
        items[0] = *there;
        *there = (struct tg_value){.type = TG_VALUE_ARRAY, .length = 1, .items = items};
    }
    there->items[there->length++] = text;
    return true;
}

static enum tg_status read_form(struct tg_slice text, struct tg_arena *arena, struct tg_value *form)
{
    struct tg_pairs pairs = {0};
    if (tg_query_parse(text, arena, &pairs) != TG_OK) return TG_E_NO_MEMORY;
    *form = (struct tg_value){.type = TG_VALUE_OBJECT};
    form->members = tg_arena_calloc(arena, (size_t)pairs.count + 1, sizeof *form->members);
    if (!form->members) return TG_E_NO_MEMORY;
    for (uint32_t i = 0; i < pairs.count; i++)
        if (!add_field(arena, form, &pairs.items[i], pairs.count)) return TG_E_NO_MEMORY;
    return TG_OK;
}

/* The body as a tree; *value stays NULL where there is none. */
static enum tg_status parse(struct tg_exchange *exchange, struct tg_issues *issues, struct tg_value **value)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_slice text = tg_buf_peek(&exchange->body);
    struct tg_error error;
    if (text.length == 0) return TG_OK;
    struct tg_value *parsed = tg_arena_alloc(&worker->arena, sizeof *parsed);
    if (!parsed) return TG_E_NO_MEMORY;
    *value = parsed;
    if (is_form(exchange->content_type)) return read_form(text, &worker->arena, parsed);
    enum tg_status status =
        tg_json_parse(text, worker->config->max_json_depth, &worker->arena, parsed, &error);
    if (status != TG_OK && status != TG_E_NO_MEMORY)
        tg_issue_report(issues,
                        &(struct tg_issue){.type = TG_ISSUE_JSON_INVALID, .text = tg_slice_of(error.text)});
    return status;
}

static enum tg_status validate(struct tg_exchange *exchange, struct tg_issues *issues, struct tg_value *value)
{
    static const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_worker *worker = exchange->worker;
    struct tg_validation validation = {.arena = &worker->arena,
                                       .issues = issues,
                                       .naming = TG_NAMING_DECLARED,
                                       .max_steps = worker->config->max_check_steps};
    enum tg_status status = tg_validate_payload(exchange->route->payload, &value, &path, &validation);
    worker->metrics.check_steps_hit += validation.has_hit_steps;
    exchange->payload = value;
    exchange->calls = validation.calls;
    return status;
}

/* False: it is wrong, and answered. */
static bool check_body(struct tg_exchange *exchange)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_issues issues;
    struct tg_value *value = NULL;
    tg_arena_reset(&worker->arena);
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    issues.counts = worker->issue_counts;
    enum tg_status status = parse(exchange, &issues, &value);
    bool is_parsed = status == TG_OK;
    if (is_parsed) status = validate(exchange, &issues, value);
    if (status == TG_OK) return true;
    tg_issues_finish(&issues);
    if (status == TG_E_NO_MEMORY || worker->issues.has_failed) {
        worker->metrics.no_memory++;
        answer_detail(exchange, 503, "Out of memory");
    } else {
        write_list(exchange, is_parsed ? 422 : 400, tg_buf_peek(&worker->issues));
        tg_exchange_answered(exchange);
    }
    return false;
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
