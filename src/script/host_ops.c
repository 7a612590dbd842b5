/* Each call is a run of Lua code (run.h), or a question to what runs. */
#include "script/host_ops.h"

#include "script/admit.h"
#include "script/call.h"
#include "script/conn_move.h"
#include "script/host_life.h"
#include "script/outside.h"
#include "script/run.h"
#include "script/start.h"
#include "script/topic_run.h"

/* ---- connections ---- */

static bool on_admit(struct tg_script *script, const struct tg_consumer *consumer,
                     const struct tg_request *request, struct tg_refusal *refusal)
{
    struct tg_host *host = tg_host_of(script);
    bool is_admitted = tg_admit(&host->tasks, consumer, request, refusal);
    tg_host_note_run(host);
    return is_admitted;
}

static enum tg_outcome on_authenticate(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = tg_host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "authenticate",
                         .answers = true,
                         .is_authentication = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_AUTHENTICATE]};
    enum tg_outcome outcome = tg_start_authenticate(&host->tasks, &run);
    tg_host_note_run(host);
    return outcome;
}

static enum tg_outcome on_groups(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = tg_host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "groups",
                         .answers = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_GROUPS]};
    enum tg_outcome outcome = tg_start_groups(&host->tasks, &run);
    tg_host_note_run(host);
    return outcome;
}

static enum tg_outcome on_connected(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = tg_host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "connected",
                         .answers = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_CONNECTED]};
    if (!tg_hooks_of(conn)->connected) return TG_DONE;
    enum tg_outcome outcome = tg_run_connected(&host->tasks, &run);
    tg_host_note_run(host);
    return outcome;
}

static enum tg_outcome on_message(struct tg_script *script, struct tg_conn *conn,
                                  const struct tg_action *action, const struct tg_envelope *envelope)
{
    struct tg_host *host = tg_host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .action = action,
                         .envelope = envelope,
                         .handler = action->handler,
                         .ref = envelope->ref,
                         .is_data = !action->is_event,
                         .answers = !action->is_event};
    if (envelope->ref.topic.data) run.subscription = tg_subscription_find(conn, envelope->ref.topic);
    enum tg_outcome outcome = tg_run_message(&host->tasks, &run);
    tg_host_note_run(host);
    return outcome;
}

static enum tg_outcome on_frame(struct tg_script *script, struct tg_conn *conn, struct tg_slice data,
                                bool is_binary)
{
    struct tg_host *host = tg_host_of(script);
    enum tg_hook hook = conn->consumer->is_text ? TG_HOOK_RECEIVE : TG_HOOK_BINARY;
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .handler = &conn->consumer->counters->hooks[hook],
                         .what = conn->consumer->is_text ? "receive" : "on_binary",
                         .data = data,
                         .is_binary = is_binary,
                         .is_data = true,
                         .answers = true};
    enum tg_outcome outcome = tg_run_frame(&host->tasks, &run);
    tg_host_note_run(host);
    return outcome;
}

static enum tg_outcome on_disconnected(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                                       struct tg_slice reason)
{
    struct tg_host *host = tg_host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "disconnected",
                         .data = reason,
                         .code = code,
                         .is_farewell = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_DISCONNECTED]};
    if (!tg_hooks_of(conn)->disconnected) return TG_DONE;
    enum tg_outcome outcome = tg_run_disconnected(&host->tasks, &run);
    tg_host_note_run(host);
    return outcome;
}

static void on_cancel(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = tg_host_of(script);
    tg_task_cancel_all(&host->tasks, conn);
    tg_host_note_run(host);
}

/* forget(host, conn) */
static int forget_body(lua_State *L)
{
    struct tg_host *host = lua_touserdata(L, 1);
    struct tg_conn *conn = lua_touserdata(L, 2);
    tg_world_forget(&host->world, L, conn->script_ref);
    return 0;
}

static void on_forget(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = tg_host_of(script);
    if (conn->script_ref) tg_call_protected(host->world.L, forget_body, host, conn);
    conn->script_ref = 0;
    tg_host_note_tasks(host); /* those of the connection have ended, without a run of any other */
}

static void on_turn(struct tg_script *script)
{
    struct tg_host *host = tg_host_of(script);
    if (tg_list_is_empty(&host->tasks.ready)) return;
    tg_task_turn(&host->tasks);
    tg_host_note_run(host);
}

