/* The bytes are those of one table, { ["conn.state"] =, ["conn.user"] =, ["sub.state of NAME"] = }, so that
 * what is shared stays shared; no bytes are nothing. The names are those that paths begin with.
 *
 * Invariant: nothing of the connection changes in the old generation until its bytes are whole. */
#include "script/conn_move.h"

#include "base/log.h"
#include "base/map.h"
#include "core/subscription.h"
#include "script/admission.h"
#include "script/call.h"
#include "script/conn_handle.h"
#include "script/conn_user.h"
#include "script/host.h"
#include "script/place.h"
#include "script/plain.h"
#include "script/run.h"
#include "script/topic_handle.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char state_name[] = "conn.state", user_name[] = "conn.user";

/* ---- tasks ---- */

static struct tg_task *task_at(struct tg_list *node)
{
    return TG_CONTAINER(node, struct tg_task, siblings);
}

/* Whether the task was begun by one of these runs. */
static bool belongs_to(const struct tg_task *task, struct tg_list *runs)
{
    for (struct tg_list *node = runs->next; node != runs; node = node->next)
        if (task_at(node)->origin_run == task->origin_run) return true;
    return false;
}

/* Takes those that are runs out of `tasks`, which are few. */
static void take_runs(struct tg_list *tasks, struct tg_list *runs)
{
    tg_list_init(runs);
    for (struct tg_list *node = tasks->next, *next; node != tasks; node = next) {
        next = node->next;
        if (!tg_run_of_task(task_at(node))) continue;
        tg_list_remove(node);
        tg_list_append(runs, node);
    }
}

/* Takes those that none of `runs` has begun out of `tasks`. */
static void take_others(struct tg_list *tasks, struct tg_list *runs, struct tg_list *others)
{
    tg_list_init(others);
    for (struct tg_list *node = tasks->next, *next; node != tasks; node = next) {
        next = node->next;
        if (belongs_to(task_at(node), runs)) continue;
        tg_list_remove(node);
        tg_list_append(others, node);
    }
}

void tg_conn_move_release(struct tg_task_pool *pool, struct tg_conn *conn)
{
    struct tg_list runs, released;
    take_runs(&conn->tasks, &runs);
    take_others(&conn->tasks, &runs, &released);
    tg_list_move_all(&conn->tasks, &runs);
    tg_task_end_all(pool, &released);
}

void tg_conn_move_release_nobodys(struct tg_task_pool *pool)
{
    struct tg_list released;
    take_others(&pool->tasks, &pool->requests, &released);
    tg_task_end_all(pool, &released);
}

void tg_conn_move_expire(struct tg_conn *conn)
{
    for (struct tg_list *node = conn->tasks.next; node != &conn->tasks; node = node->next) {
        struct tg_run *run = tg_run_of_task(task_at(node));
        if (run) tg_run_retire(run);
    }
}

/* ---- out ---- */

struct moving {
    struct tg_host *host;
    struct tg_conn *conn;
    struct tg_buf *out; /* out */
    size_t begin;
    enum tg_status status;
    struct tg_slice state; /* in */
    uint32_t from;
};

static const struct tg_hash_seed seed = {0x6f7574206f662074, 0x6865207761792121};

/* Whether this has not been told yet. */
static bool is_news(struct tg_left_behind *left_behind, uint64_t hash)
{
    for (uint32_t i = 0; i < left_behind->count; i++)
        if (left_behind->told[i] == hash) return false;
    left_behind->told[left_behind->count++] = hash;
    return true;
}

/* What stays behind of one connection stays behind of all, so it is told once for a consumer and a path. */
static bool tell_left_out(void *context, struct tg_slice path, const char *what)
{
    const struct moving *moving = context;
    struct tg_left_behind *left_behind = &moving->host->left_behind;
    const struct tg_consumer *consumer = moving->conn->consumer;
    uint64_t hash = tg_hash(seed, path) ^ tg_hash(seed, consumer->name);
    if (left_behind->count == TG_LEFT_BEHIND) return false;
    if (!is_news(left_behind, hash)) return true;
    char text[256];
    snprintf(text, sizeof text, "%.*s %s%s", TG_SLICE_ARG(path), what,
             strncmp(what, "has ", 4) == 0 ? ", which stays behind: its fields are copied"
                                           : " and stays behind");
    tg_log(TG_LOG_WARNING, "left_behind", TG_LOG_CONN(moving->conn), TG_LOG_S("text", text),
           TG_LOG_STR("source", consumer->source));
    return true;
}

/* Pushes what the state of a subscription is called. [-0, +1, e] */
static void push_topic_name(lua_State *L, const struct tg_subscription *subscription)
{
    lua_pushliteral(L, "sub.state of ");
    lua_pushlstring(L, subscription->name.data, subscription->name.length);
    lua_concat(L, 2);
}

