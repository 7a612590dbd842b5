/* How often a client was refused lately, so that nobody can try passwords or tokens one after another:
 * settings login_attempts (each minute) and login_addresses.
 *
 *     who is refused:           tg_attempts_note(&worker->attempts, request->peer, now_ms);
 *     who asks to be let in:    if (tg_attempts_wait_seconds(&worker->attempts, peer, now_ms)) 429
 *
 * A client is its address, of IPv6 its network (/64): that is what one customer of a provider has.
 */
#ifndef TG_CORE_ATTEMPTS_H
#define TG_CORE_ATTEMPTS_H

#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdint.h>

struct tg_attempt;

struct tg_attempts {
    struct tg_attempt *table; /* owned; NULL until the first is noted */
    uint32_t sets;            /* of the table */
    uint32_t max_addresses;
    uint32_t per_minute; /* 0: nobody is limited */
    struct tg_hash_seed seed;
    uint64_t forgotten; /* addresses that had to make room for others */
};

void tg_attempts_init(struct tg_attempts *attempts, uint32_t per_minute, uint32_t max_addresses);

void tg_attempts_deinit(struct tg_attempts *attempts);

/* Somebody at `peer` ("192.0.2.1:4711") was refused. TG_E_NO_MEMORY: it could not be noted. */
enum tg_status tg_attempts_note(struct tg_attempts *attempts, struct tg_slice peer, uint64_t now_ms);

/* 0: it may try. Else after so many seconds. */
uint32_t tg_attempts_wait_seconds(const struct tg_attempts *attempts, struct tg_slice peer, uint64_t now_ms);

#endif
