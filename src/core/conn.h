/* One WebSocket connection, from the upgrade to its end.
 *
 *     OPEN --close--> CLOSING --peer's close frame, or deadline--> CLOSED (freed)
 *       \------------ peer's close frame, or TCP ends -----------/
 *
 * net calls the functions of the first part as things happen to the socket; script and dispatch call
 * those of the second. A connection is freed after its socket has gone and the `disconnected` hook has
 * ended. Whoever keeps a connection over a return keeps its id instead, and
 * asks tg_worker_find.
 *
 * All writing goes into the outbox; the worker flushes it at the end of the turn.
 */
#ifndef TG_CORE_CONN_H
#define TG_CORE_CONN_H

#include "base/list.h"
#include "core/generation.h"
#include "core/inbox.h"
#include "core/outbox.h"
#include "core/request.h"
#include "core/script.h"
#include "core/transport.h"
#include "core/wheel.h"
#include "wire/assembly.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_user;
struct tg_worker;
struct tg_subscription;

enum tg_conn_state {
    TG_CONN_OPEN,
    TG_CONN_CLOSING, /* our close frame is queued or sent, or the client's has come */
    TG_CONN_CLOSED,  /* the socket is gone; only `disconnected` still sees the connection */
};

/* A question to the client that waits for its answer. The embedder's; in the connection's list until it has
 * ended. */
struct tg_question {
    struct tg_list link;
    uint64_t number; /* the ref of the question, and of the answer, is "s:<number>" */
    /* Once, with the call taken off the list. TG_OK: the answer's payload, NULL for none, borrowed.
     * TG_E_FULL: the inbox has filled up, the answer would not be read. TG_E_CLOSED. */
    void (*ended)(struct tg_question *call, enum tg_status status, const struct tg_value *payload);
};

struct tg_conn {
    /* What a delivery and a flush touch, first: it is in the cache after one look. */
    struct tg_worker *worker;
    struct tg_generation *generation;
    const struct tg_consumer *consumer;
    struct tg_transport *transport; /* borrowed from net; NULL when CLOSED */
    struct tg_list dirty_link;      /* in worker->dirty while there is something to flush */
    struct tg_outbox outbox;
    uint64_t delivery;    /* the last that reached it (deliver.c) */
    uint64_t id;          /* slot and serial, see worker.h */
    struct tg_user *user; /* NULL: anonymous */
    uint16_t close_code;
    uint8_t close_reason_bytes;
    uint8_t state; /* enum tg_conn_state */
    bool is_connected_called : 1;
    bool is_awaiting_pong : 1;
    bool is_paused : 1;      /* reading is off: for one of the next two, or both */
    bool is_outbox_high : 1; /* the outbox is above high water */
    bool is_inbox_full : 1;
    bool is_inbox_blocked : 1;     /* its first message waits until nothing runs */
    bool is_starting : 1;          /* the start has not ended: see conn_start.h */
    bool is_authenticated : 1;     /* conn.user is set: the authenticator is not asked any more */
    bool is_event_running : 1;     /* the handler that runs or waits is that of an event */
    bool is_leaving : 1;           /* `disconnected`, or a topic's on_unsubscribe before it, waits */
    bool is_draining : 1;          /* closes with 1001 when the handlers that wait have ended */
    bool is_awaiting_writable : 1; /* the kernel is full */
    bool is_full : 1;              /* a frame did not fit: 1013 at the end of the turn */
    bool is_close_awaited : 1;     /* nothing is left but the client's close frame, until a deadline */
    bool has_secrets : 1;          /* something that its clients send is secret; known while recorded */
    bool is_broken : 1;            /* a write failed, or the kernel says so: only the drop is left */
    bool is_staying : 1;           /* its consumer is gone, and gone_consumers lets it stay where it is */

    struct tg_request *request;     /* owned */
    struct tg_list event_link;      /* in worker->eventful while there may be an event to begin */
    struct tg_list link;            /* in worker->conns */
    struct tg_list generation_link; /* in a list of its generation, or in worker->moves */
    struct tg_assembly assembly;
    struct tg_inbox inbox; /* what came while a handler waits, and events */
    struct tg_list tasks;  /* the script's: what waits for this connection, or was started by it */
    struct tg_list calls;  /* struct tg_question, oldest first */
    const struct tg_action *running_action; /* of the handlers that wait; NULL: a frame as it is */
    struct tg_list subscriptions;           /* struct tg_subscription, oldest first (topic.h) */
    struct tg_subscription *changing;       /* whose authoriser or hook runs; NULL: none */
    struct tg_slice own_topic_name;         /* owned; of the topic that the path is; data NULL: none */
    uint64_t subscriptions_made;            /* ever */
    uint32_t subscription_count;
    uint32_t topics_to_leave;   /* that the server has closed, and whose hook has not begun */
    struct tg_list memberships; /* struct tg_membership, in the order of joining */
    uint32_t named_groups;      /* of them those that count for max_groups_per_connection */
    struct tg_list user_link;   /* in the user's connections while OPEN */
    struct tg_slice user_id;    /* borrowed from `user`; empty: anonymous */
    struct tg_timer timer;      /* the one next thing to look at: heartbeat, progress, close */
    uint64_t heard_ms;          /* when the client last sent anything */
    uint64_t paused_ms;         /* since when reading is off */
    uint64_t progress_ms;       /* when sending last moved, while it is stuck */
    uint64_t close_ms;          /* until when the client\'s close frame is awaited, or a hook of the end */
    uint64_t acknowledged_bytes;
    uint64_t call_count; /* that were ever begun */
    uint32_t running;    /* handlers that wait */
    char *close_reason;  /* owned; NULL: none */
    uint8_t stage;       /* enum tg_conn_stage, of the start */
    int script_ref;      /* the script's handle; 0: none yet */
};

