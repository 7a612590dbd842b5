/* It runs as a task of the generation, in a call that no wait can pass: the client is owed its answer in this
 * turn of the loop. Invariant: whatever goes wrong refuses.
 */
#include "script/admit.h"

#include "base/log.h"
#include "base/utf8.h"
#include "core/turn.h"
#include "core/worker.h"
#include "script/conn_request.h"
#include "script/declare.h"
#include "script/headers.h"
#include "script/place.h"
#include "script/scratch.h"
#include "script/table.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

enum { STATUS_MIN = 400, STATUS_MAX = 599, STATUS_DEFAULT = 403, RESULTS = 4 };

struct asking {
    struct tg_world *world;
    const struct tg_consumer *consumer;
    const struct tg_request *request;
    struct tg_refusal *refusal;
    struct tg_handler *handler;
    bool is_admitted;
};

/* ---- what it answers: true | false [, status [, detail [, headers]]] ---- */

static unsigned read_status(lua_State *L, int index, const char *what)
{
    int is_integer;
    if (lua_isnil(L, index)) return STATUS_DEFAULT;
    lua_Integer status = lua_tointegerx(L, index, &is_integer);
    if (lua_type(L, index) != LUA_TNUMBER || !is_integer || status < STATUS_MIN || status > STATUS_MAX)
        luaL_error(L, "%s %s as a status: it is an integer from %d to %d", what,
                   luaL_tolstring(L, index, NULL), STATUS_MIN, STATUS_MAX);
    return (unsigned)status;
}

static struct tg_slice read_detail(lua_State *L, int index, const char *what)
{
    struct tg_slice detail = TG_SLICE("The connection was refused");
    if (lua_isnil(L, index)) return detail;
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s %s as a detail: it is a sentence", what, tg_place_push_kind(L, index));
    detail.data = lua_tolstring(L, index, &detail.length);
    if (!tg_utf8_is_valid(detail.data, detail.length)) luaL_error(L, "%s a detail that is not UTF-8", what);
    return detail;
}

/* What is in the box, in the worker's arena. */
static struct tg_slice keep(lua_State *L, const struct asking *asking, const struct tg_buf *text)
{
    struct tg_slice copy = {0};
    if (!text->has_failed) copy = tg_arena_copy(&asking->world->worker->arena, tg_buf_peek(text));
    if (!copy.data) luaL_error(L, "not enough memory");
    return copy;
}

/* The four results are on top. */
static void read_refusal(lua_State *L, struct asking *asking)
{
    int status = lua_gettop(L) - RESULTS + 2, detail = status + 1, headers = status + 2;
    const char *what = lua_pushfstring(L, "%s: admit returned", asking->consumer->source.data);
    struct tg_refusal refusal = {.status = read_status(L, status, what)};
    struct tg_slice sentence = read_detail(L, detail, what);
    struct tg_scratch *scratch = tg_scratch_push(asking->world, L);
    what = lua_pushfstring(L, "%s: what admit returned", asking->consumer->source.data);
    tg_buf_append_literal(&scratch->text, "{\"detail\":");
    tg_json_write_string(&scratch->text, sentence);
    tg_buf_append_char(&scratch->text, '}');
    refusal.body = keep(L, asking, &scratch->text);
    tg_buf_truncate(&scratch->text, 0);
    tg_answer_headers_write(L, headers, what, &scratch->text);
    refusal.headers = keep(L, asking, &scratch->text);
    lua_pop(L, 1);
    tg_scratch_pop(L);
    *asking->refusal = refusal;
}

static int admit_body(lua_State *L)
{
    struct asking *asking = tg_task_of(L)->context;
    const struct tg_hooks *hooks = asking->consumer->script_data;
    lua_rawgeti(L, 1, hooks->admit);
    tg_request_push_all(L, asking->request, &asking->world->worker->arena);
    tg_watchdog_restart();
    lua_call(L, 1, RESULTS);
    int verdict = lua_gettop(L) - RESULTS + 1;
    if (!lua_isboolean(L, verdict))
        luaL_error(L, "%s: admit returned %s: it returns true, or false, a status and a sentence",
                   asking->consumer->source.data, tg_place_push_kind(L, verdict));
    asking->is_admitted = lua_toboolean(L, verdict);
    if (!asking->is_admitted) read_refusal(L, asking);
    return 0;
}

/* ---- running it ---- */

static void failed(void *context, const struct tg_failure *failure)
{
    const struct asking *asking = context;
    struct tg_slice source = asking->consumer->source;
    char place[sizeof failure->file + 16];
    if (failure->file[0]) {
        snprintf(place, sizeof place, "%s:%d", failure->file, failure->line);
        source = tg_slice_of(place);
    }
    asking->world->worker->metrics.handler_errors++;
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, "admit_failed"),
           TG_LOG_STR("consumer", asking->consumer->name), TG_LOG_STR("source", source),
           TG_LOG_STR("error", failure->message), TG_LOG_STR("traceback", failure->traceback));
}

/* The loop was its own from the begin to the end. */
static void held(void *context, uint64_t from_ns, uint64_t to_ns)
{
    const struct asking *asking = context;
    tg_times_note(&asking->handler->wall, to_ns - from_ns);
    tg_times_note(&asking->handler->held, to_ns - from_ns);
    tg_turn_note(&asking->world->worker->turns, asking->handler, to_ns - from_ns);
}

bool tg_admit(struct tg_task_pool *pool, const struct tg_consumer *consumer, const struct tg_request *request,
              struct tg_refusal *refusal)
{
    static const struct tg_task_kind kind = {
        .at_once = "cannot wait inside admit: the client has no connection yet, and is answered at once; "
                   "`authenticate` may wait",
        .held = held,
        .failed = failed,
    };
    struct asking asking = {.world = pool->world,
                            .consumer = consumer,
                            .request = request,
                            .refusal = refusal,
                            .handler = &consumer->counters->hooks[TG_HOOK_ADMIT]};
    *refusal = (struct tg_refusal){.status = 500, .body = TG_SLICE("{\"detail\":\"Internal Server Error\"}")};
    asking.handler->messages++;
    if (tg_task_run(pool, NULL, &kind, admit_body, &asking) == TG_DONE) return asking.is_admitted;
    refusal->status = 500; /* it may have failed halfway through its answer */
    return false;
}
