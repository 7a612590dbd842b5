/* What the files of net/ share about one server. */
#ifndef TG_NET_STATE_H
#define TG_NET_STATE_H

#include "base/arena.h"
#include "base/list.h"
#include "core/api.h"
#include "core/upgrade.h"
#include "core/worker.h"
#include "net/loop.h"
#include "net/ping.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <uv.h>

/* The second one is for /api alone, when that has an address of its own. */
enum { TG_LISTENER_MAIN, TG_LISTENER_API, TG_LISTENERS };

/* A listening socket. The library keeps a pointer to it for each socket that it accepted. */
struct tg_listener {
    struct tg_server *server;
    uv_poll_t poll;   /* on the listening socket */
    uv_timer_t pause; /* ends a pause of accepting; lives as long as `poll` */
    int fd;           /* -1: not listening */
    uint16_t port;
    bool is_open; /* `poll`, which outlives the descriptor by a turn */
};

/* An upgrade that was granted. The library establishes it, or lets it fail, before it does anything else. */
struct tg_granted {
    const struct lws *wsi;
    const struct tg_consumer *consumer;
    struct tg_request *request; /* owned; NULL: there is none */
};

struct tg_server {
    struct tg_worker *worker; /* borrowed, as the loop */
    struct tg_net_loop *loop;
    struct lws_context *context; /* NULL once the library has let go of everything */
    struct lws_vhost *vhost;
    struct tg_pings pings;
    struct tg_listener listeners[TG_LISTENERS];
    int spare_fd;                 /* given up to accept and refuse when descriptors run out; -1: none */
    uint64_t next_refusal_log_ms; /* not earlier */
    bool is_listening;
    bool is_closing;
    struct tg_api *api;    /* borrowed; NULL: there is none */
    struct tg_list bodies; /* that are being read: net/api_http.c */
    struct tg_granted granted;
    char subprotocol[TG_SUBPROTOCOLS_BYTES_MAX + 1]; /* the name of our protocol: net/subprotocol.h */
    char *static_root; /* owned, resolved, no '/' at its end; NULL: no static files */
    enum lws_token_indexes headers[TG_UPGRADE_HEADERS]; /* that the library has for tg_upgrade_headers */
    struct tg_arena arena;                              /* of the request that is being answered */
};

#endif
