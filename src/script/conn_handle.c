/* The handle's one user value is a table that caches what was asked for: `state`, `params` and so on are
 * made on first use. Of handles that are not kept it has no state. Methods carry the world as upvalue 1. */
#include "script/conn_handle.h"

#include "script/conn_call.h"
#include "script/conn_groups.h"
#include "script/conn_request.h"
#include "script/conn_user.h"
#include "script/handle.h"
#include "script/message_type.h"
#include "script/place.h"

#include <lauxlib.h>
#include <string.h>

struct handle {
    struct tg_world *world;
    uint64_t id;
    bool is_kept; /* the one that conn->script_ref means */
};

static const struct tg_handle_kind kind;

static struct handle *check_handle(lua_State *L)
{
    return tg_handle_check(L, &kind);
}

static struct tg_conn *find(const struct handle *handle)
{
    return handle->world->worker ? tg_worker_find(handle->world->worker, handle->id) : NULL;
}

int tg_push_result(lua_State *L, enum tg_status status)
{
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status == TG_OK) {
        lua_pushboolean(L, 1);
        return 1;
    }
    luaL_pushfail(L);
    lua_pushstring(L, tg_status_name(status));
    return 2;
}

/* ---- sending ---- */

enum tg_status tg_conn_handle_send(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index,
                                   const struct tg_message_type *type, const struct tg_ref *ref)
{
    struct tg_buf *out;
    enum tg_naming naming = conn->consumer->naming;
    if (type->role == TG_ROLE_EVENT)
        luaL_error(L, "the event '%s' is not for clients: send them a message that tells of it",
                   type->action.data);
    tg_message_check_naming(L, type, naming);
    tg_message_push_payload(world, L, index, type);
    enum tg_status status = tg_conn_begin(conn, &out);
    if (status == TG_OK) {
        tg_message_write(world, L, -1, type, naming, ref, out);
        status = tg_conn_commit(conn, TG_OPCODE_TEXT);
    }
    lua_pop(L, 1);
    if (status == TG_OK) tg_log(TG_LOG_DEBUG, "sent", TG_LOG_CONN(conn), TG_LOG_STR("action", type->action));
    return status;
}

bool tg_conn_handle_read_id(lua_State *L, int index, uint64_t *id)
{
    const struct handle *handle = tg_handle_to(L, index, &kind);
    if (handle) *id = handle->id;
    if (handle || lua_type(L, index) != LUA_TSTRING) return handle;
    return tg_conn_id_read((struct tg_slice){lua_tostring(L, index), lua_rawlen(L, index)}, id);
}

struct tg_conn *tg_conn_handle_check(lua_State *L, struct tg_world **world)
{
    const struct handle *handle = check_handle(L);
    *world = handle->world;
    return find(handle);
}

const struct tg_message_type *tg_conn_handle_check_message(lua_State *L, int index, const char *method)
{
    const struct tg_message_type *type = tg_message_type_of_instance(L, index);
    if (!type)
        tg_place_error(L, "%s: a message is expected (a message type called with its payload), got %s",
                       method, tg_message_type_push_misuse(L, index));
    return type;
}

/* conn:send(message) -> true | nil, "closed" | nil, "full" */
static int conn_send(lua_State *L)
{
    struct handle *handle = check_handle(L);
    lua_settop(L, 2);
    const struct tg_message_type *type = tg_conn_handle_check_message(L, 2, "conn:send");
    struct tg_conn *conn = find(handle);
    const struct tg_ref none = {0};
    return tg_push_result(L,
                          conn ? tg_conn_handle_send(handle->world, L, conn, 2, type, &none) : TG_E_CLOSED);
}

static int send_bytes(lua_State *L, enum tg_opcode opcode)
{
    struct handle *handle = check_handle(L);
    struct tg_slice bytes;
    bytes.data = luaL_checklstring(L, 2, &bytes.length);
    if (opcode == TG_OPCODE_TEXT && !tg_utf8_is_valid(bytes.data, bytes.length))
        return luaL_argerror(L, 2, "the text is not UTF-8: send_binary takes any bytes");
    struct tg_conn *conn = find(handle);
    return tg_push_result(L, conn ? tg_conn_send(conn, opcode, bytes) : TG_E_CLOSED);
}

/* conn:send_text(text) -> true | nil, "closed" | nil, "full" */
static int conn_send_text(lua_State *L)
{
    return send_bytes(L, TG_OPCODE_TEXT);
}

/* conn:send_binary(bytes) -> true | nil, "closed" | nil, "full" */
static int conn_send_binary(lua_State *L)
{
    return send_bytes(L, TG_OPCODE_BINARY);
}

uint16_t tg_conn_handle_check_close(lua_State *L, struct tg_slice *reason)
{
    lua_Integer code = luaL_optinteger(L, 2, 1000);
    reason->data = luaL_optlstring(L, 3, "", &reason->length);
    luaL_argcheck(
        L, code > 0 && code <= UINT16_MAX && tg_close_code_is_sendable((unsigned)code), 2,
        "not a close code that may be sent: 1000 to 1014 less 1004 to 1006, or 3000 to 4999 (RFC 6455 7.4)");
    luaL_argcheck(L, reason->length <= TG_CLOSE_REASON_MAX, 3, "a close reason has at most 123 bytes");
    luaL_argcheck(L, tg_utf8_is_valid(reason->data, reason->length), 3, "the reason is not UTF-8");
    return (uint16_t)code;
}

/* conn:close([code [, reason]]) -> true | nil, "closed" */
static int conn_close(lua_State *L)
{
    struct handle *handle = check_handle(L);
    struct tg_slice reason;
    uint16_t code = tg_conn_handle_check_close(L, &reason);
    struct tg_conn *conn = find(handle);
    return tg_push_result(L, conn ? tg_conn_close(conn, code, reason) : TG_E_CLOSED);
}

