/* An answer is written in a callback of the library, when the socket can take it: elsewhere a socket that
 * breaks could not be ended.
 *
 * While a handler waits, no timer of the library's runs; the exchange has its own. What the client sends
 * meanwhile, and its end too, the library leaves in the socket, and is woken for it again and again. So the
 * kernel is asked from time to time: whose client has left is ended, and where something is to be read the
 * library is told not to look until there is an answer: until it reads again, it does not say that it may
 * write either.
 */
#include "net/exchange_http.h"

#include "core/exchange.h"
#include "net/body.h"
#include "net/head.h"
#include "net/http.h"
#include "net/socket.h"

#include <stdlib.h>

enum {
    LOOK_MS = 250,
    LINGER_SECONDS = 2, /* for the client to read an answer before its connection is ended */
};

/* A request that was taken. The library keeps a pointer to it with the socket. */
struct asked {
    struct tg_exchange_client client;
    struct lws *wsi; /* borrowed */
    struct tg_exchange *exchange;
    struct tg_timer timer; /* looks whether the client has left, while it waits */
    bool is_head;          /* the method: the body of the answer is not sent */
    bool has_length;       /* the body's end is known to the library too */
    bool is_paused;        /* nothing is read */
};

static struct asked *asked_of(struct lws *wsi)
{
    return lws_get_opaque_parent_data(wsi);
}

static void set_paused(struct asked *asked, bool is_paused)
{
    if (asked->is_paused != is_paused) lws_rx_flow_control(asked->wsi, is_paused ? 0 : 1);
    asked->is_paused = is_paused;
}

static void let_go(struct asked *asked)
{
    lws_set_opaque_parent_data(asked->wsi, NULL);
    tg_wheel_disarm(&asked->exchange->worker->wheel, &asked->timer);
    tg_exchange_close(asked->exchange);
    free(asked);
}

bool tg_exchange_http_has(struct lws *wsi)
{
    return asked_of(wsi) != NULL;
}

void tg_exchange_http_forget(struct lws *wsi)
{
    struct asked *asked = asked_of(wsi);
    if (!asked) return;
    let_go(asked);
}

/* ---- while the handler runs ---- */

static void look(struct tg_timer *timer)
{
    struct asked *asked = TG_CONTAINER(timer, struct asked, timer);
    struct tg_worker *worker = asked->exchange->worker;
    int fd = lws_get_socket_fd(asked->wsi);
    if (tg_socket_has_peer_left(fd)) {
        set_paused(asked, false);
        lws_set_timeout(asked->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
        return;
    }
    set_paused(asked, tg_socket_has_input(fd));
    tg_worker_arm(worker, timer, tg_worker_now_ms(worker) + LOOK_MS);
}

static void run(struct asked *asked)
{
    struct tg_worker *worker = asked->exchange->worker;
    lws_set_timeout(asked->wsi, NO_PENDING_TIMEOUT, 0);
    tg_exchange_run(asked->exchange);
    if (asked->exchange->state == TG_EXCHANGE_ANSWERED) return;
    tg_worker_arm(worker, &asked->timer, tg_worker_now_ms(worker) + LOOK_MS);
}

/* ---- answers ---- */

static int write_answer(struct lws *wsi, struct tg_http_answer *answer, bool is_head, bool closes)
{
    tg_buf_append_char(&answer->headers, '\0');
    tg_buf_append_char(&answer->type, '\0');
    struct tg_answer written = {.status = answer->status,
                                .body = tg_buf_peek(&answer->body),
                                .headers = answer->headers.data,
                                .has_no_body_sent = is_head};
    bool has_no_length = answer->status == 204 || answer->status == 304;
    if (!has_no_length) written.content_type = answer->type.data[0] ? answer->type.data : "text/plain";
    if (answer->headers.has_failed || answer->type.has_failed || answer->body.has_failed)
        written = TG_ANSWER_ERROR(503, "Out of memory");
    written.closes_connection = closes;
    int result = tg_http_write(wsi, &written);
    /* The library goes on with what it takes for the rest of the body. */
    if (closes && result == 0) lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_CONTENT, LINGER_SECONDS);
    return result;
}

static void answered(struct tg_exchange_client *client)
{
    struct asked *asked = (struct asked *)client; /* first */
    set_paused(asked, false);
    lws_callback_on_writable(asked->wsi);
}

int tg_exchange_http_writable(struct lws *wsi)
{
    struct asked *asked = asked_of(wsi);
    struct tg_exchange *exchange = asked->exchange;
    if (exchange->state != TG_EXCHANGE_ANSWERED) return 0;
    /* What the library takes for a body without an end would swallow the next request. */
    bool closes = exchange->answer.is_unread || !asked->has_length;
    int result = write_answer(wsi, &exchange->answer, asked->is_head, closes);
    let_go(asked);
    return result;
}

