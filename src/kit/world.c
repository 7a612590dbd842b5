/* `config` is what a world goes by while no app runs it: that of the app ends with the app, and a spec may
 * still hold the world's functions.
 *
 * The spec's own world has two registries: `types`, which is there as long as the Lua state, and that of its
 * host, which is made anew for each app and has the app's consumers. */
#include "kit/world.h"

#include "kit/app.h"
#include "script/call.h"
#include "script/declare.h"

#include <lauxlib.h>
#include <lualib.h>

static const char world_name[] = "tidegate.kit.world";
static const char shared_key[] = "tidegate.kit.shared";

static int collect_world(lua_State *L)
{
    struct tg_kit_world *world = luaL_checkudata(L, 1, world_name);
    /* When a state is closed, what was made last goes first. */
    if (world->app) tg_kit_abandon(world->app);
    tg_host_close_in(&world->host, L);
    tg_host_deinit_in(&world->host);
    if (world->is_shared) tg_registry_deinit(&world->types);
    if (world->has_config) tg_config_deinit(&world->config);
    return 0;
}

/* Pushes the userdata, which __gc can deal with at once. */
static struct tg_kit_world *push_block(lua_State *L)
{
    struct tg_kit_world *world = lua_newuserdatauv(L, sizeof *world, 2);
    memset(world, 0, sizeof *world);
    if (luaL_newmetatable(L, world_name)) {
        lua_pushcfunction(L, collect_world);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
    return world;
}

/* Of the generation's. */
static void let_go(struct tg_host *host)
{
    tg_kit_world_end((struct tg_kit_world *)host);
}

static void open_world(lua_State *L, struct tg_kit_world *world, const struct tg_config *config)
{
    tg_world_check_memory(L, tg_host_open_in(&world->host, L, -1, config) == TG_OK ? world : NULL);
    world->host.let_go = let_go;
    tg_kit_world_install_clock(world, L);
}

/* Pushes the userdata, with settings of its own. */
static struct tg_kit_world *push_configured(lua_State *L, uint8_t mode)
{
    struct tg_kit_world *world = push_block(L);
    tg_world_check_memory(L, tg_config_init(&world->config) == TG_OK ? world : NULL);
    world->has_config = true;
    world->config.mode = mode;
    return world;
}

void tg_kit_world_push(lua_State *L, struct tg_kit_app *app, struct tg_kit_world **made)
{
    struct tg_kit_world *world = push_configured(L, app->config.mode);
    world->app = app;
    *made = world;
    open_world(L, world, &app->config);
}

struct tg_kit_world *tg_kit_world_push_shared(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, shared_key) == LUA_TUSERDATA) return lua_touserdata(L, -1);
    lua_pop(L, 1);
    struct tg_kit_world *world = push_configured(L, TG_MODE_DEVELOPMENT);
    world->is_shared = true;
    tg_registry_init(&world->types, world->config.max_check_steps);
    open_world(L, world, &world->config);
    world->host.world.registry = &world->types;
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, shared_key);
    return world;
}

void tg_kit_world_lend(struct tg_kit_world *world, struct tg_kit_app *app)
{
    world->app = app;
    app->shared = world;
    world->host.world.config = &app->config;
    world->host.world.registry = &world->host.generation.registry;
}

/* The spec's own is as it was before it was lent. */
static void take_back(struct tg_kit_world *world)
{
    struct tg_host *host = &world->host;
    tg_registry_deinit(&host->generation.registry);
    tg_registry_init(&host->generation.registry, world->config.max_check_steps);
    tg_generation_init(&host->generation, 1, &host->script);
    host->left_behind = (struct tg_left_behind){.count = 0};
    host->world.registry = &world->types;
    host->world.is_loaded = false;
}

/* end_world(world) */
static int end_world(lua_State *L)
{
    struct tg_kit_world *world = lua_touserdata(L, 1);
    if (world->is_shared)
        tg_declare_forget(&world->host.world, L, &world->host.generation.registry);
    else
        tg_host_close_in(&world->host, L);
    return 0;
}

void tg_kit_world_end(struct tg_kit_world *world)
{
    struct tg_kit_app *app = world->app;
    if (!app) return;
    world->app = NULL;
    world->host.world.worker = NULL;
    world->host.world.config = &world->config;
    tg_call_protected(app->L, end_world, world, NULL);
    if (!world->is_shared) return;
    app->shared = NULL;
    take_back(world);
}

void tg_kit_world_require(struct tg_kit_world *world, lua_State *L, const char *name)
{
    tg_world_push(&world->host.world, L, TG_REF_ENV);
    lua_getfield(L, -1, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    lua_replace(L, -2);
}

void tg_kit_world_seed(struct tg_kit_world *world, lua_State *L, uint64_t seed)
{
    tg_world_push(&world->host.world, L, TG_REF_OWN_ENV);
    lua_getfield(L, -1, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, (lua_Integer)seed);
    lua_call(L, 1, 0);
    lua_pop(L, 2);
}
