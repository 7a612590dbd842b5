/* A stream comes into being in steps, each of which libuv ends with a callback: the name is looked up (on a
 * thread of libuv's pool), then one address after the other is tried, then TLS shakes hands. One timer bounds
 * all of it; several addresses share what is left of the time, so that a dead one does not use it up.
 *
 * Invariant: `pending` counts the handles and requests that libuv holds; a stream is freed when that is 0 and
 * its user has closed it. */
#include "net/stream.h"

#include "net/stream_state.h"

#include <stdio.h>
#include <stdlib.h>

struct tg_net_streams {
    struct tg_streams core;
    struct tg_worker *worker; /* borrowed */
    uv_loop_t *uv;            /* borrowed */
    struct tg_tls_store *tls; /* owned */
    struct tg_list streams;   /* that are still somebody's */
};

static void attempt(struct tg_net_stream *stream);

/* ---- failures ---- */

const char *tg_net_stream_reason(int failure)
{
    switch (failure) {
    case UV_EOF:
    case UV_EPIPE:
    case UV_ECONNRESET:
    case UV_ECONNABORTED:
    case UV_ECANCELED:
        return TG_STREAM_CLOSED;
    case UV_ECONNREFUSED:
        return TG_STREAM_REFUSED;
    case UV_ETIMEDOUT:
        return TG_STREAM_TIMEOUT;
    case UV_EAI_NONAME:
    case UV_EAI_NODATA:
    case UV_EAI_ADDRFAMILY:
        return "host not found";
    default:
        return uv_strerror(failure);
    }
}

void tg_net_stream_fail_side(struct tg_net_stream *stream, enum tg_stream_side side, const char *reason)
{
    struct tg_error *failure = &stream->failures[side];
    if (!failure->text[0]) tg_error_set(failure, TG_E_IO, "%s", reason);
}

void tg_net_stream_fail(struct tg_net_stream *stream, const char *reason)
{
    tg_net_stream_fail_side(stream, TG_STREAM_READING, reason);
    tg_net_stream_fail_side(stream, TG_STREAM_WRITING, reason);
}

/* ---- the end ---- */

static void free_unused(struct tg_net_stream *stream)
{
    if (stream->pending > 0 || stream->events) return;
    tg_net_stream_forget_bytes(stream);
    if (stream->tls) tg_tls_free(stream->tls);
    free(stream);
}

static void timer_closed(uv_handle_t *handle)
{
    struct tg_net_stream *stream = handle->data;
    stream->pending--;
    free_unused(stream);
}

/* Both after a failed address, of which there may be more, and at the end. */
static void tcp_closed(uv_handle_t *handle)
{
    struct tg_net_stream *stream = handle->data;
    stream->pending--;
    if (stream->events && stream->phase == TG_STREAM_BETWEEN)
        attempt(stream);
    else
        free_unused(stream);
}

static void close_tcp(struct tg_net_stream *stream)
{
    if (!stream->is_tcp_open) return;
    stream->is_tcp_open = false;
    uv_close((uv_handle_t *)&stream->tcp, tcp_closed);
}

static void forget_addresses(struct tg_net_stream *stream)
{
    if (stream->addresses) uv_freeaddrinfo(stream->addresses);
    stream->addresses = stream->next_address = NULL;
}

/* Has libuv give back what it holds; the last callback frees what has no user. */
static void let_go(struct tg_net_stream *stream)
{
    stream->owner = NULL;
    tg_list_remove(&stream->link);
    stream->metrics->streams--;
    if (stream->phase == TG_STREAM_RESOLVING) uv_cancel((uv_req_t *)&stream->lookup);
    stream->phase = TG_STREAM_FAILED;
    tg_net_stream_fail(stream, TG_STREAM_CLOSED);
    forget_addresses(stream);
    close_tcp(stream);
    uv_close((uv_handle_t *)&stream->timer, timer_closed);
}

void tg_net_stream_release(struct tg_net_stream *stream)
{
    if (stream->owner)
        let_go(stream);
    else /* the loop has gone, with all that it held */
        free_unused(stream);
}

