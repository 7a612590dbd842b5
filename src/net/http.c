/* An upgrade that the library itself would refuse is refused here first: the library hangs up
 * without an answer. Such a refusal always ends the connection, since what follows on it is not
 * known to be HTTP. */
#include "net/http.h"

#include "core/dev.h"
#include "core/generation.h"
#include "core/registry.h"
#include "core/series.h"
#include "core/upgrade.h"
#include "net/api_http.h"
#include "net/assets.h"
#include "net/exchange_http.h"
#include "net/files.h"
#include "net/head.h"
#include "net/listener.h"
#include "net/socket.h"
#include "net/subprotocol.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEAD_BYTES = 2048 + 8192 }; /* the second part: what a route may answer with */

#define LINE_BREAK TG_ANSWER_ERROR(400, "Path and query must not contain %0A or %0D")

/* ---- answers ---- */

/* 0, or -1 when the head does not fit or the socket is broken. */
static int write_head(struct lws *wsi, const struct tg_answer *answer)
{
    unsigned char buffer[LWS_PRE + HEAD_BYTES];
    unsigned char *start = buffer + LWS_PRE, *end = buffer + sizeof buffer, *p = start;
    /* Without a length the library announces the end of the connection and remembers to do so. */
    lws_filepos_t announced = answer->closes_connection ? LWS_ILLEGAL_HTTP_CONTENT_LEN : answer->body.length;
    int failure = answer->content_type ? lws_add_http_common_headers(wsi, answer->status,
                                                                     answer->content_type, announced, &p, end)
                                       : lws_add_http_header_status(wsi, answer->status, &p, end);
    if (!failure && answer->content_type && answer->closes_connection)
        failure = lws_add_http_header_content_length(wsi, answer->body.length, &p, end);
    size_t extra = answer->headers ? strlen(answer->headers) : 0;
    if (failure || (size_t)(end - p) < extra) return -1;
    if (extra) memcpy(p, answer->headers, extra);
    p += extra;
    return lws_finalize_write_http_header(wsi, start, &p, end) ? -1 : 0;
}

static int write_body(struct lws *wsi, struct tg_slice body)
{
    /* The library may write in front of what it is given. */
    unsigned char *copy = malloc(LWS_PRE + body.length);
    if (!copy) return -1;
    memcpy(copy + LWS_PRE, body.data, body.length);
    int written = lws_write(wsi, copy + LWS_PRE, body.length, LWS_WRITE_HTTP_FINAL);
    free(copy);
    return written < (int)body.length ? -1 : 0;
}

int tg_http_write(struct lws *wsi, const struct tg_answer *answer)
{
    if (write_head(wsi, answer) < 0) return -1;
    if (answer->body.length && !answer->has_no_body_sent && write_body(wsi, answer->body) < 0) return -1;
    /* Goes on with the next request, first reading what is left of this one; or says that it ends. */
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* ---- requests ---- */

static struct tg_answer answer_metrics(struct tg_server *server, struct tg_buf *text)
{
    tg_metrics_write(&server->worker->metrics, text);
    tg_series_write(server->worker, text);
    if (text->has_failed) return TG_ANSWER_ERROR(503, "Out of memory");
    return (struct tg_answer){
        .status = 200, .content_type = "text/plain; version=0.0.4", .body = tg_buf_peek(text)};
}

static struct tg_answer answer_readiness(const struct tg_server *server)
{
    bool is_draining = server->worker->is_draining || !server->is_listening;
    return (struct tg_answer){
        .status = is_draining ? 503 : 200,
        .content_type = "application/json",
        .body = is_draining ? TG_SLICE("{\"status\":\"draining\"}") : TG_SLICE("{\"status\":\"ready\"}"),
    };
}

/* Pages ask for it wherever they are served from: in production it does nothing. */
static struct tg_answer answer_dev_script(const struct tg_server *server)
{
    return (struct tg_answer){.status = 200,
                              .content_type = "text/javascript; charset=utf-8",
                              .headers = "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
                              .body = server->worker->dev ? tg_asset_find("dev.js") : TG_SLICE("")};
}

static bool is_consumer_path(struct tg_server *server, struct tg_slice path)
{
    struct tg_params params;
    return tg_registry_find(&tg_dev_serving(server->worker, path)->registry, path, &params) != NULL;
}

#define UPGRADE_HEADERS "Upgrade: websocket\r\nConnection: Upgrade\r\n"

/* What is not a file. */
static struct tg_answer answer_path(struct tg_server *server, struct tg_slice path, struct tg_buf *text)
{
    if (!path.data) return TG_ANSWER_ERROR(404, "Not found");
    if (tg_slice_equal(path, TG_SLICE("/healthz")))
        return (struct tg_answer){
            .status = 200, .content_type = "application/json", .body = TG_SLICE("{\"status\":\"ok\"}")};
    if (tg_slice_equal(path, TG_SLICE("/readyz"))) return answer_readiness(server);
    if (tg_slice_equal(path, TG_SLICE("/metrics"))) return answer_metrics(server, text);
    if (tg_slice_equal(path, TG_SLICE(TG_DEV_SCRIPT_PATH))) return answer_dev_script(server);
    if (is_consumer_path(server, path)) {
        struct tg_answer answer = TG_ANSWER_ERROR(426, "This path speaks WebSocket");
        answer.headers = UPGRADE_HEADERS;
        return answer;
    }
    return TG_ANSWER_ERROR(404, "Not found");
}

/* With white space before the colon (RFC 9112 5.1) the library knows neither header of a body. */
static bool has_disguised_body(struct lws *wsi)
{
    static const char *const disguised[] = {
        "content-length :",     "transfer-encoding :", "content-length\t:",
        "transfer-encoding\t:", "content-length  :",   "transfer-encoding  :"};
    for (size_t i = 0; i < sizeof disguised / sizeof disguised[0]; i++)
        if (lws_hdr_custom_length(wsi, disguised[i], (int)strlen(disguised[i])) > 0) return true;
    return false;
}

bool tg_http_has_body(struct lws *wsi)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) return true;
    char length[8];
    int bytes = lws_hdr_copy(wsi, length, sizeof length, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    return bytes < 0 || (bytes > 0 && strcmp(length, "0") != 0);
}