/* ---- the head ---- */

static enum tg_http_method method_of(struct lws *wsi)
{
    switch (tg_head_method(wsi)) {
    case TG_METHOD_GET:
        return TG_HTTP_GET;
    case TG_METHOD_HEAD:
        return TG_HTTP_HEAD;
    case TG_METHOD_POST:
        return TG_HTTP_POST;
    case TG_METHOD_PUT:
        return TG_HTTP_PUT;
    case TG_METHOD_PATCH:
        return TG_HTTP_PATCH;
    case TG_METHOD_DELETE:
        return TG_HTTP_DELETE;
    case TG_METHOD_OPTIONS:
        return TG_HTTP_OPTIONS;
    default:
        return TG_HTTP_UNKNOWN;
    }
}

bool tg_exchange_http_wants(const struct tg_server *server, struct lws *wsi, struct tg_slice path,
                            struct tg_http_match *match)
{
    enum tg_http_method method = method_of(wsi);
    tg_http_routes_find(&server->worker->generation->registry.routes, method, path, match);
    bool may_be_file = method == TG_HTTP_GET || method == TG_HTTP_HEAD;
    return match->methods && (match->route || !may_be_file);
}

/* The library waits for a body after these even where nothing tells of one. */
static bool expects_body(enum tg_http_method method)
{
    return method == TG_HTTP_POST || method == TG_HTTP_PUT || method == TG_HTTP_PATCH;
}

/* Waits for the body, or begins at once. */
static int go_on(struct tg_server *server, struct asked *asked, const struct tg_http_head *head)
{
    struct lws *wsi = asked->wsi;
    lws_set_opaque_parent_data(wsi, asked);
    if (head->body_bytes) return tg_body_tell_to_continue(server, wsi);
    run(asked);
    return 0;
}

static int begin(struct tg_server *server, struct lws *wsi, const struct tg_http_match *match,
                 const struct tg_http_head *head, struct tg_http_answer *answer)
{
    struct asked *asked = malloc(sizeof *asked);
    if (!asked) {
        tg_http_answer_detail(answer, 503, TG_SLICE("Out of memory"));
        return write_answer(wsi, answer, false, true);
    }
    bool is_told = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) > 0;
    *asked = (struct asked){.client.answered = answered,
                            .wsi = wsi,
                            .is_head = head->method == TG_HTTP_HEAD,
                            .has_length = is_told || !expects_body(head->method)};
    tg_timer_init(&asked->timer, look);
    asked->exchange = tg_exchange_begin(server->worker, match, head, &asked->client, answer);
    if (asked->exchange) return go_on(server, asked, head);
    int result = write_answer(wsi, answer, asked->is_head, answer->is_unread || !asked->has_length);
    free(asked);
    return result;
}

int tg_exchange_http_head(struct tg_server *server, struct lws *wsi, const struct tg_http_match *match)
{
    static const struct tg_texts no_headers = {0};
    char peer[TG_PEER_BYTES];
    struct tg_body_head body = tg_body_read_head(server, wsi);
    struct tg_http_head head = {.method = method_of(wsi),
                                .content_type = tg_head_value(server, wsi, WSI_TOKEN_HTTP_CONTENT_TYPE),
                                .body_bytes = body.bytes,
                                .is_chunked = body.is_chunked};
    struct tg_http_answer answer;
    tg_http_answer_init(&answer);
    int result;
    const struct tg_texts *kept = match->route ? &match->route->headers : &no_headers;
    if (tg_head_read_kept(server, wsi, kept, &head.request) == TG_OK) {
        head.request.peer = tg_socket_peer(lws_get_socket_fd(wsi), peer);
        result = begin(server, wsi, match, &head, &answer);
    } else {
        tg_http_answer_detail(&answer, 503, TG_SLICE("Out of memory"));
        result = write_answer(wsi, &answer, false, true);
    }
    tg_http_answer_deinit(&answer);
    return result;
}

/* ---- the body ---- */

int tg_exchange_http_body(struct lws *wsi, struct tg_slice piece)
{
    struct tg_exchange *exchange = asked_of(wsi)->exchange;
    bool is_first = exchange->body.length == 0;
    if (is_first && exchange->state == TG_EXCHANGE_READING && tg_body_is_head(piece)) return -1;
    /* More than was told is the next request's, and none of the library's pieces. */
    return tg_exchange_read(exchange, piece) ? 0 : -1;
}

int tg_exchange_http_complete(struct lws *wsi)
{
    struct tg_exchange *exchange = asked_of(wsi)->exchange;
    if (exchange->state != TG_EXCHANGE_READING) return 0;
    if (exchange->body.length < exchange->body_bytes && !exchange->body.has_failed) return -1;
    run(asked_of(wsi));
    return 0;
}
