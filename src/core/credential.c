/* One timer for both: the end, and asking again. Deadlines are of the wall clock, since credentials are; the
 * wheel's clock is another, so the timer is armed for LOOK_AGAIN_MS at most and looks at the wall clock anew.
 *
 * A renewal runs beside the handlers of its connection and is not counted among them: a client whose handler
 * waits long can renew meanwhile. At most one runs (is_renewing); an expiry that falls due while it does
 * waits for its answer.
 */
#include "core/credential.h"

#include "base/log.h"
#include "core/completion.h"
#include "core/conn_order.h"
#include "core/worker.h"
#include "wire/json.h"
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_AGAIN_MS = 3600 * 1000 };

/* A connection that is about to move is asked about where it goes. */
enum { AFTER_MOVE_MS = 100 };

enum { CLOSE_EXPIRED = 4401, CLOSE_COULD_NOT_ASK = 1011 };

struct tg_credential {
    struct tg_conn *conn;
    struct tg_timer timer;
    struct tg_validity validity;
    int64_t ask_at_ms;     /* wall clock; INT64_MAX: never */
    struct tg_slice token; /* owned; data NULL: none */
    bool is_asked_again;   /* what runs is not the client's renewal but ours */
};

static int64_t wall_ms(const struct tg_conn *conn)
{
    return (int64_t)tg_clock_wall_ms(conn->worker->clock);
}

/* `from` and so much, where that is a time at all. */
static int64_t later(int64_t from_ms, uint64_t milliseconds)
{
    return milliseconds < (uint64_t)(INT64_MAX - from_ms) ? from_ms + (int64_t)milliseconds : INT64_MAX;
}

