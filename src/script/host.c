/* Runs handlers and hooks. Every run is a `struct run` on the C stack, which lives as long as the task: the
 * bodies below find it as light userdata, build their arguments inside the protection of the coroutine,
 * call Lua, and send what it returned. What goes wrong is told in one place, tell_failure. */
#include "script/host.h"

#include "base/log.h"
#include "core/dispatch.h"
#include "script/call.h"
#include "script/conn_handle.h"
#include "script/declare.h"
#include "script/host_library.h"
#include "script/loader.h"
#include "script/message_type.h"
#include "script/payload.h"
#include "script/scratch.h"
#include "script/to_lua.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One run of Lua code for one connection. */
struct run {
    struct tg_host *host;
    struct tg_conn *conn;
    const struct tg_action *action; /* NULL: a hook or a raw frame */
    const struct tg_envelope *envelope;
    const char *what; /* "connected", ...; for the log */
    struct tg_slice data;
    uint16_t code;
    bool is_binary;
    bool answers; /* what goes wrong is told to the client */
};

static const struct tg_hooks *hooks_of(const struct run *run)
{
    return run->conn->consumer->script_data;
}

/* ---- failures ---- */

static struct tg_slice what_failed(const struct run *run)
{
    return run->action ? run->action->name : tg_slice_of(run->what);
}

/* Where it happened: the innermost Lua function; or, where none runs any more because a reply does not fit
 * its schema, the handler. */
struct place {
    struct tg_slice file;
    int64_t line; /* 0: nowhere */
};

static struct place find_place(const struct run *run, const struct tg_failure *failure)
{
    if (failure->file[0]) return (struct place){tg_slice_of(failure->file), failure->line};
    const char *colon = run->action ? strrchr(run->action->source.data, ':') : NULL;
    if (!colon) return (struct place){0};
    return (struct place){{run->action->source.data, (size_t)(colon - run->action->source.data)},
                          strtoll(colon + 1, NULL, 10)};
}

static void log_failure(const struct run *run, const struct tg_failure *failure)
{
    struct place place = find_place(run, failure);
    char source[sizeof failure->file + 16];
    snprintf(source, sizeof source, "%.*s:%lld", TG_SLICE_ARG(place.file), (long long)place.line);
    tg_log(TG_LOG_ERROR, "handler_failed", TG_LOG_CONN(run->conn), TG_LOG_STR("action", what_failed(run)),
           TG_LOG_S("source", source), TG_LOG_STR("error", failure->message),
           TG_LOG_STR("traceback", failure->traceback));
}

static void answer_failure(const struct run *run, const struct tg_failure *failure)
{
    struct tg_detail detail = {.detail = TG_SLICE("Failed to process message")};
    if (failure->is_declared) {
        detail = (struct tg_detail){.code = failure->code, .detail = failure->detail};
    } else if (tg_config_is_development(run->host->world.config)) {
        struct place place = find_place(run, failure);
        detail.traceback = failure->traceback;
        detail.file = place.file;
        detail.line = place.line;
    }
    const struct tg_ref none = {0};
    tg_dispatch_answer_detail(run->conn, &detail, run->envelope ? &run->envelope->ref : &none);
}

static void tell_failure(void *context, const struct tg_failure *failure)
{
    struct run *run = context;
    if (!failure->is_declared || !run->answers) {
        run->conn->worker->metrics.handler_errors++;
        log_failure(run, failure);
    }
    if (run->answers) answer_failure(run, failure);
}

static bool run_task(struct run *run, lua_CFunction body)
{
    enum tg_status status = tg_task_run(&run->host->tasks, body, run, tell_failure);
    if (status == TG_E_NO_MEMORY) {
        static const struct tg_failure no_memory = {.message = TG_SLICE("not enough memory")};
        tell_failure(run, &no_memory);
    }
    return status == TG_OK;
}

/* ---- bodies: (refs, run) ---- */

static struct run *run_of(lua_State *L)
{
    return lua_touserdata(L, 2);
}

/* Pushes the connection's handle. [-0, +1, e] */
static void push_conn(lua_State *L, struct run *run)
{
    if (run->conn->script_ref)
        lua_rawgeti(L, 1, run->conn->script_ref);
    else
        tg_conn_handle_push(&run->host->world, L, run->conn);
}

static void push_ref(lua_State *L, const struct tg_ref *ref)
{
    if (ref->type == TG_REF_INTEGER)
        lua_pushinteger(L, ref->integer);
    else
        lua_pushlstring(L, ref->string.data, ref->string.length);
}

