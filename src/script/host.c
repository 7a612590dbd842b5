#include "script/host.h"

#include "base/log.h"
#include "core/topic.h"
#include "script/admission.h"
#include "script/admit.h"
#include "script/blocking.h"
#include "script/borrow.h"
#include "script/call.h"
#include "script/conn_call.h"
#include "script/conn_handle.h"
#include "script/declare.h"
#include "script/exchange.h"
#include "script/first_message.h"
#include "script/host_library.h"
#include "script/libs/crypto.h"
#include "script/libs/life.h"
#include "script/loader.h"
#include "script/outside.h"
#include "script/run.h"
#include "script/sandbox.h"
#include "script/scratch.h"
#include "script/start.h"
#include "script/topic_handle.h"
#include "script/topic_run.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the calls of core/script.h ---- */

static struct tg_host *host_of(struct tg_script *script)
{
    return TG_CONTAINER(script, struct tg_host, script);
}

static void note_tasks(const struct tg_host *host)
{
    host->world.worker->metrics.tasks = host->tasks.count;
}

static void note_run(struct tg_host *host)
{
    note_tasks(host);
    tg_collector_note(&host->collector);
}

static bool on_admit(struct tg_script *script, const struct tg_consumer *consumer,
                     const struct tg_request *request, struct tg_refusal *refusal)
{
    struct tg_host *host = host_of(script);
    bool is_admitted = tg_admit(&host->tasks, consumer, request, refusal);
    note_run(host);
    return is_admitted;
}

static enum tg_outcome on_authenticate(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = host_of(script);
    enum tg_outcome outcome = tg_admission_begin(&host->tasks, conn);
    note_run(host);
    return outcome;
}

static void on_said(struct tg_script *script, struct tg_conn *conn)
{
    (void)script;
    tg_first_message_said(conn);
}

static enum tg_outcome on_renew(struct tg_script *script, struct tg_conn *conn,
                                const struct tg_envelope *envelope)
{
    struct tg_host *host = host_of(script);
    enum tg_outcome outcome = tg_admission_renew(&host->tasks, conn, envelope);
    note_run(host);
    return outcome;
}

static enum tg_outcome on_groups(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "groups",
                         .answers = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_GROUPS]};
    enum tg_outcome outcome = tg_start_groups(&host->tasks, &run);
    note_run(host);
    return outcome;
}

static enum tg_outcome on_connected(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "connected",
                         .answers = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_CONNECTED]};
    if (!tg_hooks_of(conn)->connected) return TG_DONE;
    enum tg_outcome outcome = tg_run_connected(&host->tasks, &run);
    note_run(host);
    return outcome;
}

static enum tg_outcome on_message(struct tg_script *script, struct tg_conn *conn,
                                  const struct tg_action *action, const struct tg_envelope *envelope)
{
    struct tg_host *host = host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .action = action,
                         .envelope = envelope,
                         .handler = action->handler,
                         .ref = envelope->ref,
                         .is_data = !action->is_event,
                         .answers = !action->is_event};
    if (envelope->ref.topic.data) run.subscription = tg_subscription_find(conn, envelope->ref.topic);
    enum tg_outcome outcome = tg_run_message(&host->tasks, &run);
    note_run(host);
    return outcome;
}

static enum tg_outcome on_frame(struct tg_script *script, struct tg_conn *conn, struct tg_slice data,
                                bool is_binary)
{
    struct tg_host *host = host_of(script);
    enum tg_hook hook = conn->consumer->is_text ? TG_HOOK_RECEIVE : TG_HOOK_BINARY;
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .handler = &conn->consumer->counters->hooks[hook],
                         .what = conn->consumer->is_text ? "receive" : "on_binary",
                         .data = data,
                         .is_binary = is_binary,
                         .is_data = true,
                         .answers = true};
    enum tg_outcome outcome = tg_run_frame(&host->tasks, &run);
    note_run(host);
    return outcome;
}

static enum tg_outcome on_disconnected(struct tg_script *script, struct tg_conn *conn, uint16_t code,
                                       struct tg_slice reason)
{
    struct tg_host *host = host_of(script);
    struct tg_run run = {.world = &host->world,
                         .conn = conn,
                         .what = "disconnected",
                         .data = reason,
                         .code = code,
                         .is_farewell = true,
                         .handler = &conn->consumer->counters->hooks[TG_HOOK_DISCONNECTED]};
    if (!tg_hooks_of(conn)->disconnected) return TG_DONE;
    enum tg_outcome outcome = tg_run_disconnected(&host->tasks, &run);
    note_run(host);
    return outcome;
}

static void on_cancel(struct tg_script *script, struct tg_conn *conn)
{
    struct tg_host *host = host_of(script);
    tg_task_cancel_all(&host->tasks, conn);
    note_run(host);
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
    note_tasks(host); /* those of the connection have ended, without a run of any other */
}

static void on_turn(struct tg_script *script)
{
    struct tg_host *host = host_of(script);
    if (tg_list_is_empty(&host->tasks.ready)) return;
    tg_task_turn(&host->tasks);
    note_run(host);
}

