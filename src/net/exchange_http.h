/* Requests to routes of the application (core/exchange.h) as they come in over HTTP. */
#ifndef TG_NET_EXCHANGE_HTTP_H
#define TG_NET_EXCHANGE_HTTP_H

#include "base/slice.h"
#include "core/http_route.h"
#include "net/state.h"

#include <stdbool.h>

/* Whether routes answer a request for `path`, which is then the caller's to hand over. A GET where only
 * others are declared is not: it may be a file's. */
bool tg_exchange_http_wants(const struct tg_server *server, struct lws *wsi, struct tg_slice path,
                            struct tg_http_match *match);

/* LWS_CALLBACK_HTTP with a path that it wants. Results are the library's: 0, or -1 to end the connection. */
int tg_exchange_http_head(struct tg_server *server, struct lws *wsi, const struct tg_http_match *match);

/* Whether the socket is one of a request that was taken; then these are for it. */
bool tg_exchange_http_has(struct lws *wsi);
int tg_exchange_http_body(struct lws *wsi, struct tg_slice piece);
int tg_exchange_http_complete(struct lws *wsi);
int tg_exchange_http_writable(struct lws *wsi);

/* The connection has ended, and with it what waits for the answer. */
void tg_exchange_http_forget(struct lws *wsi);

#endif