static struct tg_subscription *subscription_at(struct tg_list *node)
{
    return TG_CONTAINER(node, struct tg_subscription, link);
}

/* Sets field NAME of the table at `index` to what is on top, but for nil and empty tables. [-1, +0, e] */
static void set_kept(lua_State *L, int index, const char *name)
{
    bool is_kept = !lua_isnil(L, -1);
    if (lua_istable(L, -1)) {
        lua_pushnil(L);
        is_kept = lua_next(L, -2);
        if (is_kept) lua_pop(L, 2);
    }
    if (is_kept)
        lua_setfield(L, index, name);
    else
        lua_pop(L, 1);
}

/* Pushes the table of everything. [-0, +1, e] */
static void push_kept(lua_State *L, struct moving *moving)
{
    struct tg_world *world = &moving->host->world;
    const struct tg_conn *conn = moving->conn;
    lua_newtable(L);
    int kept = lua_gettop(L);
    if (conn->script_ref) {
        tg_world_push(world, L, conn->script_ref);
        tg_conn_handle_push_cache(L, kept + 1);
        lua_getfield(L, -1, "state");
        set_kept(L, kept, state_name);
        lua_getfield(L, -1, "user");
        set_kept(L, kept, user_name);
    }
    for (struct tg_list *node = conn->subscriptions.next; node != &conn->subscriptions; node = node->next) {
        if (!subscription_at(node)->script_ref) continue;
        push_topic_name(L, subscription_at(node));
        tg_world_push(world, L, subscription_at(node)->script_ref);
        tg_topic_handle_push_state(L, lua_gettop(L));
        set_kept(L, kept, lua_tostring(L, -3));
        lua_settop(L, kept + 2);
    }
    lua_settop(L, kept);
}

/* The state is too much: the user alone, whatever that takes. */
static enum tg_status write_user(lua_State *L, struct moving *moving, const struct tg_plain *plain)
{
    struct tg_plain unlimited = *plain;
    unlimited.max_bytes = 0;
    moving->conn->worker->metrics.states_left_behind++;
    tg_log(TG_LOG_ERROR, "state_too_large", TG_LOG_CONN(moving->conn),
           TG_LOG_I("state_max_bytes", plain->max_bytes),
           TG_LOG_S("text",
                    "conn.state takes more than state_max_bytes and stays behind: keep less of it, or "
                    "raise the limit"),
           TG_LOG_STR("source", moving->conn->consumer->source));
    lua_newtable(L);
    lua_getfield(L, -2, user_name);
    lua_setfield(L, -2, user_name);
    return tg_plain_write(&moving->host->world, L, -1, &unlimited, moving->out);
}

/* write_out(moving) */
static int write_out(lua_State *L)
{
    struct moving *moving = lua_touserdata(L, 1);
    struct tg_world *world = &moving->host->world;
    const struct tg_plain plain = {
        .max_bytes = world->config->state_max_bytes, .left_out = tell_left_out, .context = moving};
    luaL_checkstack(L, 12, NULL);
    push_kept(L, moving);
    lua_pushnil(L);
    if (!lua_next(L, -2)) return 0;
    lua_pop(L, 2);
    moving->status = tg_plain_write(world, L, -1, &plain, moving->out);
    if (moving->status == TG_E_FULL) moving->status = write_user(L, moving, &plain);
    return 0;
}

/* forget_handles(moving) */
static int forget_handles(lua_State *L)
{
    const struct moving *moving = lua_touserdata(L, 1);
    struct tg_world *world = &moving->host->world;
    struct tg_conn *conn = moving->conn;
    for (struct tg_list *node = conn->subscriptions.next; node != &conn->subscriptions; node = node->next) {
        struct tg_subscription *subscription = subscription_at(node);
        if (!subscription->script_ref) continue;
        tg_world_push(world, L, subscription->script_ref);
        tg_topic_handle_retire(L, lua_gettop(L));
        lua_pop(L, 1);
        tg_world_forget(world, L, subscription->script_ref);
        subscription->script_ref = 0;
    }
    if (!conn->script_ref) return 0;
    tg_world_push(world, L, conn->script_ref);
    tg_conn_handle_retire(L, lua_gettop(L));
    tg_world_forget(world, L, conn->script_ref);
    conn->script_ref = 0;
    return 0;
}

