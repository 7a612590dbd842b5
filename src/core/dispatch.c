/* Text first, then JSON, then the envelope with its payload: all that is wrong with it is told. Each failure
 * writes its issues into the worker's buffer and ends in one place, tg_dispatch_answer_issues. The tree lives
 * in the worker's arena until the next message. */
#include "core/dispatch.h"

#include "core/completion.h"
#include "core/credential.h"
#include "core/topic.h"
#include "core/worker.h"
#include "wire/json.h"
#include "wire/message.h"
#include "wire/validate.h"

/* How much of a payload the log shows. */
enum { SHOWN_BYTES = 200 };

void tg_dispatch_answer_issues(struct tg_conn *conn, struct tg_issues *issues, const struct tg_ref *ref)
{
    tg_issues_finish(issues);
    conn->worker->metrics.messages_invalid++;
    conn->consumer->counters->messages_invalid++;
    tg_log(TG_LOG_DEBUG, "message_invalid", TG_LOG_CONN(conn), TG_LOG_I("errors", issues->count));
    struct tg_buf *out;
    if (tg_conn_begin(conn, &out) != TG_OK) return;
    if (issues->out->has_failed) out->has_failed = true;
    tg_message_write_issues(out, tg_buf_peek(issues->out), ref);
    tg_conn_commit(conn, TG_OPCODE_TEXT);
}

void tg_dispatch_answer_detail(struct tg_conn *conn, const struct tg_detail *detail, const struct tg_ref *ref)
{
    struct tg_buf *out;
    if (tg_conn_begin(conn, &out) != TG_OK) return;
    tg_message_write_detail(out, detail, ref);
    tg_conn_commit(conn, TG_OPCODE_TEXT);
}

static void answer_text(struct tg_conn *conn, struct tg_slice detail)
{
    tg_dispatch_answer_detail(conn, &(struct tg_detail){.detail = detail}, &(struct tg_ref){0});
}

void tg_dispatch_answer_no_memory(struct tg_conn *conn, struct tg_slice message)
{
    conn->worker->metrics.no_memory++;
    tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_CONN(conn), TG_LOG_I("message_bytes", message.length));
    answer_text(conn, TG_SLICE("Failed to process message"));
    tg_conn_complete(conn, TG_COMPLETE, NULL);
}

/* Notes what the script answered to a message; what it is done with, the client is told. */
static void note_outcome(struct tg_conn *conn, const struct tg_action *action, enum tg_outcome outcome,
                         const struct tg_ref *ref)
{
    tg_conn_note(conn, action, outcome);
    if (outcome != TG_WAITING) tg_conn_complete(conn, TG_COMPLETE, ref);
}

/* Comparing a few names takes less time than hashing one. */
static const struct tg_action *look_up_action(const struct tg_consumer *consumer, struct tg_slice name)
{
    enum { FEW = 8 };
    if (consumer->action_count > FEW) return tg_map_get(&consumer->actions, name);
    for (uint32_t i = 0; i < consumer->action_count; i++)
        if (tg_slice_equal(consumer->ordered_actions[i]->name, name)) return consumer->ordered_actions[i];
    return NULL;
}

/* The reading of one message: whom it is for, and what is wrong with it. */
struct reading {
    struct tg_conn *conn;
    const struct tg_action *action; /* NULL: nobody handles it */
    struct tg_topic_frame frame;
    struct tg_issues *issues;
};

static bool knows(void *context, const struct tg_envelope *envelope)
{
    struct reading *reading = context;
    const struct tg_conn *conn = reading->conn;
    reading->frame = tg_topic_frame_of(conn, envelope);
    if (reading->frame.kind == TG_FRAME_OWN)
        reading->action = look_up_action(conn->consumer, envelope->action);
    else if (reading->frame.kind == TG_FRAME_MESSAGE)
        reading->action = look_up_action(&reading->frame.subscription->topic->stream, envelope->action);
    else
        return true;
    return reading->action != NULL;
}