/* ---- what a connection knows ---- */

/* Raises where the state is. */
static int fail_state(lua_State *L, const struct handle *handle, const struct tg_conn *conn)
{
    uint32_t own = handle->world->generation->number;
    if (!conn)
        return tg_place_error(L, "conn.state moved to a later generation with its connection, which has "
                                 "ended there");
    uint32_t number = conn->generation->number;
    if (number < own)
        return tg_place_error(L,
                              "conn.state is still in generation %d, where a handler of the connection runs: "
                              "it comes to this one, %d, when that has ended",
                              (int)number, (int)own);
    return tg_place_error(L,
                          "conn.state moved to generation %d with its connection, and this code is of "
                          "generation %d: tell the connection with tide.send_event, whose handler runs there",
                          (int)number, (int)own);
}

/* Pushes field `key` of a living connection; nil for a name that is none. [-0, +1, e] */
static void push_field(lua_State *L, const struct handle *handle, struct tg_conn *conn, const char *key)
{
    if (strcmp(key, "state") == 0)
        lua_newtable(L);
    else if (strcmp(key, "user") == 0 && !tg_conn_is_of(handle->world, conn))
        tg_conn_user_push_foreign(handle->world, L, conn);
    else
        tg_conn_request_push(L, conn, key);
}

static void push_id(lua_State *L, uint64_t id)
{
    char text[TG_CONN_ID_BYTES];
    lua_pushlstring(L, tg_conn_id_text(id, text).data, TG_CONN_ID_BYTES - 1);
}

void tg_conn_handle_push_cache(lua_State *L, int index)
{
    if (lua_getiuservalue(L, index, 1) == LUA_TTABLE) return;
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, index, 1);
}

/* A new list each time, since they change; one that has ended is in none. */
static int push_groups(lua_State *L, const struct tg_conn *conn)
{
    if (conn)
        tg_conn_groups_push(L, conn);
    else
        lua_newtable(L);
    return 1;
}

/* What is asked of a handle that is not kept, at 1, is asked of the one that is, where there is one here. */
static struct handle *find_kept(lua_State *L, struct handle *handle, struct tg_conn *conn)
{
    if (handle->is_kept || !conn || !tg_conn_is_of(handle->world, conn)) return handle;
    tg_conn_handle_push(handle->world, L, conn);
    lua_replace(L, 1);
    return lua_touserdata(L, 1);
}

/* conn.KEY: a method, what is cached, or what the connection knows. Upvalue 1: the methods. */
static int conn_index(lua_State *L)
{
    struct handle *handle = check_handle(L);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNIL || lua_type(L, 2) != LUA_TSTRING) return 1;
    lua_settop(L, 2);
    struct tg_conn *conn = find(handle);
    handle = find_kept(L, handle, conn);
    tg_conn_handle_push_cache(L, 1);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, 3) != LUA_TNIL) return 1;
    const char *key = lua_tostring(L, 2);
    bool is_state = strcmp(key, "state") == 0;
    if (strcmp(key, "groups") == 0) return push_groups(L, conn);
    if (is_state && !handle->is_kept) return fail_state(L, handle, conn);
    if (strcmp(key, "id") == 0)
        push_id(L, handle->id);
    else if (conn)
        push_field(L, handle, conn, key);
    else if (is_state)
        lua_newtable(L);
    if (lua_isnil(L, -1)) return 1;
    lua_pushvalue(L, 2);
    lua_pushvalue(L, -2);
    lua_rawset(L, 3);
    return 1;
}

static int conn_newindex(lua_State *L)
{
    check_handle(L);
    return luaL_error(L, "conn.%s cannot be set: what belongs to a connection goes into conn.state",
                      luaL_tolstring(L, 2, NULL));
}

static int conn_tostring(lua_State *L)
{
    struct handle *handle = check_handle(L);
    push_id(L, handle->id);
    lua_pushfstring(L, "conn %s%s", lua_tostring(L, -1), find(handle) ? "" : " (closed)");
    return 1;
}

static const luaL_Reg methods[] = {
    {"send", conn_send},      {"send_text", conn_send_text},    {"send_binary", conn_send_binary},
    {"close", conn_close},    {"call", tg_conn_call},           {"join", tg_conn_join},
    {"leave", tg_conn_leave}, {"broadcast", tg_conn_broadcast}, {NULL, NULL},
};

static const struct tg_handle_kind kind = {
    .name = "tidegate.conn",
    .meta = TG_REF_CONN_META,
    .misuse = "the methods of conn are called with a colon: conn:send(message), conn:close()",
    .methods = methods,
    .index = conn_index,
    .newindex = conn_newindex,
    .tostring = conn_tostring,
};

void tg_conn_handle_install(struct tg_world *world, lua_State *L)
{
    tg_handle_install(world, L, &kind);
}

void tg_conn_handle_push(struct tg_world *world, lua_State *L, struct tg_conn *conn)
{
    bool is_own = tg_conn_is_of(world, conn);
    if (is_own && tg_handle_push_kept(world, L, conn->script_ref)) return;
    struct handle *handle = tg_handle_new(world, L, &kind, sizeof *handle);
    *handle = (struct handle){world, conn->id, is_own};
    if (is_own) conn->script_ref = tg_handle_keep(world, L);
}

void tg_conn_handle_retire(lua_State *L, int index)
{
    struct handle *handle = lua_touserdata(L, index);
    handle->is_kept = false;
    if (lua_getiuservalue(L, index, 1) == LUA_TTABLE) {
        lua_pushliteral(L, "state");
        lua_pushnil(L);
        lua_rawset(L, -3);
    }
    lua_pop(L, 1);
}
