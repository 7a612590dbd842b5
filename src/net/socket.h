/* What is asked of the kernel directly: the listening socket, and questions about a client's. */
#ifndef TG_NET_SOCKET_H
#define TG_NET_SOCKET_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

/* Room for "[address%scope]:port". */
#define TG_PEER_BYTES 96

/* A listening socket on this numeric address and no other; a client's socket inherits TCP_NODELAY
 * from it. TG_E_INVALID: not an address. TG_E_IO: `error` has address, port and reason. */
enum tg_status tg_socket_listen(const char *host, uint16_t port, int *out, struct tg_error *error);

/* The port that a socket is bound to. */
uint16_t tg_socket_port(int fd);

/* "192.0.2.1:4711" or "[2001:db8::1]:4711", in `text`; empty when the peer is gone already. */
struct tg_slice tg_socket_peer(int fd, char text[TG_PEER_BYTES]);

/* Whether the peer has ended its direction of TCP, or all of it. */
bool tg_socket_has_peer_left(int fd);

/* Whether bytes of the peer's wait to be read. */
bool tg_socket_has_input(int fd);

/* What the peer's kernel has acknowledged so far. */
uint64_t tg_socket_acknowledged_bytes(int fd);

/* Reads and forgets what has arrived. close() with unread input sends RST, which makes the peer's
 * kernel throw away what we sent last, such as a close frame. */
void tg_socket_discard_input(int fd);

/* Makes every later write fail, so that the library gives up output that it still holds. */
void tg_socket_shut(int fd);

#endif
