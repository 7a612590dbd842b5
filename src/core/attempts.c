/* Each refusal is a debt that time pays off, `per_minute` of them in a minute; who owes for a whole minute
 * waits. So there is no window at whose end everything may be tried again.
 *
 * The table never grows: an address belongs to one set of WAYS entries, and where all are taken the one that
 * owes least makes room. The sets are chosen by a seeded hash, so nobody can push out a chosen address but by
 * being refused from very many others.
 *
 * Invariant: an entry whose debt is paid is free.
 */
#include "core/attempts.h"

#include "wire/cidr.h"

#include <stdlib.h>

enum { WAYS = 8, MINUTE_MS = 60000, V6_NETWORK_BYTES = 8 };

struct tg_attempt {
    struct tg_address network;
    uint64_t paid_ms; /* when the last debt is paid off */
};

void tg_attempts_init(struct tg_attempts *attempts, uint32_t per_minute, uint32_t max_addresses)
{
    *attempts = (struct tg_attempts){.max_addresses = max_addresses,
                                     .per_minute = per_minute,
                                     .sets = (max_addresses + WAYS - 1) / WAYS,
                                     .seed = tg_hash_seed_random()};
}

void tg_attempts_deinit(struct tg_attempts *attempts)
{
    free(attempts->table);
    attempts->table = NULL;
}

/* Of an IPv6 address the half behind the network is left out. A peer without an address is one as well: all
 * such are the same. */
static struct tg_address network_of(struct tg_slice peer)
{
    struct tg_address network = {{0}};
    uint16_t port;
    if (tg_endpoint_read(peer, &network, &port) && !tg_address_is_v4(&network))
        memset(network.bytes + V6_NETWORK_BYTES, 0, sizeof network.bytes - V6_NETWORK_BYTES);
    return network;
}

static struct tg_attempt *set_of(const struct tg_attempts *attempts, const struct tg_address *network)
{
    struct tg_slice key = {(const char *)network->bytes, sizeof network->bytes};
    return &attempts->table[tg_hash(attempts->seed, key) % attempts->sets * WAYS];
}

static bool is_of(const struct tg_attempt *attempt, const struct tg_address *network)
{
    return memcmp(attempt->network.bytes, network->bytes, sizeof network->bytes) == 0;
}

/* The entry of the network, or the one that owes least. */
static struct tg_attempt *find_place(const struct tg_attempts *attempts, const struct tg_address *network)
{
    struct tg_attempt *set = set_of(attempts, network), *least = set;
    for (int i = 0; i < WAYS; i++) {
        if (is_of(&set[i], network)) return &set[i];
        if (set[i].paid_ms < least->paid_ms) least = &set[i];
    }
    return least;
}

enum tg_status tg_attempts_note(struct tg_attempts *attempts, struct tg_slice peer, uint64_t now_ms)
{
    if (attempts->per_minute == 0) return TG_OK;
    if (!attempts->table) attempts->table = calloc((size_t)attempts->sets * WAYS, sizeof *attempts->table);
    if (!attempts->table) return TG_E_NO_MEMORY;
    struct tg_address network = network_of(peer);
    struct tg_attempt *attempt = find_place(attempts, &network);
    if (!is_of(attempt, &network)) {
        attempts->forgotten += attempt->paid_ms > now_ms;
        *attempt = (struct tg_attempt){.network = network};
    }
    uint64_t from_ms = attempt->paid_ms > now_ms ? attempt->paid_ms : now_ms;
    uint64_t paid_ms = from_ms + MINUTE_MS / attempts->per_minute;
    /* Refusals of connections that were let try at once: they do not lock anybody out for longer. */
    uint64_t most_ms = now_ms + MINUTE_MS + MINUTE_MS / attempts->per_minute;
    attempt->paid_ms = paid_ms < most_ms ? paid_ms : most_ms;
    return TG_OK;
}

uint32_t tg_attempts_wait_seconds(const struct tg_attempts *attempts, struct tg_slice peer, uint64_t now_ms)
{
    if (attempts->per_minute == 0 || !attempts->table) return 0;
    struct tg_address network = network_of(peer);
    const struct tg_attempt *attempt = find_place(attempts, &network);
    /* One more has to fit into the minute. */
    uint64_t most_ms = now_ms + MINUTE_MS - MINUTE_MS / attempts->per_minute;
    if (!is_of(attempt, &network) || attempt->paid_ms <= most_ms) return 0;
    return (uint32_t)((attempt->paid_ms - most_ms + 999) / 1000);
}
