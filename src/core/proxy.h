/* Who the client is when proxies stand between: what they say of it is believed as far as they are trusted
 * (settings trusted_proxies, forwarded_header).
 *
 * The header names the way from the client, on the left, to the nearest proxy; everybody on it may have
 * written the part left of themselves. So it is read from the right, for as long as who wrote it is trusted.
 */
#ifndef TG_CORE_PROXY_H
#define TG_CORE_PROXY_H

#include "base/slice.h"
#include "base/status.h"
#include "wire/cidr.h"

#include <stdbool.h>

struct tg_config;
struct tg_pairs;

enum tg_forwarded { TG_FORWARDED_X, TG_FORWARDED_RFC7239 };

struct tg_client {
    struct tg_slice peer; /* "192.0.2.1:4711"; without a port where the proxy tells none */
    bool is_secure;       /* it speaks TLS, with us or with a proxy */
    bool is_malformed;    /* what a trusted proxy sent made no sense, and reading ended there */
    char text[TG_ADDRESS_TEXT_BYTES];
};

/* `peer`: of the socket, borrowed; `client` is read where it lies, since `peer` may point into it. */
void tg_proxy_resolve(const struct tg_config *config, struct tg_slice peer, bool is_secure,
                      const struct tg_pairs *headers, struct tg_client *client);

/* Whether the text of the setting is a list of addresses and blocks. */
enum tg_status tg_proxy_check(const char *trusted_proxies, struct tg_error *error);

#endif
