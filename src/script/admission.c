/* What an authenticator is told is a table of its own: there is no connection yet that could be sent
 * anything. Invariants: whose a connection is becomes known to others (tide.user) when everything has said
 * yes; the frame that says so is queued behind that, and only on a connection that is open. A client that
 * renews keeps what it has until something has been found that counts.
 */
#include "script/admission.h"

#include "base/log.h"
#include "core/credential.h"
#include "core/worker.h"
#include "script/conn_request.h"
#include "script/conn_user.h"
#include "script/place.h"
#include "script/table.h"
#include "script/task.h"
#include "script/verdict.h"

#include <lauxlib.h>
#include <math.h>

/* ---- what went wrong ---- */

/* What comes from other code and fails here is not there as it was: it goes. */
void tg_admission_failed(const struct tg_run *run)
{
    tg_verdict_tell(run, TG_ADMISSION_FAILED, (struct tg_slice){0});
    if (run->from) tg_conn_close(run->conn, 1011, TG_SLICE("the object could not be loaded"));
}

/* Nobody has decided anything: the client comes again, to the new code. */
static void tell_retired(const struct tg_run *run)
{
    tg_verdict_tell(run, TG_ADMISSION_FAILED, (struct tg_slice){0});
    if (!tg_verdict_is_of_client(run))
        tg_conn_close(run->conn, 1012, TG_SLICE("the code was replaced meanwhile"));
}

void tg_admission_late(const struct tg_run *run)
{
    struct tg_conn *conn = run->conn;
    if (run->is_retired) {
        tell_retired(run);
        return;
    }
    conn->worker->metrics.authentication_timeouts++;
    tg_log(TG_LOG_WARNING, "authentication_timeout", TG_LOG_CONN(conn), TG_LOG_S("by", run->what),
           TG_LOG_I("timeout_ms", tg_admission_timeout_ms(run)));
    tg_verdict_tell(run, TG_UNAUTHORIZED, (struct tg_slice){0});
    if (!tg_verdict_is_of_client(run)) tg_conn_close(conn, 4408, TG_SLICE("authentication took too long"));
}

uint64_t tg_admission_timeout_ms(const struct tg_run *run)
{
    uint64_t own_ms = tg_hooks_of(run->conn)->authentication_timeout_ms;
    return own_ms ? own_ms : run->world->config->authentication_timeout_ms;
}

/* ---- what functions return ---- */

/* The sentence at `index`; data NULL for nil. Raises what is none. */
static struct tg_slice check_detail(lua_State *L, const struct tg_run *run, int index)
{
    struct tg_slice detail = {0};
    const char *place = tg_run_source(run);
    if (lua_isnil(L, index)) return detail;
    if (lua_type(L, index) != LUA_TSTRING)
        luaL_error(L, "%s: %s returned %s as a detail: it is a sentence", place, run->what,
                   tg_place_push_kind(L, index));
    detail.data = lua_tolstring(L, index, &detail.length);
    if (!tg_utf8_is_valid(detail.data, detail.length))
        luaL_error(L, "%s: the detail that %s returned is not UTF-8", place, run->what);
    return detail;
}

enum { USER = -3, STATUS, DETAIL }; /* what an authenticator returned, from the top of the stack */

/* nil [, status [, detail]]. False: let in all the same, as nobody. */
static bool refuse_user(lua_State *L, struct tg_run *run)
{
    lua_Integer status = TG_UNAUTHORIZED;
    int is_integer = 1;
    if (!lua_isnil(L, STATUS)) status = lua_tointegerx(L, STATUS, &is_integer);
    if (is_integer && status == TG_LET_IN) return false;
    if (!is_integer || !tg_verdict_is_refusal(status))
        luaL_error(L, "%s: authenticate returned %s as a status: it is 401, 403 or 404", tg_run_source(run),
                   luaL_tolstring(L, STATUS, NULL));
    tg_verdict_refuse(run, status, check_detail(L, run, lua_absindex(L, DETAIL)));
    return true;
}

/* user [, { expires_at = seconds since 1970 }] */
static struct tg_validity check_validity(lua_State *L, const struct tg_run *run)
{
    const struct tg_hooks *hooks = tg_hooks_of(run->conn);
    struct tg_validity validity = {INT64_MAX, hooks->grace_ms, hooks->ask_every_ms};
    const char *place = tg_run_source(run);
    if (!lua_istable(L, STATUS)) return validity;
    int is_number = lua_getfield(L, STATUS, "expires_at") == LUA_TNUMBER;
    double seconds = is_number ? lua_tonumber(L, -1) : 0;
    if (!lua_isnil(L, -1) && (!is_number || isnan(seconds)))
        luaL_error(L, "%s: authenticate returned %s as expires_at: it is a time, in seconds since 1970",
                   place, tg_place_push_kind(L, lua_gettop(L)));
    lua_pop(L, 1);
    /* What lies beyond the year 292 million is as good as never. */
    if (is_number && seconds < 9e15) validity.expires_at_ms = seconds < 0 ? 0 : (int64_t)(seconds * 1000);
    return validity;
}

