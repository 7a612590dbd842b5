/* app:connect, and the methods of links. */
#include "core/upgrade.h"
#include "kit/app.h"
#include "kit/methods.h"
#include "kit/request.h"
#include "script/call.h"
#include "script/conn_user.h"
#include "script/host.h"

#include <ctype.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { APP = 1, OPTIONS };

/* ---- connecting ---- */

/* Sets the header "Name: value" in the table on top, as a client reads it: by its name in lower case, several
 * of one name joined (RFC 9110 5.2). [-0, +0, e] */
static void set_header(lua_State *L, struct tg_slice line)
{
    char name[64];
    size_t length = 0;
    for (; length < line.length && length < sizeof name && line.data[length] != ':'; length++)
        name[length] = (char)tolower((unsigned char)line.data[length]);
    struct tg_slice value = {line.data + length + 2, line.length - length - 2};
    lua_pushlstring(L, name, length);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, -3) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_pushlstring(L, value.data, value.length);
    } else {
        lua_pushliteral(L, ", ");
        lua_pushlstring(L, value.data, value.length);
        lua_concat(L, 3);
    }
    lua_rawset(L, -3);
}

static void set_headers(lua_State *L, struct tg_slice lines)
{
    while (lines.length) {
        size_t length = (size_t)((char *)memchr(lines.data, '\r', lines.length) - lines.data);
        set_header(L, (struct tg_slice){lines.data, length});
        lines.data += length + 2, lines.length -= length + 2;
    }
}

static int push_refusal(lua_State *L, const struct tg_refusal *refusal)
{
    luaL_pushfail(L);
    lua_pushinteger(L, refusal->status);
    lua_pushlstring(L, refusal->body.data, refusal->body.length);
    lua_createtable(L, 0, 3);
    lua_pushliteral(L, "application/json");
    lua_setfield(L, -2, "content-type");
    lua_pushinteger(L, (lua_Integer)refusal->body.length);
    lua_setfield(L, -2, "content-length");
    set_headers(L, refusal->headers);
    return 4;
}

static struct tg_slice header_or(const struct tg_request *parts, const char *name, struct tg_slice absent)
{
    struct tg_slice value = tg_kit_request_header(parts, name);
    return value.length ? value : absent;
}

/* NULL: refused. */
static struct tg_request *decide(struct tg_kit_app *app, struct tg_request *parts,
                                 const struct tg_consumer **out, struct tg_refusal *refusal)
{
    const struct tg_upgrade upgrade = {
        .path = parts->path,
        .version = header_or(parts, "sec-websocket-version", TG_SLICE("13")),
        .key = header_or(parts, "sec-websocket-key", TG_SLICE("dGhlIHNhbXBsZSBub25jZQ==")),
    };
    const struct tg_consumer *consumer = tg_upgrade_find(&app->worker, &upgrade, refusal);
    *out = consumer;
    if (!consumer) return NULL;
    tg_kit_request_keep(parts, &consumer->headers);
    return tg_upgrade_decide(&app->worker, consumer, &upgrade, parts, refusal);
}

/* Pushes a link that is not open. */
static struct tg_kit_link *push_link(lua_State *L, struct tg_kit_app *app)
{
    struct tg_kit_link *link = lua_newuserdatauv(L, sizeof *link, 1);
    tg_kit_link_init(link, &app->loop);
    luaL_setmetatable(L, TG_KIT_LINK_NAME);
    lua_pushvalue(L, APP);
    lua_setiuservalue(L, -2, 1);
    return link;
}

/* set_user(app, conn, user) */
static int set_user(lua_State *L)
{
    struct tg_kit_app *app = lua_touserdata(L, 1);
    tg_conn_user_set(&tg_kit_host(app)->world, L, lua_touserdata(L, 2), 3);
    return 0;
}

/* Begins with authenticating, or behind it with the user that the options name. What that user's `id` raises
 * is raised, and the connection is gone. */
static void start_conn(lua_State *L, struct tg_kit_app *app, struct tg_kit_link *link)
{
    lua_pushcfunction(L, set_user);
    lua_pushlightuserdata(L, app);
    lua_pushlightuserdata(L, link->conn);
    bool has_user = lua_getfield(L, OPTIONS, "user") != LUA_TNIL && lua_toboolean(L, -1);
    bool has_failed = false;
    if (has_user)
        has_failed = tg_call_values(L, 3, 0) != LUA_OK;
    else
        lua_pop(L, 4);
    if (!has_failed) {
        tg_kit_enter(app);
        tg_conn_start(link->conn);
        tg_kit_leave(app);
        return;
    }
    tg_kit_link_drop(link);
    tg_kit_rest(L, app, APP);
    lua_error(L);
}