/* ---- the beginning ---- */

void tg_net_stream_opened(struct tg_net_stream *stream)
{
    uv_timer_stop(&stream->timer);
    forget_addresses(stream);
    bool has_failed = stream->failures[TG_STREAM_WRITING].text[0] != '\0';
    stream->phase = has_failed ? TG_STREAM_FAILED : TG_STREAM_IS_OPEN;
    if (has_failed) close_tcp(stream);
    stream->events->opened(stream->user);
}

static void give_up(struct tg_net_stream *stream, const char *reason)
{
    tg_net_stream_fail(stream, reason);
    tg_net_stream_opened(stream);
}

/* This address did not answer: the next one, or what is told is why the last did not. */
static void try_another(struct tg_net_stream *stream, const char *reason)
{
    if (!stream->next_address) {
        give_up(stream, reason);
        return;
    }
    uv_timer_stop(&stream->timer);
    stream->phase = TG_STREAM_BETWEEN;
    close_tcp(stream);
}

static void time_is_over(uv_timer_t *timer)
{
    struct tg_net_stream *stream = timer->data;
    if (stream->phase == TG_STREAM_CONNECTING)
        try_another(stream, TG_STREAM_TIMEOUT);
    else
        give_up(stream, TG_STREAM_TIMEOUT);
}

/* The share of this address in the time that is left. */
static void limit_attempt(struct tg_net_stream *stream)
{
    uint64_t now_ms = uv_now(stream->timer.loop), addresses_left = 1;
    for (const struct addrinfo *address = stream->next_address; address; address = address->ai_next)
        addresses_left++;
    uint64_t left_ms = stream->deadline_ms > now_ms ? stream->deadline_ms - now_ms : 0;
    uv_timer_start(&stream->timer, time_is_over, left_ms / addresses_left, 0);
}

static void connected(uv_connect_t *request, int failure)
{
    struct tg_net_stream *stream = request->data;
    if (stream->phase != TG_STREAM_CONNECTING || !stream->events) return;
    if (failure) {
        try_another(stream, tg_net_stream_reason(failure));
        return;
    }
    stream->next_address = NULL;
    limit_attempt(stream);
    if (stream->tls) {
        stream->phase = TG_STREAM_SHAKING;
        tg_net_stream_shake(stream);
    } else {
        tg_net_stream_opened(stream);
    }
}

static void attempt(struct tg_net_stream *stream)
{
    const struct addrinfo *address = stream->next_address;
    stream->next_address = address->ai_next;
    stream->phase = TG_STREAM_CONNECTING;
    uv_tcp_init(stream->timer.loop, &stream->tcp);
    stream->tcp.data = stream->connect.data = stream;
    stream->is_tcp_open = true;
    stream->pending++;
    int failure = uv_tcp_connect(&stream->connect, &stream->tcp, address->ai_addr, connected);
    if (failure)
        try_another(stream, tg_net_stream_reason(failure));
    else
        limit_attempt(stream);
}

static void looked_up(uv_getaddrinfo_t *lookup, int failure, struct addrinfo *addresses)
{
    struct tg_net_stream *stream = lookup->data;
    stream->pending--;
    if (!stream->events || stream->phase != TG_STREAM_RESOLVING) { /* closed, or too late */
        uv_freeaddrinfo(addresses);
        free_unused(stream);
    } else if (failure) {
        give_up(stream, tg_net_stream_reason(failure));
    } else {
        stream->addresses = stream->next_address = addresses;
        attempt(stream);
    }
}

static void attempt_first(uv_timer_t *timer)
{
    attempt(timer->data);
}

/* What is an address already is not looked up: the threads may all be busy with names that nobody answers
 * for. False: it is a name. */
static bool take_address(struct tg_net_stream *stream, const char *host, const char *port)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                          .ai_flags = AI_NUMERICSERV | AI_NUMERICHOST};
    if (uv_getaddrinfo(stream->timer.loop, &stream->lookup, NULL, host, port, &hints) != 0) return false;
    stream->addresses = stream->next_address = stream->lookup.addrinfo;
    stream->phase = TG_STREAM_BETWEEN;
    uv_timer_start(&stream->timer, attempt_first, 0, 0); /* events come from the loop only */
    return true;
}