/* What is wrong with a request whatever it asks for. Only the API and routes take bodies; the library would
 * wait for one as long as the client likes, and take what it has not understood as a body for the next
 * request. */
static bool find_request_objection(struct lws *wsi, bool takes_body, struct tg_answer *answer)
{
    enum tg_method method = tg_head_method(wsi);
    if (!takes_body && method != TG_METHOD_GET && method != TG_METHOD_HEAD) {
        *answer = TG_ANSWER_ERROR(405, "Method not allowed");
        answer->headers = "Allow: GET, HEAD\r\n";
    } else if (!tg_head_is_whole(wsi)) {
        *answer = LINE_BREAK;
    } else if (has_disguised_body(wsi) || (!takes_body && tg_http_has_body(wsi))) {
        *answer = TG_ANSWER_ERROR(400, "A request with a body is not taken");
    } else {
        return false;
    }
    answer->closes_connection = true;
    return true;
}

/* On the address of the API there is nothing else. `match`: of routes, none of which is for a GET. */
static int answer_plain(struct tg_server *server, struct lws *wsi, struct tg_slice path,
                        const struct tg_http_match *match)
{
    struct tg_buf text;
    tg_buf_init(&text);
    bool is_elsewhere = tg_listener_is_for_api(wsi);
    struct tg_answer answer =
        is_elsewhere ? TG_ANSWER_ERROR(404, "Not found") : answer_path(server, path, &text);
    int result;
    if (answer.status == 404 && !is_elsewhere && path.data && tg_files_serve(server, wsi, path, &result)) {
        /* a file */
    } else if (answer.status == 404 && match->methods) {
        result = tg_exchange_http_head(server, wsi, match);
    } else {
        answer.has_no_body_sent = tg_head_method(wsi) == TG_METHOD_HEAD;
        result = tg_http_write(wsi, &answer);
    }
    tg_buf_deinit(&text);
    return result;
}

int tg_http_request(struct tg_server *server, struct lws *wsi)
{
    server->worker->metrics.http_requests++;
    tg_arena_reset(&server->arena);
    struct tg_answer objection;
    struct tg_slice path = tg_head_path(server, wsi);
    struct tg_http_match match = {0};
    bool is_for_api = tg_api_http_wants(server, wsi, path);
    bool is_for_route =
        !is_for_api && !tg_listener_is_for_api(wsi) && tg_exchange_http_wants(server, wsi, path, &match);
    bool takes_body = is_for_api || (is_for_route && !(match.route && match.route->method == TG_HTTP_GET));
    if (find_request_objection(wsi, takes_body, &objection)) return tg_http_write(wsi, &objection);
    if (is_for_route) return tg_exchange_http_head(server, wsi, &match);
    return is_for_api ? tg_api_http_head(server, wsi, path) : answer_plain(server, wsi, path, &match);
}