static void note_identity(lua_State *L, const struct tg_conn *conn)
{
    char id[TG_CONN_ID_BYTES];
    struct tg_slice text = tg_conn_id_text(conn->id, id);
    lua_getiuservalue(L, APP, TG_KIT_UV_LINKS);
    lua_pushvalue(L, -2);
    lua_rawsetp(L, -2, lua_touserdata(L, -3));
    lua_pop(L, 1);
    lua_createtable(L, 0, 4);
    lua_pushlstring(L, text.data, text.length);
    lua_setfield(L, -2, "id");
    lua_pushboolean(L, conn->consumer->is_text);
    lua_setfield(L, -2, "is_text");
    lua_pushlstring(L, conn->consumer->name.data, conn->consumer->name.length);
    lua_setfield(L, -2, "consumer");
    if (conn->request->subprotocol.length) {
        lua_pushlstring(L, conn->request->subprotocol.data, conn->request->subprotocol.length);
        lua_setfield(L, -2, "subprotocol");
    }
    lua_pushvalue(L, APP);
    lua_setfield(L, -2, "app");
    lua_setiuservalue(L, -2, 1);
}

int tg_kit_connect(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, APP);
    struct tg_request parts;
    struct tg_refusal refusal;
    const struct tg_consumer *consumer;
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_settop(L, OPTIONS);
    tg_arena_reset(&app->worker.arena);
    tg_kit_request_read(L, OPTIONS, &app->worker.arena, &parts);
    struct tg_kit_link *link = push_link(L, app);
    tg_kit_enter(app);
    struct tg_request *request = decide(app, &parts, &consumer, &refusal);
    if (request)
        link->conn = tg_conn_add(&app->worker, app->worker.generation, consumer, request, &link->transport);
    tg_kit_leave(app);
    if (!request) return push_refusal(L, &refusal);
    if (!link->conn)
        return push_refusal(L, &(struct tg_refusal){503, TG_SLICE("{\"detail\":\"Out of memory\"}"), {0}});
    tg_list_append(&app->links, &link->link);
    note_identity(L, link->conn);
    start_conn(L, app, link);
    tg_kit_rest(L, app, APP);
    return 1;
}

/* ---- methods ---- */

static struct tg_kit_link *check_link(lua_State *L)
{
    return luaL_checkudata(L, 1, TG_KIT_LINK_NAME);
}

/* Pushes what is known of the link: { id =, consumer =, app = }. [-0, +1, -] */
static void push_identity(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
}

/* Lets the app hear of what the client did; it hears later when it runs just now. Pushes `true`, or nil and a
 * word. */
static int hear(lua_State *L, enum tg_status status)
{
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status != TG_OK) {
        luaL_pushfail(L);
        lua_pushliteral(L, "closed");
        return 2;
    }
    push_identity(L);
    lua_getfield(L, -1, "app");
    struct tg_kit_app *app = lua_touserdata(L, -1);
    if (!app->is_closed && !app->is_running) tg_kit_rest(L, app, -1);
    lua_pushboolean(L, 1);
    return 1;
}

static const char *const kinds[] = {"text", "binary", "ping", "pong", "close", "end", NULL};

static enum tg_kit_frame_kind check_kind(lua_State *L, const char *most)
{
    enum tg_kit_frame_kind kind = (enum tg_kit_frame_kind)luaL_checkoption(L, 2, NULL, kinds);
    luaL_argcheck(L, kind <= TG_KIT_PING && (*most || kind != TG_KIT_PING), 2,
                  *most ? "text, binary or ping is expected" : "text or binary is expected");
    return kind;
}

/* link:send(kind, bytes) -> true | nil, "closed" */
static int link_send(lua_State *L)
{
    struct tg_kit_link *link = check_link(L);
    enum tg_kit_frame_kind kind = check_kind(L, "ping");
    struct tg_slice bytes;
    bytes.data = luaL_checklstring(L, 3, &bytes.length);
    return hear(L, tg_kit_link_send(link, kind, bytes, true, true));
}

