/* Many WebSocket clients on one epoll: opened in step with the server, then loaded.
 *
 * Every connection must behave: the first that is refused, closed, answered wrongly or silent for ten
 * seconds ends the run, and `failure` says which and why. There is no partly good measurement.
 */
#ifndef TG_BENCH_CONNECTIONS_H
#define TG_BENCH_CONNECTIONS_H

#include "arguments.h"
#include "frames.h"
#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_connection;

struct tg_connections {
    const struct tg_arguments *arguments; /* borrowed */
    struct tg_histogram *latencies;       /* borrowed */
    struct tg_connection *all;            /* owned, with room for arguments->connections */
    struct tg_connection **active;        /* owned */
    char *received;                       /* owned: one read at a time */
    struct tg_batch batch;
    int epoll_fd;
    unsigned started, opened;
    uint64_t answered;
    uint64_t start_ns;  /* of the sending */
    uint64_t scheduled; /* with a rate: messages whose time has come */
    uint64_t heard_ns;  /* when anything last came */
    uint64_t now_ns;    /* of the event at hand */
    char failure[256];  /* empty while all is well */
};

/* Borrows both for its lifetime. False without memory; tg_connections_deinit is due either way. */
bool tg_connections_init(struct tg_connections *load, const struct tg_arguments *arguments,
                         struct tg_histogram *latencies);

/* Drops what is open. */
void tg_connections_deinit(struct tg_connections *load);

/* Opens more until `count` have had their handshake and their welcome. */
bool tg_connections_open(struct tg_connections *load, unsigned count);

/* Begins to send on the active ones; all must be open. */
bool tg_connections_start(struct tg_connections *load);

/* Keeps sending until `deadline_ns` or, when sooner, until `answered` reaches `answers`. */
bool tg_connections_run(struct tg_connections *load, uint64_t deadline_ns, uint64_t answers);

#endif