static enum tg_status check_payload(void *context, struct tg_envelope *envelope)
{
    struct reading *reading = context;
    struct tg_worker *worker = reading->conn->worker;
    if (!reading->action) return TG_OK; /* subscribe and unsubscribe have none */
    const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_validation validation = {.arena = &worker->arena,
                                       .issues = reading->issues,
                                       .naming = reading->conn->consumer->naming,
                                       .max_steps = worker->config->max_check_steps};
    enum tg_status status =
        tg_validate_payload(reading->action->payload, &envelope->payload, &path, &validation);
    worker->metrics.check_steps_hit += validation.has_hit_steps;
    envelope->calls = validation.calls;
    return status;
}

/* From text to a checked payload. TG_E_INVALID: the issues say why. */
static enum tg_status read_message(struct reading *reading, struct tg_slice text,
                                   struct tg_envelope *envelope)
{
    struct tg_worker *worker = reading->conn->worker;
    struct tg_value *message = tg_arena_alloc(&worker->arena, sizeof *message);
    if (!message) return TG_E_NO_MEMORY;
    struct tg_error error;
    enum tg_status status =
        tg_json_parse(text, worker->config->max_json_depth, &worker->arena, message, &error);
    if (status == TG_E_NO_MEMORY) return status;
    if (status != TG_OK) {
        tg_issue_report(reading->issues,
                        &(struct tg_issue){.type = TG_ISSUE_JSON_INVALID, .text = tg_slice_of(error.text)});
        return TG_E_INVALID;
    }
    const struct tg_envelope_judge judge = {reading, knows, check_payload};
    status = tg_envelope_read(message, envelope, &judge, reading->issues);
    /* A name that is too long is not repeated. */
    if (reading->frame.kind != TG_FRAME_OWN && reading->frame.name.length <= TG_TOPIC_NAME_MAX)
        envelope->ref.topic = reading->frame.name;
    return status;
}

/* The payload as it was understood, without secrets, in the buffer of what is wrong: nothing is. */
static void log_received(struct tg_conn *conn, const struct tg_action *action,
                         const struct tg_envelope *envelope)
{
    struct tg_buf *shown = &conn->worker->issues;
    if (!tg_log_is_on(TG_LOG_DEBUG)) return;
    if (envelope->payload) tg_json_write_shown(shown, envelope->payload, SHOWN_BYTES);
    tg_log(TG_LOG_DEBUG, "received", TG_LOG_CONN(conn), TG_LOG_STR("action", action->name),
           TG_LOG_STR("payload", tg_buf_peek(shown)));
}

/* Costs a look at the client's credential, and no turn. */
static bool renew(struct tg_conn *conn, const struct tg_action *action, struct tg_envelope *envelope)
{
    if (!tg_credential_renew(conn, envelope)) return false;
    action->handler->messages++;
    return true;
}

/* What is right goes to the script, or to the topic. False: it is not its turn. */
static bool handle(struct reading *reading, struct tg_envelope *envelope)
{
    struct tg_conn *conn = reading->conn;
    const struct tg_action *action = reading->action;
    struct tg_script *script = conn->generation->script;
    if (!action) return tg_topic_frame_handle(conn, &reading->frame, &envelope->ref);
    if (action->is_renewal) return renew(conn, action, envelope);
    if (!tg_conn_may_start(conn, action)) return false;
    if (reading->frame.subscription) envelope->ref.topic = reading->frame.subscription->name;
    action->handler->messages++;
    log_received(conn, action, envelope);
    note_outcome(conn, action, script->ops->message(script, conn, action, envelope), &envelope->ref);
    return true;
}

