/* One client's socket as core sees it. net/ws puts it on libwebsockets; tests fake it.
 *
 * core hands down whole frames, headers included; the transport sends them in order and keeps
 * (copies) what the kernel does not take at once.
 */
#ifndef TG_CORE_TRANSPORT_H
#define TG_CORE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes in front of what is written that the transport may scribble on. */
#define TG_TRANSPORT_HEADROOM 16

struct tg_transport;

struct tg_transport_ops {
    /* Sends frames. False: the socket is broken; tg_conn_closed follows by itself. */
    bool (*write)(struct tg_transport *transport, unsigned char *frames, size_t bytes);
    /* The kernel is full: do not write now, but ask_writable. */
    bool (*is_choked)(const struct tg_transport *transport);
    /* tg_conn_writable follows once everything that was written has gone. */
    void (*ask_writable)(struct tg_transport *transport);
    /* Off: nothing is received, not even a pong, a close frame or the end of TCP. */
    void (*set_reading)(struct tg_transport *transport, bool is_on);
    /* What the peer's kernel has acknowledged so far; grows as long as the client reads. */
    uint64_t (*acknowledged_bytes)(const struct tg_transport *transport);
    /* Asks the kernel whether TCP has ended, for a connection that does not read. */
    bool (*has_peer_left)(const struct tg_transport *transport);
    /* Ends TCP now. tg_conn_closed is called before this returns, or soon after: the connection may
     * be gone, touch nothing of it afterwards. */
    void (*drop)(struct tg_transport *transport);
};

struct tg_transport {
    const struct tg_transport_ops *ops;
};

#endif
