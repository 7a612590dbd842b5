/* Addresses of the Internet, and blocks of them (RFC 4632, RFC 4291 2.3): "10.0.0.0/8", "2001:db8::/32".
 *
 * An IPv4 address is kept as the IPv6 address that stands for it (RFC 4291 2.5.5.2), so that both spellings
 * of one are the same.
 */
#ifndef TG_WIRE_CIDR_H
#define TG_WIRE_CIDR_H

#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

/* Room for "[address]:port", and an end. */
#define TG_ADDRESS_TEXT_BYTES 64

struct tg_address {
    unsigned char bytes[16];
};

struct tg_cidr {
    struct tg_address first;
    unsigned bits; /* of 128 that the block's addresses share */
};

/* "192.0.2.1", "2001:db8::1"; nothing around it. False: it is none. */
bool tg_address_read(struct tg_slice text, struct tg_address *address);

/* The same with or without a port: "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]", "2001:db8::1". A zone
 * in the brackets ("%eth0") is passed over. `port` is 0 where there is none. */
bool tg_endpoint_read(struct tg_slice text, struct tg_address *address, uint16_t *port);

/* Writes it so: an IPv6 address in brackets, the port unless it is 0. */
struct tg_slice tg_endpoint_write(const struct tg_address *address, uint16_t port,
                                  char text[TG_ADDRESS_TEXT_BYTES]);

bool tg_address_is_v4(const struct tg_address *address);

/* "10.0.0.0/8", or an address, which is a block of one. False: it is none, or it has bits behind the prefix:
 * "10.0.0.1/8" is a mistake of whoever wrote it. */
bool tg_cidr_read(struct tg_slice text, struct tg_cidr *block);

bool tg_cidr_has(const struct tg_cidr *block, const struct tg_address *address);

#endif