/* ---- permissions(conn) -> true | false [, detail] ---- */

/* Everything has said yes. */
static int let_in(lua_State *L, struct tg_run *run)
{
    if (run->is_renewal) return 0; /* asked again by us: the client has asked nothing */
    tg_conn_user_note(run->world, L, run->conn);
    if (tg_verdict_tell(run, TG_LET_IN, (struct tg_slice){0}) == TG_E_NO_MEMORY)
        luaL_error(L, "not enough memory");
    return 0;
}

static int permitted(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (run->conn->state != TG_CONN_OPEN) return 0;
    if (!lua_isboolean(L, -2) && !lua_isnil(L, -2))
        luaL_error(L, "%s: permissions returned %s: it returns true, or false and a sentence",
                   tg_run_source(run), tg_place_push_kind(L, lua_absindex(L, -2)));
    struct tg_slice detail = check_detail(L, run, lua_gettop(L));
    if (lua_toboolean(L, -2)) return let_in(L, run);
    tg_verdict_refuse(run, TG_FORBIDDEN,
                      detail.data ? detail : TG_SLICE("You do not have permission to perform this action."));
    return 0;
}

static int check_permissions(lua_State *L, struct tg_run *run)
{
    int permissions = tg_hooks_of(run->conn)->permissions;
    if (!permissions) return let_in(L, run);
    run->what = "permissions";
    lua_rawgeti(L, 1, permissions);
    tg_run_push_conn(L, run);
    lua_callk(L, 1, 2, 0, permitted);
    return permitted(L, LUA_OK, 0);
}

/* ---- object(conn) -> what the connection is about | nil ---- */

/* What `object` returned is on top. False: nothing is found, and the client has been told. [-1, +0, e] */
static bool keep_object(lua_State *L, struct tg_run *run)
{
    bool is_found = !tg_is_null(L, -1) && lua_toboolean(L, -1);
    if (is_found)
        tg_conn_object_set(run->world, L, run->conn, lua_gettop(L));
    else
        tg_verdict_refuse(run, TG_NOT_FOUND, (struct tg_slice){0});
    lua_pop(L, 1);
    return is_found;
}

static int object_loaded(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (run->conn->state != TG_CONN_OPEN || !keep_object(L, run)) return 0;
    return run->from ? tg_run_call_reloaded(L) : check_permissions(L, run);
}

static int load_object(lua_State *L, struct tg_run *run)
{
    int loader = tg_hooks_of(run->conn)->load_object;
    if (!loader) return check_permissions(L, run);
    run->what = "object";
    lua_rawgeti(L, 1, loader);
    tg_run_push_conn(L, run);
    lua_callk(L, 1, 1, 0, object_loaded);
    return object_loaded(L, LUA_OK, 0);
}

/* ---- authenticate(request) -> user [, options] | nil [, status [, detail]] ---- */

/* Where the request lies that the authenticator was given. */
enum { REQUEST = 2 };

/* A token that came in a message is in no request: it is kept where the authenticator is asked again. */
static void keep_token(lua_State *L, const struct tg_run *run)
{
    struct tg_slice token;
    if (tg_hooks_of(run->conn)->ask_every_ms == 0) return;
    if (lua_getfield(L, REQUEST, "token") == LUA_TSTRING) {
        token.data = lua_tolstring(L, -1, &token.length);
        if (tg_credential_keep_token(run->conn, token) != TG_OK) luaL_error(L, "not enough memory");
    }
    lua_pop(L, 1);
}

static void note_credential(lua_State *L, const struct tg_run *run)
{
    const struct tg_validity validity = check_validity(L, run);
    keep_token(L, run);
    if (tg_credential_set(run->conn, &validity) != TG_OK) luaL_error(L, "not enough memory");
}

/* Why it is not for this connection; data NULL: it is. Users without an id are nobody's equal, so what a
 * client sends cannot be known to be its own; when it was us who asked, it is what it came with. */
static struct tg_slice find_stranger(lua_State *L, const struct tg_run *run, bool is_user)
{
    const struct tg_conn *conn = run->conn;
    const struct tg_slice others = TG_SLICE("This credential is another user's"), none = {0};
    if (!is_user) return conn->is_authenticated ? others : none;
    if (tg_conn_user_is(L, conn, lua_absindex(L, USER))) return none;
    if (tg_conn_user_has_id(L, lua_absindex(L, USER))) return others;
    if (tg_verdict_is_of_client(run))
        return TG_SLICE("Whose this credential is cannot be told: its user has no id");
    return conn->is_authenticated && !conn->user ? none : others;
}

