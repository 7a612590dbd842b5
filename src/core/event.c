/* The text of an event has the names that schemas declare; only the frame that a relay sends has those of its
 * clients. It is read once for each schema that receivers declare, so that an event which is wrong is known
 * and told when it is given, and once more by each receiver that handles it, which needs a tree of its own.
 *
 * A sender may be a check that runs over a message: nothing here uses the worker's arena or its buffer before
 * tg_event_handle, which runs at the end of the turn.
 */
#include "core/event.h"

#include "base/log.h"
#include "core/completion.h"
#include "core/conn_order.h"
#include "core/topic.h"
#include "core/worker.h"
#include "wire/json.h"
#include "wire/message.h"
#include "wire/validate.h"

/* Scripts write no more levels than that. */
enum { MAX_DEPTH = 512 };

void tg_event_init(struct tg_event *event, struct tg_worker *worker, const struct tg_publication *publication)
{
    *event = (struct tg_event){.worker = worker, .publication = publication};
}

void tg_event_deinit(struct tg_event *event)
{
    for (int naming = 0; naming < TG_NAMINGS; naming++) tg_payload_unref(event->payloads[naming]);
}

/* ---- reading ---- */

struct reading {
    const struct tg_action *event;
    struct tg_validation validation;
};

static bool knows(void *context, const struct tg_envelope *envelope)
{
    const struct reading *reading = context;
    return tg_slice_equal(reading->event->name, envelope->action);
}

static enum tg_status check_payload(void *context, struct tg_envelope *envelope)
{
    struct reading *reading = context;
    const struct tg_path path = {.key = TG_SLICE("payload")};
    enum tg_status status =
        tg_validate_payload(reading->event->payload, &envelope->payload, &path, &reading->validation);
    envelope->calls = reading->validation.calls;
    return status;
}

/* From the text to a checked payload, in `arena`. TG_E_INVALID: `issues` says why. */
static enum tg_status read_event(const struct tg_worker *worker, const struct tg_action *event,
                                 struct tg_slice text, struct tg_arena *arena, struct tg_envelope *envelope,
                                 struct tg_issues *issues)
{
    struct tg_value *tree = tg_arena_alloc(arena, sizeof *tree);
    if (!tree) return TG_E_NO_MEMORY;
    struct tg_error error;
    enum tg_status status = tg_json_parse(text, MAX_DEPTH, arena, tree, &error);
    if (status == TG_E_NO_MEMORY) return status;
    if (status != TG_OK) {
        tg_issue_report(issues,
                        &(struct tg_issue){.type = TG_ISSUE_JSON_INVALID, .text = tg_slice_of(error.text)});
        return TG_E_INVALID;
    }
    struct reading reading = {event,
                              {.arena = arena,
                               .issues = issues,
                               .naming = TG_NAMING_DECLARED,
                               .max_steps = worker->config->max_check_steps}};
    const struct tg_envelope_judge judge = {&reading, knows, check_payload};
    return tg_envelope_read(tree, envelope, &judge, issues);
}

void tg_event_tell_invalid(struct tg_conn *conn, const struct tg_action *event, struct tg_issues *issues)
{
    tg_issues_finish(issues);
    conn->worker->metrics.events_invalid++;
    tg_log(TG_LOG_WARNING, "event_invalid", TG_LOG_CONN(conn), TG_LOG_STR("action", event->name),
           TG_LOG_STR("source", event->source), TG_LOG_STR("errors", tg_buf_peek(issues->out)));
}

static enum tg_status note_no_memory(struct tg_conn *conn, struct tg_slice action)
{
    conn->worker->metrics.no_memory++;
    tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_CONN(conn), TG_LOG_STR("action", action));
    return TG_E_NO_MEMORY;
}

/* ---- giving ---- */

/* What the schema says that the receiver's consumer declares. */
static enum tg_status judge(struct tg_event *event, struct tg_conn *conn, const struct tg_action *declared)
{
    if (event->judged == declared->payload) return event->verdict;
    struct tg_arena arena;
    struct tg_buf text;
    struct tg_issues issues;
    struct tg_envelope envelope;
    tg_arena_init(&arena, 0);
    tg_buf_init(&text);
    tg_issues_init(&issues, &text, event->worker->config->max_errors);
    issues.style = TG_ISSUE_TEXT;
    enum tg_status status = read_event(event->worker, declared, event->publication->texts[TG_NAMING_DECLARED],
                                       &arena, &envelope, &issues);
    if (status == TG_E_INVALID) tg_event_tell_invalid(conn, declared, &issues);
    tg_buf_deinit(&text);
    tg_arena_deinit(&arena);
    if (status == TG_E_NO_MEMORY) return status;
    event->judged = declared->payload;
    event->verdict = status;
    return status;
}

