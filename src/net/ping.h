/* An answer to every ping, and with it all that turns the events of a WebSocket's socket on and off.
 *
 * The library answers pings by itself, but it remembers only one: those that it reads before it has
 * sent the pong are lost. So a connection is not read any further until its pong has been sent.
 */
#ifndef TG_NET_PING_H
#define TG_NET_PING_H

#include "base/list.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <uv.h>

/* Of a server. */
struct tg_pings {
    uv_prepare_t before_poll; /* runs while there is a connection in `answered` */
    struct tg_list answered;  /* those that may be read again */
    bool is_listening;        /* from here on LWS_CALLBACK_GET_THREAD_ID is about a real socket */
};

/* Of a WebSocket. */
struct tg_ping {
    struct tg_pings *pings;
    struct lws *wsi;
    struct tg_list link;  /* in pings->answered */
    bool is_wanted : 1;   /* core wants to read */
    bool is_reading : 1;  /* what the library has been told */
    bool is_held : 1;     /* a ping has been read, its pong may not have been sent */
    bool is_armed : 1;    /* the library waits until the socket can be written to */
    bool is_our_call : 1; /* what changes now, we change */
    bool is_over : 1;
};

void tg_pings_open(struct tg_pings *pings, uv_loop_t *uv);

/* To be told of pings, once the library's context exists. */
void tg_pings_listen(struct tg_pings *pings, struct lws_context *context);

/* The handle is gone a turn later. */
void tg_pings_close(struct tg_pings *pings);

/* What LWS_CALLBACK_GET_THREAD_ID returns. */
#define TG_PING_THREAD_ID 1

void tg_ping_init(struct tg_ping *ping, struct tg_pings *pings, struct lws *wsi);

/* Nothing more is read: pings no longer matter. May be called twice. */
void tg_ping_end(struct tg_ping *ping);

/* LWS_CALLBACK_GET_THREAD_ID */
void tg_ping_events_changed(struct tg_ping *ping);

/* LWS_CALLBACK_SERVER_WRITEABLE */
void tg_ping_writable(struct tg_ping *ping);

/* What would have been a call of the library: lws_write(LWS_WRITE_RAW), lws_callback_on_writable,
 * lws_rx_flow_control. */
int tg_ping_write(struct tg_ping *ping, unsigned char *bytes, size_t length);
void tg_ping_ask_writable(struct tg_ping *ping);
void tg_ping_set_reading(struct tg_ping *ping, bool is_on);

#endif