/* The answer to a client that asked, or to us. */
static int renewed(lua_State *L, struct tg_run *run, bool is_user)
{
    struct tg_conn *conn = run->conn;
    struct tg_slice objection = find_stranger(L, run, is_user);
    if (objection.data) {
        tg_verdict_refuse(run, TG_FORBIDDEN, objection);
        return 0;
    }
    note_credential(L, run);
    if (is_user) tg_conn_user_keep(run->world, L, conn, lua_absindex(L, USER));
    if (!tg_verdict_is_of_client(run)) return check_permissions(L, run);
    conn->worker->metrics.credentials_renewed++;
    if (tg_verdict_tell(run, TG_LET_IN, (struct tg_slice){0}) == TG_E_NO_MEMORY)
        luaL_error(L, "not enough memory");
    return 0;
}

static int authenticated(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (run->conn->state != TG_CONN_OPEN) return 0; /* the client has not waited for it */
    bool is_user = !tg_is_null(L, USER) && lua_toboolean(L, USER);
    if (!is_user && refuse_user(L, run)) return 0;
    if (is_user && tg_verdict_is_too_often(run)) {
        tg_verdict_refuse(run, TG_UNAUTHORIZED, tg_verdict_too_often);
        return 0;
    }
    if (run->is_renewal) return renewed(L, run, is_user);
    note_credential(L, run);
    if (is_user) tg_conn_user_keep(run->world, L, run->conn, lua_absindex(L, USER));
    lua_settop(L, 1);
    return load_object(L, run);
}

/* Puts the token that the client has sent, now or before, into the request on top. [-0, +0, e] */
static void set_token(lua_State *L, const struct tg_run *run)
{
    struct tg_slice token = tg_credential_token(run->conn);
    if (run->envelope) token = tg_value_string(tg_value_get(run->envelope->payload, TG_SLICE("token")));
    if (!token.data) return;
    lua_pushlstring(L, token.data, token.length);
    lua_setfield(L, REQUEST, "token");
}

static int admission_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    int authenticate = tg_hooks_of(run->conn)->authenticate;
    if (!run->is_renewal && (!authenticate || run->conn->is_authenticated)) return load_object(L, run);
    tg_conn_request_push_all(L, run->conn);
    if (run->is_renewal) set_token(L, run);
    lua_rawgeti(L, 1, authenticate);
    lua_pushvalue(L, REQUEST);
    lua_callk(L, 1, 3, 0, authenticated);
    return authenticated(L, LUA_OK, 0);
}

static struct tg_run run_for(struct tg_task_pool *pool, struct tg_conn *conn)
{
    return (struct tg_run){.world = pool->world,
                           .conn = conn,
                           .what = "authenticate",
                           .answers = true,
                           .is_authentication = true,
                           .handler = &conn->consumer->counters->hooks[TG_HOOK_AUTHENTICATE]};
}

enum tg_outcome tg_admission_begin(struct tg_task_pool *pool, struct tg_conn *conn)
{
    const struct tg_hooks *hooks = tg_hooks_of(conn);
    struct tg_run run = run_for(pool, conn);
    if (!hooks->authenticate && !hooks->load_object && !hooks->permissions) return TG_DONE;
    return tg_run_task(pool, &run, admission_body);
}

enum tg_outcome tg_admission_renew(struct tg_task_pool *pool, struct tg_conn *conn,
                                   const struct tg_envelope *envelope)
{
    struct tg_run run = run_for(pool, conn);
    if (!tg_hooks_of(conn)->authenticate) return TG_DONE; /* the code has changed */
    run.is_renewal = true;
    run.is_data = envelope != NULL;
    run.envelope = envelope;
    if (envelope) run.ref = envelope->ref;
    if (envelope && tg_worker_refuse_attempt(conn->worker, conn->request->peer)) {
        tg_verdict_tell(&run, TG_UNAUTHORIZED, tg_verdict_too_often);
        return TG_DONE;
    }
    return tg_run_task(pool, &run, admission_body);
}

static int take_over_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    return run->is_authentication ? load_object(L, run) : tg_run_call_reloaded(L);
}

enum tg_outcome tg_admission_take_over(struct tg_task_pool *pool, struct tg_run *run)
{
    const struct tg_hooks *hooks = tg_hooks_of(run->conn);
    if (!hooks->load_object && !hooks->reloaded) return TG_DONE;
    run->is_authentication = hooks->load_object != 0; /* already where the task cannot begin */
    return tg_run_task(pool, run, take_over_body);
}