static enum tg_status begin(struct tg_net_stream *stream, const struct tg_stream_target *target,
                            struct tg_error *error)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char port[8];
    snprintf(port, sizeof port, "%u", target->port);
    stream->lookup.data = stream;
    /* The loop's time is that of the start of the turn, which may be long ago. */
    stream->deadline_ms = uv_hrtime() / 1000000 + target->timeout_ms;
    if (take_address(stream, target->host, port)) return TG_OK;
    int failure = uv_getaddrinfo(stream->timer.loop, &stream->lookup, looked_up, target->host, port, &hints);
    if (failure) return tg_error_set(error, TG_E_IO, "%s", tg_net_stream_reason(failure));
    stream->pending++;
    uv_timer_start(&stream->timer, time_is_over, stream->deadline_ms - uv_now(stream->timer.loop), 0);
    return TG_OK;
}

static struct tg_net_stream *new_stream(struct tg_net_streams *streams, const struct tg_stream_events *events,
                                        void *user)
{
    struct tg_net_stream *stream = calloc(1, sizeof *stream);
    if (!stream) return NULL;
    stream->core.ops = &tg_net_stream_ops;
    stream->owner = streams;
    stream->metrics = &streams->worker->metrics;
    stream->events = events;
    stream->user = user;
    stream->write.data = stream->ending.data = stream;
    uv_timer_init(streams->uv, &stream->timer);
    stream->timer.data = stream;
    stream->pending = 1;
    tg_list_append(&streams->streams, &stream->link);
    stream->metrics->streams++;
    return stream;
}

static enum tg_status open_stream(struct tg_streams *core, const struct tg_stream_target *target,
                                  const struct tg_stream_events *events, void *user, struct tg_stream **out,
                                  struct tg_error *error)
{
    struct tg_net_streams *streams = TG_CONTAINER(core, struct tg_net_streams, core);
    struct tg_metrics *metrics = &streams->worker->metrics;
    if (metrics->streams >= streams->worker->config->tcp_max_streams) {
        metrics->streams_refused++;
        return tg_error_set(error, TG_E_FULL, "too many streams");
    }
    struct tg_net_stream *stream = new_stream(streams, events, user);
    if (!stream) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    const struct tg_tls_options options = {target->host, target->ca_file, target->skips_verification};
    enum tg_status status = TG_OK;
    if (target->is_tls) status = tg_tls_new(&stream->tls, streams->tls, &options, error);
    if (status == TG_OK) status = begin(stream, target, error);
    if (status != TG_OK) {
        stream->core.ops->close(&stream->core);
        return status;
    }
    metrics->streams_opened++;
    *out = &stream->core;
    return TG_OK;
}

/* ---- life ---- */

enum tg_status tg_net_streams_open(struct tg_net_streams **out, struct tg_net_loop *loop,
                                   struct tg_worker *worker)
{
    static const struct tg_streams_ops ops = {open_stream};
    struct tg_net_streams *streams = calloc(1, sizeof *streams);
    if (!streams) return TG_E_NO_MEMORY;
    streams->core.ops = &ops;
    streams->worker = worker;
    streams->uv = tg_net_loop_uv(loop);
    tg_list_init(&streams->streams);
    streams->tls = tg_tls_store_new();
    if (!streams->tls) {
        free(streams);
        return TG_E_NO_MEMORY;
    }
    *out = streams;
    return TG_OK;
}

void tg_net_streams_close(struct tg_net_streams *streams)
{
    for (struct tg_list *node; (node = tg_list_take_first(&streams->streams));)
        let_go(TG_CONTAINER(node, struct tg_net_stream, link));
    tg_tls_store_free(streams->tls);
    free(streams);
}

struct tg_streams *tg_net_streams_core(struct tg_net_streams *streams)
{
    return &streams->core;
}
