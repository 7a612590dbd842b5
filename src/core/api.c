/* Who has no token learns nothing but that there is an API: its paths are compared behind the token. */
#include "core/api.h"

#include "base/log.h"
#include "core/api_manage.h"
#include "core/api_publish.h"
#include "core/worker.h"
#include "wire/json.h"

#include <strings.h>

enum { WARNING_MS = 1000 };

/* ---- answers ---- */

void tg_api_answer_begin(struct tg_api_answer *answer, unsigned status)
{
    *answer = (struct tg_api_answer){.status = status};
    tg_buf_init(&answer->body);
}

void tg_api_answer_error(struct tg_api_answer *answer, unsigned status, struct tg_slice detail)
{
    tg_api_answer_begin(answer, status);
    tg_buf_append_literal(&answer->body, "{\"detail\":");
    tg_json_write_string(&answer->body, detail);
    tg_buf_append_char(&answer->body, '}');
}

void tg_api_answer_deinit(struct tg_api_answer *answer)
{
    tg_buf_deinit(&answer->body);
}

/* ---- the head ---- */

bool tg_api_is_path(struct tg_slice path)
{
    static const struct tg_slice root = TG_SLICE("/api");
    if (path.length < root.length || memcmp(path.data, root.data, root.length) != 0) return false;
    return path.length == root.length || path.data[root.length] == '/';
}

/* How long it takes tells nothing but the token's length. */
static bool is_token(struct tg_slice given, struct tg_slice token)
{
    if (given.length != token.length) return false;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < token.length; i++)
        difference = (unsigned char)(difference | (given.data[i] ^ token.data[i]));
    return difference == 0;
}

/* `Bearer TOKEN`: RFC 6750 2.1; RFC 9110 11.1: the scheme in any case. */
static bool is_authorized(struct tg_slice authorization, struct tg_slice token)
{
    static const struct tg_slice scheme = TG_SLICE("bearer ");
    if (authorization.length < scheme.length) return false;
    if (strncasecmp(authorization.data, scheme.data, scheme.length) != 0) return false;
    struct tg_slice given = {authorization.data + scheme.length, authorization.length - scheme.length};
    while (given.length && given.data[0] == ' ') given.data++, given.length--;
    return is_token(given, token);
}

static void note_unauthorized(struct tg_api *api, const struct tg_api_request *request)
{
    struct tg_metrics *metrics = &api->worker->metrics;
    uint64_t now_ms = tg_worker_now_ms(api->worker);
    metrics->api_unauthorized++;
    if (now_ms < api->next_warning_ms) return;
    api->next_warning_ms = now_ms + WARNING_MS;
    tg_log(TG_LOG_WARNING, "api_unauthorized", TG_LOG_STR("peer", request->peer),
           TG_LOG_S("token", request->authorization.length ? "wrong" : "none"),
           TG_LOG_I("refused", metrics->api_unauthorized));
}

/* RFC 8259 11: without parameters that would matter. */
static bool is_json(struct tg_slice content_type)
{
    static const struct tg_slice json = TG_SLICE("application/json");
    if (content_type.length < json.length) return false;
    if (strncasecmp(content_type.data, json.data, json.length) != 0) return false;
    return content_type.length == json.length || strchr(" \t;", content_type.data[json.length]);
}

enum { GET = 1, POST = 2 };

static const struct endpoint {
    struct tg_slice path;
    int method;
    bool takes_json; /* else nothing */
    void (*answer)(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                   struct tg_api_answer *answer); /* NULL: tg_api_answer_later */
} endpoints[] = {
    {TG_SLICE("/api/events"), POST, true, tg_api_publish},
    {TG_SLICE("/api/broadcast"), POST, true, tg_api_publish},
    {TG_SLICE("/api/reload"), POST, false, NULL},
    {TG_SLICE("/api/status"), GET, false, tg_api_answer_status},
};

static const struct endpoint *find_endpoint(struct tg_slice path)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++)
        if (tg_slice_equal(path, endpoints[i].path)) return &endpoints[i];
    return NULL;
}

/* What is wrong with how the endpoint is asked. */
static bool find_misuse(const struct endpoint *endpoint, const struct tg_api_request *request,
                        struct tg_api_answer *answer)
{
    bool is_method = endpoint->method == POST ? request->is_post : request->is_get;
    if (!is_method) {
        TG_API_ERROR(answer, 405, "Method not allowed");
        answer->headers = endpoint->method == POST ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n";
    } else if (endpoint->takes_json && !is_json(request->content_type)) {
        TG_API_ERROR(answer, 415, "The body has to be application/json");
    } else if (request->is_post && !request->has_length) {
        TG_API_ERROR(answer, 411, "The length of the body has to be told in Content-Length");
    } else if (!endpoint->takes_json && request->has_body) {
        TG_API_ERROR(answer, 400, "A request with a body is not taken");
    } else {
        return false;
    }
    return true;
}

/* What is wrong with the request, from who asks to how much. */
static bool find_objection(struct tg_api *api, const struct tg_api_request *request,
                           struct tg_api_answer *answer)
{
    const struct endpoint *endpoint = find_endpoint(request->path);
    if (!api->token.length) {
        TG_API_ERROR(answer, 403, "The API is off: no token is set");
    } else if (!is_authorized(request->authorization, api->token)) {
        note_unauthorized(api, request);
        TG_API_ERROR(answer, 401, "The token is missing or wrong");
        answer->headers = "WWW-Authenticate: Bearer\r\n";
    } else if (!endpoint) {
        TG_API_ERROR(answer, 404, "Not found");
    } else if (find_misuse(endpoint, request, answer)) {
        return true;
    } else {
        return false;
    }
    return true;
}

/* What we cannot or do not want to read now. */
static bool is_beyond_limits(struct tg_api *api, const struct tg_api_request *request,
                             struct tg_api_answer *answer)
{
    const struct tg_config *config = api->worker->config;
    struct tg_metrics *metrics = &api->worker->metrics;
    if (request->body_bytes > config->api_max_bytes) {
        metrics->api_too_large++;
        TG_API_ERROR(answer, 413, "The body is longer than api_max_bytes");
    } else if (request->is_post && api->worker->is_draining) {
        TG_API_ERROR(answer, 503, "The server is shutting down");
    } else if (api->reading >= config->api_max_requests) {
        metrics->api_full++;
        TG_API_ERROR(answer, 503, "Too many requests at once");
    } else {
        return false;
    }
    return true;
}

bool tg_api_refuses(struct tg_api *api, const struct tg_api_request *request, struct tg_api_answer *answer)
{
    api->worker->metrics.api_requests++;
    return find_objection(api, request, answer) || is_beyond_limits(api, request, answer);
}

/* ---- answering ---- */

bool tg_api_takes_long(struct tg_slice path)
{
    return !find_endpoint(path)->answer;
}

void tg_api_answer(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                   struct tg_api_answer *answer)
{
    find_endpoint(path)->answer(api, path, body, answer);
}
