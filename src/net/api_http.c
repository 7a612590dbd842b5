/* The library takes bodies by Content-Length alone: it hands out chunks as they stand on the wire, and takes
 * a request without a length for a long one. So what has no length is refused, and whatever is refused before
 * its body has been read ends its connection.
 *
 * Only who has the token gets as far as a body: those that are being read, or whose answer is waited for, are
 * a short list, of at most api_max_requests.
 */
#include "net/api_http.h"

#include "net/head.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/socket.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A request with a body. */
struct body {
    struct tg_list link;  /* server->bodies */
    struct lws *wsi;      /* borrowed */
    struct tg_slice path; /* owned, behind the struct */
    struct tg_buf text;
    uint64_t bytes;            /* so long will it be */
    struct tg_api_later later; /* it has been read, and its answer takes a while */
    bool is_waiting, is_answered;
};

bool tg_api_http_wants(const struct tg_server *server, struct lws *wsi, struct tg_slice path)
{
    bool has_own_address = server->listeners[TG_LISTENER_API].port != 0;
    if (!server->api || !path.data || !tg_api_is_path(path)) return false;
    return !has_own_address || tg_listener_is_for_api(wsi);
}

/* ---- answers ---- */

/* The answer is the caller's still. */
static int write_answer(struct lws *wsi, const struct tg_api_answer *answer, bool is_unread)
{
    struct tg_answer written = {.status = answer->status,
                                .content_type = "application/json",
                                .body = tg_buf_peek(&answer->body),
                                .headers = answer->headers};
    if (answer->body.has_failed) written = TG_ANSWER_ERROR(503, "Out of memory");
    written.closes_connection = is_unread;
    written.has_no_body_sent = tg_head_method(wsi) == TG_METHOD_HEAD;
    return tg_http_write(wsi, &written);
}

/* ---- the head ---- */

/* A decimal number and nothing else: "5, 5" of two headers is none (RFC 9112 6.3). */
static bool read_length(struct tg_slice text, uint64_t *length)
{
    enum { DIGITS_MAX = 18 };
    if (text.length == 0 || text.length > DIGITS_MAX) return false;
    *length = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *length = *length * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

/* RFC 9110 10.1.1: who asks whether it may send its body is told so, if it knows of such answers. */
static int tell_to_continue(struct tg_server *server, struct lws *wsi)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct tg_slice expected = tg_head_value(server, wsi, WSI_TOKEN_HTTP_EXPECT);
    if (expected.length != sizeof "100-continue" - 1) return 0;
    if (strncasecmp(expected.data, "100-continue", expected.length) != 0) return 0;
    if (!tg_slice_equal(tg_head_value(server, wsi, WSI_TOKEN_HTTP), TG_SLICE("HTTP/1.1"))) return 0;
    unsigned char buffer[LWS_PRE + sizeof interim];
    memcpy(buffer + LWS_PRE, interim, sizeof interim);
    int written = lws_write(wsi, buffer + LWS_PRE, sizeof interim - 1, LWS_WRITE_HTTP_HEADERS_CONTINUATION);
    return written < (int)sizeof interim - 1 ? -1 : 0;
}

static struct body *begin_body(struct tg_server *server, struct lws *wsi,
                               const struct tg_api_request *request)
{
    struct body *body = malloc(sizeof *body + request->path.length);
    if (!body) return NULL;
    memcpy(body + 1, request->path.data, request->path.length);
    *body = (struct body){
        .wsi = wsi, .path = {(const char *)(body + 1), request->path.length}, .bytes = request->body_bytes};
    tg_buf_init(&body->text);
    tg_list_append(&server->bodies, &body->link);
    server->api->reading++;
    return body;
}