static bool on_has_more(struct tg_script *script)
{
    return !tg_list_is_empty(&tg_host_of(script)->tasks.ready);
}

static enum tg_status on_publish_event(struct tg_script *script, struct tg_value *event,
                                       struct tg_arena *arena, struct tg_publication *publication,
                                       struct tg_issues *issues, uint64_t *receivers)
{
    struct tg_host *host = tg_host_of(script);
    publication->kind = TG_PUBLISH_EVENT;
    enum tg_status status = tg_outside_publish(&host->tasks, event, arena, publication, issues, receivers);
    tg_host_note_run(host);
    return status;
}

static enum tg_status on_publish_message(struct tg_script *script, struct tg_value *message,
                                         struct tg_arena *arena, struct tg_publication *publication,
                                         struct tg_issues *issues, uint64_t *receivers)
{
    struct tg_host *host = tg_host_of(script);
    publication->kind = TG_PUBLISH_MESSAGE;
    enum tg_status status = tg_outside_publish(&host->tasks, message, arena, publication, issues, receivers);
    tg_host_note_run(host);
    return status;
}

/* ---- topics ---- */

static enum tg_outcome on_subscribe(struct tg_script *script, struct tg_subscription *subscription)
{
    struct tg_host *host = tg_host_of(script);
    enum tg_outcome outcome = tg_topic_run_subscribe(&host->tasks, subscription);
    tg_host_note_run(host);
    return outcome;
}

static enum tg_outcome on_unsubscribe(struct tg_script *script, struct tg_subscription *subscription,
                                      const char *reason)
{
    struct tg_host *host = tg_host_of(script);
    enum tg_outcome outcome = tg_topic_run_unsubscribe(&host->tasks, subscription, reason);
    tg_host_note_run(host);
    return outcome;
}

/* forget_topic_body(host, subscription) */
static int forget_topic_body(lua_State *L)
{
    struct tg_host *host = lua_touserdata(L, 1);
    const struct tg_subscription *subscription = lua_touserdata(L, 2);
    tg_world_forget(&host->world, L, subscription->script_ref);
    return 0;
}

static void on_forget_subscription(struct tg_script *script, struct tg_subscription *subscription)
{
    struct tg_host *host = tg_host_of(script);
    tg_call_protected(host->world.L, forget_topic_body, host, subscription);
    subscription->script_ref = 0;
}

/* ---- from generation to generation ---- */

static void on_release(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = tg_host_of(script);
    tg_conn_move_release(&host->tasks, conn);
    tg_host_note_run(host);
}

static void on_expire(struct tg_script *script, struct tg_conn *conn)
{
    (void)script;
    tg_conn_move_expire(conn);
}

static enum tg_status on_move_out(struct tg_script *script, struct tg_conn *conn, struct tg_buf *state)
{
    struct tg_host *host = tg_host_of(script);
    enum tg_status status = tg_conn_move_out(host, conn, state);
    tg_host_note_run(host);
    return status;
}

static enum tg_outcome on_move_in(struct tg_script *script, struct tg_conn *conn, struct tg_slice state,
                                  uint32_t from)
{
    struct tg_host *host = tg_host_of(script);
    enum tg_outcome outcome = tg_conn_move_in(host, conn, state, from);
    tg_host_note_run(host);
    return outcome;
}

const struct tg_script_ops tg_host_ops = {
    .admit = on_admit,
    .authenticate = on_authenticate,
    .groups = on_groups,
    .connected = on_connected,
    .message = on_message,
    .frame = on_frame,
    .disconnected = on_disconnected,
    .cancel = on_cancel,
    .forget = on_forget,
    .turn = on_turn,
    .has_more = on_has_more,
    .publish_event = on_publish_event,
    .publish_message = on_publish_message,
    .begin = tg_host_begin,
    .retire = tg_host_retire,
    .release = on_release,
    .expire = on_expire,
    .move_out = on_move_out,
    .move_in = on_move_in,
    .task_count = tg_host_task_count,
    .stop = tg_host_stop,
    .end = tg_host_end,
    .close = tg_host_close_script,
    .subscribe = on_subscribe,
    .unsubscribe = on_unsubscribe,
    .forget_subscription = on_forget_subscription,
};
