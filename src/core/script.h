/* What core asks of the code that people write: of one generation (generation.h) of it. script/host runs it
 * in Lua; tests fake it.
 *
 * A call returns when the code has ended, or waits for something; it never jumps out. Handlers reach back
 * through conn.h; what a handler raises is answered and logged by the script layer. For whatever waited
 * tg_conn_ended is called once, from `turn`, unless it was cancelled.
 */
#ifndef TG_CORE_SCRIPT_H
#define TG_CORE_SCRIPT_H

#include "base/slice.h"
#include "core/registry.h"
#include "wire/message.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_buf;
struct tg_conn;
struct tg_publication;
struct tg_refusal;
struct tg_request;
struct tg_script;
struct tg_subscription;
struct tg_worker;

enum tg_outcome {
    TG_DONE,
    TG_FAILED,  /* it raised, and an error frame is queued where somebody asked */
    TG_WAITING, /* tg_conn_ended follows */
};

struct tg_script_ops {
    /* Somebody asks for a connection to the consumer, which has an `admit` (core/upgrade.h). False: `refusal`
     * says with what. It ends without waiting; what it raises refuses, with 500. */
    bool (*admit)(struct tg_script *script, const struct tg_consumer *consumer,
                  const struct tg_request *request, struct tg_refusal *refusal);
    /* The connection is open. Who may not come in is closed, and that is TG_DONE too. */
    enum tg_outcome (*authenticate)(struct tg_script *script, struct tg_conn *conn);
    /* It is let in: joins the consumer's groups. */
    enum tg_outcome (*groups)(struct tg_script *script, struct tg_conn *conn);
    /* It is in its groups. */
    enum tg_outcome (*connected)(struct tg_script *script, struct tg_conn *conn);
    /* A valid message, of the topic envelope->ref.topic where there is one, or event (action->is_event),
     * about which nothing is told to the client but what its handler sends. The envelope and its tree are
     * gone when this returns, also while it waits. What waits ends with tg_conn_complete. */
    enum tg_outcome (*message)(struct tg_script *script, struct tg_conn *conn, const struct tg_action *action,
                               const struct tg_envelope *envelope);
    /* A frame as it is: each one of a text consumer, binary ones of a consumer that takes them. */
    enum tg_outcome (*frame)(struct tg_script *script, struct tg_conn *conn, struct tg_slice data,
                             bool is_binary);
    /* The connection has ended; once, and only when `connected` had begun. `reason` lives as long as the
     * connection, which is freed when this has ended. */
    enum tg_outcome (*disconnected)(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                                    struct tg_slice reason);
    /* Ends whatever runs or waits for the connection, its `disconnected` included. */
    void (*cancel)(struct tg_script *script, struct tg_conn *conn);
    /* The connection is about to be freed: forget what is kept for it. */
    void (*forget)(struct tg_script *script, struct tg_conn *conn);
    /* Goes on with what has stopped waiting, or some of it. */
    void (*turn)(struct tg_script *script);
    /* Whether there is more, for another turn. */
    bool (*has_more)(struct tg_script *script);
    /* An event from outside, {"action":...,"payload":...} or with `handler` for `action`, as a tree that
     * lives in `arena`, to whom `publication` says (to, groups, consumer, ...). TG_OK: *receivers got it.
     * TG_E_INVALID: `issues`, which are finished, have what is wrong with it; an event that nobody it may
     * reach declares is among that. TG_E_SCRIPT: a check of it raised, which is logged. TG_E_NO_MEMORY; else
     * what the layer said. What the publication points at is gone afterwards. */
    enum tg_status (*publish_event)(struct tg_script *script, struct tg_value *event, struct tg_arena *arena,
                                    struct tg_publication *publication, struct tg_issues *issues,
                                    uint64_t *receivers);
    /* The same of a message for clients: one that consumers declare to send. */
    enum tg_status (*publish_message)(struct tg_script *script, struct tg_value *message,
                                      struct tg_arena *arena, struct tg_publication *publication,
                                      struct tg_issues *issues, uint64_t *receivers);
    /* It serves from now on: what waits for that starts. NULL: nothing does. */
    void (*begin)(struct tg_script *script, struct tg_worker *worker);
    /* Another generation serves: cancels the tasks that belong to no connection. Those that follow, up to
     * `close`, are asked of retired ones only, but for `stop`. */
    void (*retire)(struct tg_script *script);
    /* The connection is about to move: cancels its tasks that are no runs. */
    void (*release)(struct tg_script *script, struct tg_conn *conn);
    /* Ends the runs of the connection as if each had come to its timeout: they are answered, and
     * tg_conn_ended follows. */
    void (*expire)(struct tg_script *script, struct tg_conn *conn);
    /* Nothing of the connection runs. Appends what its code has kept for it, its subscriptions' included, to
     * `state` as bytes, and forgets its handles and theirs. TG_E_NO_MEMORY: nothing has changed, but `state`.
     */
    enum tg_status (*move_out)(struct tg_script *script, struct tg_conn *conn, struct tg_buf *state);
    /* Takes it: conn->generation, ->consumer and the topics are of this generation already. `state`, which
     * is gone when this returns, is that of `move_out`. TG_WAITING: tg_conn_ended follows. */
    enum tg_outcome (*move_in)(struct tg_script *script, struct tg_conn *conn, struct tg_slice state,
                               uint32_t from);
    /* How many tasks are alive, for people who ask. */
    uint32_t (*task_count)(const struct tg_script *script);
    /* Runs the hooks of on_stop: the server stops ("stop"), or the last connection has left a retired
     * generation ("reload"). TG_WAITING: tg_generation_script_stopped follows. */
    enum tg_outcome (*stop)(struct tg_script *script, const char *reason);
    /* Nothing is left to run: whatever it has from the worker, it gives back. */
    void (*end)(struct tg_script *script);
    /* Frees the generation, its registry, and itself; also of one that never began. On any thread. NULL: its
     * owner does. */
    void (*close)(struct tg_script *script);
    /* A client asks for a topic (topic.h): the authoriser, then tg_topic_admit or tg_topic_refuse; when it
     * was admitted, on_subscribe. Errors of the second are answered with subscription->ref. */
    enum tg_outcome (*subscribe)(struct tg_script *script, struct tg_subscription *subscription);
    /* It leaves the topic. */
    enum tg_outcome (*unsubscribe)(struct tg_script *script, struct tg_subscription *subscription,
                                   const char *reason);
    /* The subscription is about to be freed. */
    void (*forget_subscription)(struct tg_script *script, struct tg_subscription *subscription);
};

struct tg_script {
    const struct tg_script_ops *ops;
};

#endif
