/* A link is a userdata with a table of fields beside it (its user value).
 *
 * The client is freed by __gc at the latest. Functions that may raise hold nothing of C's: what the handshake
 * answered lies in a box on the stack. */
#include "kit/wire_link.h"

#include "net/client.h"

#include <lauxlib.h>
#include <string.h>

#define LINK "tidegate.wire_link"
#define ANSWER "tidegate.wire_answer"

enum { DEFAULT_SECONDS = 5, HEADERS_MAX = 64 };

static const lua_Integer NO_CODE = 1005;
static const uint64_t MESSAGE_MAX = 1u << 30;

struct link {
    struct tg_client *client;
    lua_Number began; /* on the clock of whoever connected */
};

static struct link *check_link(lua_State *L)
{
    return luaL_checkudata(L, 1, LINK);
}

static struct tg_slice check_slice(lua_State *L, int index)
{
    struct tg_slice slice;
    slice.data = luaL_checklstring(L, index, &slice.length);
    return slice;
}

static uint32_t check_ms(lua_State *L, int index, lua_Number most)
{
    lua_Number seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0 && seconds <= most, index, "seconds");
    return (uint32_t)(seconds * 1000 + 0.999);
}

/* ---- sending ---- */

/* TG_E_CLOSED is no mistake: the server may have gone, and what it sent last tells more. */
static int answer_sent(lua_State *L, enum tg_status status, const struct tg_error *error)
{
    lua_pushboolean(L, status == TG_OK);
    if (status != TG_OK && status != TG_E_CLOSED) return luaL_error(L, "%s", error->text);
    return 1;
}

/* link:send(kind, bytes) -> whether the connection was open */
static int link_send(lua_State *L)
{
    static const char *const kinds[] = {"text", "binary", "ping", NULL};
    static const enum tg_opcode opcodes[] = {TG_OPCODE_TEXT, TG_OPCODE_BINARY, TG_OPCODE_PING};
    struct tg_error error;
    struct link *link = check_link(L);
    enum tg_opcode opcode = opcodes[luaL_checkoption(L, 2, NULL, kinds)];
    return answer_sent(L, tg_client_send(link->client, opcode, check_slice(L, 3), &error), &error);
}

/* link:fragment(kind, bytes, is_final) -> whether the connection was open */
static int link_fragment(lua_State *L)
{
    static const char *const kinds[] = {"continuation", "text", "binary", NULL};
    struct tg_error error;
    struct link *link = check_link(L);
    int opcode = luaL_checkoption(L, 2, NULL, kinds); /* as RFC 6455 5.2 numbers them */
    struct tg_slice bytes = check_slice(L, 3);
    bool is_final = lua_toboolean(L, 4);
    return answer_sent(L, tg_client_send_fragment(link->client, opcode, is_final, bytes, &error), &error);
}

/* link:close(code, reason) */
static int link_close(lua_State *L)
{
    struct tg_error error;
    struct link *link = check_link(L);
    lua_Integer code = luaL_optinteger(L, 2, NO_CODE);
    luaL_argcheck(L, code >= 0 && code <= UINT16_MAX, 2, "no close code");
    struct tg_slice reason;
    reason.data = luaL_optlstring(L, 3, "", &reason.length);
    return answer_sent(L, tg_client_close(link->client, (uint16_t)code, reason, &error), &error);
}

static int link_drop(lua_State *L)
{
    tg_client_drop(check_link(L)->client);
    return 0;
}

static int link_stall(lua_State *L)
{
    tg_client_stall(check_link(L)->client);
    return 0;
}

static int link_resume(lua_State *L)
{
    tg_client_resume(check_link(L)->client);
    return 0;
}

/* ---- receiving ---- */

