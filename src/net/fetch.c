/* libcurl says which sockets it wants to be told of, and when it wants to be called at the latest; the rest
 * is its own. What is over is collected after each call into it, outside of its callbacks.
 *
 * Names are looked up by threads of libcurl's own, so nothing here blocks.
 *
 * Invariant: a transfer is in `running` and in the multi handle, or in `waiting`; nobody waits while there is
 * a place. */
#include "net/fetch.h"

#include "base/log.h"
#include "net/transfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <uv.h>

struct pool {
    struct tg_fetcher fetcher; /* first */
    struct tg_worker *worker;
    uv_loop_t *uv;
    uv_timer_t timer;
    CURLM *multi;
    struct tg_list running, waiting;
};

/* A socket of libcurl's. */
struct watched {
    uv_poll_t poll;
    struct pool *pool;
    curl_socket_t socket;
};

static struct pool *of_fetcher(struct tg_fetcher *fetcher)
{
    return TG_CONTAINER(fetcher, struct pool, fetcher);
}

/* ---- the way of a transfer ---- */

static bool run(struct pool *pool, struct tg_transfer *transfer)
{
    if (curl_multi_add_handle(pool->multi, transfer->easy) != CURLM_OK) return false;
    transfer->is_running = true;
    tg_list_append(&pool->running, &transfer->link);
    pool->worker->metrics.fetches_running++;
    return true;
}

static void wait_for_place(struct pool *pool, struct tg_transfer *transfer)
{
    tg_list_append(&pool->waiting, &transfer->link);
    pool->worker->metrics.fetches_waiting++;
}

/* Out of both lists and the multi handle. */
static void take_out(struct pool *pool, struct tg_transfer *transfer)
{
    tg_list_remove(&transfer->link);
    if (transfer->is_running) {
        transfer->is_running = false;
        curl_multi_remove_handle(pool->multi, transfer->easy);
        pool->worker->metrics.fetches_running--;
    } else {
        pool->worker->metrics.fetches_waiting--;
    }
}

static void forget(struct pool *pool, struct tg_transfer *transfer)
{
    tg_wheel_disarm(&pool->worker->wheel, &transfer->deadline);
    transfer->fetch->fetcher = NULL;
    transfer->fetch->transfer = NULL;
    tg_transfer_free(transfer);
}

static void count_failure(struct pool *pool, const struct tg_fetch *fetch)
{
    pool->worker->metrics.fetch_errors++;
    if (fetch->status == TG_E_TOO_LARGE) pool->worker->metrics.fetches_too_large++;
}

/* It is in no list any more, and the fetch has its outcome. */
static void end(struct pool *pool, struct tg_transfer *transfer)
{
    struct tg_fetch *fetch = transfer->fetch;
    uint64_t took_ms = tg_worker_now_ms(pool->worker) - transfer->begin_ms;
    if (fetch->status == TG_OK) {
        tg_log(TG_LOG_DEBUG, "fetched", TG_LOG_S("method", transfer->method),
               TG_LOG_S("origin", transfer->origin), TG_LOG_I("status", fetch->http_status),
               TG_LOG_I("bytes", fetch->body.length), TG_LOG_I("ms", took_ms));
    } else {
        count_failure(pool, fetch);
        tg_log(TG_LOG_DEBUG, "fetch_failed", TG_LOG_S("method", transfer->method),
               TG_LOG_S("origin", transfer->origin), TG_LOG_S("error", fetch->error.text),
               TG_LOG_I("ms", took_ms));
    }
    forget(pool, transfer);
    fetch->on_done(fetch);
}

static void end_without_memory(struct pool *pool, struct tg_transfer *transfer)
{
    transfer->fetch->status = tg_error_set(&transfer->fetch->error, TG_E_NO_MEMORY, "not enough memory");
    end(pool, transfer);
}

static bool has_place(const struct pool *pool)
{
    return pool->worker->metrics.fetches_running < pool->worker->config->fetch_max_concurrent;
}

/* Those that have waited longest take the places that are free. */
static void fill_places(struct pool *pool)
{
    while (has_place(pool) && !tg_list_is_empty(&pool->waiting)) {
        struct tg_transfer *next = TG_CONTAINER(pool->waiting.next, struct tg_transfer, link);
        take_out(pool, next);
        if (!run(pool, next)) end_without_memory(pool, next);
    }
}

static void on_deadline(struct tg_timer *timer)
{
    struct tg_transfer *transfer = TG_CONTAINER(timer, struct tg_transfer, deadline);
    struct pool *pool = transfer->pool;
    take_out(pool, transfer);
    pool->worker->metrics.fetch_timeouts++;
    transfer->fetch->status =
        tg_error_set(&transfer->fetch->error, TG_E_IO, "timeout: no whole answer after %" PRIu64 " ms",
                     transfer->timeout_ms);
    end(pool, transfer);
    fill_places(pool);
}

static void ran(struct pool *pool, CURL *easy, CURLcode code)
{
    char *private = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &private);
    struct tg_transfer *transfer = (void *)private;
    take_out(pool, transfer);
    if (!tg_transfer_ran(transfer, code))
        end(pool, transfer);
    else if (!run(pool, transfer))
        end_without_memory(pool, transfer);
}

static void collect(struct pool *pool)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(pool->multi, &left));)
        if (message->msg == CURLMSG_DONE) ran(pool, message->easy_handle, message->data.result);
    fill_places(pool);
}

/* ---- libuv to libcurl ---- */

static void on_ready(uv_poll_t *poll, int failure, int events)
{
    const struct watched *watched = poll->data;
    struct pool *pool = watched->pool;
    /* A socket that is broken says why when it is used. */
    if (failure) events = UV_READABLE | UV_WRITABLE;
    int mask = (events & UV_READABLE ? CURL_CSELECT_IN : 0) | (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0);
    int running;
    curl_multi_socket_action(pool->multi, watched->socket, mask, &running);
    collect(pool);
}

