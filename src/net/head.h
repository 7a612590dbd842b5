/* What the library has parsed of a request's head, as slices in the server's arena.
 *
 * Valid inside the library's callbacks up to and including CONFIRM_UPGRADE.
 */
#ifndef TG_NET_HEAD_H
#define TG_NET_HEAD_H

#include "base/slice.h"
#include "base/status.h"
#include "core/registry.h"
#include "core/request.h"
#include "net/state.h"

#include <stdbool.h>

/* Before anything is read. */
void tg_head_init(struct tg_server *server);

enum tg_method {
    TG_METHOD_GET,
    TG_METHOD_HEAD,
    TG_METHOD_POST,
    TG_METHOD_PUT,
    TG_METHOD_PATCH,
    TG_METHOD_DELETE,
    TG_METHOD_OPTIONS,
    TG_METHOD_OTHER
};

enum tg_method tg_head_method(struct lws *wsi);

/* False when a %0A or %0D cut the request line: path, query and headers are not what was meant. */
bool tg_head_is_whole(struct lws *wsi);

/* The path, decoded once by the library. data is NULL where there is none that can be trusted:
 * see head.c. */
struct tg_slice tg_head_path(struct tg_server *server, struct lws *wsi);

/* A header's value without the spaces around it; several of one name are joined as RFC 9110 5.3 and
 * RFC 6265 5.4 say. data is NULL when the header is absent. */
struct tg_slice tg_head_value(struct tg_server *server, struct lws *wsi, enum lws_token_indexes token);

/* All that a connection keeps: path, query, the common headers and those that the consumer names.
 * `parts` borrows from the arena; peer and params are the caller's. */
enum tg_status tg_head_read(struct tg_server *server, struct lws *wsi, const struct tg_consumer *consumer,
                            struct tg_request *parts);

/* The same for who names further headers in `kept`. */
enum tg_status tg_head_read_kept(struct tg_server *server, struct lws *wsi, const struct tg_texts *kept,
                                 struct tg_request *parts);

/* Appends `text` percent-encoded: letters, digits, "-._~" and the bytes of `keep` stay. RFC 3986 2.1 */
void tg_head_encode(struct tg_buf *out, struct tg_slice text, const char *keep);

#endif
