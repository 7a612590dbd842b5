/* Between enter and leave the lines of the log are the app's, and its allocations count. Both are the
 * thread's own: an app that runs code which runs another app gets them back. */
#include "kit/app.h"

#include "core/series.h"
#include "kit/alloc.h"
#include "kit/methods.h"
#include "kit/stub.h"
#include "kit/world.h"
#include "script/scratch.h"
#include "script/to_lua.h"
#include "script/weak.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

static const char apps_key[] = "tidegate.kit.apps";

void tg_kit_app_note(lua_State *L, int index)
{
    tg_weak_note(L, apps_key, index, lua_touserdata(L, index));
}

void tg_kit_app_push(lua_State *L, const struct tg_kit_app *app)
{
    tg_weak_push(L, apps_key, app);
}

/* ---- running ---- */

struct tg_kit_app *tg_kit_check_open_app(lua_State *L, int index)
{
    struct tg_kit_app *app = luaL_checkudata(L, index, TG_KIT_APP_NAME);
    if (app->is_closed) luaL_error(L, "the app is closed");
    return app;
}

struct tg_kit_app *tg_kit_check_app(lua_State *L, int index)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, index);
    if (app->is_running)
        luaL_error(L,
                   "the app is running: what it calls (a handler, a stub) cannot let it run once more; the "
                   "spec does when the call has returned");
    return app;
}

void tg_kit_enter(struct tg_kit_app *app)
{
    app->is_running = true;
    if (app->shared) app->shared->host.world.is_loaded = app->worker.generation != NULL;
    app->log_before =
        tg_log_divert((struct tg_log_diversion){tg_kit_journal_take, &app->journal, app->config.log_level});
    app->alloc_before = tg_kit_alloc_begin(app->fail_at);
}

void tg_kit_leave(struct tg_kit_app *app)
{
    app->fail_at = tg_kit_alloc_end(app->alloc_before);
    tg_log_divert(app->log_before);
    if (app->shared) app->shared->host.world.is_loaded = false;
    app->is_running = false;
}

/* Links whose connection has ended need no anchor any more. */
static void let_go_of_links(lua_State *L, struct tg_kit_app *app, int index)
{
    if (!app->loop.has_ended) return;
    app->loop.has_ended = false;
    lua_getiuservalue(L, index, TG_KIT_UV_LINKS);
    for (struct tg_list *node = app->links.next, *next; node != &app->links; node = next) {
        struct tg_kit_link *link = TG_CONTAINER(node, struct tg_kit_link, link);
        next = node->next;
        if (link->conn) continue;
        tg_list_remove(node);
        lua_pushnil(L);
        lua_rawsetp(L, -2, link);
    }
    lua_pop(L, 1);
}

void tg_kit_check_rest(lua_State *L, bool rests)
{
    if (!rests)
        luaL_error(L, "the app does not come to rest: something in it wakes itself again and again without "
                      "letting time pass (such as tide.sleep(0) in a loop)");
}

void tg_kit_rest(lua_State *L, struct tg_kit_app *app, int index)
{
    index = lua_absindex(L, index);
    tg_kit_enter(app);
    bool rests = tg_kit_run(&app->loop);
    tg_kit_leave(app);
    let_go_of_links(L, app, index);
    tg_kit_check_rest(L, rests);
}

/* ---- the end ---- */

/* Time passes until the clients have left and the hooks have ended, at most drain_seconds. */
static void drain(struct tg_kit_app *app)
{
    tg_kit_enter(app);
    tg_worker_drain(&app->worker);
    bool goes_on = tg_kit_run(&app->loop);
    while (goes_on && !app->loop.is_stopped && app->loop.alarm_ms != TG_NEVER)
        goes_on = tg_kit_step(&app->loop, app->loop.alarm_ms, &(bool){false});
    app->worker.is_over = true;
    tg_kit_leave(app);
}

/* Connections that are left have no more to say: no code of theirs runs. */
static void abandon(struct tg_kit_app *app)
{
    struct tg_list *conns = &app->worker.conns;
    if (!app->has_worker) return;
    app->worker.is_draining = true; /* nothing begins any more */
    tg_kit_enter(app);
    while (!tg_list_is_empty(conns)) {
        struct tg_conn *conn = TG_CONTAINER(conns->next, struct tg_conn, link);
        tg_task_abandon_all(&TG_CONTAINER(conn->generation, struct tg_host, generation)->tasks, conn);
        conn->is_connected_called = false;
        if (conn->transport) ((struct tg_kit_link *)conn->transport)->conn = NULL;
        app->loop.has_ended = true;
        if (conn->state == TG_CONN_CLOSED)
            tg_conn_drop(conn);
        else
            tg_conn_closed(conn);
    }
    tg_kit_leave(app);
}

