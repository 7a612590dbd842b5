/* The core whole, with everything around it faked: a clock that stands until it is moved, a loop, a script,
 * and the sockets of four clients or more.
 *
 *     struct fake_core *core = fake_core_new();
 *     struct fake_client *client = fake_core_open(core, 0, "/chat");
 *     fake_client_say(client, "{\"action\":\"ping\"}");
 *     fake_core_turn(core);
 *     expect_sent(client, "text {...}\n");
 *     expect_journal(core, "1 connected\n1 message ping\n");
 *     fake_core_free(core);    asserts that nothing is left open or queued
 *
 * Nothing here allocates while a conversation runs, so that the n-th allocation is one of the core.
 */
#ifndef TG_UNIT_SUPPORT_FAKE_CORE_H
#define TG_UNIT_SUPPORT_FAKE_CORE_H

#include "core/upgrade.h"
#include "core/worker.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_CLIENTS = 4, FAKE_SENT_BYTES = 256 * 1024, FAKE_JOURNAL_BYTES = 4096 };

/* A client and the kernel between. */
struct fake_client {
    struct tg_transport transport; /* first */
    struct tg_conn *conn;          /* NULL when there is none any more */
    unsigned char *sent;           /* what was written and not yet looked at */
    size_t sent_bytes;
    size_t room; /* what the kernel still takes before it is choked */
    size_t writes;
    uint64_t acknowledged_bytes;
    uint32_t reading_changes, drops, writable_asked;
    bool is_reading, has_peer_left, is_write_failing;
};

/* What runs a generation: all of them tell the same core. */
struct fake_script {
    struct tg_script script; /* first */
    struct fake_core *core;
};

struct fake_core {
    struct tg_fake_clock clock;
    struct tg_loop loop;
    struct fake_script script;
    struct tg_config config;
    struct tg_generation generation;
    struct tg_worker worker;
    struct fake_client *clients; /* max_connections of them, FAKE_CLIENTS at least */
    size_t client_count;
    uint64_t alarm_ms;
    uint32_t turns_requested, stops;
    int connections; /* their numbers in the journal */
    bool is_authenticate_raising, is_groups_raising, is_connected_raising;
    bool is_next_waiting; /* what a hook below sets: its call answers TG_WAITING; the spec calls tg_conn_ended
                           */
    /* Run inside the call of the script; NULL: nothing. */
    bool (*on_admit)(struct fake_core *core, const struct tg_request *request, struct tg_refusal *refusal);
    void (*on_authenticate)(struct fake_core *core, struct tg_conn *conn);
    void (*on_groups)(struct fake_core *core, struct tg_conn *conn);
    void (*on_connected)(struct fake_core *core, struct tg_conn *conn);
    void (*on_message)(struct fake_core *core, struct tg_conn *conn, const struct tg_envelope *envelope);
    void (*on_disconnected)(struct fake_core *core, struct tg_conn *conn);
    /* Says what the authoriser says; NULL: it says yes, unless it waits. */
    void (*on_subscribe)(struct fake_core *core, struct tg_subscription *subscription);
    char journal[FAKE_JOURNAL_BYTES];
    size_t journal_bytes;
    bool is_journal_closed; /* nothing is noted any more: for crowds */
};

/* Its application is that of fake_registry.h. At most `max_connections`. */
struct fake_core *fake_core_new_for(uint32_t max_connections);
struct fake_core *fake_core_new(void);

/* Drops every client that is left, and asserts that all gauges are back at 0. */
void fake_core_free(struct fake_core *core);

/* `target`: "/chat", "/chat?a=1". NULL when the worker refused. */
struct fake_client *fake_core_open(struct fake_core *core, size_t index, const char *target);

/* The same without its start: tg_conn_start follows. */
struct fake_client *fake_core_add(struct fake_core *core, size_t index, const char *target);

/* The end of a turn of the loop. */
void fake_core_turn(struct fake_core *core);

/* Moves the clock, with every alarm in between, each in a turn of its own. */
void fake_core_sleep(struct fake_core *core, uint64_t milliseconds);

/* One whole message. */
void fake_client_say(struct fake_client *client, const char *text);
void fake_client_send(struct fake_client *client, struct tg_slice bytes, bool is_binary);

/* The kernel takes no more than `room` bytes from now on. */
void fake_client_choke(struct fake_client *client, size_t room);

/* The client has read everything. */
void fake_client_read_all(struct fake_client *client);

/* The socket is gone. */
void fake_client_vanish(struct fake_client *client);

/* What was written since it was last asked, a line for each frame: `text hello`, `ping hb`, `close 1000 bye`.
 * A frame that is cut asserts. */
void expect_sent(struct fake_client *client, const char *expected);

/* ---- for other fakes of scripts ---- */

extern const struct tg_script_ops fake_script_ops;

/* Adds a line to the journal, with the number of the connection (NULL: none) in front. */
void fake_core_note(struct fake_core *core, const struct tg_conn *conn, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a call answers: it waits when its hook said so. */
enum tg_outcome fake_core_outcome(struct fake_core *core);

/* ---- */

/* What the script saw since it was last asked. */
void expect_journal(struct fake_core *core, const char *expected);

#endif