static void on_time(uv_timer_t *timer)
{
    struct pool *pool = timer->data;
    int running;
    curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(pool);
}

/* ---- libcurl to libuv ---- */

static int on_timer_wanted(CURLM *multi, long timeout_ms, void *context)
{
    (void)multi;
    struct pool *pool = context;
    if (timeout_ms < 0)
        uv_timer_stop(&pool->timer);
    else
        uv_timer_start(&pool->timer, on_time, (uint64_t)timeout_ms, 0);
    return 0;
}

static void free_watched(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watched *watch(struct pool *pool, curl_socket_t socket)
{
    struct watched *watched = calloc(1, sizeof *watched);
    if (!watched) return NULL;
    *watched = (struct watched){.pool = pool, .socket = socket};
    if (uv_poll_init_socket(pool->uv, &watched->poll, socket) != 0) {
        free(watched);
        return NULL;
    }
    watched->poll.data = watched;
    curl_multi_assign(pool->multi, socket, watched);
    return watched;
}

/* A failure here would be the end of all transfers; a socket that cannot be watched is the end of one, at its
 * deadline. */
static int on_socket_wanted(CURL *easy, curl_socket_t socket, int what, void *context, void *known)
{
    (void)easy;
    struct pool *pool = context;
    struct watched *watched = known;
    if (what == CURL_POLL_REMOVE) {
        curl_multi_assign(pool->multi, socket, NULL);
        if (watched) uv_close((uv_handle_t *)&watched->poll, free_watched);
        return 0;
    }
    if (!watched) watched = watch(pool, socket);
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    if (watched) uv_poll_start(&watched->poll, events, on_ready);
    return 0;
}

/* ---- core's calls ---- */

static enum tg_status start(struct tg_fetcher *fetcher, struct tg_fetch *fetch,
                            const struct tg_fetch_request *request, struct tg_error *error)
{
    struct pool *pool = of_fetcher(fetcher);
    struct tg_worker *worker = pool->worker;
    if (!has_place(pool) && worker->metrics.fetches_waiting >= worker->config->fetch_max_waiting) {
        worker->metrics.fetches_refused++;
        return tg_error_set(error, TG_E_FULL, "busy: fetch_max_waiting requests are waiting already");
    }
    struct tg_transfer *transfer;
    enum tg_status status = tg_transfer_new(&transfer, fetch, request, worker->config, error);
    if (status != TG_OK) return status;
    transfer->pool = pool;
    transfer->begin_ms = tg_worker_now_ms(worker);
    if (!has_place(pool)) {
        wait_for_place(pool, transfer);
    } else if (!run(pool, transfer)) {
        tg_transfer_free(transfer);
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    }
    worker->metrics.fetches++;
    tg_timer_init(&transfer->deadline, on_deadline);
    tg_worker_arm(worker, &transfer->deadline, transfer->begin_ms + transfer->timeout_ms);
    fetch->fetcher = fetcher;
    fetch->transfer = transfer;
    return TG_OK;
}

static void cancel(struct tg_fetcher *fetcher, struct tg_fetch *fetch)
{
    struct pool *pool = of_fetcher(fetcher);
    take_out(pool, fetch->transfer);
    forget(pool, fetch->transfer);
    fill_places(pool);
}

/* ---- life ---- */

static const struct tg_fetcher_ops ops = {start, cancel};

static void free_pool(uv_handle_t *handle)
{
    free(handle->data);
}

static bool set_up(struct pool *pool)
{
    CURLM *multi = pool->multi = curl_multi_init();
    return multi && !curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted) &&
           !curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, pool) &&
           !curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted) &&
           !curl_multi_setopt(multi, CURLMOPT_TIMERDATA, pool) &&
           /* Connections that are kept open, with those in use. */
           !curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)pool->worker->config->fetch_max_concurrent);
}

enum tg_status tg_fetcher_open(struct tg_fetcher **fetcher, struct tg_net_loop *loop,
                               struct tg_worker *worker, struct tg_error *error)
{
    if (!(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_ASYNCHDNS))
        return tg_error_set(
            error, TG_E_INVALID,
            "this libcurl looks up names in the caller's thread, which would hold up everybody; "
            "install one with a threaded resolver or c-ares, as Debian's is");
    struct pool *pool = calloc(1, sizeof *pool);
    if (!pool) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(pool);
        return tg_error_set(error, TG_E_IO, "libcurl cannot be initialised");
    }
    *pool = (struct pool){.fetcher = {&ops}, .worker = worker, .uv = tg_net_loop_uv(loop)};
    tg_list_init(&pool->running);
    tg_list_init(&pool->waiting);
    uv_timer_init(pool->uv, &pool->timer);
    pool->timer.data = pool;
    if (!set_up(pool)) {
        tg_fetcher_close(&pool->fetcher);
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    }
    *fetcher = &pool->fetcher;
    return TG_OK;
}

static void end_all(struct pool *pool, struct tg_list *list)
{
    while (!tg_list_is_empty(list)) {
        struct tg_transfer *transfer = TG_CONTAINER(list->next, struct tg_transfer, link);
        take_out(pool, transfer);
        forget(pool, transfer);
    }
}

void tg_fetcher_close(struct tg_fetcher *fetcher)
{
    struct pool *pool = of_fetcher(fetcher);
    end_all(pool, &pool->waiting);
    end_all(pool, &pool->running);
    curl_multi_cleanup(pool->multi);
    curl_global_cleanup();
    uv_close((uv_handle_t *)&pool->timer, free_pool);
}
