/* One outgoing request on its way through libcurl: its options, its redirects, and what its failures are
 * called. fetch.c runs it. */
#ifndef TG_NET_TRANSFER_H
#define TG_NET_TRANSFER_H

#include "base/list.h"
#include "core/config.h"
#include "core/fetch.h"
#include "core/wheel.h"

#include <curl/curl.h>

struct tg_transfer {
    struct tg_fetch *fetch; /* borrowed: whose it is */
    struct tg_list link;    /* of fetch.c, as the next four */
    struct tg_timer deadline;
    void *pool;
    uint64_t begin_ms;
    bool is_running;
    CURL *easy;                 /* owned, as the next three */
    struct curl_slist *headers; /* as they are sent */
    char *method;
    char *origin;         /* scheme, host and port of the URL at hand */
    struct tg_slice body; /* borrowed */
    uint64_t timeout_ms;
    uint32_t max_redirects, redirects;
    char reason[CURL_ERROR_SIZE]; /* what libcurl says about a failure */
};

/* Makes it, ready to be run, and readies the fetch for the answer. TG_E_INVALID, TG_E_NO_MEMORY. */
enum tg_status tg_transfer_new(struct tg_transfer **transfer, struct tg_fetch *fetch,
                               const struct tg_fetch_request *request, const struct tg_config *config,
                               struct tg_error *error);

void tg_transfer_free(struct tg_transfer *transfer);

/* It has run, and libcurl says `code`. True: it is set up for where the answer points and has to run again;
 * else the fetch has its outcome. */
bool tg_transfer_ran(struct tg_transfer *transfer, CURLcode code);

#endif