static void end_generations(struct tg_kit_app *app)
{
    struct tg_list ended;
    tg_kit_background_finish(&app->background);
    tg_generations_end(&app->worker, &ended);
    tg_reload_deinit(&app->reload);
    tg_generations_close(&ended);
}

/* What worlds and a worker hold. */
static void give_back(struct tg_kit_app *app)
{
    if (app->has_worker) {
        end_generations(app);
        tg_worker_deinit(&app->worker);
    }
    if (app->has_config) tg_config_deinit(&app->config);
    app->has_worker = app->has_config = false;
    app->is_closed = true;
}

void tg_kit_close(lua_State *L, struct tg_kit_app *app, int index)
{
    if (app->is_closed) return;
    index = lua_absindex(L, index);
    if (app->worker.generation) drain(app);
    abandon(app);
    let_go_of_links(L, app, index);
    give_back(app);
}

void tg_kit_abandon(struct tg_kit_app *app)
{
    if (app->is_closed) return;
    abandon(app);
    for (struct tg_generation *g = tg_generation_first(&app->worker); g; g = tg_generation_next(g))
        tg_task_abandon_all(&TG_CONTAINER(g, struct tg_host, generation)->tasks, NULL);
    give_back(app);
}

static int collect_app(lua_State *L)
{
    struct tg_kit_app *app = luaL_checkudata(L, 1, TG_KIT_APP_NAME);
    tg_kit_abandon(app);
    if (app->has_config) tg_config_deinit(&app->config);
    app->has_config = false;
    tg_kit_journal_deinit(&app->journal);
    tg_kit_layer_deinit(&app->layer);
    return 0;
}

/* app:close(); again: nothing */
static int app_close(lua_State *L)
{
    struct tg_kit_app *app = luaL_checkudata(L, 1, TG_KIT_APP_NAME);
    if (!app->is_closed) tg_kit_close(L, tg_kit_check_app(L, 1), 1);
    return 0;
}

/* ---- time ---- */

uint64_t tg_kit_check_ms(lua_State *L, int index)
{
    double seconds = luaL_checknumber(L, index);
    luaL_argcheck(L, seconds >= 0 && seconds <= 3155760000.0, index, "seconds are from 0 to 3155760000");
    return (uint64_t)ceil(seconds * 1000 - 1e-6);
}

bool tg_kit_pass(lua_State *L, struct tg_kit_app *app, int index, uint64_t until_ms)
{
    bool has_moved;
    index = lua_absindex(L, index);
    tg_kit_enter(app);
    bool rests = tg_kit_step(&app->loop, until_ms, &has_moved);
    tg_kit_leave(app);
    let_go_of_links(L, app, index);
    tg_kit_check_rest(L, rests);
    return has_moved;
}

/* app:now() -> seconds since the app began */
static int app_now(lua_State *L)
{
    const struct tg_kit_app *app = luaL_checkudata(L, 1, TG_KIT_APP_NAME);
    lua_pushnumber(L, (double)(tg_kit_now_ms(&app->loop) - app->loop.began_ms) / 1000);
    return 1;
}

/* app:run() */
static int app_run(lua_State *L)
{
    tg_kit_rest(L, tg_kit_check_app(L, 1), 1);
    return 0;
}

/* app:step(seconds) -> whether it stopped at a timer; else all the time has passed */
static int app_step(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, 1);
    uint64_t until_ms = tg_kit_now_ms(&app->loop) + tg_kit_check_ms(L, 2);
    tg_kit_rest(L, app, 1);
    lua_pushboolean(L, tg_kit_pass(L, app, 1, until_ms));
    return 1;
}

/* app:advance(seconds) */
static int app_advance(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, 1);
    uint64_t until_ms = tg_kit_now_ms(&app->loop) + tg_kit_check_ms(L, 2);
    tg_kit_rest(L, app, 1);
    while (tg_kit_pass(L, app, 1, until_ms)) {
    }
    return 0;
}

/* ---- what is in it ---- */

static struct tg_kit_world *check_world(lua_State *L)
{
    return (struct tg_kit_world *)tg_kit_host(tg_kit_check_open_app(L, 1));
}

