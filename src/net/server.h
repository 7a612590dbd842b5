/* One port for HTTP and WebSocket, on libwebsockets: the only door between it and the gateway. A second one
 * for the API, if that is asked for.
 *
 *     net/server   context, vhost
 *     net/listener listening and accepting
 *     net/api_http requests to the API: heads and bodies
 *     net/exchange_http  requests to routes of the application, the same
 *     net/http     plain requests: static files, /healthz, /readyz, /metrics, refusals
 *     net/ws       one WebSocket: the callbacks of the library to tg_conn, and its transport
 */
#ifndef TG_NET_SERVER_H
#define TG_NET_SERVER_H

#include "base/status.h"
#include "core/worker.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_server;

struct tg_server_options {
    const char *host;       /* a numeric address; only this one is bound */
    uint16_t port;          /* 0: a free one */
    const char *static_dir; /* NULL: no static files */
    struct tg_api *api;     /* borrowed; NULL: none */
    const char *api_host;   /* "": the API is on the address above */
    uint16_t api_port;
};

/* The library's tables have a place for every descriptor that RLIMIT_NOFILE allows, which may be a billion;
 * above ten million it assumes 2,560 and breaks. The limit must be no higher than this. */
#define TG_SERVER_FILES_MAX (1 << 20)

/* Binds and listens; connections are accepted as soon as the loop runs. The worker and the loop are
 * borrowed. TG_E_IO: `error` names the address and the kernel's reason. `out` must be closed in either case,
 * unless it is NULL as it was before. */
enum tg_status tg_server_open(struct tg_server **out, struct tg_net_loop *loop, struct tg_worker *worker,
                              const struct tg_server_options *options, struct tg_error *error);

/* The port that is bound. */
uint16_t tg_server_port(const struct tg_server *server);

/* That of the API, which may be the same. */
uint16_t tg_server_api_port(const struct tg_server *server);

/* No new connections; those that are open stay. /readyz of a kept-alive connection answers 503. */
void tg_server_stop_listening(struct tg_server *server);

/* Frees the server. Remaining sockets are dropped, each with its tg_conn_closed. False: the library has not
 * let go of its sockets in two seconds; server and loop must be left as they are, and the process can only
 * end. */
bool tg_server_close(struct tg_server *server);

#endif
