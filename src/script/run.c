/* The bodies are C functions under the protection of a coroutine: they find their run through the task, build
 * the arguments, call Lua, and send what it returned, perhaps after it has waited. */
#include "script/run.h"

#include "core/completion.h"
#include "core/credential.h"
#include "core/topic.h"
#include "core/turn.h"
#include "core/worker.h"
#include "script/admission.h"
#include "script/conn_handle.h"
#include "script/message_type.h"
#include "script/run_failure.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* ---- bodies: (refs) ---- */

struct tg_run *tg_run_of(lua_State *L)
{
    return tg_task_of(L)->context;
}

void tg_run_push_conn(lua_State *L, struct tg_run *run)
{
    if (run->conn->script_ref)
        lua_rawgeti(L, 1, run->conn->script_ref);
    else
        tg_conn_handle_push(run->world, L, run->conn);
}

/* Hooks answer nothing; a message that one returned would be lost without a word. */
static int hook_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const struct tg_run *run = tg_run_of(L);
    if (tg_message_type_of_instance(L, -1))
        luaL_error(L, "%s: %s returned a message: only handlers of messages reply, a hook sends with %s:send",
                   tg_run_source(run), run->what, run->subscription ? "sub" : "conn");
    return 0;
}

const char *tg_run_source(const struct tg_run *run)
{
    return run->subscription ? run->subscription->topic->stream.source.data
                             : run->conn->consumer->source.data;
}

int tg_run_call_hook(lua_State *L, int arguments)
{
    lua_callk(L, arguments, 1, 0, hook_done);
    return hook_done(L, LUA_OK, 0);
}

/* receive(conn, data, is_binary), binary(conn, data) */
static int frame_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    const struct tg_hooks *hooks = tg_hooks_of(run->conn);
    lua_rawgeti(L, 1, run->conn->consumer->is_text ? hooks->receive : hooks->binary);
    tg_run_push_conn(L, run);
    lua_pushlstring(L, run->data.data ? run->data.data : "", run->data.length);
    lua_pushboolean(L, run->is_binary);
    return tg_run_call_hook(L, 3);
}

/* connected(consumer, conn) */
static int connected_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->connected);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->object);
    tg_run_push_conn(L, run);
    return tg_run_call_hook(L, 2);
}

/* disconnected(consumer, conn, code, reason) */
static int disconnected_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->disconnected);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->object);
    tg_run_push_conn(L, run);
    lua_pushinteger(L, run->code);
    lua_pushlstring(L, run->data.data ? run->data.data : "", run->data.length);
    return tg_run_call_hook(L, 4);
}

static void begin_time(struct tg_run *run);

/* reloaded(consumer, conn, from_generation) */
int tg_run_call_reloaded(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    run->what = "reloaded";
    run->is_authentication = false;
    if (run->task) begin_time(run);
    if (!tg_hooks_of(run->conn)->reloaded) return 0;
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->reloaded);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->object);
    tg_run_push_conn(L, run);
    lua_pushinteger(L, run->from);
    return tg_run_call_hook(L, 3);
}

/* ---- waiting ---- */

static void end_late(struct tg_run *run)
{
    run->is_late = true;
    tg_task_cancel(run->task);
}

static void too_late(struct tg_timer *timer)
{
    end_late(TG_CONTAINER(timer, struct tg_run, timer));
}

void tg_run_retire(struct tg_run *run)
{
    if (run->is_late) return;
    run->is_retired = true;
    end_late(run);
}

static uint64_t timeout_of(const struct tg_run *run)
{
    if (run->is_farewell) return 0;
    if (run->is_authentication) return tg_admission_timeout_ms(run);
    return run->action && run->action->timeout_ms ? run->action->timeout_ms
                                                  : run->world->config->handler_timeout_ms;
}

static void begin_time(struct tg_run *run)
{
    struct tg_worker *worker = run->conn->worker;
    uint64_t timeout_ms = timeout_of(run);
    if (timeout_ms) tg_worker_arm(worker, &run->timer, tg_worker_now_ms(worker) + timeout_ms);
}

