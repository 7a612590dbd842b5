/* What an authenticator is told is a table of its own: there is no connection yet that could be sent
 * anything. Invariant: a user is set before the frame that says so, and only on a connection that is open. */
#include "script/start.h"

#include "base/log.h"
#include "core/worker.h"
#include "script/conn_groups.h"
#include "script/conn_request.h"
#include "script/conn_user.h"
#include "script/place.h"
#include "script/table.h"
#include "wire/json.h"

#include <lauxlib.h>

/* ---- what the client is told ---- */

struct verdict {
    struct tg_slice text;
    uint16_t status;
    uint16_t close_code; /* 0: it stays open */
};

static const struct verdict verdicts[] = {
    {TG_SLICE("OK"), 200, 0},
    {TG_SLICE("Unauthorized"), 401, 4401},
    {TG_SLICE("Forbidden"), 403, 4403},
    {TG_SLICE("Not Found"), 404, 4404},
    {TG_SLICE("Internal Server Error"), 500, 0},
};

static const struct verdict *find_verdict(lua_Integer status)
{
    for (size_t i = 0; i < sizeof verdicts / sizeof verdicts[0]; i++)
        if (verdicts[i].status == status) return &verdicts[i];
    return NULL;
}

/* Queues the frame `authentication`, as the schema of tide.messages.authentication has it. `detail`: data
 * NULL for none. */
static enum tg_status tell(struct tg_conn *conn, const struct verdict *verdict, struct tg_slice detail)
{
    static const char *const heads[TG_NAMINGS][2] = {{"\"status_code\":", ",\"status_text\":"},
                                                     {"\"statusCode\":", ",\"statusText\":"}};
    const char *const *head = heads[conn->consumer->naming];
    struct tg_buf *out;
    if (!tg_hooks_of(conn)->sends_authentication) return TG_OK;
    enum tg_status status = tg_conn_begin(conn, &out);
    if (status != TG_OK) return status;
    tg_buf_append_literal(out, "{\"action\":\"authentication\",\"payload\":{");
    tg_buf_append_slice(out, tg_slice_of(head[0]));
    tg_json_write_integer(out, verdict->status);
    tg_buf_append_slice(out, tg_slice_of(head[1]));
    tg_json_write_string(out, verdict->text);
    if (detail.data) {
        tg_buf_append_literal(out, ",\"data\":{\"detail\":");
        tg_json_write_string(out, detail);
        tg_buf_append_char(out, '}');
    }
    tg_buf_append_literal(out, "}}");
    return tg_conn_commit(conn, TG_OPCODE_TEXT);
}

void tg_start_authentication_failed(struct tg_conn *conn)
{
    tell(conn, find_verdict(500), (struct tg_slice){0});
}

void tg_start_authentication_late(struct tg_conn *conn)
{
    conn->worker->metrics.authentication_timeouts++;
    tg_log(TG_LOG_WARNING, "authentication_timeout", TG_LOG_CONN(conn),
           TG_LOG_I("timeout_ms", conn->worker->config->authentication_timeout_ms));
    tell(conn, find_verdict(401), (struct tg_slice){0});
    tg_conn_close(conn, 4408, TG_SLICE("authentication took too long"));
}

/* ---- authenticate(request) -> user | nil [, status [, detail]] ---- */

enum { USER = -3, STATUS, DETAIL }; /* on the stack, from its top */

static void refuse(lua_State *L, struct tg_run *run)
{
    struct tg_conn *conn = run->conn;
    const char *place = conn->consumer->source.data;
    lua_Integer status = 401;
    struct tg_slice detail = {0};
    if (!lua_isnil(L, STATUS)) {
        int is_integer;
        status = lua_tointegerx(L, STATUS, &is_integer);
        if (!is_integer || status < 401 || status == 500 || !find_verdict(status))
            luaL_error(L, "%s: authenticate returned %s as a status: it is 401, 403 or 404", place,
                       luaL_tolstring(L, STATUS, NULL));
    }
    if (lua_type(L, DETAIL) == LUA_TSTRING)
        detail.data = lua_tolstring(L, DETAIL, &detail.length);
    else if (!lua_isnil(L, DETAIL))
        luaL_error(L, "%s: authenticate returned a %s as a detail: it is a sentence", place,
                   luaL_typename(L, DETAIL));
    if (detail.data && !tg_utf8_is_valid(detail.data, detail.length))
        luaL_error(L, "%s: the detail that authenticate returned is not UTF-8", place);
    const struct verdict *verdict = find_verdict(status);
    conn->worker->metrics.authentications_refused++;
    tg_log(TG_LOG_INFO, "authentication_refused", TG_LOG_CONN(conn), TG_LOG_I("status", status),
           TG_LOG_STR("detail", detail.data ? detail : TG_SLICE("")));
    tell(conn, verdict, detail);
    tg_conn_close(conn, verdict->close_code, verdict->text);
}