/* app:require(name) -> what the module returns in the app's world */
static int app_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 2);
    tg_kit_world_require(check_world(L), L, name);
    return 1;
}

/* app:tide() -> the app's own */
static int app_tide(lua_State *L)
{
    tg_kit_world_require(check_world(L), L, "tidegate");
    return 1;
}

/* app:decode(text) -> value; raises what is no JSON */
static int app_decode(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    struct tg_slice text;
    text.data = luaL_checklstring(L, 2, &text.length);
    struct tg_world *world = &tg_kit_host(app)->world;
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_value value;
    struct tg_error error;
    enum tg_status status = tg_json_parse(text, UINT16_MAX, &scratch->arena, &value, &error);
    if (status != TG_OK) return luaL_error(L, "%s", error.text);
    tg_world_push_refs(world, L);
    tg_push_value(L, lua_gettop(L), 0, &value);
    return 1;
}

/* app:logs() -> list of lines; of an app that is closed too */
static int app_logs(lua_State *L)
{
    const struct tg_kit_app *app = luaL_checkudata(L, 1, TG_KIT_APP_NAME);
    tg_kit_journal_push(&app->journal, L);
    return 1;
}

/* app:metrics() -> text, as /metrics has it */
static int app_metrics(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_open_app(L, 1);
    struct tg_scratch *scratch = tg_scratch_push(&tg_kit_host(app)->world, L);
    tg_metrics_write(&app->worker.metrics, &scratch->text);
    tg_series_write(&app->worker, &scratch->text);
    if (scratch->text.has_failed) return luaL_error(L, "not enough memory");
    lua_pushlstring(L, scratch->text.data, scratch->text.length);
    return 1;
}

/* The fault whose name and value are on top. [-0, +0, e] */
static void inject(lua_State *L, struct tg_kit_app *app)
{
    const char *what = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
    if (strcmp(what, "layer") == 0) {
        bool is_down = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "down") == 0;
        if (!is_down && lua_toboolean(L, -1))
            luaL_error(L, "app:inject: layer is \"down\", or false when it works again");
        app->layer.is_down = is_down;
        return;
    }
    if (strcmp(what, "allocation") != 0)
        luaL_error(L, "app:inject: there is no fault called '%s' (faults: allocation, layer)", what);
    lua_Integer n = luaL_checkinteger(L, -1);
    if (n < 0) luaL_error(L, "app:inject: allocation is a number, 1 for the next one");
    app->fail_at = (uint64_t)n;
}

void tg_kit_inject(lua_State *L, struct tg_kit_app *app, int index)
{
    luaL_checktype(L, index, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) inject(L, app);
}

/* app:inject { allocation = n, layer = "down" | false } -> how many allocations were left until one that was
 * to fail before; 0: it has failed, or none was to. The n-th of core's from now fails (0: none does);
 * publishing fails. */
static int app_inject(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, 1);
    uint64_t left = app->fail_at;
    tg_kit_inject(L, app, 2);
    lua_pushinteger(L, (lua_Integer)left);
    return 1;
}

static int app_tostring(lua_State *L)
{
    const struct tg_kit_app *app = luaL_checkudata(L, 1, TG_KIT_APP_NAME);
    lua_pushfstring(L, "app of the test kit%s", app->is_closed ? " (closed)" : "");
    return 1;
}

void tg_kit_app_install(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"close", app_close},
        {"now", app_now},
        {"run", app_run},
        {"step", app_step},
        {"advance", app_advance},
        {"require", app_require},
        {"tide", app_tide},
        {"decode", app_decode},
        {"logs", app_logs},
        {"metrics", app_metrics},
        {"call", tg_kit_call},
        {"connect", tg_kit_connect},
        {"request", tg_kit_exchange},
        {"check", tg_kit_check},
        {"is_text", tg_kit_is_text},
        {"text", tg_kit_text},
        {"inject", app_inject},
        {"stub_http", tg_kit_stub_http},
        {"stub_process", tg_kit_stub_process},
        {"reload", tg_kit_reload},
        {"generations", tg_kit_generations},
        {"tasks", tg_kit_tasks},
        {"published", tg_kit_published},
        {"publications", tg_kit_publications},
        {"swallow", tg_kit_swallow},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__gc", collect_app}, {"__close", app_close}, {"__tostring", app_tostring}, {NULL, NULL}};
    luaL_newmetatable(L, TG_KIT_APP_NAME);
    luaL_setfuncs(L, metamethods, 0);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