static bool on_has_more(struct tg_script *script)
{
    return !tg_list_is_empty(&host_of(script)->tasks.ready);
}

static enum tg_status on_publish_event(struct tg_script *script, struct tg_value *event,
                                       struct tg_arena *arena, struct tg_publication *publication,
                                       struct tg_issues *issues, uint64_t *receivers)
{
    struct tg_host *host = host_of(script);
    publication->kind = TG_PUBLISH_EVENT;
    enum tg_status status = tg_outside_publish(&host->tasks, event, arena, publication, issues, receivers);
    note_run(host);
    return status;
}

static enum tg_status on_publish_message(struct tg_script *script, struct tg_value *message,
                                         struct tg_arena *arena, struct tg_publication *publication,
                                         struct tg_issues *issues, uint64_t *receivers)
{
    struct tg_host *host = host_of(script);
    publication->kind = TG_PUBLISH_MESSAGE;
    enum tg_status status = tg_outside_publish(&host->tasks, message, arena, publication, issues, receivers);
    note_run(host);
    return status;
}

static void on_exchange(struct tg_script *script, struct tg_exchange *exchange)
{
    struct tg_host *host = host_of(script);
    tg_script_exchange_run(&host->tasks, exchange);
    note_run(host);
}

static void on_cancel_exchange(struct tg_script *script, struct tg_exchange *exchange)
{
    tg_script_exchange_cancel(exchange);
    note_run(host_of(script));
}

static void stop_hook_ended(void *context)
{
    struct tg_host *host = context;
    if (--host->stops == 0) tg_worker_script_stopped(host->world.worker);
}

static enum tg_outcome on_stop(struct tg_script *script, const char *reason)
{
    struct tg_host *host = host_of(script);
    if (tg_life_stop(&host->tasks, reason, stop_hook_ended, host, &host->stops) != TG_OK)
        tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_S("action", "on_stop"));
    return host->stops > 0 ? TG_WAITING : TG_DONE;
}

/* ---- topics ---- */

static enum tg_outcome on_subscribe(struct tg_script *script, struct tg_subscription *subscription)
{
    struct tg_host *host = host_of(script);
    enum tg_outcome outcome = tg_topic_run_subscribe(&host->tasks, subscription);
    note_run(host);
    return outcome;
}

static enum tg_outcome on_unsubscribe(struct tg_script *script, struct tg_subscription *subscription,
                                      const char *reason)
{
    struct tg_host *host = host_of(script);
    enum tg_outcome outcome = tg_topic_run_unsubscribe(&host->tasks, subscription, reason);
    note_run(host);
    return outcome;
}

/* forget_topic_body(host, subscription) */
static int forget_topic_body(lua_State *L)
{
    struct tg_host *host = lua_touserdata(L, 1);
    const struct tg_subscription *subscription = lua_touserdata(L, 2);
    tg_world_forget(&host->world, L, subscription->script_ref);
    return 0;
}

static void on_forget_subscription(struct tg_script *script, struct tg_subscription *subscription)
{
    struct tg_host *host = host_of(script);
    tg_call_protected(host->world.L, forget_topic_body, host, subscription);
    subscription->script_ref = 0;
}

static const struct tg_script_ops ops = {
    .admit = on_admit,
    .authenticate = on_authenticate,
    .said = on_said,
    .renew = on_renew,
    .groups = on_groups,
    .connected = on_connected,
    .message = on_message,
    .frame = on_frame,
    .disconnected = on_disconnected,
    .cancel = on_cancel,
    .forget = on_forget,
    .turn = on_turn,
    .has_more = on_has_more,
    .publish_event = on_publish_event,
    .publish_message = on_publish_message,
    .stop = on_stop,
    .subscribe = on_subscribe,
    .unsubscribe = on_unsubscribe,
    .forget_subscription = on_forget_subscription,
    .exchange = on_exchange,
    .cancel_exchange = on_cancel_exchange,
};

/* ---- the state ---- */

/* open_world(host) */
static int open_world(lua_State *L)
{
    struct tg_host *host = lua_touserdata(L, 1);
    struct tg_world *world = &host->world;
    tg_world_open(world);
    if (!world->is_borrowed) {
        tg_world_push(world, L, TG_REF_OWN_ENV);
        tg_sandbox_own_state(L);
        lua_pop(L, 1);
        lua_pushboolean(L, 1);
        lua_setfield(L, LUA_REGISTRYINDEX, TG_OWN_STATE);
    }
    tg_scratch_install(world, L);
    tg_conn_handle_install(world, L);
    tg_conn_call_install(world, L);
    tg_topic_handle_install(world, L);
    tg_host_library_install(world, L);
    tg_crypto_library_install(world, L);
    /* How long a call really takes is nothing that a spec should depend on. */
    if (tg_config_is_development(world->config) && !world->is_borrowed) tg_blocking_install(world, L);
    return 0;
}