static void push_event(lua_State *L, const struct tg_client_event *event, lua_Number began)
{
    static const char *const kinds[] = {"text", "binary", "ping", "close", "end"};
    bool is_close = event->kind == TG_CLIENT_CLOSE;
    lua_createtable(L, 0, 5);
    lua_pushstring(L, kinds[event->kind]);
    lua_setfield(L, -2, "kind");
    lua_pushlstring(L, event->data.data, event->data.length);
    lua_setfield(L, -2, is_close ? "reason" : "data");
    if (is_close || event->kind == TG_CLIENT_END) {
        lua_pushinteger(L, event->code);
        lua_setfield(L, -2, "code");
    }
    lua_pushnumber(L, began + (lua_Number)event->at_us / 1e6);
    lua_setfield(L, -2, "at");
}

/* link:take() -> nil | frame */
static int link_take(lua_State *L)
{
    struct tg_error error;
    struct tg_client_event event;
    const struct link *link = check_link(L);
    enum tg_status status = tg_client_receive(link->client, 0, &event, &error);
    if (status == TG_E_SLOW || status == TG_E_CLOSED) return 0;
    if (status != TG_OK) return luaL_error(L, "the server broke the protocol: it sent %s", error.text);
    push_event(L, &event, link->began);
    return 1;
}

/* link:wait(seconds) -> boolean */
static int link_wait(lua_State *L)
{
    struct link *link = check_link(L);
    lua_pushboolean(L, tg_client_wait(link->client, check_ms(L, 2, 86400)));
    return 1;
}

/* link:port() -> the client's own port, as the server's log names it */
static int link_port(lua_State *L)
{
    lua_pushinteger(L, tg_client_port(check_link(L)->client));
    return 1;
}

static int link_gc(lua_State *L)
{
    struct link *link = check_link(L);
    tg_client_free(link->client);
    link->client = NULL;
    return 0;
}

/* What is no method is a field. */
static int link_index(lua_State *L)
{
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL) return 1;
    lua_getiuservalue(L, 1, 1);
    lua_pushvalue(L, 2);
    lua_rawget(L, -2);
    return 1;
}

static int link_newindex(lua_State *L)
{
    lua_getiuservalue(L, 1, 1);
    lua_insert(L, 2);
    lua_rawset(L, 2);
    return 0;
}

static const luaL_Reg methods[] = {
    {"send", link_send}, {"fragment", link_fragment}, {"close", link_close},
    {"drop", link_drop}, {"stall", link_stall},       {"resume", link_resume},
    {"take", link_take}, {"wait", link_wait},         {"port", link_port},
    {NULL, NULL},
};

