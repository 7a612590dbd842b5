/* The order of the questions is that of their cost, and of what an answer gives away: whoever may not come
 * in from where they are is told no more than that.
 */
#include "core/upgrade.h"

#include "core/dev.h"
#include "core/generation.h"
#include "core/origin.h"
#include "core/proxy.h"
#include "core/worker.h"
#include "wire/handshake.h"

#include <stdio.h>

#define REFUSAL(status_, detail_)                                                                            \
    ((struct tg_refusal){.status = (status_), .body = TG_SLICE("{\"detail\":\"" detail_ "\"}")})

#define UPGRADE_HEADERS "Upgrade: websocket\r\nConnection: Upgrade\r\n"

static const struct tg_consumer *find_consumer(const struct tg_worker *worker, struct tg_slice path)
{
    struct tg_params params;
    return path.data ? tg_registry_find(&tg_dev_serving(worker, path)->registry, path, &params) : NULL;
}

/* RFC 6455 4.2.1 and our own conditions. */
const struct tg_consumer *tg_upgrade_find(struct tg_worker *worker, const struct tg_upgrade *upgrade,
                                          struct tg_refusal *refusal)
{
    const struct tg_consumer *consumer = find_consumer(worker, upgrade->path);
    if (worker->is_draining || upgrade->is_stopping) {
        *refusal = REFUSAL(503, "The server is shutting down");
    } else if (!consumer) {
        *refusal = REFUSAL(404, "Not found");
    } else if (!tg_handshake_version_is_supported(upgrade->version)) {
        *refusal = REFUSAL(426, "The WebSocket version is not supported");
        refusal->headers = TG_SLICE(UPGRADE_HEADERS "Sec-WebSocket-Version: 13\r\n");
    } else if (!tg_handshake_key_is_valid(upgrade->key)) {
        *refusal = REFUSAL(400, "Sec-WebSocket-Key is not 16 bytes in base64");
    } else {
        return consumer;
    }
    worker->metrics.handshakes_refused++;
    return NULL;
}

/* ---- who asks ---- */

/* Of the first name that a client offers: the library reads no other (net/subprotocol.c), and takes neither a
 * longer one nor a number. */
static bool is_first_readable(struct tg_slice offered)
{
    struct tg_slice first = tg_handshake_first_protocol(offered);
    size_t number = 0;
    while (number < first.length && ((first.data[number] >= '0' && first.data[number] <= '9') ||
                                     (number > 0 && first.data[number] == '.')))
        number++;
    return first.length <= TG_SUBPROTOCOL_BYTES_MAX && number < first.length;
}

/* The first of the consumer's that the client offers. Without one the connection goes on, as RFC 6455 4.2.2
 * has it; a browser that offered some ends it then by itself. */
static bool is_subprotocol_refused(const struct tg_consumer *consumer, struct tg_request *parts,
                                   struct tg_refusal *refusal)
{
    const struct tg_entrance *entrance = &consumer->entrance;
    struct tg_slice offered = tg_pairs_get(&parts->headers, TG_SLICE("sec-websocket-protocol"));
    parts->subprotocol = TG_SLICE("");
    if (!offered.length) return false;
    if (offered.length > TG_SUBPROTOCOLS_BYTES_MAX)
        *refusal = REFUSAL(400, "Sec-WebSocket-Protocol has more than 126 bytes");
    else if (!tg_handshake_choose_protocol(offered, entrance->subprotocols, entrance->subprotocol_count,
                                           &parts->subprotocol))
        *refusal = REFUSAL(400, "Sec-WebSocket-Protocol is not a list of names");
    else if (!is_first_readable(offered))
        *refusal =
            REFUSAL(400, "The first name of Sec-WebSocket-Protocol is a number, or has more than 62 bytes");
    else
        return false;
    return true;
}

