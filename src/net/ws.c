/* Two parties close a WebSocket, and each frame must leave once:
 *
 *  - core closes: its close frame is one of the raw frames, the library does not know. The client's
 *    answer comes as WS_PEER_INITIATED_CLOSE; -1 there ends TCP without a word.
 *  - the client closes: 0 in WS_PEER_INITIATED_CLOSE, and the library echoes its frame and ends TCP.
 *  - the library closes, because the client broke the protocol: it sends 1002. It would then wait
 *    5 s for an answer that it does not understand; core waits less and drops. If core has closed
 *    already, TCP ends without a word.
 *
 * Ending TCP means: read what has arrived, shut down, close. Unread input would make the kernel send
 * RST, and the client might never see the close frame.
 *
 * Invariant: the library's connection is never freed while one of its own callbacks runs for it. */
#include "net/ws.h"

#include "base/utf8.h"
#include "core/conn.h"
#include "core/dev.h"
#include "net/socket.h"

#include <string.h>

enum { CLOSE_CODE_MAX = 4999 };

/* ---- transport ---- */

static struct tg_session *of(struct tg_transport *transport)
{
    return (struct tg_session *)transport;
}

static const struct tg_session *of_const(const struct tg_transport *transport)
{
    return (const struct tg_session *)transport;
}

/* A plain connection's raw bytes pass through the library as they are; what the kernel does not take
 * is kept there in order, before the library's own pongs. */
static bool write_frames(struct tg_transport *transport, unsigned char *frames, size_t bytes)
{
    return tg_ping_write(&of(transport)->ping, frames, bytes) >= 0;
}

static bool is_choked(const struct tg_transport *transport)
{
    return lws_partial_buffered(of_const(transport)->wsi);
}

static void ask_writable(struct tg_transport *transport)
{
    tg_ping_ask_writable(&of(transport)->ping);
}

static void set_reading(struct tg_transport *transport, bool is_on)
{
    tg_ping_set_reading(&of(transport)->ping, is_on);
}

static uint64_t acknowledged_bytes(const struct tg_transport *transport)
{
    return tg_socket_acknowledged_bytes(lws_get_socket_fd(of_const(transport)->wsi));
}

static bool has_peer_left(const struct tg_transport *transport)
{
    return tg_socket_has_peer_left(lws_get_socket_fd(of_const(transport)->wsi));
}