/* The run moves to the heap, and its ref, which lies in the message, with it. */
static bool park(struct tg_task *task)
{
    const struct tg_run *run = task->context;
    struct tg_run *copy = malloc(sizeof *copy + run->ref.string.length);
    if (!copy) return false;
    *copy = *run;
    copy->envelope = NULL;
    copy->data = (struct tg_slice){0};
    copy->task = task;
    if (run->ref.type == TG_REF_STRING) {
        char *text = (char *)(copy + 1);
        memcpy(text, run->ref.string.data, run->ref.string.length);
        copy->ref.string.data = text;
    }
    tg_timer_init(&copy->timer, too_late);
    begin_time(copy);
    task->context = copy;
    return true;
}

static void note_end(const struct tg_run *run, uint64_t now_ns)
{
    tg_times_note(&run->handler->wall, now_ns - run->began_ns);
    tg_times_note(&run->handler->held, run->held_ns);
}

/* What follows the last that a client gets of a message or an event. */
static void complete(const struct tg_run *run)
{
    if (tg_run_is_event(run)) tg_conn_complete(run->conn, TG_EVENT_COMPLETE, NULL);
    if (run->is_data) tg_conn_complete(run->conn, TG_COMPLETE, &run->ref);
}

/* After a wait. Whoever cancels what belongs to a connection that has ended knows of it already. */
static void ended(struct tg_task_pool *pool, void *context, enum tg_task_ending ending)
{
    (void)pool;
    struct tg_run *run = context;
    struct tg_conn *conn = run->conn;
    bool is_expected = ending != TG_TASK_CANCELLED || run->is_late, is_renewal = run->is_renewal;
    enum tg_outcome outcome = ending == TG_TASK_DONE ? TG_DONE : TG_FAILED;
    note_end(run, tg_turn_now_ns());
    if (run->is_late && ending == TG_TASK_CANCELLED) tg_run_tell_late(run, timeout_of(run));
    tg_wheel_disarm(&conn->worker->wheel, &run->timer);
    if (is_expected) complete(run);
    free(run);
    if (is_expected && is_renewal)
        tg_credential_asked(conn, outcome);
    else if (is_expected)
        tg_conn_ended(conn, outcome);
}

/* A slice of the loop's time: from a resume to the next wait, or to the end. */
static void held(void *context, uint64_t from_ns, uint64_t to_ns)
{
    struct tg_run *run = context;
    if (!run->began_ns) run->began_ns = from_ns;
    run->held_ns += to_ns - from_ns;
    tg_turn_note(&run->conn->worker->turns, run->handler, to_ns - from_ns);
}

static const struct tg_task_kind kind = {
    .park = park, .held = held, .failed = tg_run_tell_failure, .ended = ended};

struct tg_run *tg_run_of_task(const struct tg_task *task)
{
    return task->kind == &kind ? task->context : NULL;
}

static enum tg_outcome run_task(struct tg_task_pool *pool, struct tg_run *run, const struct tg_task_kind *as,
                                lua_CFunction body)
{
    enum tg_outcome outcome = tg_task_run(pool, run->conn, as, body, run);
    /* One that has waited is another copy by now. */
    if (outcome != TG_WAITING) note_end(run, run->began_ns + run->held_ns);
    return outcome;
}

enum tg_outcome tg_run_task(struct tg_task_pool *pool, struct tg_run *run, lua_CFunction body)
{
    return run_task(pool, run, &kind, body);
}

enum tg_outcome tg_run_at_once(struct tg_task_pool *pool, struct tg_run *run, lua_CFunction body)
{
    static const struct tg_task_kind at_once = {
        .at_once =
            "cannot wait inside migrate: what has to wait belongs into the hook `reloaded`, which runs "
            "behind it",
        .held = held,
        .failed = tg_run_tell_failure};
    return run_task(pool, run, &at_once, body);
}

enum tg_outcome tg_run_frame(struct tg_task_pool *pool, struct tg_run *run)
{
    return tg_run_task(pool, run, frame_body);
}

enum tg_outcome tg_run_connected(struct tg_task_pool *pool, struct tg_run *run)
{
    return tg_run_task(pool, run, connected_body);
}

enum tg_outcome tg_run_disconnected(struct tg_task_pool *pool, struct tg_run *run)
{
    return tg_run_task(pool, run, disconnected_body);
}
