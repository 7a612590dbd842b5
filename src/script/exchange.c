/* The run of a handler needs no struct of its own: the exchange outlives it. Whatever happens, the exchange
 * is answered when the task has ended, unless core has cancelled it.
 */
#include "script/exchange.h"

#include "core/turn.h"
#include "core/worker.h"
#include "script/conn_move.h"
#include "script/conn_request.h"
#include "script/exchange_answer.h"
#include "script/payload.h"
#include "script/to_lua.h"

#include <lauxlib.h>

/* ---- bodies: (refs) ---- */

/* Pushes { method =, path =, ..., body =, payload = }; the key table lies at 2. [-0, +1, e] */
static void push_request(lua_State *L, const struct tg_exchange *exchange)
{
    struct tg_world *world = tg_task_of(L)->pool->world;
    const char *method = tg_http_method_name(exchange->method);
    if (world->arena.chunks) tg_arena_reset(&world->arena);
    tg_request_push_all(L, exchange->request, &world->arena);
    lua_pushstring(L, method);
    lua_setfield(L, -2, "method");
    struct tg_slice body = tg_buf_peek(&exchange->body);
    lua_pushlstring(L, body.length ? body.data : "", body.length);
    lua_setfield(L, -2, "body");
    if (!exchange->payload) return;
    tg_push_value(L, 1, 2, exchange->payload);
    lua_setfield(L, -2, "payload");
}

/* Makes the defaults and runs the checks of the request on top. False: a check was not content, and the
 * client has been told. */
static bool finish_payload(lua_State *L, struct tg_exchange *exchange)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_issues issues;
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    issues.counts = worker->issue_counts;
    const struct tg_payload_work work = {.world = tg_task_of(L)->pool->world,
                                         .arena = &worker->arena,
                                         .issues = &issues,
                                         .holder = lua_gettop(L)};
    tg_payload_work(&work, L, exchange->calls);
    if (issues.count == 0) return true;
    tg_issues_finish(&issues);
    tg_exchange_write_issues(exchange, tg_buf_peek(&worker->issues));
    return false;
}

static int handler_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_exchange *exchange = tg_task_of(L)->context;
    tg_exchange_write_answer(tg_task_of(L)->pool->world, L, exchange);
    return 0;
}

static int handler_body(lua_State *L)
{
    struct tg_exchange *exchange = tg_task_of(L)->context;
    lua_rawgeti(L, 1, TG_REF_KEYS);
    lua_rawgeti(L, 1, exchange->route->script_ref);
    push_request(L, exchange);
    tg_watchdog_restart();
    if (exchange->calls && !finish_payload(L, exchange)) return 0;
    lua_callk(L, 1, 3, 0, handler_done);
    return handler_done(L, LUA_OK, 0);
}

/* ---- the task ---- */

static bool park(struct tg_task *task)
{
    struct tg_exchange *exchange = task->context;
    exchange->script_task = task;
    return true;
}

static void held(void *context, uint64_t from_ns, uint64_t to_ns)
{
    struct tg_exchange *exchange = context;
    if (!exchange->began_ns) exchange->began_ns = from_ns;
    exchange->held_ns += to_ns - from_ns;
    tg_turn_note(&exchange->worker->turns, exchange->route->handler, to_ns - from_ns);
}

static void failed(void *context, const struct tg_failure *failure)
{
    struct tg_exchange *exchange = context;
    tg_exchange_write_failure(exchange, failure);
}

static void note_end(const struct tg_exchange *exchange, uint64_t now_ns)
{
    tg_times_note(&exchange->route->handler->wall, now_ns - exchange->began_ns);
    tg_times_note(&exchange->route->handler->held, exchange->held_ns);
}

/* And its hooks of on_stop do not run yet. */
static bool has_retired(const struct tg_generation *generation)
{
    return generation->state == TG_GENERATION_RETIRING && !generation->is_stop_awaited;
}

/* After a wait. Who cancels says himself what is answered. What it leaves behind in code that has been
 * replaced ends with it. */
static void ended(struct tg_task_pool *pool, void *context, enum tg_task_ending ending)
{
    struct tg_exchange *exchange = context;
    exchange->script_task = NULL;
    note_end(exchange, tg_turn_now_ns());
    if (ending != TG_TASK_CANCELLED) tg_exchange_answered(exchange);
    if (has_retired(pool->world->generation)) tg_conn_move_release_nobodys(pool);
}

void tg_script_exchange_run(struct tg_task_pool *pool, struct tg_exchange *exchange)
{
    static const struct tg_task_kind kind = {
        .is_request = true, .park = park, .held = held, .failed = failed, .ended = ended};
    if (tg_task_run(pool, NULL, &kind, handler_body, exchange) == TG_WAITING) return;
    note_end(exchange, exchange->began_ns + exchange->held_ns);
    tg_exchange_answered(exchange);
}

void tg_script_exchange_cancel(struct tg_exchange *exchange)
{
    tg_task_end(exchange->script_task);
}
