/* What proxies write of whom they forward: X-Forwarded-For, X-Forwarded-Proto, and Forwarded (RFC 7239).
 *
 * They are lists to which each proxy has added on the right. Whatever stands left of what a proxy wrote may
 * be anybody's, so items are taken off the right, and none depends on what stands left of it.
 */
#ifndef TG_WIRE_FORWARDED_H
#define TG_WIRE_FORWARDED_H

#include "base/slice.h"

#include <stdbool.h>

/* Slices are borrowed, without quotes; empty where it is not told. */
struct tg_hop {
    struct tg_slice node;  /* for: "192.0.2.1", "[2001:db8::1]:4711", "unknown", "_hidden" */
    struct tg_slice proto; /* "http", "https" */
};

/* Takes the last item off the list `rest`, without the spaces around it. False: nothing is left. */
bool tg_forwarded_take(struct tg_slice *rest, struct tg_slice *item);

/* The same for Forwarded, whose quoted texts may hold commas. */
bool tg_forwarded_take_element(struct tg_slice *rest, struct tg_slice *element);

/* Reads such an element. False: it is malformed. */
bool tg_forwarded_read(struct tg_slice element, struct tg_hop *hop);

#endif