static bool dispatch_message(struct tg_conn *conn, struct tg_slice text)
{
    struct tg_worker *worker = conn->worker;
    struct tg_envelope envelope = {0};
    struct tg_issues issues;
    struct reading reading = {.conn = conn, .issues = &issues};
    bool is_its_turn = true;
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    issues.counts = worker->issue_counts;
    switch (read_message(&reading, text, &envelope)) {
    case TG_OK:
        is_its_turn = handle(&reading, &envelope);
        break;
    case TG_E_INVALID:
        tg_dispatch_answer_issues(conn, &issues, &envelope.ref);
        tg_conn_complete(conn, TG_COMPLETE, &envelope.ref);
        break;
    default:
        tg_dispatch_answer_no_memory(conn, text);
    }
    tg_arena_reset(&worker->arena);
    return is_its_turn;
}

/* Reads the envelope alone, into the worker's arena. */
static bool read_envelope(struct tg_worker *worker, struct tg_slice message, struct tg_envelope *envelope)
{
    struct tg_value *tree = tg_arena_alloc(&worker->arena, sizeof *tree);
    struct tg_error error;
    struct tg_issues issues;
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, 1);
    return tree &&
           tg_json_parse(message, worker->config->max_json_depth, &worker->arena, tree, &error) == TG_OK &&
           tg_envelope_read(tree, envelope, NULL, &issues) == TG_OK;
}

bool tg_dispatch_renewal(struct tg_conn *conn, struct tg_slice message, bool is_binary)
{
    const struct tg_action *renewal = conn->consumer->renewal;
    struct tg_envelope envelope = {0};
    if (!renewal || is_binary || conn->is_starting || conn->is_draining || conn->is_renewing) return false;
    if (tg_move_is_due(conn)) return false;
    if (!memmem(message.data, message.length, renewal->name.data, renewal->name.length)) return false;
    bool is_renewal = read_envelope(conn->worker, message, &envelope) && !envelope.topic.data &&
                      tg_slice_equal(envelope.action, renewal->name);
    tg_arena_reset(&conn->worker->arena);
    return is_renewal && dispatch_message(conn, message);
}

/* "s:17" -> 17; 0 for anything else. */
static uint64_t call_number(const struct tg_ref *ref)
{
    struct tg_slice text = ref->string;
    if (ref->type != TG_REF_STRING || text.length < 3 || text.length > 20) return 0;
    if (text.data[0] != 's' || text.data[1] != ':' || text.data[2] == '0') return 0;
    uint64_t number = 0;
    for (size_t i = 2; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return 0;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return number;
}

bool tg_dispatch_answer(struct tg_conn *conn, struct tg_slice message, bool is_binary)
{
    struct tg_worker *worker = conn->worker;
    if (is_binary || conn->consumer->is_text) return false;
    struct tg_envelope envelope = {0};
    bool is_answer = false;
    if (read_envelope(worker, message, &envelope)) {
        uint64_t number = call_number(&envelope.ref);
        is_answer = number && tg_conn_call_answer(conn, number, envelope.payload);
    }
    tg_arena_reset(&worker->arena);
    return is_answer;
}

static bool dispatch_frame(struct tg_conn *conn, struct tg_slice data, bool is_binary)
{
    struct tg_script *script = conn->generation->script;
    if (!tg_conn_may_start(conn, NULL)) return false;
    note_outcome(conn, NULL, script->ops->frame(script, conn, data, is_binary), NULL);
    return true;
}

bool tg_dispatch(struct tg_conn *conn, struct tg_slice message, bool is_binary)
{
    const struct tg_consumer *consumer = conn->consumer;
    if (consumer->is_text || (is_binary && consumer->takes_binary))
        return dispatch_frame(conn, message, is_binary);
    if (!is_binary) return dispatch_message(conn, message);
    if (consumer->has_strict_frames) {
        tg_conn_close(conn, 1003, TG_SLICE("Binary frames are not accepted"));
        return true;
    }
    answer_text(conn, TG_SLICE("Binary frames are not accepted"));
    tg_conn_complete(conn, TG_COMPLETE, NULL);
    return true;
}