/* Pushes { action =, payload =, topic =, ref = }; the key table lies at 3. [-0, +1, e] */
static void push_message(lua_State *L, struct run *run)
{
    const struct tg_envelope *envelope = run->envelope;
    bool has_topic = envelope->topic.data != NULL, has_ref = envelope->ref.type != TG_REF_NONE;
    lua_createtable(L, 0, 1 + (envelope->payload != NULL) + has_topic + has_ref);
    lua_rawgeti(L, 3, TG_KEY_ACTION);
    lua_rawgeti(L, 3, run->action->script_name_key);
    lua_rawset(L, -3);
    if (envelope->payload) {
        lua_rawgeti(L, 3, TG_KEY_PAYLOAD);
        tg_push_value(L, 1, 3, envelope->payload);
        lua_rawset(L, -3);
    }
    if (has_topic) {
        lua_rawgeti(L, 3, TG_KEY_TOPIC);
        lua_pushlstring(L, envelope->topic.data, envelope->topic.length);
        lua_rawset(L, -3);
    }
    if (has_ref) {
        lua_rawgeti(L, 3, TG_KEY_REF);
        push_ref(L, &envelope->ref);
        lua_rawset(L, -3);
    }
}

/* Sends what a handler returned, if anything. */
static int send_reply(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct run *run = run_of(L);
    if (lua_isnil(L, -1)) return 0;
    int reply = lua_gettop(L);
    const struct tg_message_type *type = tg_message_type_of_instance(L, reply);
    if (!type)
        luaL_error(L, "%s: the handler of '%s' returned %s; it returns a message or nothing",
                   run->action->source.data, run->action->name.data, tg_message_type_push_misuse(L, reply));
    enum tg_status sent =
        tg_conn_handle_send(&run->host->world, L, run->conn, reply, type, &run->envelope->ref);
    if (sent == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    return 0;
}

/* handler(conn, message) after `before`: the arguments are on top. */
static int call_handler(lua_State *L)
{
    lua_rawgeti(L, 1, run_of(L)->action->script_ref);
    lua_insert(L, -3);
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
    struct run *run = run_of(L);
    struct tg_detail detail = {.code = TG_SLICE("refused"), .detail = TG_SLICE("The message was refused")};
    if (lua_type(L, -1) == LUA_TSTRING) detail.detail.data = lua_tolstring(L, -1, &detail.detail.length);
    tg_dispatch_answer_detail(run->conn, &detail, &run->envelope->ref);
    return 0;
}

/* Makes the defaults and runs the checks of the message on top. False: a check was not content, and the
 * client has been told. */
static bool finish_payload(lua_State *L, struct run *run)
{
    struct tg_worker *worker = run->conn->worker;
    struct tg_issues issues;
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    const struct tg_payload_work work = {
        .world = &run->host->world, .arena = &worker->arena, .issues = &issues, .holder = lua_gettop(L)};
    tg_payload_work(&work, L, run->envelope->calls);
    if (issues.count == 0) return true;
    tg_dispatch_answer_issues(run->conn, &issues, &run->envelope->ref);
    return false;
}

static int message_body(lua_State *L)
{
    struct run *run = run_of(L);
    int before = hooks_of(run)->before;
    lua_rawgeti(L, 1, TG_REF_KEYS);
    if (!before) lua_rawgeti(L, 1, run->action->script_ref);
    push_conn(L, run);
    push_message(L, run);
    if (run->envelope->calls && !finish_payload(L, run)) return 0;
    if (!before) {
        lua_callk(L, 2, 1, 0, send_reply);
        return send_reply(L, LUA_OK, 0);
    }
    lua_rawgeti(L, 1, before);
    lua_pushvalue(L, 4);
    lua_pushvalue(L, 5);
    lua_callk(L, 2, 2, 0, after_before);
    return after_before(L, LUA_OK, 0);
}

/* Hooks answer nothing: a message that one returns was meant to be sent, and would be lost without a word. */
static int hook_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    if (tg_message_type_of_instance(L, -1))
        luaL_error(L, "%s returned a message: only handlers of messages reply, a hook sends with conn:send",
                   run_of(L)->what);
    return 0;
}

/* Calls the hook below its `arguments`. */
static int call_hook(lua_State *L, int arguments)
{
    lua_callk(L, arguments, 1, 0, hook_done);
    return hook_done(L, LUA_OK, 0);
}

/* receive(conn, data, is_binary), binary(conn, data) */
static int frame_body(lua_State *L)
{
    struct run *run = run_of(L);
    const struct tg_hooks *hooks = hooks_of(run);
    lua_rawgeti(L, 1, run->conn->consumer->is_text ? hooks->receive : hooks->binary);
    push_conn(L, run);
    lua_pushlstring(L, run->data.data ? run->data.data : "", run->data.length);
    lua_pushboolean(L, run->is_binary);
    return call_hook(L, 3);
}

/* connected(consumer, conn) */
static int connected_body(lua_State *L)
{
    struct run *run = run_of(L);
    lua_rawgeti(L, 1, hooks_of(run)->connected);
    lua_rawgeti(L, 1, hooks_of(run)->object);
    push_conn(L, run);
    return call_hook(L, 2);
}

/* disconnected(consumer, conn, code, reason) */
static int disconnected_body(lua_State *L)
{
    struct run *run = run_of(L);
    lua_rawgeti(L, 1, hooks_of(run)->disconnected);
    lua_rawgeti(L, 1, hooks_of(run)->object);
    push_conn(L, run);
    lua_pushinteger(L, run->code);
    lua_pushlstring(L, run->data.data ? run->data.data : "", run->data.length);
    return call_hook(L, 4);
}

