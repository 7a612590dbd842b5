/* app:request: a request to a route, without a socket. Its client is gone when the call returns, answered or
 * not; nothing raises while there is an exchange. */
#include "core/exchange.h"
#include "kit/app.h"
#include "kit/methods.h"
#include "kit/request.h"
#include "script/scratch.h"

#include <lauxlib.h>
#include <string.h>

enum { APP = 1, OPTIONS };

struct asked {
    struct tg_exchange_client client;
    bool is_answered;
};

static void answered(struct tg_exchange_client *client)
{
    ((struct asked *)client)->is_answered = true;
}

/* Pushes status, body, headers as text, type. */
static int push_answer(lua_State *L, const struct tg_http_answer *answer, bool is_head)
{
    struct tg_slice body = tg_buf_peek(&answer->body), headers = tg_buf_peek(&answer->headers);
    struct tg_slice type = tg_buf_peek(&answer->type);
    lua_pushinteger(L, answer->status);
    lua_pushlstring(L, body.length ? body.data : "", is_head ? 0 : body.length);
    lua_pushlstring(L, headers.length ? headers.data : "", headers.length);
    lua_pushlstring(L, type.length ? type.data : "", type.length);
    return 4;
}

static struct tg_slice get_text(lua_State *L, const char *name)
{
    struct tg_slice text = {0};
    lua_getfield(L, OPTIONS, name);
    if (lua_type(L, -1) == LUA_TSTRING) text.data = lua_tolstring(L, -1, &text.length);
    lua_pop(L, 1); /* the table keeps it */
    return text;
}

/* Lets time pass until there is an answer. False: the app does not come to rest. */
static bool wait(struct tg_kit_app *app, const struct asked *asked, uint64_t until_ms)
{
    bool has_moved = true;
    bool rests = tg_kit_run(&app->loop);
    while (rests && has_moved && !asked->is_answered) rests = tg_kit_step(&app->loop, until_ms, &has_moved);
    return rests;
}

/* Takes what was answered out of an exchange that is about to be closed. */
static struct tg_http_answer keep(struct tg_http_answer *answer)
{
    struct tg_http_answer kept = *answer;
    tg_http_answer_init(answer);
    return kept;
}

/* An answer that a Lua error may jump over. */
static int collect_answer(lua_State *L)
{
    tg_http_answer_deinit(lua_touserdata(L, 1));
    return 0;
}

static struct tg_http_answer *push_box(lua_State *L)
{
    struct tg_http_answer *answer = lua_newuserdatauv(L, sizeof *answer, 0);
    tg_http_answer_init(answer);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, collect_answer);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return answer;
}

/* app:request(options) -> status, body, headers, type; nil: no answer in the time that the options give;
 * false: no route is for the path */
int tg_kit_exchange(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, APP);
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    lua_getfield(L, OPTIONS, "timeout");
    uint64_t until_ms = tg_kit_now_ms(&app->loop) + tg_kit_check_ms(L, -1);
    struct tg_scratch *scratch = tg_scratch_push(&tg_kit_host(app)->world, L);
    struct tg_slice body = get_text(L, "body");
    struct tg_http_head head = {.method = tg_http_method_of(get_text(L, "method")),
                                .body_bytes = body.length};
    tg_kit_request_read(L, OPTIONS, &scratch->arena, &head.request);
    head.content_type = tg_kit_request_header(&head.request, "content-type");
    struct tg_http_match match;
    tg_http_routes_find(&app->worker.generation->registry.routes, head.method, head.request.path, &match);
    lua_pushboolean(L, 0);
    if (!match.methods) return 1;
    static const struct tg_texts no_headers = {0};
    tg_kit_request_keep(&head.request, match.route ? &match.route->headers : &no_headers);
    struct tg_http_answer *answer = push_box(L);
    struct asked asked = {.client.answered = answered};
    tg_kit_enter(app);
    struct tg_exchange *exchange = tg_exchange_begin(&app->worker, &match, &head, &asked.client, answer);
    bool rests = true, is_answered = !exchange;
    if (exchange) {
        tg_exchange_read(exchange, body);
        tg_exchange_run(exchange);
        rests = wait(app, &asked, until_ms);
        is_answered = asked.is_answered;
        if (is_answered) *answer = keep(&exchange->answer);
        tg_exchange_close(exchange);
    }
    tg_kit_leave(app);
    tg_kit_check_rest(L, rests);
    if (!is_answered) return lua_pushnil(L), 1;
    return push_answer(L, answer, head.method == TG_HTTP_HEAD);
}