/* Of those who guess at passwords and tokens, the consumers that ask for some hear no more for a while. */
static bool is_trying_too_often(struct tg_worker *worker, const struct tg_consumer *consumer,
                                const struct tg_request *parts, struct tg_refusal *refusal)
{
    if (!consumer->entrance.authenticates) return false;
    uint32_t seconds = tg_worker_refuse_attempt(worker, parts->peer);
    if (!seconds) return false;
    enum { LINE_BYTES = 40 };
    char *line = tg_arena_alloc(&worker->arena, LINE_BYTES);
    *refusal = REFUSAL(429, "Too many attempts to log in");
    if (line)
        refusal->headers =
            (struct tg_slice){line, (size_t)snprintf(line, LINE_BYTES, "Retry-After: %u\r\n", seconds)};
    return true;
}

/* The code that people write has the last word on who comes in. A 401 of it is an attempt that failed. */
static bool is_not_admitted(struct tg_worker *worker, const struct tg_consumer *consumer,
                            const struct tg_request *request, struct tg_refusal *refusal)
{
    struct tg_script *script = worker->generation->script;
    if (!consumer->entrance.has_admit) return false;
    if (script->ops->admit(script, consumer, request, refusal)) return false;
    worker->metrics.admissions_refused++;
    if (refusal->status == 401) tg_worker_note_attempt(worker, request->peer);
    return true;
}

static bool find_objection(struct tg_worker *worker, const struct tg_consumer *consumer,
                           struct tg_request *parts, struct tg_refusal *refusal)
{
    if (!tg_origin_is_allowed(worker, consumer, &parts->headers, parts->is_secure)) {
        *refusal = REFUSAL(403, "This origin is not allowed");
        return true;
    }
    return is_subprotocol_refused(consumer, parts, refusal) ||
           is_trying_too_often(worker, consumer, parts, refusal) ||
           is_not_admitted(worker, consumer, parts, refusal);
}

struct tg_request *tg_upgrade_decide(struct tg_worker *worker, const struct tg_consumer *consumer,
                                     const struct tg_upgrade *upgrade, struct tg_request *parts,
                                     struct tg_refusal *refusal)
{
    struct tg_client client;
    struct tg_params params;
    tg_proxy_resolve(worker->config, parts->peer, upgrade->is_secure, &parts->headers, &client);
    worker->metrics.forwarded_malformed += client.is_malformed;
    parts->peer = client.peer;
    parts->is_secure = client.is_secure;
    tg_registry_find(&tg_dev_serving(worker, parts->path)->registry, parts->path, &params);
    parts->params = params.items;
    parts->param_count = params.count;
    struct tg_request *request = NULL;
    if (find_objection(worker, consumer, parts, refusal)) {
        worker->metrics.handshakes_refused++;
    } else if (!tg_worker_has_room(worker)) {
        *refusal = REFUSAL(503, "Too many connections");
        worker->metrics.connections_refused++;
    } else {
        request = tg_request_new(parts);
        if (!request) *refusal = REFUSAL(503, "Out of memory");
        worker->metrics.no_memory += !request;
    }
    parts->params = NULL; /* what it borrowed from this function is gone */
    parts->param_count = 0;
    parts->peer = TG_SLICE("");
    return request;
}

/* ---- headers ---- */

const struct tg_slice tg_upgrade_headers[TG_UPGRADE_HEADERS] = {
    TG_SLICE("host"),          TG_SLICE("origin"),
    TG_SLICE("user-agent"),    TG_SLICE("accept-language"),
    TG_SLICE("authorization"), TG_SLICE("cookie"),
    TG_SLICE("referer"),       TG_SLICE("x-forwarded-for"),
    TG_SLICE("x-real-ip"),     TG_SLICE("sec-websocket-protocol"),
    TG_SLICE("forwarded"),     TG_SLICE("x-forwarded-proto"),
};

bool tg_upgrade_keeps(const struct tg_texts *declared, struct tg_slice name)
{
    for (size_t i = 0; i < TG_UPGRADE_HEADERS; i++)
        if (tg_slice_equal(tg_upgrade_headers[i], name)) return true;
    return tg_texts_have(declared, name);
}
