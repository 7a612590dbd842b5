/* The inside of a client, shared by its files: client.c, client_io.c, client_frames.c, client_handshake.c. */
#ifndef TG_NET_CLIENT_STATE_H
#define TG_NET_CLIENT_STATE_H

#include "base/utf8.h"
#include "net/client.h"

struct tg_client {
    int fd; /* -1 after a drop */
    uint32_t timeout_ms;
    uint64_t began_us;
    uint64_t max_message_bytes;
    uint64_t random;              /* state of the generator; 0: the system's is asked */
    struct tg_buf in;             /* what was read from the socket; the first `in_at` bytes are done with */
    size_t in_at;                 /* where the next frame begins */
    struct tg_buf message;        /* of the message in fragments that is open */
    struct tg_buf shown;          /* what the last event borrows from */
    struct tg_buf out;            /* a frame, while it is sent */
    struct tg_client_event event; /* the next one, if has_event */
    struct tg_error breach;       /* status TG_OK: none so far */
    bool has_event : 1;
    bool is_message_open : 1;
    bool is_message_binary : 1;
    bool has_ended : 1; /* nothing more will come from the socket */
    bool is_end_given : 1;
    bool is_close_sent : 1;
    bool has_close_come : 1;
    bool is_stalled : 1;
};

/* ---- client_io.c ---- */

uint64_t tg_client_io_now_us(void);

static inline uint64_t tg_client_io_now_ms(void)
{
    return tg_client_io_now_us() / 1000;
}

/* `length` bytes that nobody foresees, unless a seed was given. */
enum tg_status tg_client_io_random(struct tg_client *client, void *bytes, size_t length,
                                   struct tg_error *error);

/* Reads what has come, waiting at most so long for the first byte. False: nothing has; a stalled client and
 * one whose socket has ended get nothing. */
bool tg_client_io_fill(struct tg_client *client, uint32_t wait_ms);

/* All of it, or why not. Reads meanwhile. */
enum tg_status tg_client_io_write(struct tg_client *client, struct tg_slice bytes, struct tg_error *error);

/* A connected socket, or why not. */
enum tg_status tg_client_io_connect(const struct tg_client_options *options, int *fd, struct tg_error *error);

/* What has been read and not been used. */
static inline struct tg_slice tg_client_unread(const struct tg_client *client)
{
    return (struct tg_slice){client->in.data + client->in_at, client->in.length - client->in_at};
}

/* ---- client_frames.c ---- */

/* Turns what has been read into an event, if it is enough for one. False: more has to come. A breach is in
 * client->breach. */
bool tg_client_frames_next(struct tg_client *client);

/* Sends one frame, masked. */
enum tg_status tg_client_frames_send(struct tg_client *client, int opcode, bool is_final,
                                     struct tg_slice payload, struct tg_error *error);

/* ---- client_handshake.c ---- */

enum tg_status tg_client_handshake(struct tg_client *client, const struct tg_client_options *options,
                                   struct tg_client_answer *answer, struct tg_error *error);

#endif
