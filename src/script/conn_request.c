#include "script/conn_request.h"

#include "core/conn.h"
#include "core/worker.h"
#include "wire/pairs.h"

#include <lauxlib.h>
#include <string.h>

static void push_slice(lua_State *L, struct tg_slice slice)
{
    lua_pushlstring(L, slice.length ? slice.data : "", slice.length);
}

/* The first of two equal names wins. [-0, +1, e] */
static void push_pairs(lua_State *L, const struct tg_pairs *pairs)
{
    lua_createtable(L, 0, (int)pairs->count);
    for (uint32_t i = pairs->count; i-- > 0;) {
        push_slice(L, pairs->items[i].name);
        push_slice(L, pairs->items[i].value);
        lua_rawset(L, -3);
    }
}

/* What is parsed is copied into Lua at once. */
static void push_parsed(lua_State *L, struct tg_arena *arena, struct tg_slice text,
                        enum tg_status (*parse)(struct tg_slice, struct tg_arena *, struct tg_pairs *))
{
    struct tg_pairs pairs = {0};
    if (parse(text, arena, &pairs) != TG_OK) luaL_error(L, "not enough memory");
    push_pairs(L, &pairs);
}

void tg_push_params(lua_State *L, const struct tg_param *params, uint32_t count)
{
    lua_createtable(L, 0, (int)count);
    for (uint32_t i = 0; i < count; i++) {
        const struct tg_param *param = &params[i];
        push_slice(L, param->name);
        if (param->type == TG_PARAM_INTEGER)
            lua_pushinteger(L, param->integer);
        else
            push_slice(L, param->value);
        lua_rawset(L, -3);
    }
}

void tg_request_push(lua_State *L, const struct tg_request *request, struct tg_arena *arena, const char *key)
{
    if (strcmp(key, "path") == 0) {
        push_slice(L, request->path);
    } else if (strcmp(key, "peer") == 0) {
        push_slice(L, request->peer);
    } else if (strcmp(key, "params") == 0) {
        tg_push_params(L, request->params, request->param_count);
    } else if (strcmp(key, "headers") == 0) {
        push_pairs(L, &request->headers);
    } else if (strcmp(key, "query") == 0) {
        push_parsed(L, arena, request->query, tg_query_parse);
    } else if (strcmp(key, "cookies") == 0) {
        push_parsed(L, arena, tg_pairs_get(&request->headers, TG_SLICE("cookie")), tg_cookie_parse);
    } else if (strcmp(key, "subprotocol") == 0 && request->subprotocol.length) {
        push_slice(L, request->subprotocol);
    } else {
        lua_pushnil(L);
    }
}

void tg_request_push_all(lua_State *L, const struct tg_request *request, struct tg_arena *arena)
{
    static const char *const keys[] = {"path",    "params", "query",      "headers",
                                       "cookies", "peer",   "subprotocol"};
    lua_createtable(L, 0, sizeof keys / sizeof keys[0]);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        tg_request_push(L, request, arena, keys[i]);
        lua_setfield(L, -2, keys[i]);
    }
}

/* The worker's message arena is used by nothing else while Lua runs on a message that has been converted. */
void tg_conn_request_push(lua_State *L, struct tg_conn *conn, const char *key)
{
    tg_request_push(L, conn->request, &conn->worker->arena, key);
}

void tg_conn_request_push_all(lua_State *L, struct tg_conn *conn)
{
    tg_request_push_all(L, conn->request, &conn->worker->arena);
}