static int authenticated(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (run->conn->state != TG_CONN_OPEN) return 0; /* the client has not waited for it */
    if (tg_is_null(L, USER) || !lua_toboolean(L, USER)) {
        refuse(L, run);
        return 0;
    }
    tg_conn_user_set(run->world, L, run->conn, USER);
    if (tell(run->conn, find_verdict(200), (struct tg_slice){0}) == TG_E_NO_MEMORY)
        luaL_error(L, "not enough memory");
    return 0;
}

static int authenticate_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->authenticate);
    tg_conn_request_push_all(L, run->conn);
    lua_callk(L, 1, 3, 0, authenticated);
    return authenticated(L, LUA_OK, 0);
}

enum tg_outcome tg_start_authenticate(struct tg_task_pool *pool, struct tg_run *run)
{
    if (!tg_hooks_of(run->conn)->authenticate) return TG_DONE;
    if (!run->conn->is_authenticated) return tg_run_task(pool, run, authenticate_body);
    tell(run->conn, find_verdict(200), (struct tg_slice){0});
    return TG_DONE;
}

/* ---- groups = { "name", ... } | function(conn) -> names ---- */

/* Joins the names at `index`, a list or one name, that a function returned. */
static void join_returned(lua_State *L, struct tg_run *run, int index)
{
    const char *place = run->conn->consumer->source.data;
    const char *what = lua_pushfstring(L, "%s: groups", place);
    if (lua_type(L, index) == LUA_TSTRING) {
        tg_conn_groups_add(L, run->conn, index, what);
    } else if (lua_istable(L, index)) {
        lua_Unsigned count = lua_rawlen(L, index);
        lua_pushnil(L);
        if (count == 0 && lua_next(L, index))
            luaL_error(L, "%s returned a table with other keys: it returns a list of names", what);
        lua_settop(L, index + 1);
        for (lua_Unsigned i = 1; i <= count; i++) {
            lua_rawgeti(L, index, (lua_Integer)i);
            tg_conn_groups_add(L, run->conn, lua_gettop(L), what);
            lua_pop(L, 1);
        }
    } else {
        luaL_error(L, "%s returned %s: it returns a list of names", what, tg_place_push_kind(L, index));
    }
    lua_pop(L, 1);
}

/* Goes on with the i-th source; what the one before it, a function, returned is on top when it has waited. */
static int join_sources(lua_State *L, struct tg_run *run, uint32_t i);

static int function_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct tg_run *run = tg_run_of(L);
    join_returned(L, run, lua_gettop(L));
    lua_pop(L, 1);
    return join_sources(L, run, (uint32_t)context);
}

static int join_sources(lua_State *L, struct tg_run *run, uint32_t i)
{
    const struct tg_hooks *hooks = tg_hooks_of(run->conn);
    for (; i < hooks->group_count; i++) {
        const struct tg_group_source *source = &hooks->groups[i];
        if (!source->function) {
            lua_pushlstring(L, source->name.data, source->name.length);
            tg_conn_groups_add(L, run->conn, lua_gettop(L), "groups");
        } else {
            lua_rawgeti(L, 1, source->function);
            tg_run_push_conn(L, run);
            lua_callk(L, 1, 1, (lua_KContext)i + 1, function_done);
            join_returned(L, run, lua_gettop(L));
        }
        lua_pop(L, 1);
    }
    return 0;
}

static int groups_body(lua_State *L)
{
    return join_sources(L, tg_run_of(L), 0);
}

enum tg_outcome tg_start_groups(struct tg_task_pool *pool, struct tg_run *run)
{
    return tg_hooks_of(run->conn)->group_count ? tg_run_task(pool, run, groups_body) : TG_DONE;
}
