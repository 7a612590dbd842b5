/* Where the page comes from that opens a connection (RFC 6454), and which of them a consumer lets in.
 *
 *     tg_origin_read(header, &origin)  &&  tg_origin_matches(&declared, &origin)
 */
#ifndef TG_WIRE_ORIGIN_H
#define TG_WIRE_ORIGIN_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Slices are borrowed from what was read, and are not in lower case. */
struct tg_origin {
    struct tg_slice scheme;
    struct tg_slice host; /* of a pattern with is_below: what stands behind "*." */
    uint16_t port;        /* that of http and https where none is written; 0: none */
    bool is_any;          /* of patterns: "*" */
    bool is_below;        /* of patterns: "*." stands before the host */
};

/* The value of a header `Origin`, RFC 6454 6.2: scheme, host, perhaps a port, and nothing behind. False: it
 * is "null", several of them, or no origin at all. */
bool tg_origin_read(struct tg_slice text, struct tg_origin *origin);

/* What a consumer declares: an origin, the same with "*." before the host for all hosts below it, one or more
 * labels but not itself, or "*". Returns NULL, or what is wrong with it, behind "it ": "has a path". */
const char *tg_origin_read_pattern(struct tg_slice text, struct tg_origin *pattern);

/* The origin of who asks `host` ("example.org:8443", a header `Host`), over TLS or not. False: it is no host.
 */
bool tg_origin_of_host(struct tg_slice host, bool is_secure, struct tg_origin *origin);

/* Without regard to the case of letters (RFC 6454 4), and of the many spellings of an IPv6 address. */
bool tg_origin_matches(const struct tg_origin *pattern, const struct tg_origin *origin);

/* Whether its host is an address, or a name that nobody on the web can own: one without a dot, below
 * "localhost" (RFC 6761 6.3) or below "local" (RFC 6762 3). All others can be made to point here by whoever
 * owns them. */
bool tg_origin_is_near(const struct tg_origin *origin);

#endif
