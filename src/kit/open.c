/* From a folder, a function or a list to an app that serves. What is wrong with the application is told as
 * text, as `tidegate check` tells it; what is wrong with the call is raised. */
#include "kit/app.h"
#include "kit/methods.h"
#include "kit/stub.h"
#include "kit/world.h"
#include "script/settings.h"

#include <lauxlib.h>
#include <stdio.h>
#include <unistd.h>

enum { OPTIONS = 1, APP };

/* ---- settings ---- */

static enum tg_status set_file(struct tg_config *config, const char *folder, struct tg_error *error)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/tidegate.lua", folder);
    return access(path, F_OK) == 0 ? tg_settings_load(path, config, error) : TG_OK;
}

/* The setting whose name and value are on top. */
static enum tg_status set_one(lua_State *L, struct tg_config *config, struct tg_error *error)
{
    struct tg_slice name, text;
    int type = lua_type(L, -1);
    if (lua_type(L, -2) != LUA_TSTRING)
        return tg_error_set(error, TG_E_INVALID, "config: settings have names: { max_errors = 5 }");
    name.data = lua_tolstring(L, -2, &name.length);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        return tg_error_set(error, TG_E_INVALID,
                            "config: %s: a setting is a string, a number or a boolean, got a %s", name.data,
                            lua_typename(L, type));
    text.data = luaL_tolstring(L, -1, &text.length);
    enum tg_status status = tg_config_set(config, "config", name, text, error);
    lua_pop(L, 1);
    return status;
}

/* In any order: with several mistakes any of them is told. */
static enum tg_status set_given(lua_State *L, struct tg_config *config, struct tg_error *error)
{
    enum tg_status status = TG_OK;
    if (lua_getfield(L, OPTIONS, "config") != LUA_TNIL) {
        luaL_checktype(L, -1, LUA_TTABLE);
        for (lua_pushnil(L); status == TG_OK && lua_next(L, -2); lua_pop(L, 1))
            status = set_one(L, config, error);
        if (status != TG_OK) return status;
    }
    lua_pop(L, 1);
    return TG_OK;
}

static enum tg_status configure(lua_State *L, struct tg_config *config, const char *folder,
                                struct tg_error *error)
{
    config->mode = TG_MODE_DEVELOPMENT;
    enum tg_status status = folder ? set_file(config, folder, error) : TG_OK;
    if (status == TG_OK) status = set_given(L, config, error);
    return status == TG_OK ? tg_config_check(config, error) : status;
}

/* ---- opening ---- */

static void check_options(lua_State *L)
{
    static const char *const sources[] = {"folder", "declare", "consumers"};
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    int given = 0;
    for (size_t i = 0; i < 3; i++) {
        given += lua_getfield(L, OPTIONS, sources[i]) != LUA_TNIL;
        lua_pop(L, 1);
    }
    if (given != 1) luaL_error(L, "kit.open: exactly one of folder, declare and consumers is needed");
}

static struct tg_kit_app *push_app(lua_State *L)
{
    struct tg_kit_app *app = lua_newuserdatauv(L, sizeof *app, TG_KIT_USER_VALUES);
    memset(app, 0, sizeof *app);
    tg_list_init(&app->links);
    tg_list_init(&app->layer.kept);
    tg_list_init(&app->journal.lines);
    app->is_closed = true; /* until there is something to close */
    luaL_setmetatable(L, TG_KIT_APP_NAME);
    tg_kit_app_note(L, -1);
    app->L = lua_newthread(L);
    lua_setiuservalue(L, -2, TG_KIT_UV_THREAD);
    lua_pushvalue(L, OPTIONS);
    lua_setiuservalue(L, -2, TG_KIT_UV_SOURCE);
    for (int i = TG_KIT_UV_LINKS; i <= TG_KIT_USER_VALUES; i++) {
        lua_newtable(L);
        lua_setiuservalue(L, -2, i);
    }
    return app;
}

static int fail(lua_State *L, struct tg_kit_app *app, const char *text, size_t length)
{
    luaL_pushfail(L);
    while (length > 0 && text[length - 1] == '\n') length--;
    lua_pushlstring(L, text, length);
    tg_kit_close(L, app, APP);
    return 2;
}