/* ---- the calls of core/script.h ---- */

static struct tg_host *host_of(struct tg_script *script)
{
    return (struct tg_host *)script;
}

/* A collection costs as much as there is alive, so it is put off until GARBAGE_BYTES of garbage may have come
 * together, or as much as there is alive, whichever is more: small heaps would be collected all the time. */
static void tune_collector(struct tg_host *host)
{
    enum { GARBAGE_BYTES = 1024 * 1024, PAUSE_MIN = 200, PAUSE_MAX = 1000 };
    uint64_t alive = host->heap.bytes ? host->heap.bytes : 1;
    uint64_t pause = 100 + 100ull * GARBAGE_BYTES / alive;
    lua_gc(host->world.L, LUA_GCINC,
           (int)(pause < PAUSE_MIN   ? PAUSE_MIN
                 : pause > PAUSE_MAX ? PAUSE_MAX
                                     : pause),
           0, 0);
    host->tuned_bytes = host->heap.bytes;
}

static void show_heap(struct tg_host *host)
{
    *host->heap_metric = host->heap.bytes;
    if (host->heap.bytes > 2 * host->tuned_bytes || host->heap.bytes < host->tuned_bytes / 2)
        tune_collector(host);
}

static bool on_connected(struct tg_script *script, struct tg_conn *conn)
{
    struct run run = {.host = host_of(script), .conn = conn, .what = "connected", .answers = true};
    bool is_fine = !hooks_of(&run)->connected || run_task(&run, connected_body);
    show_heap(run.host);
    return is_fine;
}

static void on_message(struct tg_script *script, struct tg_conn *conn, const struct tg_action *action,
                       const struct tg_envelope *envelope)
{
    struct run run = {
        .host = host_of(script), .conn = conn, .action = action, .envelope = envelope, .answers = true};
    run_task(&run, message_body);
    show_heap(run.host);
}

static void on_frame(struct tg_script *script, struct tg_conn *conn, struct tg_slice data, bool is_binary)
{
    const char *what = conn->consumer->is_text ? "receive" : "on_binary";
    struct run run = {.host = host_of(script),
                      .conn = conn,
                      .what = what,
                      .data = data,
                      .is_binary = is_binary,
                      .answers = true};
    run_task(&run, frame_body);
    show_heap(run.host);
}

static void on_disconnected(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                            struct tg_slice reason)
{
    struct run run = {
        .host = host_of(script), .conn = conn, .what = "disconnected", .data = reason, .code = code};
    if (hooks_of(&run)->disconnected) run_task(&run, disconnected_body);
    show_heap(run.host);
}

/* forget(host, conn) */
static int forget_body(lua_State *L)
{
    struct tg_host *host = lua_touserdata(L, 1);
    struct tg_conn *conn = lua_touserdata(L, 2);
    tg_world_forget(&host->world, L, conn->script_ref);
    return 0;
}

static void on_forget(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = host_of(script);
    if (conn->script_ref) tg_call_protected(host->world.L, forget_body, host, conn);
    conn->script_ref = 0;
}

static const struct tg_script_ops ops = {on_connected, on_message, on_frame, on_disconnected, on_forget};

/* ---- the state ---- */

/* open_world(host) */
static int open_world(lua_State *L)
{
    struct tg_host *host = lua_touserdata(L, 1);
    tg_world_open(&host->world);
    tg_scratch_install(&host->world, L);
    tg_conn_handle_install(&host->world, L);
    tg_host_library_install(&host->world, L);
    return 0;
}

enum tg_status tg_host_open(struct tg_host **host, const struct tg_config *config, const char *folder,
                            uint32_t number, struct tg_buf *errors)
{
    struct tg_host *opened = calloc(1, sizeof *opened);
    if (!opened) return TG_E_NO_MEMORY;
    opened->script.ops = &ops;
    opened->generation.number = number;
    opened->generation.script = &opened->script;
    tg_registry_init(&opened->generation.registry, config->max_check_steps);
    opened->world.config = config;
    opened->world.registry = &opened->generation.registry;
    opened->tasks.world = &opened->world;
    enum tg_status status = TG_E_NO_MEMORY;
    opened->world.L = lua_newstate(tg_heap_alloc, &opened->heap);
    if (opened->world.L && tg_call_protected(opened->world.L, open_world, opened, NULL) == LUA_OK)
        status = tg_load_application(&opened->world, folder, errors);
    if (status == TG_OK)
        *host = opened;
    else
        tg_host_close(opened);
    return status;
}

void tg_host_attach(struct tg_host *host, struct tg_worker *worker)
{
    host->world.worker = worker;
    host->heap_metric = &worker->metrics.script_heap_bytes;
    worker->generation = &host->generation;
    lua_gc(host->world.L, LUA_GCCOLLECT); /* what loading left behind */
    tune_collector(host);
    show_heap(host);
}

void tg_host_close(struct tg_host *host)
{
    if (host->world.L) lua_close(host->world.L);
    tg_heap_deinit(&host->heap);
    tg_world_deinit(&host->world);
    tg_registry_deinit(&host->generation.registry);
    free(host);
}
