/* What stream.c and stream_io.c share about one stream. */
#ifndef TG_NET_STREAM_STATE_H
#define TG_NET_STREAM_STATE_H

#include "base/list.h"
#include "core/metrics.h"
#include "net/stream.h"
#include "net/tls.h"

#include <uv.h>

enum tg_stream_phase {
    TG_STREAM_RESOLVING,
    TG_STREAM_CONNECTING,
    TG_STREAM_BETWEEN, /* before the first address, or one has failed and its handle is being closed */
    TG_STREAM_SHAKING, /* hands, for TLS */
    TG_STREAM_IS_OPEN,
    TG_STREAM_FAILED, /* before it was open */
};

struct tg_net_stream {
    struct tg_stream core;
    struct tg_list link;                   /* in the streams of the loop */
    struct tg_net_streams *owner;          /* borrowed; NULL once that has been closed */
    struct tg_metrics *metrics;            /* borrowed; not after the owner */
    const struct tg_stream_events *events; /* borrowed; NULL once the user has closed */
    void *user;
    enum tg_stream_phase phase;
    struct tg_error failures[2]; /* by enum tg_stream_side; empty text: none */

    uv_getaddrinfo_t lookup;
    struct addrinfo *addresses, *next_address; /* owned; the one to be tried next */
    uv_timer_t timer;
    uint64_t deadline_ms; /* until it is open; in the loop's time */
    uv_tcp_t tcp;
    uv_connect_t connect;

    uv_write_t write;
    uv_shutdown_t ending;
    struct tg_tls *tls; /* owned; NULL: bytes go as they are */
    char *input;        /* owned; NULL: nothing is there */
    size_t input_start, input_end;
    char *output;     /* owned; what the kernel did not take at once; NULL: nothing */
    unsigned pending; /* what libuv still holds of this: it is freed when nobody does */
    bool is_tcp_open;
    bool is_asked_to_read, is_asked_to_write;
    bool is_write_ending; /* no more is written: the peer is told as soon as the output is gone */
};

/* Both sides, if they have not failed before. */
void tg_net_stream_fail(struct tg_net_stream *stream, const char *reason);
void tg_net_stream_fail_side(struct tg_net_stream *stream, enum tg_stream_side side, const char *reason);

/* The words for a failure of libuv's. */
const char *tg_net_stream_reason(int failure);

/* It is open or has failed, for good: tells the user. */
void tg_net_stream_opened(struct tg_net_stream *stream);

/* ---- stream_io.c ---- */

extern const struct tg_stream_ops tg_net_stream_ops;

/* TCP is there: begins the handshake. */
void tg_net_stream_shake(struct tg_net_stream *stream);

/* Gives back the buffers. */
void tg_net_stream_forget_bytes(struct tg_net_stream *stream);

/* The user has closed, or the loop ends: closes what libuv holds. */
void tg_net_stream_release(struct tg_net_stream *stream);

#endif