static void drop(struct tg_transport *transport)
{
    struct tg_session *session = of(transport);
    session->is_dropped = true;
    tg_ping_end(&session->ping);
    if (session->calls > 0) return; /* the callback's result ends it */
    int fd = lws_get_socket_fd(session->wsi);
    tg_socket_discard_input(fd);
    /* The library would wait 5 s for output that it still holds; shut, it gives up at the next event. */
    if (lws_partial_buffered(session->wsi)) tg_socket_shut(fd);
    lws_set_timeout(session->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

static const struct tg_transport_ops transport_ops = {
    .write = write_frames,
    .is_choked = is_choked,
    .ask_writable = ask_writable,
    .set_reading = set_reading,
    .acknowledged_bytes = acknowledged_bytes,
    .has_peer_left = has_peer_left,
    .drop = drop,
};

/* ---- callbacks ---- */

/* The end of TCP by the library's hand. */
static int end(struct tg_session *session)
{
    session->is_dropped = true;
    tg_ping_end(&session->ping);
    tg_socket_discard_input(lws_get_socket_fd(session->wsi));
    return -1;
}

static int established(struct tg_server *server, struct lws *wsi, struct tg_session *session)
{
    struct tg_granted *granted = &server->granted;
    struct tg_request *request = granted->request;
    session->transport.ops = &transport_ops;
    session->wsi = wsi;
    tg_ping_init(&session->ping, &server->pings, wsi);
    if (!request || granted->wsi != wsi) return end(session);
    granted->request = NULL;
    session->conn = tg_conn_open(server->worker, tg_dev_serving(server->worker, request->path),
                                 granted->consumer, request, &session->transport);
    return session->conn ? 0 : end(session);
}

static void received(struct tg_session *session, const char *bytes, size_t length)
{
    struct lws *wsi = session->wsi;
    tg_conn_receive(session->conn,
                    &(struct tg_chunk){
                        .bytes = {bytes, length},
                        .is_first = lws_is_first_fragment(wsi),
                        .is_last = lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi),
                        .is_binary = lws_frame_is_binary(wsi),
                    });
}

static uint16_t put_code(unsigned char *payload, uint16_t code)
{
    payload[0] = (unsigned char)(code >> 8);
    payload[1] = (unsigned char)code;
    return code;
}

/* `payload` is the library's own copy, which it echoes: what stands in it is what the client gets. */
static int peer_closing(struct tg_session *session, unsigned char *payload, size_t length)
{
    session->has_peer_closed = true;
    tg_ping_end(&session->ping);
    if (length == 1) {
        /* RFC 6455 5.5.1: the body, if there is one, begins with two bytes of code. */
        session->has_peer_closed = false;
        lws_close_reason(session->wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
        return -1;
    }
    uint16_t code = (uint16_t)(length ? payload[0] << 8 | payload[1] : LWS_CLOSE_STATUS_NO_STATUS);
    struct tg_slice reason = length ? (struct tg_slice){(char *)payload + 2, length - 2} : TG_SLICE("");
    /* RFC 6455 7.4.2; the library has done so with the other codes that nobody may send. */
    if (code > CLOSE_CODE_MAX) code = put_code(payload, LWS_CLOSE_STATUS_PROTOCOL_ERR);
    if (!tg_utf8_is_valid(reason.data, reason.length)) {
        code = put_code(payload, LWS_CLOSE_STATUS_INVALID_PAYLOAD);
        memset(payload + 2, '?', length - 2);
    }
    return tg_conn_peer_closing(session->conn, code, reason) ? 0 : end(session);
}

/* The first thing that the library does when it ends a connection, for whatever reason. It is a
 * breach of the protocol when the library has prepared a close frame of its own; or when nobody has
 * closed and TCP is well, which is how it ends an illegal frame length, without a close frame: here
 * it still takes one. */
static void ending(const struct tg_server *server, struct tg_session *session)
{
    struct lws *wsi = session->wsi;
    tg_ping_end(&session->ping);
    if (server->is_closing || session->is_dropped || session->has_peer_closed) return;
    if (lws_get_close_length(wsi) == 0) {
        if (lws_partial_buffered(wsi) || tg_socket_has_peer_left(lws_get_socket_fd(wsi))) return;
        lws_close_reason(wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
    }
    /* Input that the library kept would be parsed again, and it would give up its close frame. */
    set_reading(&session->transport, false);
    if (tg_conn_protocol_error(session->conn)) return;
    /* RFC 6455 5.5.1: nothing follows a close frame. The library cannot be told to forget its own, but shut
     * there is no way out for it; what the kernel has taken still leaves. */
    session->is_dropped = true;
    tg_socket_discard_input(lws_get_socket_fd(wsi));
    tg_socket_shut(lws_get_socket_fd(wsi));
}

static void closed(struct tg_session *session)
{
    struct tg_conn *conn = session->conn;
    session->conn = NULL;
    tg_ping_end(&session->ping);
    tg_conn_closed(conn);
}

static int handle(struct tg_server *server, enum lws_callback_reasons reason, struct tg_session *session,
                  void *in, size_t length)
{
    switch (reason) {
    case LWS_CALLBACK_RECEIVE:
        received(session, in, length);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        tg_conn_heard(session->conn);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        tg_ping_writable(&session->ping);
        tg_conn_writable(session->conn);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return peer_closing(session, in, length);
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        ending(server, session);
        return 0;
    default:
        return 0;
    }
}

void tg_ws_events_changed(struct tg_session *session)
{
    if (session && session->conn) tg_ping_events_changed(&session->ping);
}

bool tg_ws_wants(enum lws_callback_reasons reason)
{
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
    case LWS_CALLBACK_CLOSED:
        return true;
    default:
        return false;
    }
}

int tg_ws_callback(struct tg_server *server, struct lws *wsi, enum lws_callback_reasons reason,
                   struct tg_session *session, void *in, size_t length)
{
    /* A handshake that fails is CLOSED without having been ESTABLISHED. */
    if (!session || (!session->conn && reason != LWS_CALLBACK_ESTABLISHED)) return 0;
    if (reason == LWS_CALLBACK_CLOSED) {
        closed(session);
        return 0;
    }
    session->calls++;
    int result = reason == LWS_CALLBACK_ESTABLISHED ? established(server, wsi, session)
                                                    : handle(server, reason, session, in, length);
    session->calls--;
    return session->is_dropped && result == 0 ? end(session) : result;
}
