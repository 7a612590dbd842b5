/* TCP to other servers, as the script layer sees it. net/stream puts it on libuv and OpenSSL.
 *
 * Nothing here blocks: a call takes what can be had now, and an event says when to come again. A stream is
 * made by `open` and is its user's until `close`, whatever happens to TCP meanwhile.
 *
 *     opened     the stream is connected, or both sides have failed
 *     readable   once after each ask_readable: there are bytes, or the end, or a failure
 *     writable   once after a write that left something: everything has gone to the kernel, or it has failed
 *
 * Events come from the loop, never inside a call of the user's, and none after `close`.
 */
#ifndef TG_CORE_STREAM_H
#define TG_CORE_STREAM_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_stream;
struct tg_streams;

/* Room for an address as text. */
enum { TG_ADDRESS_BYTES = 64 };

/* Failures that programs compare, with the words of LuaSocket; others are sentences. */
#define TG_STREAM_CLOSED "closed"
#define TG_STREAM_TIMEOUT "timeout"
#define TG_STREAM_REFUSED "connection refused"

/* Where to; borrowed for the call. */
struct tg_stream_target {
    const char *host; /* a name or an address */
    uint16_t port;
    uint32_t timeout_ms; /* until it is open, name and TLS included; shared out among several addresses */
    bool is_tls;
    bool skips_verification; /* anybody's certificate will do */
    const char *ca_file;     /* PEM: whom to trust; NULL: whom the system trusts */
};

struct tg_stream_events {
    void (*opened)(void *user);
    void (*readable)(void *user);
    void (*writable)(void *user);
};

struct tg_stream_name {
    char address[TG_ADDRESS_BYTES];
    uint16_t port;
    bool is_ipv6;
};

/* The two directions fail by themselves: a peer that has said everything may go on listening. */
enum tg_stream_side { TG_STREAM_READING, TG_STREAM_WRITING };

struct tg_stream_ops {
    /* What went wrong with this side: NULL while nothing has. The end of what the peer says is
     * TG_STREAM_CLOSED of reading. Borrowed until the stream is closed. */
    const char *(*failure)(const struct tg_stream *stream, enum tg_stream_side side);
    /* What has arrived and was not consumed; empty: ask for more, unless reading has failed. Borrowed until
     * the next call. */
    struct tg_slice (*peek)(struct tg_stream *stream);
    void (*consume)(struct tg_stream *stream, size_t bytes);
    /* Has one chunk read from the kernel, which nothing else does. False: reading has failed. */
    bool (*ask_readable)(struct tg_stream *stream);
    /* Takes (copies) as much as there is room for and returns how much: 0 until `writable`, or when writing
     * has failed. */
    size_t (*write)(struct tg_stream *stream, struct tg_slice bytes);
    /* Whether the kernel has everything that was written. */
    bool (*is_drained)(const struct tg_stream *stream);
    /* Nothing more will be written, and the peer is told; or nothing more will be read. */
    void (*shutdown)(struct tg_stream *stream, enum tg_stream_side side);
    /* Our end and the other; false where there is none. */
    bool (*name)(const struct tg_stream *stream, bool of_peer, struct tg_stream_name *name);
    bool (*set_nodelay)(struct tg_stream *stream, bool is_on);
    bool (*set_keepalive)(struct tg_stream *stream, bool is_on);
    /* Ends it; the pointer is gone. What was not drained is lost. */
    void (*close)(struct tg_stream *stream);
};

struct tg_stream {
    const struct tg_stream_ops *ops;
};

struct tg_streams_ops {
    /* Begins to connect; `opened` follows. TG_E_FULL: tcp_max_streams. TG_E_NO_MEMORY. TG_E_INVALID: the
     * `ca_file` cannot be used, `error` says why. */
    enum tg_status (*open)(struct tg_streams *streams, const struct tg_stream_target *target,
                           const struct tg_stream_events *events, void *user, struct tg_stream **stream,
                           struct tg_error *error);
};

struct tg_streams {
    const struct tg_streams_ops *ops;
};

#endif
