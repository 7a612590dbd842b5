/* A refusal that tells of a guess is noted for its address before it is told: the last one that may be told
 * is the one that reaches the limit.
 */
#include "script/verdict.h"

#include "base/log.h"
#include "core/worker.h"
#include "script/table.h"
#include "wire/json.h"

struct verdict {
    struct tg_slice text;
    uint16_t status;
    uint16_t close_code; /* 0: it stays open */
};

static const struct verdict verdicts[] = {
    {TG_SLICE("OK"), TG_LET_IN, 0},
    {TG_SLICE("Unauthorized"), TG_UNAUTHORIZED, 4401},
    {TG_SLICE("Forbidden"), TG_FORBIDDEN, 4403},
    {TG_SLICE("Not Found"), TG_NOT_FOUND, 4404},
    {TG_SLICE("Internal Server Error"), TG_ADMISSION_FAILED, 0},
};

static const struct verdict *find_verdict(lua_Integer status)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].status == status) return &verdicts[i];
    return NULL;
}

bool tg_verdict_is_refusal(lua_Integer status)
{
    return status == TG_UNAUTHORIZED || status == TG_FORBIDDEN || status == TG_NOT_FOUND;
}

/* As the schema of tide.messages.authentication has it. */
enum tg_status tg_verdict_tell(const struct tg_run *run, lua_Integer code, struct tg_slice detail)
{
    static const char *const heads[TG_NAMINGS][2] = {{"\"status_code\":", ",\"status_text\":"},
                                                     {"\"statusCode\":", ",\"statusText\":"}};
    struct tg_conn *conn = run->conn;
    const struct verdict *verdict = find_verdict(code);
    const char *const *head = heads[conn->consumer->naming];
    struct tg_buf *out;
    if (!tg_hooks_of(conn)->sends_authentication) return TG_OK;
    enum tg_status status = tg_conn_begin(conn, &out);
    if (status != TG_OK) return status;
    tg_buf_append_literal(out, "{\"action\":\"authentication\",\"payload\":{");
    tg_buf_append_slice(out, tg_slice_of(head[0]));
    tg_json_write_integer(out, verdict->status);
    tg_buf_append_slice(out, tg_slice_of(head[1]));
    tg_json_write_string(out, verdict->text);
    if (detail.data) {
        tg_buf_append_literal(out, ",\"data\":{\"detail\":");
        tg_json_write_string(out, detail);
        tg_buf_append_char(out, '}');
    }
    tg_buf_append_char(out, '}');
    tg_message_write_ref(out, &run->ref);
    tg_buf_append_char(out, '}');
    return tg_conn_commit(conn, TG_OPCODE_TEXT);
}

const struct tg_slice tg_verdict_too_often = TG_SLICE("Too many attempts to log in");

/* What authenticators of ours (lua/tidegate/auth) say of who has shown nothing, or something that was good
 * once: nobody has guessed. */
static bool is_guess(struct tg_slice detail)
{
    static const struct tg_slice others[] = {TG_SLICE("Authentication credentials were not provided."),
                                             TG_SLICE("The session has expired"),
                                             TG_SLICE("The token has expired")};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (tg_slice_equal(detail, others[i])) return false;
    return true;
}

bool tg_verdict_is_of_client(const struct tg_run *run)
{
    return run->is_renewal && run->is_data;
}

/* Not when it was us who asked again. */
static bool is_attempt(const struct tg_run *run)
{
    return !run->is_renewal || run->is_data;
}

/* Many may be let try before the first has failed. What those behind the limit have shown is not told, right
 * or wrong, so they learn no more than if they had come one after the other. */
bool tg_verdict_is_too_often(const struct tg_run *run)
{
    struct tg_worker *worker = run->conn->worker;
    return is_attempt(run) &&
           tg_attempts_wait_seconds(&worker->attempts, run->conn->request->peer, tg_worker_now_ms(worker));
}

void tg_verdict_refuse(struct tg_run *run, lua_Integer status, struct tg_slice detail)
{
    struct tg_conn *conn = run->conn;
    const struct verdict *verdict = find_verdict(status);
    bool is_wrong = is_attempt(run) && status == TG_UNAUTHORIZED && is_guess(detail);
    if (is_wrong && tg_worker_refuse_attempt(conn->worker, conn->request->peer))
        detail = tg_verdict_too_often;
    else if (is_wrong)
        tg_worker_note_attempt(conn->worker, conn->request->peer);
    conn->worker->metrics.authentications_refused++;
    tg_log(TG_LOG_INFO, "authentication_refused", TG_LOG_CONN(conn), TG_LOG_I("status", status),
           TG_LOG_S("by", run->what), TG_LOG_STR("detail", detail.data ? detail : TG_SLICE("")));
    tg_verdict_tell(run, status, detail);
    if (!tg_verdict_is_of_client(run)) tg_conn_close(conn, verdict->close_code, verdict->text);
}
