/* The answer is put into the fetch at once, through the same functions as one from the network, so that
 * limits hold; only that it is there is told later. A transfer is owned by its fetch, which cancels or ends
 * it. */
#include "kit/fetcher.h"

#include "base/log.h"
#include "kit/alloc.h"
#include "kit/app.h"
#include "kit/stub.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

struct transfer {
    struct tg_kit_fetcher *owner;
    struct tg_fetch *fetch;
    struct tg_timer timer;
    struct tg_kit_event event;              /* of an answer that comes at once */
    const struct tg_fetch_request *request; /* borrowed while it starts */
    uint64_t delay_ms;
};

static struct tg_kit_fetcher *of(struct tg_fetcher *fetcher)
{
    return (struct tg_kit_fetcher *)fetcher;
}

static void push_slice(lua_State *L, struct tg_slice text)
{
    lua_pushlstring(L, text.length ? text.data : "", text.length);
}

/* { method =, url =, headers = { [name] = value }, body = } */
static void push_request(lua_State *L, void *context)
{
    const struct tg_fetch_request *request = ((struct transfer *)context)->request;
    lua_createtable(L, 0, 4);
    push_slice(L, request->method);
    lua_setfield(L, -2, "method");
    push_slice(L, request->url);
    lua_setfield(L, -2, "url");
    lua_createtable(L, 0, (int)request->header_count);
    for (uint32_t i = 0; i < request->header_count; i++) {
        push_slice(L, request->headers[i].name);
        push_slice(L, request->headers[i].value);
        lua_rawset(L, -3);
    }
    lua_setfield(L, -2, "headers");
    if (!request->body.data) return;
    push_slice(L, request->body);
    lua_setfield(L, -2, "body");
}

static bool add_header(lua_State *L, struct tg_fetch *fetch)
{
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
        luaL_error(L, "a stub's headers are a table of names and texts");
    lua_pushfstring(L, "%s: %s\r\n", lua_tostring(L, -2), luaL_tolstring(L, -1, NULL));
    struct tg_slice line;
    line.data = lua_tolstring(L, -1, &line.length);
    bool is_taken = tg_fetch_add_header(fetch, line);
    lua_pop(L, 2);
    return is_taken;
}

static void read_headers(lua_State *L, struct tg_fetch *fetch)
{
    bool goes_on = tg_fetch_add_header(fetch, TG_SLICE("HTTP/1.1 200 OK\r\n"));
    if (lua_getfield(L, -1, "headers") == LUA_TTABLE)
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1))
            if (goes_on) goes_on = add_header(L, fetch);
    lua_pop(L, 1);
    if (goes_on) tg_fetch_add_header(fetch, TG_SLICE("\r\n"));
}

/* { status =, headers =, body =, delay =, error = } */
static void read_answer(lua_State *L, void *context)
{
    struct transfer *transfer = context;
    struct tg_fetch *fetch = transfer->fetch;
    struct tg_slice body;
    transfer->delay_ms = tg_kit_stub_delay_ms(L);
    if (lua_getfield(L, -1, "error") != LUA_TNIL) {
        fetch->status = tg_error_set(&fetch->error, TG_E_IO, "%s", luaL_checkstring(L, -1));
        lua_pop(L, 1);
        return;
    }
    lua_getfield(L, -2, "status");
    lua_Integer status = luaL_optinteger(L, -1, 200);
    if (status < 100 || status > 999) luaL_error(L, "a stub's status is a number from 100 to 999");
    fetch->http_status = (uint16_t)status;
    lua_pop(L, 2);
    read_headers(L, fetch);
    lua_getfield(L, -1, "body");
    body.data = luaL_optlstring(L, -1, "", &body.length);
    if (fetch->status == TG_OK) tg_fetch_add_body(fetch, body);
    lua_pop(L, 1);
}

static void forget(struct transfer *transfer)
{
    struct tg_worker *worker = &transfer->owner->app->worker;
    tg_wheel_disarm(&worker->wheel, &transfer->timer);
    tg_list_remove(&transfer->event.link);
    worker->metrics.fetches_running--;
    transfer->fetch->fetcher = NULL;
    transfer->fetch->transfer = NULL;
    free(transfer);
}

