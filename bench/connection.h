/* One client: what the modules of the load generator know of it, and how it comes to be.
 *
 * Used by connections.c, which owns them all, and by fanout/fanload.c, which takes over once they are open.
 */
#ifndef TG_BENCH_CONNECTION_H
#define TG_BENCH_CONNECTION_H

#include "connections.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_LONGEST_CONTROL 125 /* RFC 6455 5.5 */

enum tg_stage { TG_STAGE_UNUSED, TG_STAGE_CONNECTING, TG_STAGE_SHAKING, TG_STAGE_WELCOMING, TG_STAGE_OPEN };

struct tg_connection {
    int fd;
    enum tg_stage stage;
    unsigned welcomes_left;
    unsigned turn; /* among the active ones */
    uint64_t asked, answered;
    size_t unsent_bytes;
    size_t batch_offset; /* of the next byte to send */
    uint64_t *sent_at;   /* owned, of the window's messages; NULL with a rate or when idle */
    char *tail;          /* owned: the beginning of a frame whose rest has not come */
    size_t tail_bytes;
    size_t pong_bytes; /* a ready frame in `pong` */
    char pong[TG_LONGEST_CONTROL + 14];
};

/* Writes down why the run ends; `connection` may be NULL. Returns false. */
bool tg_connection_fail(struct tg_connections *load, const struct tg_connection *connection,
                        const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Begins to connect the next unused connection and registers it with epoll. */
bool tg_connection_begin(struct tg_connections *load);

/* The socket is connected, or has failed to be: sends the handshake. */
bool tg_connection_request(struct tg_connections *load, struct tg_connection *connection);

/* RFC 6455 4.1: takes the response off the front of load->received, 101 and the right answer to the key.
 * `*used` is 0 while it is not whole. */
bool tg_connection_response(struct tg_connections *load, struct tg_connection *connection, size_t length,
                            size_t *used);

/* Handshake and welcome are behind it, or a welcome is still due. */
void tg_connection_settle(struct tg_connections *load, struct tg_connection *connection);

#endif
