/* A blocking WebSocket client (RFC 6455) on a plain socket: for the test kit and for tools, never for the
 * gateway itself, whose loop would stand still. No library is behind it, so it needs no loop and no Lua.
 *
 *     struct tg_client *client;
 *     if (tg_client_connect(&client, &options, &answer, &error) != TG_OK) ...
 *     tg_client_send(client, TG_OPCODE_TEXT, TG_SLICE("hello"), &error);
 *     while (tg_client_receive(client, 1000, &event, &error) == TG_OK) ...
 *     tg_client_free(client);
 *
 * It is strict about what the server sends: a breach of the protocol is TG_E_PROTOCOL, and says which. Pings
 * are answered as they are read, by itself. One thread at a time.
 */
#ifndef TG_NET_CLIENT_H
#define TG_NET_CLIENT_H

#include "base/buf.h"
#include "base/status.h"
#include "wire/frame.h"
#include "wire/pairs.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_client;

struct tg_client_options {
    const char *host; /* an address, not a name: "127.0.0.1", "::1" */
    uint16_t port;
    struct tg_slice target;        /* "/ws/chat?room=1", as it travels */
    const struct tg_pair *headers; /* beside those of the handshake; borrowed */
    uint32_t header_count;
    bool is_plain;              /* no upgrade: the answer, whatever its status, is told like a refusal */
    const char *method;         /* of a plain request; NULL: GET */
    struct tg_slice body;       /* the same */
    uint32_t timeout_ms;        /* of connecting, of the handshake, and of each send */
    uint64_t seed;              /* of the key and of the masks; 0: from the system, RFC 6455 5.3 */
    uint32_t receive_bytes;     /* SO_RCVBUF; 0: the system's */
    uint64_t max_message_bytes; /* of one message; beyond: TG_E_TOO_LARGE */
};

/* What the server answered to the upgrade. */
struct tg_client_answer {
    int status;
    struct tg_pair *headers; /* owned array; names in lower case */
    uint32_t header_count;
    struct tg_buf text; /* what the headers borrow from */
    struct tg_buf body; /* of a refusal: TG_CLIENT_BODY_MAX bytes of it at most */
};

#define TG_CLIENT_HEAD_MAX ((size_t)64 * 1024)
#define TG_CLIENT_BODY_MAX ((size_t)1024 * 1024)

void tg_client_answer_deinit(struct tg_client_answer *answer);

/* `*answer` is the caller's to deinit in every case.
 * TG_E_CLOSED: the server refused; `answer` has how. TG_E_PROTOCOL: its answer is no handshake of RFC
 * 6455 4.1. TG_E_SLOW: the timeout. TG_E_IO: nobody listens there, or the socket failed. TG_E_INVALID: a
 * header that cannot be sent. TG_E_NO_MEMORY. */
enum tg_status tg_client_connect(struct tg_client **client, const struct tg_client_options *options,
                                 struct tg_client_answer *answer, struct tg_error *error);

/* The same on a stream socket that is connected already (taken, closed also when this fails). */
enum tg_status tg_client_begin(struct tg_client **client, int fd, const struct tg_client_options *options,
                               struct tg_client_answer *answer, struct tg_error *error);

/* Ends TCP as it is, if it has not ended. NULL is allowed. */
void tg_client_free(struct tg_client *client);

/* A whole data message or control frame. What the server sends meanwhile is read and kept, so that two peers
 * that write to each other do not wait for each other. TG_E_CLOSED: a close frame was sent, or TCP has ended.
 * TG_E_SLOW, TG_E_IO, TG_E_NO_MEMORY. */
enum tg_status tg_client_send(struct tg_client *client, enum tg_opcode opcode, struct tg_slice payload,
                              struct tg_error *error);

/* One frame of a message in several (RFC 6455 5.4): `opcode` 0 continues. */
enum tg_status tg_client_send_fragment(struct tg_client *client, int opcode, bool is_final,
                                       struct tg_slice payload, struct tg_error *error);

/* A close frame; code 1005: without a body. What the server still sends, its own close frame and the end are
 * received as before. */
enum tg_status tg_client_close(struct tg_client *client, uint16_t code, struct tg_slice reason,
                               struct tg_error *error);

/* Ends TCP without a close frame, with a reset. */
void tg_client_drop(struct tg_client *client);

/* Reads nothing from now on, not even pings; with little room in the kernel, so that the server notices. */
void tg_client_stall(struct tg_client *client);

void tg_client_resume(struct tg_client *client);

enum tg_client_event_kind {
    TG_CLIENT_TEXT,
    TG_CLIENT_BINARY,
    TG_CLIENT_PING,  /* answered already */
    TG_CLIENT_CLOSE, /* answered already; `code` 1005: without one */
    TG_CLIENT_END,   /* of TCP; the last event, and given only once */
};

struct tg_client_event {
    enum tg_client_event_kind kind;
    struct tg_slice data; /* borrowed until the next call; of a close: its reason */
    uint16_t code;
    uint64_t at_us; /* since the client began, when the event was whole */
};

/* The next event, waiting for it at most so long. TG_E_SLOW: none has come. TG_E_CLOSED: there will be none.
 * TG_E_PROTOCOL, TG_E_UTF8, TG_E_TOO_LARGE: the server broke a rule, and again with each call. */
enum tg_status tg_client_receive(struct tg_client *client, uint32_t timeout_ms, struct tg_client_event *event,
                                 struct tg_error *error);

/* Whether the next receive would not answer TG_E_SLOW; waits at most so long until it is so. */
bool tg_client_wait(struct tg_client *client, uint32_t timeout_ms);

/* The client's own port; 0 when it has none. */
uint16_t tg_client_port(const struct tg_client *client);

/* Microseconds since the client began. */
uint64_t tg_client_now_us(const struct tg_client *client);

#endif