/* [-0, +1, m] */
static struct link *push_link(lua_State *L)
{
    struct link *link = lua_newuserdatauv(L, sizeof *link, 1);
    *link = (struct link){.client = NULL};
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    if (luaL_newmetatable(L, LINK)) {
        luaL_newlib(L, methods);
        lua_pushcclosure(L, link_index, 1);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, link_newindex);
        lua_setfield(L, -2, "__newindex");
        lua_pushcfunction(L, link_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return link;
}

/* ---- connecting ---- */

static int answer_gc(lua_State *L)
{
    tg_client_answer_deinit(lua_touserdata(L, 1));
    return 0;
}

/* [-0, +1, m] */
static struct tg_client_answer *push_answer(lua_State *L)
{
    struct tg_client_answer *answer = lua_newuserdatauv(L, sizeof *answer, 0);
    *answer = (struct tg_client_answer){0};
    if (luaL_newmetatable(L, ANSWER)) {
        lua_pushcfunction(L, answer_gc);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return answer;
}

/* [-0, +1, e] The field of the options, which lie at 1. */
static const char *need_text(lua_State *L, const char *name, size_t *length)
{
    lua_getfield(L, 1, name);
    const char *text = lua_tolstring(L, -1, length);
    if (!text) luaL_error(L, "wire.connect: %s must be a text", name);
    return text;
}

/* [-0, +1, e] */
static lua_Number read_number(lua_State *L, const char *name, lua_Number otherwise)
{
    lua_getfield(L, 1, name);
    return luaL_optnumber(L, -1, otherwise);
}

/* The texts stay in the tables of the options. Returns how many there are. */
static uint32_t read_headers(lua_State *L, struct tg_pair headers[HEADERS_MAX])
{
    lua_getfield(L, 1, "headers");
    lua_Integer count = lua_istable(L, -1) ? luaL_len(L, -1) : 0;
    if (count > HEADERS_MAX) luaL_error(L, "wire.connect: more than %d headers", HEADERS_MAX);
    for (lua_Integer i = 1; i <= count; i++) {
        luaL_checkstack(L, 3, NULL);
        lua_geti(L, -1, i);
        struct tg_pair *header = &headers[i - 1];
        lua_geti(L, -1, 1);
        header->name.data = luaL_checklstring(L, -1, &header->name.length);
        lua_geti(L, -2, 2);
        header->value.data = luaL_checklstring(L, -1, &header->value.length);
        lua_pop(L, 3);
    }
    return (uint32_t)count;
}

/* [-0, +1, m] { name = value }, several of a name with commas between. */
static void push_headers(lua_State *L, const struct tg_client_answer *answer)
{
    lua_newtable(L);
    for (uint32_t i = 0; i < answer->header_count; i++) {
        const struct tg_pair *header = &answer->headers[i];
        lua_pushlstring(L, header->name.data, header->name.length);
        lua_pushvalue(L, -1);
        bool is_more = lua_rawget(L, -3) == LUA_TSTRING;
        if (is_more)
            lua_pushliteral(L, ", ");
        else
            lua_pop(L, 1);
        lua_pushlstring(L, header->value.data, header->value.length);
        if (is_more) lua_concat(L, 3);
        lua_rawset(L, -3);
    }
}

static int answer_refused(lua_State *L, enum tg_status status, const struct tg_client_answer *answer,
                          const struct tg_error *error)
{
    lua_pushnil(L);
    if (status != TG_E_CLOSED || answer->status == 0) {
        lua_pushnil(L);
        lua_pushstring(L, error->text);
        return 3;
    }
    lua_pushinteger(L, answer->status);
    lua_pushlstring(L, answer->body.length ? answer->body.data : "", answer->body.length);
    push_headers(L, answer);
    return 4;
}

/* Sets the field of the link on top. [-0, +0, m] */
static void note_subprotocol(lua_State *L, const struct tg_client_answer *answer)
{
    lua_getiuservalue(L, -1, 1);
    push_headers(L, answer);
    lua_getfield(L, -1, "sec-websocket-protocol");
    lua_setfield(L, -3, "subprotocol");
    lua_pop(L, 2);
}

int tg_kit_wire_connect(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    struct tg_pair headers[HEADERS_MAX];
    struct tg_error error;
    struct tg_client_options options = {.headers = headers, .max_message_bytes = MESSAGE_MAX};
    options.host = need_text(L, "host", NULL);
    options.target.data = need_text(L, "target", &options.target.length);
    options.port = (uint16_t)read_number(L, "port", 0);
    options.timeout_ms = (uint32_t)(read_number(L, "timeout", DEFAULT_SECONDS) * 1000);
    options.receive_bytes = (uint32_t)read_number(L, "receive_bytes", 0);
    options.seed = (uint64_t)read_number(L, "seed", 0);
    lua_Number began = read_number(L, "began", 0);
    lua_getfield(L, 1, "plain");
    options.is_plain = lua_toboolean(L, -1);
    if (lua_getfield(L, 1, "method") == LUA_TSTRING) {
        options.method = lua_tostring(L, -1);
        options.body.data = need_text(L, "body", &options.body.length);
    }
    options.header_count = read_headers(L, headers);
    struct tg_client_answer *answer = push_answer(L);
    struct link *link = push_link(L);
    link->began = began;
    enum tg_status status = tg_client_connect(&link->client, &options, answer, &error);
    if (status != TG_OK) return answer_refused(L, status, answer, &error);
    note_subprotocol(L, answer);
    return 1;
}