/* ---- upgrades ---- */

static bool equals_ignoring_case(struct tg_slice a, const char *b)
{
    return a.length == strlen(b) && strncasecmp(a.data, b, a.length) == 0;
}

/* Whether a comma-separated list has `token`. RFC 9110 5.6.1 */
static bool has_token(struct tg_slice list, const char *token)
{
    const char *p = list.data, *end = p + list.length;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        struct tg_slice item = {p, (size_t)((comma ? comma : end) - p)};
        while (item.length && strchr(" \t", item.data[0])) item.data++, item.length--;
        while (item.length && strchr(" \t", item.data[item.length - 1])) item.length--;
        if (equals_ignoring_case(item, token)) return true;
        p = comma ? comma + 1 : end;
    }
    return false;
}

/* What the request lacks as HTTP; the first that is not met answers. False: all are. */
static bool find_objection(struct tg_server *server, struct lws *wsi, struct tg_answer *answer)
{
#define VALUE(token) tg_head_value(server, wsi, WSI_TOKEN_##token)
    if (!equals_ignoring_case(VALUE(UPGRADE), "websocket"))
        /* h2c among them: HTTP/2 in clear text is not spoken. */
        *answer = TG_ANSWER_ERROR(400, "The only upgrade is to websocket");
    else if (tg_head_method(wsi) != TG_METHOD_GET)
        *answer = TG_ANSWER_ERROR(400, "A WebSocket handshake is a GET");
    else if (!tg_head_is_whole(wsi))
        *answer = LINE_BREAK;
    else if (!VALUE(HOST).length || !has_token(VALUE(CONNECTION), "upgrade"))
        *answer = TG_ANSWER_ERROR(400, "Not a WebSocket handshake");
    else
        return false;
    return true;
}

/* Core decides on the rest. NULL: it has refused. */
static struct tg_request *decide(struct tg_server *server, struct lws *wsi, const struct tg_consumer **out,
                                 struct tg_refusal *refusal)
{
    const struct tg_upgrade upgrade = {
        .path = tg_head_path(server, wsi),
        .version = VALUE(VERSION),
        .key = VALUE(KEY),
        .is_stopping = !server->is_listening,
    };
#undef VALUE
    char peer[TG_PEER_BYTES];
    struct tg_request parts = {0};
    const struct tg_consumer *consumer = tg_upgrade_find(server->worker, &upgrade, refusal);
    *out = consumer;
    if (!consumer) return NULL;
    if (tg_head_read(server, wsi, consumer, &parts) != TG_OK) {
        *refusal = (struct tg_refusal){503, TG_SLICE("{\"detail\":\"Out of memory\"}"), {0}};
        return NULL;
    }
    parts.peer = tg_socket_peer(lws_get_socket_fd(wsi), peer);
    return tg_upgrade_decide(server->worker, consumer, &upgrade, &parts, refusal);
}

/* The library ends a header's text at a 0, and we write lines into it: the refusal's are copied. */
static void refuse(struct tg_server *server, const struct tg_refusal *refusal, struct tg_answer *answer)
{
    struct tg_slice lines = tg_arena_copy(&server->arena, refusal->headers);
    *answer = (struct tg_answer){
        .status = refusal->status, .content_type = "application/json", .body = refusal->body};
    if (lines.length) answer->headers = lines.data;
}

static bool is_refused(struct tg_server *server, struct lws *wsi, struct tg_answer *answer)
{
    struct tg_granted *granted = &server->granted;
    struct tg_refusal refusal;
    free(granted->request); /* of a handshake that failed behind us */
    granted->wsi = wsi;
    granted->request = decide(server, wsi, &granted->consumer, &refusal);
    if (granted->request)
        tg_subprotocol_offer(server, wsi);
    else
        refuse(server, &refusal, answer);
    return !granted->request;
}

int tg_http_check_upgrade(struct tg_server *server, struct lws *wsi)
{
    struct tg_answer answer;
    tg_arena_reset(&server->arena);
    tg_arena_reset(&server->worker->arena); /* where refusals lie */
    if (tg_listener_is_for_api(wsi)) {
        answer = TG_ANSWER_ERROR(404, "Not found");
        server->worker->metrics.handshakes_refused++;
    } else if (find_objection(server, wsi, &answer))
        server->worker->metrics.handshakes_refused++;
    else if (!is_refused(server, wsi, &answer))
        return 0;
    answer.closes_connection = true;
    tg_http_write(wsi, &answer);
    return -1;
}