enum tg_status tg_conn_move_out(struct tg_host *host, struct tg_conn *conn, struct tg_buf *state)
{
    struct moving moving = {.host = host, .conn = conn, .out = state, .begin = state->length};
    lua_State *L = host->world.L;
    tg_task_cancel_all(&host->tasks, conn);
    host->heap.room_bytes = TG_HEAP_ROOM_BYTES; /* a state that is full can be left */
    if (tg_call_protected(L, write_out, &moving, NULL) != LUA_OK) moving.status = TG_E_NO_MEMORY;
    if (moving.status == TG_OK && tg_call_protected(L, forget_handles, &moving, NULL) != LUA_OK)
        moving.status = TG_E_NO_MEMORY;
    host->heap.room_bytes = 0;
    if (moving.status != TG_OK) tg_buf_truncate(state, moving.begin);
    return moving.status;
}

/* ---- in ---- */

/* read_in(moving) */
static int read_in(lua_State *L)
{
    struct moving *moving = lua_touserdata(L, 1);
    struct tg_world *world = &moving->host->world;
    struct tg_conn *conn = moving->conn;
    luaL_checkstack(L, 12, NULL);
    if (moving->state.length)
        moving->status = tg_plain_read(world, L, moving->state);
    else
        lua_newtable(L);
    if (moving->status != TG_OK) return 0;
    int kept = lua_gettop(L);
    tg_conn_handle_push(world, L, conn);
    tg_conn_handle_push_cache(L, kept + 1);
    lua_getfield(L, kept, state_name);
    lua_setfield(L, kept + 2, "state");
    lua_getfield(L, kept, user_name);
    lua_setfield(L, kept + 2, "user");
    for (struct tg_list *node = conn->subscriptions.next; node != &conn->subscriptions; node = node->next) {
        lua_settop(L, kept);
        push_topic_name(L, subscription_at(node));
        if (lua_rawget(L, kept) == LUA_TNIL) continue;
        tg_topic_handle_push(world, L, subscription_at(node));
        lua_insert(L, -2);
        tg_topic_handle_set_state(L, -2);
    }
    return 0;
}

/* What a connection that comes without its state, or without its user, would do is not known. */
static enum tg_outcome refuse(struct moving *moving)
{
    struct tg_conn *conn = moving->conn;
    tg_log(TG_LOG_ERROR, "state_lost", TG_LOG_CONN(conn), TG_LOG_S("error", tg_status_name(moving->status)),
           TG_LOG_I("lua_memory_mb", moving->host->world.config->lua_memory_mb));
    tg_conn_close(conn, 1012, TG_SLICE("the new code had no memory for the connection"));
    return TG_FAILED;
}

/* migrate(state, from_generation) -> state | nothing: the same, changed */
static int migrate_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, tg_hooks_of(run->conn)->migrate);
    tg_run_push_conn(L, run);
    lua_getfield(L, -1, "state");
    lua_replace(L, -2);
    lua_pushinteger(L, run->from);
    lua_call(L, 2, 1);
    if (lua_isnil(L, -1)) return 0;
    if (!lua_istable(L, -1))
        luaL_error(L, "%s: migrate returned %s: it returns the state, a table",
                   run->conn->consumer->source.data, tg_place_push_kind(L, -1));
    tg_run_push_conn(L, run);
    tg_conn_handle_push_cache(L, lua_gettop(L));
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "state");
    return 0;
}

static struct tg_run run_for(const struct moving *moving, enum tg_hook hook, const char *what)
{
    return (struct tg_run){.world = &moving->host->world,
                           .conn = moving->conn,
                           .what = what,
                           .from = moving->from,
                           .handler = &moving->conn->consumer->counters->hooks[hook]};
}

/* A state that `migrate` left half done is made anew. */
static bool migrate(struct moving *moving)
{
    struct tg_host *host = moving->host;
    struct tg_run run = run_for(moving, TG_HOOK_MIGRATE, "migrate");
    if (!tg_hooks_of(moving->conn)->migrate) return true;
    if (tg_run_at_once(&host->tasks, &run, migrate_body) == TG_DONE) return true;
    return tg_call_protected(host->world.L, read_in, moving, NULL) == LUA_OK;
}

enum tg_outcome tg_conn_move_in(struct tg_host *host, struct tg_conn *conn, struct tg_slice state,
                                uint32_t from)
{
    struct moving moving = {.host = host, .conn = conn, .state = state, .from = from};
    if (state.length && tg_call_protected(host->world.L, read_in, &moving, NULL) != LUA_OK)
        moving.status = TG_E_NO_MEMORY;
    if (moving.status != TG_OK) return refuse(&moving);
    if (!migrate(&moving)) {
        moving.status = TG_E_NO_MEMORY;
        return refuse(&moving);
    }
    struct tg_run run = run_for(&moving, TG_HOOK_RELOADED, "reloaded");
    return conn->state == TG_CONN_OPEN ? tg_admission_take_over(&host->tasks, &run) : TG_DONE;
}