static void init_worker(lua_State *L, struct tg_kit_app *app)
{
    uint32_t most = app->config.max_connections ? app->config.max_connections : UINT32_MAX;
    tg_kit_loop_init(&app->loop, &app->worker);
    tg_kit_journal_init(&app->journal, &app->loop.clock.clock, &app->worker);
    enum tg_status status =
        tg_worker_init(&app->worker, &app->config, &app->loop.clock.clock, &app->loop.core, most);
    tg_world_check_memory(L, status == TG_OK ? app : NULL);
    tg_kit_layer_init(&app->layer, &app->worker);
    tg_kit_fetcher_init(&app->fetcher, app);
    tg_kit_processes_init(&app->processes, app);
    tg_kit_streams_init(&app->streams);
    app->worker.fetcher = &app->fetcher.core;
    app->worker.processes = &app->processes.core;
    app->worker.streams = &app->streams.core;
    tg_kit_background_init(&app->background, &app->loop);
    tg_kit_source_init(&app->source, app);
    tg_reload_init(&app->reload, &app->worker, &app->source.script.core, &app->background.core);
    app->has_worker = true;
    app->is_closed = false;
}

/* What is wrong, as text; the app is closed. */
static int fail_to_load(lua_State *L, struct tg_kit_app *app, enum tg_status status, struct tg_load *load)
{
    struct tg_source *source = &app->source.script.core;
    struct tg_buf errors;
    tg_buf_init(&errors);
    if (load->problems) tg_problems_write_text(load->problems, false, &errors);
    if (status == TG_E_NO_MEMORY) tg_buf_append_literal(&errors, "not enough memory");
    source->ops->forget(source, load);
    /* The text is copied where a Lua error cannot lose it. */
    struct tg_slice text = tg_arena_copy(&app->worker.arena, tg_buf_peek(&errors));
    tg_buf_deinit(&errors);
    return fail(L, app, text.length ? text.data : "", text.length);
}

static int serve(lua_State *L, struct tg_kit_app *app)
{
    struct tg_source *source = &app->source.script.core;
    struct tg_load load = {.number = 1};
    tg_kit_enter(app);
    enum tg_status status = source->ops->load(source, &load);
    if (status == TG_OK) tg_reload_begin(&app->reload, &load);
    tg_kit_leave(app);
    if (status != TG_OK) return fail_to_load(L, app, status, &load);
    tg_kit_rest(L, app, APP);
    return 1;
}

static void check_shared(lua_State *L)
{
    if (lua_getfield(L, OPTIONS, "consumers") != LUA_TNIL && tg_kit_world_push_shared(L)->app)
        luaL_error(L,
                   "consumers that a spec declares itself can be in one open app at a time: close the other "
                   "app first, or hand over a function(tide) that declares them anew");
    lua_settop(L, APP);
}

int tg_kit_open(lua_State *L)
{
    struct tg_error error;
    lua_settop(L, OPTIONS);
    check_options(L);
    struct tg_kit_app *app = push_app(L);
    lua_getfield(L, OPTIONS, "folder");
    const char *folder = lua_tostring(L, -1);
    lua_setfield(L, OPTIONS, "folder"); /* the text stays where it is */
    tg_world_check_memory(L, tg_config_init(&app->config) == TG_OK ? app : NULL);
    app->has_config = true;
    if (configure(L, &app->config, folder, &error) != TG_OK) {
        luaL_pushfail(L);
        lua_pushstring(L, error.text);
        return 2;
    }
    lua_settop(L, APP);
    lua_getfield(L, OPTIONS, "seed");
    app->seed = (uint64_t)luaL_optinteger(L, -1, 0);
    lua_settop(L, APP);
    init_worker(L, app);
    if (lua_getfield(L, OPTIONS, "inject") != LUA_TNIL) tg_kit_inject(L, app, lua_gettop(L));
    lua_settop(L, APP);
    check_shared(L);
    return serve(L, app);
}

int tg_kit_tide(lua_State *L)
{
    tg_kit_world_require(tg_kit_world_push_shared(L), L, "tidegate");
    return 1;
}
