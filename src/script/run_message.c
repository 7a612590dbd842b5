/* A message on its way through the consumer's code: its checks, `allow`, `before`, the handler, the reply.
 * Each may wait; what follows it is its continuation.
 */
#include "core/dispatch.h"
#include "core/event.h"
#include "core/worker.h"
#include "script/conn_handle.h"
#include "script/message_type.h"
#include "script/payload.h"
#include "script/place.h"
#include "script/run.h"
#include "script/to_lua.h"
#include "script/topic_handle.h"

#include <lauxlib.h>

/* Pushes what a handler gets first: the connection, or its subscription. [-0, +1, e] */
static void push_subject(lua_State *L, struct tg_run *run)
{
    if (run->subscription)
        tg_topic_handle_push(run->world, L, run->subscription);
    else
        tg_run_push_conn(L, run);
}

static void push_ref(lua_State *L, const struct tg_ref *ref)
{
    if (ref->type == TG_REF_INTEGER)
        lua_pushinteger(L, ref->integer);
    else
        lua_pushlstring(L, ref->string.data, ref->string.length);
}

/* Pushes { action =, payload =, topic =, ref = }; the key table lies at 2. [-0, +1, e] */
static void push_message(lua_State *L, struct tg_run *run)
{
    const struct tg_envelope *envelope = run->envelope;
    bool has_topic = envelope->topic.data != NULL, has_ref = envelope->ref.type != TG_REF_NONE;
    lua_createtable(L, 0, 1 + (envelope->payload != NULL) + has_topic + has_ref);
    lua_rawgeti(L, 2, TG_KEY_ACTION);
    lua_rawgeti(L, 2, run->action->script_name_key);
    lua_rawset(L, -3);
    if (envelope->payload) {
        lua_rawgeti(L, 2, TG_KEY_PAYLOAD);
        tg_push_value(L, 1, 2, envelope->payload);
        lua_rawset(L, -3);
    }
    if (has_topic) {
        lua_rawgeti(L, 2, TG_KEY_TOPIC);
        lua_pushlstring(L, envelope->topic.data, envelope->topic.length);
        lua_rawset(L, -3);
    }
    if (has_ref) {
        lua_rawgeti(L, 2, TG_KEY_REF);
        push_ref(L, &envelope->ref);
        lua_rawset(L, -3);
    }
}

/* Sends what a handler returned, if anything. */
static int send_reply(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (lua_isnil(L, -1)) return 0;
    int reply = lua_gettop(L);
    const struct tg_message_type *type = tg_message_type_of_instance(L, reply);
    if (!type)
        luaL_error(L, "%s: the handler of '%s' returned %s; it returns a message or nothing",
                   run->action->source.data, run->action->name.data, tg_message_type_push_misuse(L, reply));
    enum tg_status sent = tg_conn_handle_send(run->world, L, run->conn, reply, type, &run->ref);
    if (sent == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    return 0;
}

/* handler(conn, message) after `before`, whose arguments are on top. */
static int call_handler(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, run->action->script_ref);
    lua_insert(L, -3);
    if (run->subscription) {
        push_subject(L, run);
        lua_replace(L, -3);
    }
    lua_callk(L, 2, 1, 0, send_reply);
    return send_reply(L, LUA_OK, 0);
}

/* What `before` returned decides: nothing or true goes on, a message answers, false refuses. */
static int after_before(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    if (lua_isnil(L, -2) || (lua_isboolean(L, -2) && lua_toboolean(L, -2))) {
        lua_pop(L, 2);
        return call_handler(L);
    }
    if (tg_message_type_of_instance(L, -2)) {
        lua_pop(L, 1);
        return send_reply(L, LUA_OK, 0);
    }
    if (!lua_isboolean(L, -2))
        luaL_error(L, "`before` returned %s: it returns nothing or true, a message, or false and a sentence",
                   tg_message_type_push_misuse(L, -2));
    struct tg_run *run = tg_run_of(L);
    struct tg_detail detail = {.code = TG_SLICE("refused"), .detail = TG_SLICE("The message was refused")};
    if (lua_type(L, -1) == LUA_TSTRING) detail.detail.data = lua_tolstring(L, -1, &detail.detail.length);
    tg_dispatch_answer_detail(run->conn, &detail, &run->ref);
    return 0;
}

/* Makes the defaults and runs the checks of the message on top. False: a check was not content, and the
 * client has been told, or of an event the log. */
static bool finish_payload(lua_State *L, struct tg_run *run)
{
    struct tg_worker *worker = run->conn->worker;
    struct tg_issues issues;
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    if (tg_run_is_event(run))
        issues.style = TG_ISSUE_TEXT;
    else
        issues.counts = worker->issue_counts;
    const struct tg_payload_work work = {
        .world = run->world, .arena = &worker->arena, .issues = &issues, .holder = lua_gettop(L)};
    tg_payload_work(&work, L, run->envelope->calls);
    if (issues.count == 0) return true;
    if (tg_run_is_event(run))
        tg_event_tell_invalid(run->conn, run->action, &issues);
    else
        tg_dispatch_answer_issues(run->conn, &issues, &run->ref);
    return false;
}

/* Of the handler, whose arguments are on top: `before` or the handler itself is next. */
static int go_to_handler(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    int before = tg_run_is_event(run) ? 0 : tg_hooks_of(run->conn)->before;
    if (!before) {
        lua_rawgeti(L, 1, run->action->script_ref);
        lua_insert(L, -3);
        lua_callk(L, 2, 1, 0, send_reply);
        return send_reply(L, LUA_OK, 0);
    }
    if (run->subscription) { /* of the connection, whichever stream the message belongs to */
        tg_run_push_conn(L, run);
        lua_replace(L, 3);
    }
    lua_rawgeti(L, 1, before);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 4);
    lua_callk(L, 2, 2, 0, after_before);
    return after_before(L, LUA_OK, 0);
}

/* What `allow` returned: true, or false and a sentence. */
static int after_allow(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (!lua_isboolean(L, -2) && !lua_isnil(L, -2))
        luaL_error(L, "%s: `allow` returned %s: it returns true, or false and a sentence",
                   run->action->source.data, tg_place_push_kind(L, lua_absindex(L, -2)));
    if (lua_toboolean(L, -2)) {
        lua_pop(L, 2);
        return go_to_handler(L);
    }
    struct tg_detail detail = {.code = TG_SLICE("forbidden"),
                               .detail = TG_SLICE("You do not have permission to perform this action.")};
    if (lua_type(L, -1) == LUA_TSTRING) detail.detail.data = lua_tolstring(L, -1, &detail.detail.length);
    run->conn->worker->metrics.messages_forbidden++;
    tg_dispatch_answer_detail(run->conn, &detail, &run->ref);
    return 0;
}

static int message_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, TG_REF_KEYS);
    push_subject(L, run);
    push_message(L, run);
    tg_watchdog_restart();
    if (run->envelope->calls && !finish_payload(L, run)) return 0;
    if (!run->action->script_allow) return go_to_handler(L);
    lua_rawgeti(L, 1, run->action->script_allow);
    lua_pushvalue(L, 3);
    lua_pushvalue(L, 4);
    lua_callk(L, 2, 2, 0, after_allow);
    return after_allow(L, LUA_OK, 0);
}

enum tg_outcome tg_run_message(struct tg_task_pool *pool, struct tg_run *run)
{
    return tg_run_task(pool, run, message_body);
}
