/* app:reload: new code for an app that serves, by the transaction of core/reload.h. It has ended when the
 * call returns: time passes only where it has to wait for a generation that may live no longer. */
#include "core/contract.h"
#include "core/overview.h"
#include "core/problem.h"
#include "kit/app.h"
#include "kit/methods.h"
#include "script/scratch.h"

#include <lauxlib.h>

enum { APP = 1, OPTIONS };

/* What waiting for its place may take, of the app's time. */
enum { RELOAD_MS = 3600 * 1000 };

static void told(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    struct tg_kit_app *app = TG_CONTAINER(listener, struct tg_kit_app, reloading);
    app->reloaded = result->outcome;
}

/* False: the app does not come to rest. */
static bool run_reload(struct tg_kit_app *app)
{
    uint64_t until_ms = tg_kit_now_ms(&app->loop) + RELOAD_MS;
    struct tg_list *waits = &app->reloading.link;
    bool has_moved = true;
    app->reloading.told = told;
    app->reloaded = TG_RELOAD_CANCELLED;
    tg_list_init(waits);
    tg_kit_enter(app);
    tg_reload_request(&app->reload, "spec", true, &app->reloading);
    bool rests = tg_kit_run(&app->loop);
    while (rests && has_moved && tg_list_is_linked(waits))
        rests = tg_kit_step(&app->loop, until_ms, &has_moved);
    tg_list_remove(waits);
    tg_kit_leave(app);
    return rests;
}

/* ---- the answer ---- */

/* Pushes what was written. [-0, +1, e] */
static void push_text(lua_State *L, struct tg_buf *text)
{
    if (text->has_failed) luaL_error(L, "not enough memory");
    lua_pushlstring(L, text->data ? text->data : "", text->length);
    tg_buf_truncate(text, 0);
}

static int push_report(lua_State *L, struct tg_kit_app *app)
{
    const struct tg_contract_report *report = app->reload.serving.report;
    struct tg_buf *text = &tg_scratch_push(&tg_kit_host(app)->world, L)->text;
    lua_pushinteger(L, app->worker.generation->number);
    if (!report) return 1; /* there was no memory for one */
    tg_contract_write_json(report, text);
    push_text(L, text);
    tg_contract_write_details(report, text);
    push_text(L, text);
    return 3;
}

static int push_problems(lua_State *L, struct tg_kit_app *app)
{
    const struct tg_problems *problems =
        app->reloaded == TG_RELOAD_FAILED ? app->reload.failed.problems : NULL;
    struct tg_buf *text = &tg_scratch_push(&tg_kit_host(app)->world, L)->text;
    luaL_pushfail(L);
    lua_pushstring(L, tg_reload_outcome_name(app->reloaded));
    if (!problems || problems->count == 0) return 2;
    tg_problems_write_json(problems, text);
    push_text(L, text);
    tg_problems_write_text(problems, false, text);
    push_text(L, text);
    return 4;
}

/* ---- calls ---- */

/* Where the code comes from, from now on: the options at OPTIONS, or as before when these are nil. Leaves
 * what it was at OPTIONS. */
static void set_source(lua_State *L)
{
    lua_getiuservalue(L, APP, TG_KIT_UV_SOURCE);
    if (!lua_isnil(L, OPTIONS)) {
        lua_pushvalue(L, OPTIONS);
        lua_setiuservalue(L, APP, TG_KIT_UV_SOURCE);
    }
    lua_replace(L, OPTIONS);
}

static void check_source(lua_State *L)
{
    if (lua_isnil(L, OPTIONS))
        lua_getiuservalue(L, APP, TG_KIT_UV_SOURCE);
    else
        lua_pushvalue(L, OPTIONS);
    luaL_checktype(L, -1, LUA_TTABLE);
    if (lua_getfield(L, -1, "consumers") != LUA_TNIL)
        luaL_error(
            L, "consumers that a spec declared itself exist once: hand over a function(tide) that declares "
               "them anew, or a folder");
    lua_settop(L, OPTIONS);
}

/* app:reload([options]) -> generation, report, details | nil, outcome, problems, text. The options say what
 * to load: folder or declare, as for open; without, the same anew. */
int tg_kit_reload(lua_State *L)
{
    struct tg_kit_app *app = tg_kit_check_app(L, APP);
    lua_settop(L, OPTIONS);
    check_source(L);
    set_source(L);
    bool rests = run_reload(app);
    if (app->reloaded != TG_RELOAD_OK) lua_setiuservalue(L, APP, TG_KIT_UV_SOURCE);
    tg_kit_check_rest(L, rests);
    tg_kit_rest(L, app, APP);
    return app->reloaded == TG_RELOAD_OK ? push_report(L, app) : push_problems(L, app);
}

/* app:generations() -> what runs, as JSON (core/overview.h) */
int tg_kit_generations(lua_State *L)
{
    const struct tg_kit_app *app = tg_kit_check_open_app(L, APP);
    const struct tg_overview overview = {.worker = &app->worker};
    struct tg_buf *text = &tg_scratch_push(&tg_kit_host(app)->world, L)->text;
    tg_overview_write(&overview, text);
    push_text(L, text);
    return 1;
}
