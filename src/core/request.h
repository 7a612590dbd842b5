/* What a client sent to open its connection, kept as long as the connection lives.
 *
 * One allocation holds everything. The query and the cookies stay as text: whoever asks for them
 * parses them (wire/pairs.h).
 */
#ifndef TG_CORE_REQUEST_H
#define TG_CORE_REQUEST_H

#include "base/slice.h"
#include "wire/pairs.h"
#include "wire/route.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_request {
    struct tg_slice path;        /* decoded once, by the HTTP library */
    struct tg_slice query;       /* as sent, without '?'; empty when there was none */
    struct tg_slice peer;        /* the client: "192.0.2.1:4711", "[2001:db8::1]"; see core/proxy.h */
    struct tg_slice subprotocol; /* the one that was agreed on; empty: none */
    bool is_secure;              /* the client speaks TLS, with us or with a proxy that is trusted */
    struct tg_pairs headers;     /* names in lower case; `cookie` among them */
    struct tg_param *params;
    uint32_t param_count;
};

/* Copies all of `parts`, whose slices may point anywhere. NULL without memory. Free with free(). */
struct tg_request *tg_request_new(const struct tg_request *parts);

#endif
