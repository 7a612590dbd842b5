/* What runs here, as JSON for people and their programs: GET /api/status, `tidegate status`.
 *
 *     {"version":"0.1.0","mode":"development","folder":"consumers","uptime_seconds":12,"connections":3,
 *      "generation":7,"generations":[{"number":7,"state":"serving","connections":3,"tasks":1,
 *      "age_seconds":4,"consumers":2}],"last_reload":{"outcome":"ok","why":"files","generation":7,
 *      "when":"2026-01-02T03:04:05.678Z","took_ms":14}}
 *
 * The oldest generation comes first. last_reload is null when there was none; one that failed has `problems`.
 */
#ifndef TG_CORE_OVERVIEW_H
#define TG_CORE_OVERVIEW_H

#include "base/buf.h"
#include "core/worker.h"

struct tg_overview {
    const struct tg_worker *worker; /* borrowed */
    struct tg_slice folder;         /* that is served */
};

/* Appends the object. Check the buf's status. */
void tg_overview_write(const struct tg_overview *overview, struct tg_buf *out);

#endif