/* The modules get a budget of their own; that of the handlers is for what comes later. */
static enum tg_status load(struct tg_host *host, const char *folder, struct tg_buf *errors)
{
    struct tg_error error;
    if (tg_watchdog_open(&host->watchdog, &error) != TG_OK) {
        tg_buf_printf(errors, "%s\n", error.text);
        return TG_E_SCRIPT;
    }
    host->watchdog.setting = "load_cpu_ms";
    lua_State *outer = tg_watchdog_enter(&host->watchdog, host->world.L, host->world.config->load_cpu_ms);
    enum tg_status status = tg_load_application(&host->world, folder, errors);
    tg_watchdog_leave(&host->watchdog, outer);
    host->watchdog.setting = "handler_cpu_ms";
    host->watchdog.stuck_seconds = host->world.config->watchdog_seconds;
    return status;
}

/* Everything but the state. */
static void init(struct tg_host *host, const struct tg_config *config, uint32_t number)
{
    host->script.ops = &ops;
    host->generation.number = number;
    host->generation.script = &host->script;
    tg_registry_init(&host->generation.registry, config->max_check_steps);
    host->world.config = config;
    host->world.registry = &host->generation.registry;
    host->world.heap = &host->heap;
    host->world.watchdog = &host->watchdog;
}

static struct tg_host *new_host(const struct tg_config *config, uint32_t number)
{
    struct tg_host *opened = calloc(1, sizeof *opened);
    if (!opened) return NULL;
    init(opened, config, number);
    opened->world.L = lua_newstate(tg_heap_alloc, &opened->heap);
    if (opened->world.L) tg_task_pool_init(&opened->tasks, &opened->world);
    return opened;
}

static enum tg_status fill(struct tg_host *host)
{
    bool is_open = host->world.L && tg_call_protected(host->world.L, open_world, host, NULL) == LUA_OK;
    return is_open ? TG_OK : TG_E_NO_MEMORY;
}

enum tg_status tg_host_open(struct tg_host **host, const struct tg_config *config, const char *folder,
                            uint32_t number, struct tg_buf *errors)
{
    struct tg_host *opened = new_host(config, number);
    if (!opened) return TG_E_NO_MEMORY;
    opened->heap.limit_bytes = (uint64_t)config->lua_memory_mb << 20;
    enum tg_status status = fill(opened);
    if (status == TG_OK) status = load(opened, folder, errors);
    if (status == TG_OK)
        *host = opened;
    else
        tg_host_close(opened);
    return status;
}

enum tg_status tg_host_open_bare(struct tg_host **host, const struct tg_config *config)
{
    struct tg_host *opened = new_host(config, 1);
    if (!opened) return TG_E_NO_MEMORY;
    enum tg_status status = fill(opened);
    if (status == TG_OK)
        *host = opened;
    else
        tg_host_close(opened);
    return status;
}

/* ---- borrowed states ---- */

enum tg_status tg_host_open_in(struct tg_host *host, lua_State *L, int index, const struct tg_config *config)
{
    index = lua_absindex(L, index);
    init(host, config, 1);
    host->world.is_borrowed = true;
    host->world.L = lua_newthread(L);
    lua_setiuservalue(L, index, 1);
    lua_pushvalue(L, index);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &host->world);
    tg_task_pool_init(&host->tasks, &host->world);
    tg_borrow_note(L);
    int outcome = tg_call_protected(host->world.L, open_world, host, NULL);
    tg_borrow_restore(L);
    return outcome == LUA_OK ? TG_OK : TG_E_NO_MEMORY;
}

/* Nobody is there any more for what the world's threads do. */
static void disown_threads(struct tg_world *world, lua_State *L)
{
    tg_world_push(world, L, TG_REF_THREADS);
    for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) tg_task_set(lua_tothread(L, -2), tg_task_stranger());
    lua_pop(L, 1);
    tg_task_set(world->L, tg_task_stranger());
}

void tg_host_close_in(struct tg_host *host, lua_State *L)
{
    struct tg_world *world = &host->world;
    if (!world->tasks) return;
    tg_task_pool_deinit(&host->tasks);
    world->tasks = NULL;
    world->worker = NULL;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, world) == LUA_TUSERDATA && world->table_ref) {
        disown_threads(world, L);
        tg_world_close(world, L, -1);
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, world);
}

void tg_host_deinit_in(struct tg_host *host)
{
    tg_world_deinit(&host->world);
    tg_registry_deinit(&host->generation.registry);
}

/* ---- */

void tg_host_attach(struct tg_host *host, struct tg_worker *worker)
{
    host->world.worker = worker;
    worker->generation = &host->generation;
    if (!host->world.is_borrowed) tg_collector_start(&host->collector, host->world.L, &host->heap, worker);
    if (tg_life_start(&host->tasks) != TG_OK)
        tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_S("action", "on_start"));
    tg_task_turn(&host->tasks);
    note_run(host);
}

void tg_host_detach(struct tg_host *host)
{
    tg_task_cancel_all(&host->tasks, NULL);
    tg_collector_stop(&host->collector);
}

void tg_host_close(struct tg_host *host)
{
    if (host->world.L) {
        tg_task_pool_deinit(&host->tasks);
        lua_close(host->world.L);
    }
    tg_watchdog_close(&host->watchdog);
    tg_heap_deinit(&host->heap);
    tg_world_deinit(&host->world);
    tg_registry_deinit(&host->generation.registry);
    free(host);
}
