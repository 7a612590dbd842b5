/* Whether a request to speak WebSocket is granted: what of it does not depend on who parsed the request.
 *
 * net asks when it has found nothing wrong with the request as HTTP; the test kit asks at once.
 */
#ifndef TG_CORE_UPGRADE_H
#define TG_CORE_UPGRADE_H

#include "base/slice.h"
#include "core/texts.h"

#include <stdbool.h>

struct tg_consumer;
struct tg_worker;

/* Slices are borrowed. */
struct tg_upgrade {
    struct tg_slice path;                   /* decoded; data NULL: none that can be trusted */
    struct tg_slice version, key, protocol; /* Sec-WebSocket-...; empty: absent */
    bool is_stopping;                       /* nobody listens any more */
};

struct tg_refusal {
    unsigned status;
    struct tg_slice body; /* JSON: {"detail":"..."} */
};

/* Asked in RFC 6455's order; the first condition that is not met refuses, and is counted. False: granted. */
bool tg_upgrade_is_refused(struct tg_worker *worker, const struct tg_upgrade *upgrade,
                           struct tg_refusal *refusal);

/* Names, in lower case, of the headers that are kept for every connection. */
enum { TG_UPGRADE_HEADERS = 10 };
extern const struct tg_slice tg_upgrade_headers[TG_UPGRADE_HEADERS];

/* Whether the header `name` is kept: one of those, or one that the consumer, or the route, has declared. */
bool tg_upgrade_keeps(const struct tg_texts *declared, struct tg_slice name);

#endif
