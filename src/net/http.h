/* Plain requests, and the refusals of upgrades.
 *
 *     /healthz   the process lives
 *     /readyz    it takes new connections
 *     /metrics   counters, for Prometheus
 *     /api       what programs outside ask for (net/api_http)
 *     a consumer's path: 426, it speaks WebSocket
 *     the rest: static files, if there are any (net/files)
 *
 * Every error has the JSON body {"detail":"..."}.
 */
#ifndef TG_NET_HTTP_H
#define TG_NET_HTTP_H

#include "base/slice.h"
#include "net/state.h"

#include <stdbool.h>

struct tg_answer {
    unsigned status;
    const char *content_type; /* NULL: an answer without a body, such as 304 */
    struct tg_slice body;
    const char *headers; /* further ones, each ended by CRLF; NULL: none */
    bool closes_connection;
    bool has_no_body_sent; /* the answer to a HEAD */
};

/* An error whose `detail` is a literal without characters that JSON escapes. */
#define TG_ANSWER_ERROR(status_, detail_)                                                                    \
    ((struct tg_answer){.status = (status_),                                                                 \
                        .content_type = "application/json",                                                  \
                        .body = TG_SLICE("{\"detail\":\"" detail_ "\"}")})

/* Writes an answer. The result is the library's callback's: 0, or -1 to end the connection. */
int tg_http_write(struct lws *wsi, const struct tg_answer *answer);

/* Whether a body may follow (RFC 9112 6.3). */
bool tg_http_has_body(struct lws *wsi);

/* LWS_CALLBACK_HTTP: a whole request that asks for no upgrade. */
int tg_http_request(struct tg_server *server, struct lws *wsi);

/* LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: 0 to go on, -1 when it has been refused. */
int tg_http_check_upgrade(struct tg_server *server, struct lws *wsi);

#endif
