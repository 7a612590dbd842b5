/* What the user calls is a C function, so that errors find the user's line right behind it; it has Lua check
 * what it was given, and then waits.
 *
 * The request is a to-be-closed variable of the function that waits: however that ends, the transfer ends
 * with it. The body that is sent is never copied: the box of the request holds on to its string. */
#include "script/libs/http.h"

#include "core/fetch.h"
#include "script/scratch.h"
#include "script/task.h"
#include "script/to_json.h"
#include "script/to_lua.h"
#include "wire/json.h"

#include <lauxlib.h>

struct request {
    struct tg_fetch fetch;
    struct tg_wait wait;
};

/* The world; what checks the arguments; the metatables of responses and of requests. */
enum { UPVALUE_WORLD = 1, UPVALUE_PREPARE, UPVALUE_RESPONSE, UPVALUE_REQUEST };

/* What `prepare` returns, and behind it what is sent. */
enum { AT_URL = 1, AT_METHOD, AT_HEADERS, AT_BODY, AT_TIMEOUT, AT_MAX_BYTES, AT_REDIRECTS, AT_REQUEST };

enum { REDIRECTS = 5 };

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(UPVALUE_WORLD));
}

static struct tg_slice slice_at(lua_State *L, int index)
{
    struct tg_slice text;
    text.data = lua_tolstring(L, index, &text.length);
    return text;
}

static void push_slice(lua_State *L, struct tg_slice slice)
{
    lua_pushlstring(L, slice.length ? slice.data : "", slice.length);
}

/* ---- the box ---- */

static int close_request(lua_State *L)
{
    tg_fetch_deinit(&((struct request *)lua_touserdata(L, 1))->fetch);
    return 0;
}

static void on_done(struct tg_fetch *fetch)
{
    tg_task_wake(&TG_CONTAINER(fetch, struct request, fetch)->wait);
}

static void on_given_up(struct tg_wait *wait)
{
    tg_fetch_deinit(&TG_CONTAINER(wait, struct request, wait)->fetch);
}

/* At AT_REQUEST. [-0, +1, e] */
static struct request *push_request(lua_State *L)
{
    struct request *request = lua_newuserdatauv(L, sizeof *request, 1);
    tg_fetch_init(&request->fetch, on_done);
    request->wait = (struct tg_wait){.cancel = on_given_up};
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_REQUEST));
    lua_setmetatable(L, -2);
    lua_pushvalue(L, AT_BODY);
    lua_setiuservalue(L, -2, 1);
    lua_toclose(L, -1);
    return request;
}

/* ---- asking ---- */

/* The list { name, value, name, value, ... } at AT_HEADERS, which keeps the texts alive, as pairs in the
 * arena. */
static struct tg_pair *read_headers(lua_State *L, struct tg_arena *arena, uint32_t *count)
{
    *count = (uint32_t)(lua_rawlen(L, AT_HEADERS) / 2);
    struct tg_pair *pairs = tg_world_check_memory(L, tg_arena_calloc(arena, *count + 1, sizeof *pairs));
    for (uint32_t i = 0; i < *count; i++) {
        lua_rawgeti(L, AT_HEADERS, 2 * (lua_Integer)i + 1);
        lua_rawgeti(L, AT_HEADERS, 2 * (lua_Integer)i + 2);
        pairs[i] = (struct tg_pair){slice_at(L, -2), slice_at(L, -1)};
        lua_pop(L, 2);
    }
    return pairs;
}

static uint64_t most(lua_State *L, int index, uint64_t limit)
{
    uint64_t wanted = (uint64_t)luaL_optinteger(L, index, (lua_Integer)limit);
    return wanted < limit ? wanted : limit;
}

static enum tg_status start(struct tg_world *world, lua_State *L, struct request *request)
{
    const struct tg_config *config = world->config;
    struct tg_fetcher *fetcher = world->worker->fetcher;
    if (!fetcher)
        return tg_error_set(&request->fetch.error, TG_E_CLOSED, "connect: there is no network here");
    tg_arena_reset(&world->arena);
    struct tg_fetch_request asked = {
        .url = slice_at(L, AT_URL),
        .method = slice_at(L, AT_METHOD),
        .body = slice_at(L, AT_BODY),
        .timeout_ms =
            (uint64_t)luaL_optinteger(L, AT_TIMEOUT, (lua_Integer)config->fetch_timeout_seconds * 1000),
        .max_bytes = most(L, AT_MAX_BYTES, config->fetch_max_bytes),
        .max_redirects = (uint32_t)luaL_optinteger(L, AT_REDIRECTS, REDIRECTS),
    };
    asked.headers = read_headers(L, &world->arena, &asked.header_count);
    return fetcher->ops->start(fetcher, &request->fetch, &asked, &request->fetch.error);
}

/* ---- the answer ---- */

