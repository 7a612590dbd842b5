/* One frame for each kind, shared; with a ref the frame is its receiver's own. */
#include "core/completion.h"

#include "core/worker.h"

static const struct tg_slice texts[TG_COMPLETIONS] = {
    [TG_COMPLETE] = TG_SLICE("{\"action\":\"complete\"}"),
    [TG_GROUP_COMPLETE] = TG_SLICE("{\"action\":\"group_complete\"}"),
    [TG_EVENT_COMPLETE] = TG_SLICE("{\"action\":\"event_complete\"}"),
};

void tg_completions_deinit(struct tg_completions *completions)
{
    for (int i = 0; i < TG_COMPLETIONS; i++) tg_payload_unref(completions->payloads[i]);
    *completions = (struct tg_completions){0};
}

static struct tg_payload *shared(struct tg_worker *worker, enum tg_completion completion)
{
    struct tg_completions *completions = &worker->completions;
    struct tg_payload **payload = &completions->payloads[completion];
    if (!*payload)
        *payload =
            tg_payload_new(&completions->bytes, TG_OPCODE_TEXT, texts[completion], (struct tg_slice){0});
    return *payload;
}

/* Also of a message in a topic: its end is the connection's affair. */
static enum tg_status send_with_ref(struct tg_conn *conn, struct tg_slice text, const struct tg_ref *ref)
{
    struct tg_buf *out;
    struct tg_ref own = *ref;
    own.topic = (struct tg_slice){0};
    enum tg_status status = tg_conn_begin(conn, &out);
    if (status != TG_OK) return status;
    tg_buf_append(out, text.data, text.length - 1);
    tg_message_write_ref(out, &own);
    tg_buf_append_char(out, '}');
    return tg_conn_commit(conn, TG_OPCODE_TEXT);
}

void tg_conn_complete(struct tg_conn *conn, enum tg_completion completion, const struct tg_ref *ref)
{
    if (!conn->consumer->sends_completion || conn->state != TG_CONN_OPEN) return;
    enum tg_status status;
    if (ref && ref->type != TG_REF_NONE) {
        status = send_with_ref(conn, texts[completion], ref);
    } else {
        struct tg_payload *payload = shared(conn->worker, completion);
        status = payload ? tg_conn_share(conn, payload) : TG_E_NO_MEMORY;
    }
    if (status == TG_E_NO_MEMORY) conn->worker->metrics.no_memory++;
}
