/* A client without a socket: the other end of one connection, and the tg_transport that core writes to.
 *
 * What core writes are whole frames; they are read here as a client would read them, and kept until they are
 * taken. Pings and close frames are answered as a client answers them. A client that stalls reads nothing:
 * what is written piles up, and from 64 KiB on the kernel is full.
 */
#ifndef TG_KIT_LINK_H
#define TG_KIT_LINK_H

#include "base/buf.h"
#include "core/conn.h"
#include "kit/loop.h"

/* What has reached the client; with close frames the code, and the reason in `bytes`. */
enum tg_kit_frame_kind {
    TG_KIT_TEXT,
    TG_KIT_BINARY,
    TG_KIT_PING,
    TG_KIT_PONG, /* only from the client */
    TG_KIT_CLOSE,
    TG_KIT_END, /* TCP has ended */
};

struct tg_kit_frame {
    struct tg_list link;
    enum tg_kit_frame_kind kind;
    uint16_t code;
    uint64_t at_ms;
    size_t length;
    char bytes[];
};

struct tg_kit_link {
    struct tg_transport transport; /* first */
    struct tg_kit_loop *loop;      /* borrowed while there is a connection */
    uint64_t began_ms;             /* when the app did */
    struct tg_conn *conn;          /* NULL before it is open and after it is closed */
    struct tg_list link;           /* among the app's, while it is open or was not noticed to be closed */
    struct tg_kit_event event;     /* something is to be told to core */
    struct tg_list inputs;         /* what the client sent and core has not read */
    struct tg_list frames;         /* what the client read and nobody has taken */
    struct tg_list held;           /* what a client that stalls reads behind the stream */
    struct tg_buf stream;          /* what was written and the client has not read */
    uint64_t acknowledged_bytes;
    bool is_stalled;
    bool is_reading;     /* core listens */
    bool wants_writable; /* core asked to be told */
    bool is_client_gone; /* the client has ended TCP */
    bool is_dropped;     /* core has */
    bool has_ended;      /* the client knows it */
    bool has_sent_close;
};

void tg_kit_link_init(struct tg_kit_link *link, struct tg_kit_loop *loop);

void tg_kit_link_deinit(struct tg_kit_link *link);

/* ---- what the client does; core hears of it in the next turn ---- */

/* TG_E_CLOSED, TG_E_NO_MEMORY. `is_first` and `is_last`: of a message in fragments. A pong is TG_KIT_PONG. */
enum tg_status tg_kit_link_send(struct tg_kit_link *link, enum tg_kit_frame_kind kind, struct tg_slice bytes,
                                bool is_first, bool is_last);

enum tg_status tg_kit_link_close(struct tg_kit_link *link, uint16_t code, struct tg_slice reason);

void tg_kit_link_drop(struct tg_kit_link *link);

void tg_kit_link_stall(struct tg_kit_link *link);
void tg_kit_link_resume(struct tg_kit_link *link);

/* ---- */

/* The oldest frame, for the caller to free(); NULL: none. */
struct tg_kit_frame *tg_kit_link_take(struct tg_kit_link *link);

#endif