/* The event as this receiver gets it. TG_E_INVALID: it cannot be said in camel case. */
static enum tg_status get_payload(struct tg_event *event, const struct tg_conn *conn,
                                  const struct tg_action *declared, struct tg_payload **payload)
{
    enum tg_naming naming = declared->is_relay ? conn->consumer->naming : TG_NAMING_DECLARED;
    struct tg_slice text = event->publication->texts[naming];
    if (!text.data) return TG_E_INVALID;
    if (!event->payloads[naming])
        event->payloads[naming] =
            tg_payload_new(&event->worker->metrics.payload_bytes, TG_OPCODE_TEXT, text, (struct tg_slice){0});
    *payload = event->payloads[naming];
    return *payload ? TG_OK : TG_E_NO_MEMORY;
}

static enum tg_status relay(struct tg_conn *conn, const struct tg_action *declared,
                            struct tg_payload *payload)
{
    enum tg_status status = tg_conn_share(conn, payload);
    if (status != TG_OK) return status;
    declared->handler->messages++;
    tg_log(TG_LOG_DEBUG, "relayed", TG_LOG_CONN(conn), TG_LOG_STR("action", declared->name));
    tg_conn_complete(conn, TG_EVENT_COMPLETE, NULL);
    return TG_OK;
}

/* Who handles it: the topic that it is for, of which `*subscription` gets the number; or the consumer. Newer
 * code, where the connection is about to move there. */
static const struct tg_action *find_declared(const struct tg_publication *publication,
                                             const struct tg_conn *conn, uint64_t *subscription)
{
    const struct tg_consumer *consumer = tg_move_consumer(conn);
    *subscription = 0;
    if (publication->to != TG_TO_GROUPS || publication->group_kind != TG_GROUP_TOPIC)
        return tg_consumer_find_event(consumer, publication->action);
    for (uint32_t i = 0; i < publication->group_count; i++) {
        const struct tg_subscription *there = tg_subscription_find_key(conn, publication->groups[i]);
        if (!there) continue;
        const struct tg_topic *topic = tg_topic_at(there, consumer);
        *subscription = there->number;
        return topic ? tg_consumer_find_event(&topic->stream, publication->action) : NULL;
    }
    return NULL;
}

static enum tg_status give(struct tg_event *event, struct tg_conn *conn, const struct tg_action *declared,
                           uint64_t subscription)
{
    struct tg_payload *payload;
    enum tg_status status = judge(event, conn, declared);
    if (status == TG_OK) status = get_payload(event, conn, declared, &payload);
    if (status != TG_OK) return status;
    if (declared->is_relay && !tg_conn_order_has_events(conn)) return relay(conn, declared, payload);
    return tg_conn_order_keep_event(conn, declared->name, subscription, payload);
}

enum tg_status tg_event_give(struct tg_event *event, struct tg_conn *conn)
{
    struct tg_slice action = event->publication->action;
    if (conn->state != TG_CONN_OPEN || !conn->is_connected_called || conn->is_draining) return TG_E_CLOSED;
    uint64_t subscription;
    const struct tg_action *declared = find_declared(event->publication, conn, &subscription);
    if (!declared) return TG_E_NOT_FOUND;
    enum tg_status status = give(event, conn, declared, subscription);
    return status == TG_E_NO_MEMORY ? note_no_memory(conn, action) : status;
}

/* ---- handling ---- */

static void run_handler(struct tg_conn *conn, const struct tg_action *declared,
                        const struct tg_envelope *envelope)
{
    struct tg_script *script = conn->generation->script;
    declared->handler->messages++;
    conn->is_event_running = true;
    enum tg_outcome outcome = script->ops->message(script, conn, declared, envelope);
    tg_conn_note(conn, declared, outcome);
    if (outcome == TG_WAITING) return;
    conn->is_event_running = false;
    tg_conn_complete(conn, TG_EVENT_COMPLETE, NULL);
}

void tg_event_handle(struct tg_conn *conn, struct tg_slice action, uint64_t number,
                     struct tg_payload *payload)
{
    struct tg_worker *worker = conn->worker;
    const struct tg_subscription *subscription = number ? tg_subscription_find_number(conn, number) : NULL;
    if (number && !(subscription && subscription->state == TG_SUBSCRIBED)) return; /* it has left meanwhile */
    const struct tg_consumer *stream = number ? &subscription->topic->stream : conn->consumer;
    const struct tg_action *declared = tg_consumer_find_event(stream, action);
    struct tg_envelope envelope;
    struct tg_issues issues;
    if (!declared) return;
    if (declared->is_relay) {
        if (relay(conn, declared, payload) == TG_E_NO_MEMORY) note_no_memory(conn, action);
        return;
    }
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    issues.style = TG_ISSUE_TEXT;
    switch (read_event(worker, declared, tg_payload_text(payload), &worker->arena, &envelope, &issues)) {
    case TG_OK:
        if (number) envelope.ref.topic = subscription->name;
        run_handler(conn, declared, &envelope);
        break;
    case TG_E_INVALID:
        tg_event_tell_invalid(conn, declared, &issues);
        break;
    default:
        note_no_memory(conn, action);
    }
    tg_arena_reset(&worker->arena);
}
