/* Cross-site WebSocket hijacking: a page anywhere may open a socket, and the browser sends the user's cookies
 * along. What it cannot do is lie about its origin, so that decides, before the upgrade.
 *
 * A request without `Origin` does not come from a page.
 */
#ifndef TG_CORE_ORIGIN_H
#define TG_CORE_ORIGIN_H

#include "base/slice.h"

#include <stdbool.h>

struct tg_consumer;
struct tg_pairs;
struct tg_worker;

/* Whether there is an `Origin`, and it is the very one that `Host` and `is_secure` make. No declaration
 * widens this. */
bool tg_origin_is_same(const struct tg_pairs *headers, bool is_secure);

/* Whether the consumer lets in who sends these headers: the same origin, one that it declares, or none unless
 * it requires one. A refusal is counted, and logged once in a while. */
bool tg_origin_is_allowed(struct tg_worker *worker, const struct tg_consumer *consumer,
                          const struct tg_pairs *headers, bool is_secure);

#endif
