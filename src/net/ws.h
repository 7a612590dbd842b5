/* One WebSocket: what the library tells about it, handed to tg_conn, and its tg_transport.
 *
 * The session lies in the library's per-connection memory, zeroed, and is gone after CLOSED.
 */
#ifndef TG_NET_WS_H
#define TG_NET_WS_H

#include "core/transport.h"
#include "net/ping.h"
#include "net/state.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_session {
    struct tg_transport transport; /* first: a tg_session is a tg_transport */
    struct lws *wsi;
    struct tg_ping ping;
    struct tg_conn *conn;     /* NULL before it is open and after it is closed */
    uint8_t calls;            /* callbacks of the library that are running for this socket */
    bool is_dropped : 1;      /* we ended TCP, or will as soon as no callback is running */
    bool has_peer_closed : 1; /* the client's close frame came */
};

/* The callbacks from ESTABLISHED to CLOSED. The result is the library's: 0, or -1 to end TCP. */
int tg_ws_callback(struct tg_server *server, struct lws *wsi, enum lws_callback_reasons reason,
                   struct tg_session *session, void *in, size_t length);

/* LWS_CALLBACK_GET_THREAD_ID; `session` may be NULL, or not open. */
void tg_ws_events_changed(struct tg_session *session);

/* Whether tg_ws_callback wants this one. */
bool tg_ws_wants(enum lws_callback_reasons reason);

#endif