static void answer(struct transfer *transfer)
{
    struct tg_fetch *fetch = transfer->fetch;
    struct tg_metrics *metrics = &transfer->owner->app->worker.metrics;
    if (fetch->status != TG_OK) metrics->fetch_errors++;
    if (fetch->status == TG_E_TOO_LARGE) metrics->fetches_too_large++;
    forget(transfer);
    fetch->on_done(fetch);
}

static void time_has_come(struct tg_timer *timer)
{
    answer(TG_CONTAINER(timer, struct transfer, timer));
}

static void happen(struct tg_kit_event *event)
{
    answer(TG_CONTAINER(event, struct transfer, event));
}

/* An answer that would come later than it may does not come at all. */
static void apply_timeout(struct transfer *transfer, uint64_t timeout_ms)
{
    struct tg_fetch *fetch = transfer->fetch;
    if (transfer->delay_ms <= timeout_ms) return;
    transfer->delay_ms = timeout_ms;
    transfer->owner->app->worker.metrics.fetch_timeouts++;
    fetch->status =
        tg_error_set(&fetch->error, TG_E_IO, "timeout: no whole answer after %" PRIu64 " ms", timeout_ms);
}

static void ask(struct transfer *transfer, struct tg_slice subject, struct tg_error *error)
{
    const struct tg_kit_question question = {"http", subject, push_request, read_answer, transfer};
    struct tg_fetch *fetch = transfer->fetch;
    enum tg_status status = tg_kit_stub_ask(transfer->owner->app, &question, error);
    if (status == TG_OK) return;
    if (status == TG_E_NOT_FOUND)
        tg_error_set(error, TG_E_IO,
                     "connect: nothing answers %.*s in a spec: app:stub_http(pattern, response)",
                     TG_SLICE_ARG(subject));
    tg_log(TG_LOG_ERROR, "stub_failed", TG_LOG_S("error", error->text));
    fetch->error = *error;
    fetch->status = TG_E_IO;
}

static enum tg_status start(struct tg_fetcher *core, struct tg_fetch *fetch,
                            const struct tg_fetch_request *request, struct tg_error *error)
{
    struct tg_kit_fetcher *fetcher = of(core);
    struct tg_worker *worker = &fetcher->app->worker;
    struct transfer *transfer = calloc(1, sizeof *transfer);
    char *subject = malloc(request->method.length + request->url.length + 2);
    if (!transfer || !subject) {
        free(transfer);
        free(subject);
        return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    }
    int length = sprintf(subject, "%.*s %.*s", TG_SLICE_ARG(request->method), TG_SLICE_ARG(request->url));
    *transfer = (struct transfer){.owner = fetcher, .fetch = fetch, .request = request};
    tg_timer_init(&transfer->timer, time_has_come);
    tg_kit_event_init(&transfer->event, happen);
    fetch->max_bytes = request->max_bytes;
    fetch->status = TG_OK;
    tg_buf_append_slice(&fetch->url, request->url);
    worker->metrics.fetches++;
    worker->metrics.fetches_running++;
    fetch->fetcher = core;
    fetch->transfer = transfer;
    ask(transfer, (struct tg_slice){subject, (size_t)length}, error);
    free(subject);
    apply_timeout(transfer, request->timeout_ms);
    if (transfer->delay_ms > 0)
        tg_worker_arm(worker, &transfer->timer, tg_worker_now_ms(worker) + transfer->delay_ms);
    else
        tg_kit_post(&fetcher->app->loop, &transfer->event);
    return TG_OK;
}

static void cancel(struct tg_fetcher *fetcher, struct tg_fetch *fetch)
{
    (void)fetcher;
    forget(fetch->transfer);
}

void tg_kit_fetcher_init(struct tg_kit_fetcher *fetcher, struct tg_kit_app *app)
{
    static const struct tg_fetcher_ops ops = {start, cancel};
    *fetcher = (struct tg_kit_fetcher){.core.ops = &ops, .app = app};
}