/* link:fragment(kind, bytes, is_first, is_last) -> true | nil, "closed" */
static int link_fragment(lua_State *L)
{
    struct tg_kit_link *link = check_link(L);
    enum tg_kit_frame_kind kind = check_kind(L, "");
    struct tg_slice bytes;
    bytes.data = luaL_checklstring(L, 3, &bytes.length);
    return hear(L, tg_kit_link_send(link, kind, bytes, lua_toboolean(L, 4), lua_toboolean(L, 5)));
}

/* link:close([code [, reason]]) -> true | nil, "closed" */
static int link_close(lua_State *L)
{
    struct tg_kit_link *link = check_link(L);
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    struct tg_slice reason;
    reason.data = luaL_optlstring(L, 3, "", &reason.length);
    luaL_argcheck(L, code > 0 && code <= UINT16_MAX, 2, "a close code is a number of 16 bits");
    luaL_argcheck(L, reason.length <= TG_CLOSE_REASON_MAX, 3, "a close reason has at most 123 bytes");
    return hear(L, tg_kit_link_close(link, (uint16_t)code, reason));
}

/* link:drop(): the client's TCP ends without a word */
static int link_drop(lua_State *L)
{
    tg_kit_link_drop(check_link(L));
    hear(L, TG_OK);
    return 0;
}

/* link:stall(): the client reads nothing any more */
static int link_stall(lua_State *L)
{
    tg_kit_link_stall(check_link(L));
    return 0;
}

/* link:resume() */
static int link_resume(lua_State *L)
{
    tg_kit_link_resume(check_link(L));
    hear(L, TG_OK);
    return 0;
}

static void push_frame(lua_State *L, const struct tg_kit_link *link, const struct tg_kit_frame *frame)
{
    bool is_close = frame->kind == TG_KIT_CLOSE || frame->kind == TG_KIT_END;
    lua_createtable(L, 0, 4);
    lua_pushstring(L, kinds[frame->kind]);
    lua_setfield(L, -2, "kind");
    lua_pushlstring(L, frame->bytes, frame->length);
    lua_setfield(L, -2, is_close ? "reason" : "data");
    lua_pushnumber(L, (double)(frame->at_ms - link->began_ms) / 1000);
    lua_setfield(L, -2, "at");
    if (!is_close) return;
    lua_pushinteger(L, frame->code);
    lua_setfield(L, -2, "code");
}

/* link:take() -> frame | nil */
static int link_take(lua_State *L)
{
    struct tg_kit_link *link = check_link(L);
    if (tg_list_is_empty(&link->frames)) return 0;
    /* Read where it lies: a Lua error must not lose it. */
    struct tg_kit_frame *frame = TG_CONTAINER(link->frames.next, struct tg_kit_frame, link);
    push_frame(L, link, frame);
    free(tg_kit_link_take(link));
    return 1;
}

/* link:wait(seconds) -> whether there is something to take; time passes only until there is */
static int link_wait(lua_State *L)
{
    const struct tg_kit_link *link = check_link(L);
    lua_settop(L, 2);
    push_identity(L);
    lua_getfield(L, -1, "app");
    lua_replace(L, 3);
    struct tg_kit_app *app = lua_touserdata(L, 3);
    if (!app->is_closed) {
        tg_kit_check_app(L, 3);
        uint64_t until_ms = tg_kit_now_ms(&app->loop) + tg_kit_check_ms(L, 2);
        tg_kit_rest(L, app, 3);
        while (tg_list_is_empty(&link->frames) && tg_kit_pass(L, app, 3, until_ms)) {
        }
    }
    lua_pushboolean(L, !tg_list_is_empty(&link->frames));
    return 1;
}

/* link.METHOD, link.id, link.consumer, link.is_text; upvalue 1: the methods */
static int link_index(lua_State *L)
{
    check_link(L);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    push_identity(L);
    lua_pushvalue(L, 2);
    lua_gettable(L, -2);
    return 1;
}

static int collect_link(lua_State *L)
{
    struct tg_kit_link *link = check_link(L);
    tg_kit_link_deinit(link);
    return 0;
}

void tg_kit_link_install(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", link_send}, {"fragment", link_fragment}, {"close", link_close},
        {"drop", link_drop}, {"stall", link_stall},       {"resume", link_resume},
        {"take", link_take}, {"wait", link_wait},         {NULL, NULL},
    };
    luaL_newmetatable(L, TG_KIT_LINK_NAME);
    luaL_newlib(L, methods);
    lua_pushcclosure(L, link_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, collect_link);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}
