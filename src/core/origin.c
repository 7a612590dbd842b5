/* What is refused is mostly one page that was not thought of, again and again: a line of the log in LOG_MS
 * says which, and how many there were beside it.
 */
#include "core/origin.h"

#include "base/log.h"
#include "core/worker.h"
#include "wire/origin.h"
#include "wire/pairs.h"

#include <stdio.h>

enum { LOG_MS = 10000 };

/* The header as it came; data NULL: there is none. */
static struct tg_slice header(const struct tg_pairs *headers)
{
    return tg_pairs_get(headers, TG_SLICE("origin"));
}

static bool is_same(const struct tg_origin *origin, const struct tg_pairs *headers, bool is_secure)
{
    struct tg_origin own;
    return tg_origin_of_host(tg_pairs_get(headers, TG_SLICE("host")), is_secure, &own) &&
           tg_origin_matches(&own, origin);
}

bool tg_origin_is_same(const struct tg_pairs *headers, bool is_secure)
{
    struct tg_origin origin;
    struct tg_slice text = header(headers);
    return text.data && tg_origin_read(text, &origin) && is_same(&origin, headers, is_secure);
}

static bool is_declared(const struct tg_entrance *entrance, const struct tg_origin *origin)
{
    for (uint32_t i = 0; i < entrance->origin_count; i++)
        if (origin ? tg_origin_matches(&entrance->origins[i], origin) : entrance->origins[i].is_any)
            return true;
    return false;
}

/* What whoever runs the gateway can do about it. */
static const char *advise(const struct tg_pairs *headers, const struct tg_origin *origin, bool is_secure,
                          char *text, size_t bytes)
{
    struct tg_slice shown = header(headers);
    if (!shown.data) return "the consumer has require_origin, and only pages send an Origin";
    if (!origin) return "pages without an origin of their own get in where origins has \"*\"";
    if (is_same(origin, headers, is_secure))
        return "a page that is developed is opened by an address, by localhost or another name without a "
               "dot, or by one "
               "that ends in .localhost or .local: others can have their names point here";
    if (is_same(origin, headers, !is_secure))
        return "only http and https differ: name the proxy that ends TLS in trusted_proxies, and have it "
               "send "
               "X-Forwarded-Proto";
    snprintf(text, bytes, "if that page may connect, declare it: origins = { \"%.*s\" }",
             TG_SLICE_ARG(shown));
    return text;
}

static void tell(struct tg_worker *worker, const struct tg_consumer *consumer, const struct tg_pairs *headers,
                 const struct tg_origin *origin, bool is_secure)
{
    enum { SHOWN_BYTES = 300 };
    char advice[SHOWN_BYTES];
    uint64_t now_ms = tg_worker_now_ms(worker), *counted = &worker->metrics.origins_refused;
    ++*counted;
    if (now_ms < worker->next_origin_log_ms) return;
    struct tg_slice shown = header(headers);
    if (shown.length > SHOWN_BYTES) shown.length = SHOWN_BYTES;
    tg_log(TG_LOG_WARNING, "origin_refused", TG_LOG_STR("consumer", consumer->name),
           TG_LOG_STR("origin", shown.data ? shown : TG_SLICE("")),
           TG_LOG_STR("host", tg_pairs_get(headers, TG_SLICE("host"))),
           TG_LOG_I("refused", *counted - worker->logged_origins),
           TG_LOG_S("hint", advise(headers, origin, is_secure, advice, sizeof advice)));
    worker->next_origin_log_ms = now_ms + LOG_MS;
    worker->logged_origins = *counted;
}

bool tg_origin_is_allowed(struct tg_worker *worker, const struct tg_consumer *consumer,
                          const struct tg_pairs *headers, bool is_secure)
{
    const struct tg_entrance *entrance = &consumer->entrance;
    struct tg_slice text = header(headers);
    struct tg_origin origin;
    bool is_read = text.data && tg_origin_read(text, &origin);
    if (!text.data && !entrance->requires_origin) return true;
    bool is_far = is_read && entrance->requires_near && !tg_origin_is_near(&origin);
    if (is_read && !is_far && is_same(&origin, headers, is_secure)) return true;
    if (text.data && is_declared(entrance, is_read ? &origin : NULL)) return true;
    tell(worker, consumer, headers, is_read ? &origin : NULL, is_secure);
    return false;
}
