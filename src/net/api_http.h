/* Requests to the API (core/api.h) as they come in over HTTP: the head, then the body in pieces. */
#ifndef TG_NET_API_HTTP_H
#define TG_NET_API_HTTP_H

#include "base/slice.h"
#include "net/state.h"

#include <stdbool.h>

/* Whether a request for `path` is one to the API, by the address that it came to. */
bool tg_api_http_wants(const struct tg_server *server, struct lws *wsi, struct tg_slice path);

/* LWS_CALLBACK_HTTP with a path that it wants, and the callbacks that follow on it. Results are the
 * library's: 0, or -1 to end the connection. */
int tg_api_http_head(struct tg_server *server, struct lws *wsi, struct tg_slice path);
int tg_api_http_body(struct tg_server *server, struct lws *wsi, struct tg_slice piece);
int tg_api_http_complete(struct tg_server *server, struct lws *wsi);

/* LWS_CALLBACK_HTTP_WRITEABLE: writes an answer that was waited for. */
int tg_api_http_writable(struct tg_server *server, struct lws *wsi);

/* The connection has ended. */
void tg_api_http_forget(struct tg_server *server, struct lws *wsi);

#endif
