/* Where loading fails, nothing is left of the world but what Lua holds of it. */
#include "kit/source.h"

#include "kit/app.h"
#include "kit/world.h"
#include "script/call.h"
#include "script/loader.h"

#include <lauxlib.h>

struct opening {
    struct tg_kit_app *app;
    const struct tg_load *load;
    struct tg_kit_world *world; /* NULL: none has been made */
};

/* Pushes field `name` of what the app is loaded from. [-0, +1, e] */
static int push_field(lua_State *L, const struct tg_kit_app *app, const char *name)
{
    tg_kit_app_push(L, app);
    lua_getiuservalue(L, -1, TG_KIT_UV_SOURCE);
    int type = lua_getfield(L, -1, name);
    lua_replace(L, -3);
    lua_pop(L, 1);
    return type;
}

/* open_world(opening) */
static int open_world(lua_State *L)
{
    struct opening *opening = lua_touserdata(L, 1);
    struct tg_kit_app *app = opening->app;
    if (push_field(L, app, "consumers") == LUA_TNIL)
        tg_kit_world_push(L, app, &opening->world);
    else
        tg_kit_world_lend(opening->world = tg_kit_world_push_shared(L), app);
    struct tg_host *host = &opening->world->host;
    host->generation.number = opening->load->number;
    host->generation.registry.seed = (struct tg_hash_seed){app->seed, ~app->seed};
    host->world.files = opening->load->files;
    tg_kit_world_seed(opening->world, L, app->seed);
    return 0;
}

/* produce(opening): calls what declares with the world's own tide, or hands over the consumers. */
static int produce(lua_State *L)
{
    const struct opening *opening = lua_touserdata(L, 1);
    if (push_field(L, opening->app, "declare") == LUA_TNIL) {
        push_field(L, opening->app, "consumers");
        return 1;
    }
    tg_kit_world_require(opening->world, L, "tidegate");
    lua_call(L, 1, 1);
    return 1;
}

static enum tg_status load(struct opening *opening)
{
    struct tg_world *world = &opening->world->host.world;
    struct tg_problems *problems = opening->load->problems;
    bool is_shared = opening->world->is_shared;
    lua_State *L = opening->app->L;
    int top = lua_gettop(L);
    push_field(L, opening->app, "folder");
    const char *folder = lua_tostring(L, -1);
    enum tg_status status = folder ? tg_load_application(world, folder, problems)
                                   : tg_load_value(world, produce, opening,
                                                   is_shared ? "consumers" : "declare", is_shared, problems);
    lua_settop(L, top);
    world->files = NULL;
    return status;
}

static enum tg_status open_host(struct tg_script_source *source, struct tg_load *load_of,
                                struct tg_host **host)
{
    struct tg_kit_app *app = ((struct tg_kit_source *)source)->app;
    struct opening opening = {.app = app, .load = load_of};
    enum tg_status status = TG_E_NO_MEMORY;
    if (app->worker.is_draining) return TG_E_CLOSED; /* no code of an application that ends */
    if (tg_call_protected(app->L, open_world, &opening, NULL) == LUA_OK) status = load(&opening);
    if (status == TG_OK)
        *host = &opening.world->host;
    else if (opening.world)
        tg_kit_world_end(opening.world);
    return status;
}

void tg_kit_source_init(struct tg_kit_source *source, struct tg_kit_app *app)
{
    tg_script_source_init(&source->script, &app->config, NULL);
    source->script.open = open_host;
    source->app = app;
}
