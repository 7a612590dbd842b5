/* Bodies of requests, as the library hands them out: what its callbacks leave to us, for all who take one.
 *
 * The library takes bodies by Content-Length alone: it hands out chunks as they stand on the wire, and takes
 * a request without a length for a long one. So what is chunked is refused, and whatever is refused before
 * its body has been read ends its connection.
 */
#ifndef TG_NET_BODY_H
#define TG_NET_BODY_H

#include "base/slice.h"
#include "net/state.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_body_head {
    bool is_chunked; /* Transfer-Encoding, or a length that makes no sense */
    bool has_length; /* `bytes` is what Content-Length says */
    uint64_t bytes;  /* 0 without a length */
};

struct tg_body_head tg_body_read_head(struct tg_server *server, struct lws *wsi);

/* RFC 9110 10.1.1: who asks whether it may send its body is told so, if it knows of such answers. The result
 * is the library's: 0, or -1 to end the connection. */
int tg_body_tell_to_continue(struct tg_server *server, struct lws *wsi);

/* Whether the first piece of a body is the head of the request itself. Of a request that has come together
 * with the one before it, the library (4.1.6) hands out the head as the body, and reads the same again and
 * again: such a connection has to end, and a client sends again what was not answered there (RFC 9112 9.3.2).
 * No body that is meant begins like that. */
bool tg_body_is_head(struct tg_slice piece);

#endif