/* What comes more than once is one list (RFC 9110 5.3), but for cookies: those have commas in them. */
static void push_headers(lua_State *L, const struct tg_fetch *fetch)
{
    struct tg_pair header;
    lua_newtable(L);
    for (size_t position = 0; tg_fetch_next_header(fetch, &position, &header);) {
        push_slice(L, header.name);
        lua_pushvalue(L, -1);
        bool is_cookie = tg_slice_equal(header.name, TG_SLICE("set-cookie"));
        if (lua_rawget(L, -3) == LUA_TNIL) {
            lua_pop(L, 1);
            push_slice(L, header.value);
        } else {
            lua_pushstring(L, is_cookie ? "\n" : ", ");
            push_slice(L, header.value);
            lua_concat(L, 3);
        }
        lua_rawset(L, -3);
    }
}

static int push_failure(lua_State *L, enum tg_status status, const struct tg_error *error)
{
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    luaL_pushfail(L);
    lua_pushstring(L, error->text);
    return 2;
}

static int answered(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const struct request *request = lua_touserdata(L, AT_REQUEST);
    const struct tg_fetch *fetch = &request->fetch;
    if (fetch->status != TG_OK) return push_failure(L, fetch->status, &fetch->error);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, fetch->http_status);
    lua_setfield(L, -2, "status");
    push_slice(L, tg_buf_peek(&fetch->url));
    lua_setfield(L, -2, "url");
    push_headers(L, fetch);
    lua_setfield(L, -2, "headers");
    push_slice(L, tg_buf_peek(&fetch->body));
    lua_setfield(L, -2, "body");
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_RESPONSE));
    lua_setmetatable(L, -2);
    return 1;
}

/* The function that http_function returned: (...) -> response | nil, text */
static int http_request(lua_State *L)
{
    tg_task_check_wait(L);
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_PREPARE));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, AT_REDIRECTS);
    struct request *request = push_request(L);
    enum tg_status status = start(world_of(L), L, request);
    if (status != TG_OK) return push_failure(L, status, &request->fetch.error);
    return tg_task_wait(L, &request->wait, answered, 0);
}

/* http_function(prepare) -> function. `prepare` is called with what the function is, and returns url, method,
 * a list of headers, body|nil, timeout_ms|nil, max_bytes|nil, redirects|nil. */
static int http_function(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_WORLD));
    lua_insert(L, 1);
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_RESPONSE));
    lua_pushvalue(L, lua_upvalueindex(UPVALUE_REQUEST));
    lua_pushcclosure(L, http_request, UPVALUE_REQUEST);
    return 1;
}

/* ---- JSON ---- */

/* response:json() -> value | nil, text */
static int response_json(lua_State *L)
{
    struct tg_world *world = world_of(L);
    if (!lua_istable(L, 1) || lua_getfield(L, 1, "body") != LUA_TSTRING)
        return luaL_error(L, "json is called with a colon: response:json()");
    struct tg_slice text = slice_at(L, -1);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_value value;
    struct tg_error error;
    enum tg_status status =
        tg_json_parse(text, world->config->max_json_depth, &scratch->arena, &value, &error);
    if (status != TG_OK) return push_failure(L, status, &error);
    tg_world_push_refs(world, L);
    tg_push_value(L, lua_gettop(L), 0, &value);
    return 1;
}

/* json_text(value, subject) -> text; what cannot be written is raised, with `subject` in front. */
static int json_text(lua_State *L)
{
    struct tg_world *world = world_of(L);
    const struct tg_subject subject = {.name = slice_at(L, 2), .has_place = true};
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_write_any(world, L, 1, &subject, "json", &scratch->text);
    if (scratch->text.has_failed) return luaL_error(L, "not enough memory");
    push_slice(L, tg_buf_peek(&scratch->text));
    return 1;
}

/* ---- installing ---- */

/* Pushes the metatable of responses, whose methods have the world. [-0, +1, e] */
static void push_response_meta(struct tg_world *world, lua_State *L)
{
    lua_createtable(L, 0, 2);
    lua_createtable(L, 0, 1);
    tg_world_push_self(world, L);
    lua_pushcclosure(L, response_json, 1);
    lua_setfield(L, -2, "json");
    lua_setfield(L, -2, "__index");
    lua_pushliteral(L, "tidegate.response");
    lua_setfield(L, -2, "__name");
}

void tg_http_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__close", close_request}, {"__gc", close_request}, {NULL, NULL}};
    tg_world_push_self(world, L);
    lua_pushnil(L);
    push_response_meta(world, L);
    luaL_newlib(L, metamethods);
    lua_pushcclosure(L, http_function, UPVALUE_REQUEST);
    lua_setfield(L, -2, "http_function");
    tg_world_push_self(world, L);
    lua_pushcclosure(L, json_text, 1);
    lua_setfield(L, -2, "json_text");
}