static int64_t end_of(const struct tg_credential *credential)
{
    const struct tg_validity *validity = &credential->validity;
    int64_t end_ms = validity->expires_at_ms;
    return end_ms > 0 ? later(end_ms, validity->grace_ms) : end_ms;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void rearm(struct tg_credential *credential)
{
    struct tg_worker *worker = credential->conn->worker;
    int64_t now_ms = wall_ms(credential->conn);
    int64_t due_ms = least(end_of(credential), credential->ask_at_ms);
    int64_t wait_ms = due_ms <= now_ms ? 0 : least(due_ms - now_ms, LOOK_AGAIN_MS);
    if (due_ms == INT64_MAX)
        tg_wheel_disarm(&worker->wheel, &credential->timer);
    else
        tg_worker_arm(worker, &credential->timer, tg_worker_now_ms(worker) + (uint64_t)wait_ms);
}

/* ---- asking ---- */

static enum tg_outcome ask(struct tg_conn *conn, const struct tg_envelope *envelope)
{
    struct tg_script *script = conn->generation->script;
    conn->is_renewing = true;
    if (conn->credential) conn->credential->is_asked_again = !envelope;
    return script->ops->renew(script, conn, envelope);
}

/* Who could not be asked again is not let stay; a renewal that fails leaves everything as it was. */
static void settle(struct tg_conn *conn, enum tg_outcome outcome)
{
    struct tg_credential *credential = conn->credential;
    conn->is_renewing = false;
    if (conn->state != TG_CONN_OPEN || !credential) return;
    if (outcome == TG_FAILED && credential->is_asked_again)
        tg_conn_close(conn, CLOSE_COULD_NOT_ASK, TG_SLICE("the credential could not be checked"));
    else
        rearm(credential);
}

bool tg_credential_renew(struct tg_conn *conn, struct tg_envelope *envelope)
{
    if (conn->is_renewing) return false;
    enum tg_outcome outcome = ask(conn, envelope);
    if (outcome == TG_WAITING) return true;
    settle(conn, outcome);
    tg_conn_complete(conn, TG_COMPLETE, &envelope->ref);
    return true;
}

/* ---- time ---- */

static void ask_again(struct tg_credential *credential, int64_t now_ms)
{
    struct tg_conn *conn = credential->conn;
    bool is_moving = tg_move_is_due(conn);
    credential->ask_at_ms = later(now_ms, is_moving ? AFTER_MOVE_MS : credential->validity.ask_every_ms);
    if (is_moving || conn->is_starting) { /* where that is so, it has just been asked */
        rearm(credential);
        return;
    }
    conn->worker->metrics.credentials_asked_again++;
    enum tg_outcome outcome = ask(conn, NULL);
    if (outcome != TG_WAITING) settle(conn, outcome);
}

static void expire(struct tg_conn *conn)
{
    conn->worker->metrics.credentials_expired++;
    tg_log(TG_LOG_INFO, "credential_expired", TG_LOG_CONN(conn));
    tg_conn_close(conn, CLOSE_EXPIRED, TG_SLICE("expired"));
}

static void look(struct tg_credential *credential)
{
    struct tg_conn *conn = credential->conn;
    int64_t now_ms = wall_ms(conn);
    if (conn->state != TG_CONN_OPEN || conn->is_renewing) return; /* looked at again when that has ended */
    if (end_of(credential) <= now_ms)
        expire(conn);
    else if (credential->ask_at_ms <= now_ms)
        ask_again(credential, now_ms);
    else
        rearm(credential);
}

static void fell_due(struct tg_timer *timer)
{
    look(TG_CONTAINER(timer, struct tg_credential, timer));
}

/* What fell due meanwhile comes before the next renewal in the inbox, or a client could put it off for as
 * long as it has another one there. */
void tg_credential_asked(struct tg_conn *conn, enum tg_outcome outcome)
{
    settle(conn, outcome);
    if (conn->credential) look(conn->credential);
    if (conn->state == TG_CONN_OPEN && !conn->is_draining) tg_conn_order_go_on(conn);
}

static struct tg_credential *provide(struct tg_conn *conn)
{
    struct tg_credential *credential = conn->credential;
    if (credential) return credential;
    credential = calloc(1, sizeof *credential);
    if (!credential) return NULL;
    credential->conn = conn;
    credential->validity.expires_at_ms = credential->ask_at_ms = INT64_MAX;
    tg_timer_init(&credential->timer, fell_due);
    conn->credential = credential;
    return credential;
}

enum tg_status tg_credential_set(struct tg_conn *conn, const struct tg_validity *validity)
{
    bool is_for_ever = validity->expires_at_ms == INT64_MAX && validity->ask_every_ms == 0;
    if (!conn->credential && is_for_ever) return TG_OK;
    struct tg_credential *credential = provide(conn);
    if (!credential) return TG_E_NO_MEMORY;
    uint64_t every_ms = validity->ask_every_ms;
    credential->validity = *validity;
    credential->ask_at_ms = every_ms ? later(wall_ms(conn), every_ms) : INT64_MAX;
    rearm(credential);
    return TG_OK;
}

static void drop_token(struct tg_credential *credential)
{
    if (!credential->token.data) return;
    explicit_bzero((char *)credential->token.data, credential->token.length);
    free((char *)credential->token.data);
    credential->token = (struct tg_slice){0};
}

enum tg_status tg_credential_keep_token(struct tg_conn *conn, struct tg_slice token)
{
    struct tg_credential *credential = provide(conn);
    char *copy = credential ? malloc(token.length + 1) : NULL;
    if (!copy) return TG_E_NO_MEMORY;
    memcpy(copy, token.data, token.length);
    drop_token(credential);
    credential->token = (struct tg_slice){copy, token.length};
    return TG_OK;
}

struct tg_slice tg_credential_token(const struct tg_conn *conn)
{
    return conn->credential ? conn->credential->token : (struct tg_slice){0};
}

void tg_credential_forget(struct tg_conn *conn)
{
    if (!conn->credential) return;
    drop_token(conn->credential);
    tg_wheel_disarm(&conn->worker->wheel, &conn->credential->timer);
    free(conn->credential);
    conn->credential = NULL;
}

/* ---- a token in the first message ---- */

/* The token borrows from `text`, or lies in the worker's arena. */
static enum tg_status read_token(struct tg_worker *worker, struct tg_slice text, struct tg_slice *token)
{
    struct tg_value tree;
    struct tg_error error;
    struct tg_envelope envelope = {0};
    struct tg_issues issues;
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, 1);
    enum tg_status status =
        tg_json_parse(text, worker->config->max_json_depth, &worker->arena, &tree, &error);
    if (status == TG_OK) status = tg_envelope_read(&tree, &envelope, NULL, &issues);
    if (status != TG_OK) return status == TG_E_NO_MEMORY ? status : TG_E_INVALID;
    const struct tg_value *payload = envelope.payload, *found = NULL;
    if (tg_slice_equal(envelope.action, TG_SLICE(TG_RENEWAL_ACTION)) && payload &&
        payload->type == TG_VALUE_OBJECT)
        found = tg_value_get(payload, TG_SLICE("token"));
    if (!found || found->type != TG_VALUE_STRING) return TG_E_INVALID;
    *token = tg_value_string(found);
    return TG_OK;
}

enum tg_status tg_credential_take_first(struct tg_conn *conn, struct tg_buf *token)
{
    struct tg_worker *worker = conn->worker;
    struct tg_inbox_message *message = tg_conn_order_take_first(conn);
    struct tg_slice text = {0};
    if (!message) return TG_E_NOT_FOUND;
    enum tg_status status =
        message->is_binary ? TG_E_INVALID : read_token(worker, tg_inbox_text(message), &text);
    if (status == TG_OK) {
        tg_buf_append_slice(token, text);
        status = tg_buf_status(token);
    }
    tg_inbox_message_free(message);
    return status;
}
