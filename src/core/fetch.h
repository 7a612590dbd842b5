/* Outgoing HTTP: what scripts ask of whoever fetches. net/fetch does it on libcurl; tests fake it.
 *
 *     tg_fetch_init(&fetch, on_done);
 *     status = fetcher->ops->start(fetcher, &fetch, &request, &error);
 *     ...                            on_done(&fetch), once, in a later turn of the loop
 *     tg_fetch_deinit(&fetch);       at any time: what is under way is cancelled
 *
 * What comes from the other server is bounded here, whoever fetches: tg_fetch_add_header and
 * tg_fetch_add_body refuse what would pass a limit, and note why.
 */
#ifndef TG_CORE_FETCH_H
#define TG_CORE_FETCH_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"
#include "wire/pairs.h"

#include <stdbool.h>
#include <stdint.h>

/* Of one answer, redirects included. */
enum { TG_FETCH_HEADER_BYTES_MAX = 64 * 1024, TG_FETCH_HEADERS_MAX = 256 };

/* Each redirect is a request of its own; nobody needs more. */
enum { TG_FETCH_REDIRECTS_MAX = 20 };

struct tg_fetcher;

struct tg_fetch_request {
    struct tg_slice url;
    struct tg_slice method;        /* "GET" */
    const struct tg_pair *headers; /* neither names nor values hold CR, LF or NUL */
    uint32_t header_count;
    struct tg_slice body; /* data is NULL: none. Borrowed until the end; everything else is copied */
    uint64_t timeout_ms;  /* for the whole of it, waiting for a place included */
    uint64_t max_bytes;   /* of the body, decompressed */
    uint32_t max_redirects;
};

/* One request and its answer, in the storage of whoever asks; for another it is initialised anew. */
struct tg_fetch {
    struct tg_fetcher *fetcher; /* borrowed; NULL unless it is under way */
    void *transfer;             /* the fetcher's own */
    void (*on_done)(struct tg_fetch *fetch);
    /* how it ended */
    enum tg_status status; /* TG_OK: there is an answer; else `error` has one sentence, "connect: ..." */
    struct tg_error error;
    uint16_t http_status;
    struct tg_buf url;     /* where the answer came from, after redirects */
    struct tg_buf headers; /* for tg_fetch_next_header */
    struct tg_buf body;
    /* limits */
    uint64_t max_bytes;
    uint32_t header_bytes, header_count, encodings;
    bool is_head_complete;
};

struct tg_fetcher_ops {
    /* TG_OK: on_done follows, never before this returns. TG_E_INVALID: the request makes no sense;
     * TG_E_FULL: too many are waiting already; TG_E_NO_MEMORY. `error` has the sentence then. */
    enum tg_status (*start)(struct tg_fetcher *fetcher, struct tg_fetch *fetch,
                            const struct tg_fetch_request *request, struct tg_error *error);
    /* Ends what is under way, without on_done. */
    void (*cancel)(struct tg_fetcher *fetcher, struct tg_fetch *fetch);
};

struct tg_fetcher {
    const struct tg_fetcher_ops *ops;
};

void tg_fetch_init(struct tg_fetch *fetch, void (*on_done)(struct tg_fetch *fetch));

/* Cancels what is under way and frees the answer. May be called again. */
void tg_fetch_deinit(struct tg_fetch *fetch);

/* Walks over the headers of the answer, in their order, names in lower case. Starts with `*position` 0; false
 * at the end. Names may come more than once. Borrowed. */
bool tg_fetch_next_header(const struct tg_fetch *fetch, size_t *position, struct tg_pair *header);

/* ---- for fetchers ---- */

/* A line of the answer's head as it came, line break included: the status line, which begins a new answer,
 * a header, the empty line at the end; trailers are counted and dropped. False: it is refused, and
 * `status` and `error` say why. */
bool tg_fetch_add_header(struct tg_fetch *fetch, struct tg_slice line);

/* A piece of the body. False: refused, as above. */
bool tg_fetch_add_body(struct tg_fetch *fetch, struct tg_slice bytes);

#endif