/* Has the processor fetch what a delivery and a flush touch. With many connections most are not in its cache,
 * and a fetch that runs beside the connection before costs nothing. NULL is nothing. */
static inline void tg_conn_prefetch(const struct tg_conn *conn)
{
    __builtin_prefetch(conn);
    __builtin_prefetch((const char *)conn + 64);
    __builtin_prefetch((const char *)conn + 128);
}

/* ---- what net tells ---- */

/* The upgrade is done. Takes `request`, borrows `transport` until tg_conn_closed; authenticates, joins the
 * consumer's groups, runs `connected`. NULL without memory or when the worker is full: drop the socket
 * (`request` is freed). */
struct tg_conn *tg_conn_open(struct tg_worker *worker, struct tg_generation *generation,
                             const struct tg_consumer *consumer, struct tg_request *request,
                             struct tg_transport *transport);

/* The same in two steps, for who knows the user before the authenticator is asked: tg_conn_start follows. */
struct tg_conn *tg_conn_add(struct tg_worker *worker, struct tg_generation *generation,
                            const struct tg_consumer *consumer, struct tg_request *request,
                            struct tg_transport *transport);
void tg_conn_start(struct tg_conn *conn);

/* A piece of a data message. */
void tg_conn_receive(struct tg_conn *conn, const struct tg_chunk *chunk);

/* A control frame that says no more than that the client lives. */
void tg_conn_heard(struct tg_conn *conn);

/* The kernel has taken everything that was written. */
void tg_conn_writable(struct tg_conn *conn);

/* The client's close frame came (1005: without a code). What is queued is handed to the transport
 * at once, since the library answers the close frame when this returns.
 * True: let the library echo it. False: ours has been sent already, just end TCP. */
bool tg_conn_peer_closing(struct tg_conn *conn, uint16_t code, struct tg_slice reason);

/* The library found a breach of RFC 6455 and closes with 1002 by itself; TCP must follow soon.
 * True: let it. False: our close frame has been sent already, just end TCP. */
bool tg_conn_protocol_error(struct tg_conn *conn);

/* The socket is gone. Runs `disconnected` and frees the connection. */
void tg_conn_closed(struct tg_conn *conn);

/* ---- what script and dispatch ask ---- */

/* Where the payload of a frame to this client is written (see outbox.h: begin, append, commit).
 * TG_E_CLOSED: the connection is ending. TG_E_FULL: as below. TG_E_NO_MEMORY. */
enum tg_status tg_conn_begin(struct tg_conn *conn, struct tg_buf **out);

/* Queues the frame. TG_E_NO_MEMORY: an append failed. TG_E_FULL: it would pass the hard limit; it is
 * not queued, and the connection closes with 1013 at the end of the turn. */
enum tg_status tg_conn_commit(struct tg_conn *conn, enum tg_opcode opcode);

/* Both at once, for bytes that exist already (copied). */
enum tg_status tg_conn_send(struct tg_conn *conn, enum tg_opcode opcode, struct tg_slice payload);

/* Queues a frame that others get too, with a reference of its own; no copy. As tg_conn_commit; TG_E_CLOSED.
 */
enum tg_status tg_conn_share(struct tg_conn *conn, struct tg_payload *payload);

/* Closes after what is queued. `reason` (copied) is cut at 123 bytes. TG_E_CLOSED: ending already. */
enum tg_status tg_conn_close(struct tg_conn *conn, uint16_t code, struct tg_slice reason);

/* What the script began for this connection, and said to be TG_WAITING, has ended otherwise than by a
 * cancellation of core's. Handles what has come meanwhile. The connection may be gone when this returns. */
void tg_conn_ended(struct tg_conn *conn, enum tg_outcome outcome);

/* Whether a message for `action` (NULL: a frame as it is) may be handled beside those that wait. */
bool tg_conn_may_start(const struct tg_conn *conn, const struct tg_action *action);

/* Notes what the script answered to a message of `action`. */
void tg_conn_note(struct tg_conn *conn, const struct tg_action *action, enum tg_outcome outcome);

/* The server goes away: 1001 now, or when the handlers that wait have ended; no message is begun. */
void tg_conn_drain(struct tg_conn *conn);

/* The time for that is over: whatever still runs is ended. The connection is gone when this returns, or soon
 * after. */
void tg_conn_drop(struct tg_conn *conn);

/* Notes a call, and gives it its number. It ends by itself, or is taken off the list. */
void tg_conn_call_begin(struct tg_conn *conn, struct tg_question *call);

/* The call with this number is answered. False: there is none. */
bool tg_conn_call_answer(struct tg_conn *conn, uint64_t number, const struct tg_value *payload);

/* The id as people and Lua see it: 16 hex digits, written into `text`. */
#define TG_CONN_ID_BYTES 17
struct tg_slice tg_conn_id_text(uint64_t id, char text[TG_CONN_ID_BYTES]);

/* Reads such a text; false: it is none. */
bool tg_conn_id_read(struct tg_slice text, uint64_t *id);

/* The fields that every log line about a connection carries. */
#define TG_LOG_CONN(conn)                                                                                    \
    TG_LOG_STR("consumer", (conn)->consumer->name),                                                          \
        TG_LOG_STR("conn", tg_conn_id_text((conn)->id, (char[TG_CONN_ID_BYTES]){0})),                        \
        TG_LOG_I("generation", (conn)->generation->number)

/* ---- what the worker does at the end of a turn ---- */

/* Begins the first event that waits, if its turn has come, and the messages behind it. */
void tg_conn_begin_event(struct tg_conn *conn);

/* Writes what fits. The connection may be gone when this returns. */
void tg_conn_flush(struct tg_conn *conn);

#endif