int tg_api_http_head(struct tg_server *server, struct lws *wsi, struct tg_slice path)
{
    char peer[TG_PEER_BYTES];
    struct tg_api_request request = {
        .path = path,
        .authorization = tg_head_value(server, wsi, WSI_TOKEN_HTTP_AUTHORIZATION),
        .content_type = tg_head_value(server, wsi, WSI_TOKEN_HTTP_CONTENT_TYPE),
        .peer = tg_socket_peer(lws_get_socket_fd(wsi), peer),
        .is_post = tg_head_method(wsi) == TG_METHOD_POST,
        .is_get = tg_head_method(wsi) == TG_METHOD_GET || tg_head_method(wsi) == TG_METHOD_HEAD,
        .has_body = tg_http_has_body(wsi),
    };
    bool has_transfer_encoding = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0;
    struct tg_slice length = tg_head_value(server, wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH);
    request.has_length = !has_transfer_encoding && read_length(length, &request.body_bytes);
    struct tg_api_answer answer;
    bool is_refused = tg_api_refuses(server->api, &request, &answer);
    if (!is_refused && !request.is_post) tg_api_answer(server->api, path, (struct tg_slice){0}, &answer);
    if (is_refused || !request.is_post) {
        int result = write_answer(wsi, &answer, request.is_post || request.has_body);
        tg_api_answer_deinit(&answer);
        return result;
    }
    if (begin_body(server, wsi, &request)) return tell_to_continue(server, wsi);
    struct tg_answer no_memory = TG_ANSWER_ERROR(503, "Out of memory");
    no_memory.closes_connection = true;
    return tg_http_write(wsi, &no_memory);
}

/* ---- the body ---- */

/* NULL: none is being read there. */
static struct body *find(struct tg_server *server, struct lws *wsi)
{
    for (struct tg_list *node = server->bodies.next; node != &server->bodies; node = node->next) {
        struct body *body = TG_CONTAINER(node, struct body, link);
        if (body->wsi == wsi) return body;
    }
    return NULL;
}

static void end_body(struct tg_server *server, struct body *body)
{
    tg_list_remove(&body->link);
    tg_buf_deinit(&body->text);
    if (body->is_answered)
        tg_api_answer_deinit(&body->later.answer);
    else if (body->is_waiting)
        tg_api_forget_later(&body->later);
    server->api->reading--;
    free(body);
}

void tg_api_http_forget(struct tg_server *server, struct lws *wsi)
{
    struct body *body = find(server, wsi);
    if (body) end_body(server, body);
}

/* Of a request that has come together with the one before it, the library (4.1.6) hands out the head as the
 * body, and reads the same again and again. No body that we take begins like that; and a client has to send
 * again what was not answered on a connection that ended (RFC 9112 9.3.2). */
static bool is_head(struct tg_slice piece)
{
    static const struct tg_slice method = TG_SLICE("POST ");
    while (piece.length && strchr(" \t\r\n", piece.data[0])) piece.data++, piece.length--;
    return piece.length >= method.length && memcmp(piece.data, method.data, method.length) == 0;
}

/* More than was told is the next request's, and none of the library's pieces. */
int tg_api_http_body(struct tg_server *server, struct lws *wsi, struct tg_slice piece)
{
    struct body *body = find(server, wsi);
    if (!body) return 0;
    if (piece.length > body->bytes - body->text.length) return -1;
    if (body->text.length == 0 && is_head(piece)) return -1;
    tg_buf_append_slice(&body->text, piece);
    return 0;
}

/* Written when the library says that the socket takes it. */
static void answered(struct tg_api_later *later)
{
    struct body *body = TG_CONTAINER(later, struct body, later);
    body->is_answered = true;
    lws_callback_on_writable(body->wsi);
}

int tg_api_http_writable(struct tg_server *server, struct lws *wsi)
{
    struct body *body = find(server, wsi);
    if (!body || !body->is_answered) return 0;
    int result = write_answer(wsi, &body->later.answer, false);
    end_body(server, body);
    return result;
}

/* However long it takes: the library's time for a request ends here. */
static void wait_for_answer(struct tg_server *server, struct body *body)
{
    body->is_waiting = true;
    body->later.answered = answered;
    lws_set_timeout(body->wsi, NO_PENDING_TIMEOUT, 0);
    tg_api_answer_later(server->api, &body->later);
}

int tg_api_http_complete(struct tg_server *server, struct lws *wsi)
{
    struct body *body = find(server, wsi);
    if (!body || body->is_waiting) return 0;
    if (tg_api_takes_long(body->path)) {
        wait_for_answer(server, body);
        return 0;
    }
    struct tg_api_answer answer;
    bool is_whole = body->text.length == body->bytes && !body->text.has_failed;
    if (is_whole) tg_api_answer(server->api, body->path, tg_buf_peek(&body->text), &answer);
    end_body(server, body);
    if (!is_whole) {
        struct tg_answer no_memory = TG_ANSWER_ERROR(503, "Out of memory");
        return tg_http_write(wsi, &no_memory);
    }
    /* What is no JSON may not have been the body: see is_head. */
    int result = write_answer(wsi, &answer, answer.status == 400);
    tg_api_answer_deinit(&answer);
    return result;
}
