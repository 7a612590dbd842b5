/* Whether a request to speak WebSocket is granted: what of it does not depend on who parsed the request.
 *
 *     consumer = tg_upgrade_find(...)     RFC 6455's conditions, and who serves the path
 *     parts.headers = those that tg_upgrade_keeps
 *     tg_upgrade_decide(...)              proxies, origin, subprotocol, login attempts, admit, room
 *
 * net asks when it has found nothing wrong with the request as HTTP; the test kit asks at once. What was
 * decided on is what the connection keeps: the request is made here, once.
 */
#ifndef TG_CORE_UPGRADE_H
#define TG_CORE_UPGRADE_H

#include "base/slice.h"
#include "core/request.h"
#include "core/texts.h"

#include <stdbool.h>

struct tg_consumer;
struct tg_worker;

/* Slices are borrowed. */
struct tg_upgrade {
    struct tg_slice path;         /* decoded; data NULL: none that can be trusted */
    struct tg_slice version, key; /* Sec-WebSocket-...; empty: absent */
    bool is_stopping;             /* nobody listens any more */
    bool is_secure;               /* it came over TLS */
};

/* Texts lie in the worker's arena, or are constants: they are gone with the next message or upgrade. */
struct tg_refusal {
    unsigned status;
    struct tg_slice body;    /* JSON: {"detail":"..."} */
    struct tg_slice headers; /* beside those of the body, each line with its CRLF */
};

/* Asked in RFC 6455's order; the first condition that is not met refuses, and is counted. NULL: refused. */
const struct tg_consumer *tg_upgrade_find(struct tg_worker *worker, const struct tg_upgrade *upgrade,
                                          struct tg_refusal *refusal);

/* The rest, about who asks. `parts` has path, query, headers and the peer of the socket; all else of it is
 * found here. Returns owned what the connection keeps: free() it, or give it to tg_conn_open. NULL: refused,
 * and counted. */
struct tg_request *tg_upgrade_decide(struct tg_worker *worker, const struct tg_consumer *consumer,
                                     const struct tg_upgrade *upgrade, struct tg_request *parts,
                                     struct tg_refusal *refusal);

/* Sec-WebSocket-Protocol in bytes, and a name in it, at most: what the library takes. */
enum { TG_SUBPROTOCOLS_BYTES_MAX = 126, TG_SUBPROTOCOL_BYTES_MAX = 62 };

/* Names, in lower case, of the headers that are kept for every connection. */
enum { TG_UPGRADE_HEADERS = 12 };
extern const struct tg_slice tg_upgrade_headers[TG_UPGRADE_HEADERS];

/* Whether the header `name` is kept: one of those, or one that the consumer, or the route, has declared. */
bool tg_upgrade_keeps(const struct tg_texts *declared, struct tg_slice name);

#endif
