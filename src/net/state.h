/* What the files of net/ share about one server. */
#ifndef TG_NET_STATE_H
#define TG_NET_STATE_H

#include "base/arena.h"
#include "core/upgrade.h"
#include "core/worker.h"
#include "net/loop.h"
#include "net/ping.h"

#include <libwebsockets.h>
#include <stdbool.h>
#include <uv.h>

struct tg_server {
    struct tg_worker *worker; /* borrowed, as the loop */
    struct tg_net_loop *loop;
    struct lws_context *context; /* NULL once the library has let go of everything */
    struct lws_vhost *vhost;
    struct tg_pings pings;
    uv_poll_t listener; /* on the listening socket */
    uv_timer_t pause;   /* ends a pause of accepting; lives as long as the listener */
    int listen_fd;      /* -1: not listening */
    int spare_fd;       /* given up to accept and refuse when descriptors run out; -1: none */
    uint16_t port;
    uint64_t next_refusal_log_ms; /* not earlier */
    bool is_listener_open;        /* the handle, which outlives the descriptor by a turn */
    bool is_closing;
    char *static_root; /* owned, resolved, no '/' at its end; NULL: no static files */
    enum lws_token_indexes headers[TG_UPGRADE_HEADERS]; /* that the library has for tg_upgrade_headers */
    struct tg_arena arena;                              /* of the request that is being answered */
};

#endif
