/* Who may come in, as far as it is known before the upgrade: what a consumer declares of it. Lies in the
 * registry's arena.
 */
#ifndef TG_CORE_ENTRANCE_H
#define TG_CORE_ENTRANCE_H

#include "core/texts.h"
#include "wire/origin.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_entrance {
    const struct tg_origin *origins; /* patterns, beside the same origin */
    uint32_t origin_count;
    bool requires_origin;                /* who sends none is refused */
    bool requires_near;                  /* so are pages of names that others can own (wire/origin.h) */
    const struct tg_slice *subprotocols; /* the one that is liked best first */
    uint32_t subprotocol_count;
    struct tg_texts credentials; /* names of headers and of items of the query that say who it is */
    bool has_admit;              /* the script is asked: script.h, `admit` */
    bool authenticates;          /* it, or an authenticator, decides by who asks: core/attempts.h */
};

#endif
