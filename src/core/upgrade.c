#include "core/upgrade.h"

#include "core/worker.h"
#include "wire/handshake.h"

#define REFUSAL(status_, detail_) ((struct tg_refusal){(status_), TG_SLICE("{\"detail\":\"" detail_ "\"}")})

static bool is_consumer_path(const struct tg_worker *worker, struct tg_slice path)
{
    struct tg_params params;
    return path.data && tg_registry_find(&worker->generation->registry, path, &params);
}

/* RFC 6455 4.2.1 and our own conditions. */
static bool find_objection(const struct tg_worker *worker, const struct tg_upgrade *upgrade,
                           struct tg_refusal *refusal)
{
    if (worker->is_draining || upgrade->is_stopping)
        *refusal = REFUSAL(503, "The server is shutting down");
    else if (!is_consumer_path(worker, upgrade->path))
        *refusal = REFUSAL(404, "Not found");
    else if (!tg_handshake_version_is_supported(upgrade->version))
        *refusal = REFUSAL(426, "The WebSocket version is not supported");
    else if (!tg_handshake_key_is_valid(upgrade->key))
        *refusal = REFUSAL(400, "Sec-WebSocket-Key is not 16 bytes in base64");
    else if (upgrade->protocol.length)
        /* No consumer declares any; RFC 6455 4.2.2 would let us go on without one, the library not. */
        *refusal = REFUSAL(400, "No WebSocket subprotocol is spoken here");
    else
        return false;
    return true;
}

bool tg_upgrade_is_refused(struct tg_worker *worker, const struct tg_upgrade *upgrade,
                           struct tg_refusal *refusal)
{
    if (find_objection(worker, upgrade, refusal)) {
        worker->metrics.handshakes_refused++;
        return true;
    }
    if (tg_worker_has_room(worker)) return false;
    *refusal = REFUSAL(503, "Too many connections");
    worker->metrics.connections_refused++;
    return true;
}

const struct tg_slice tg_upgrade_headers[TG_UPGRADE_HEADERS] = {
    TG_SLICE("host"),          TG_SLICE("origin"),
    TG_SLICE("user-agent"),    TG_SLICE("accept-language"),
    TG_SLICE("authorization"), TG_SLICE("cookie"),
    TG_SLICE("referer"),       TG_SLICE("x-forwarded-for"),
    TG_SLICE("x-real-ip"),     TG_SLICE("sec-websocket-protocol"),
};

bool tg_upgrade_keeps(const struct tg_texts *declared, struct tg_slice name)
{
    for (size_t i = 0; i < TG_UPGRADE_HEADERS; i++)
        if (tg_slice_equal(tg_upgrade_headers[i], name)) return true;
    return tg_texts_have(declared, name);
}
