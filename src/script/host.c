#include "script/host.h"

#include "script/blocking.h"
#include "script/borrow.h"
#include "script/call.h"
#include "script/conn_call.h"
#include "script/conn_handle.h"
#include "script/held.h"
#include "script/host_library.h"
#include "script/host_ops.h"
#include "script/loader.h"
#include "script/sandbox.h"
#include "script/scratch.h"
#include "script/topic_handle.h"

#include <stdlib.h>

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
    /* How long a call really takes is nothing that a spec should depend on. */
    if (tg_config_is_development(world->config) && !world->is_borrowed) tg_blocking_install(world, L);
    return 0;
}

/* The modules get a budget of their own, on the thread that runs them. */
static enum tg_status load(struct tg_host *host, const char *folder, struct tg_problems *problems)
{
    struct tg_error error;
    if (tg_watchdog_open(&host->watchdog, &error) != TG_OK) {
        tg_problems_printf(problems, "%s", error.text);
        return TG_E_SCRIPT;
    }
    host->is_watched = true;
    host->watchdog.setting = "load_cpu_ms";
    lua_State *outer = tg_watchdog_enter(&host->watchdog, host->world.L, host->world.config->load_cpu_ms);
    enum tg_status status = tg_load_application(&host->world, folder, problems);
    tg_watchdog_leave(&host->watchdog, outer);
    tg_watchdog_close(&host->watchdog);
    return status;
}

/* Everything but the state. */
static void init(struct tg_host *host, const struct tg_config *config, uint32_t number)
{
    host->script.ops = &tg_host_ops;
    tg_generation_init(&host->generation, number, &host->script);
    tg_registry_init(&host->generation.registry, config->max_check_steps);
    host->world.config = config;
    host->world.generation = &host->generation;
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

/* It is handed over, or nothing of it is left. */
static enum tg_status finish(struct tg_host *opened, enum tg_status status, struct tg_host **host)
{
    if (status == TG_OK) {
        tg_collector_prepare(&opened->collector, opened->world.L, &opened->heap);
        *host = opened;
    } else {
        tg_host_close(opened);
    }
    return status;
}

enum tg_status tg_host_load(struct tg_host **host, const struct tg_config *config, const char *folder,
                            uint32_t number, struct tg_files *files, struct tg_problems *problems)
{
    struct tg_host *opened = new_host(config, number);
    if (!opened) return TG_E_NO_MEMORY;
    opened->world.files = files;
    opened->heap.limit_bytes = (uint64_t)config->lua_memory_mb << 20;
    enum tg_status status = fill(opened);
    if (status == TG_OK) status = load(opened, folder, problems);
    opened->world.files = NULL;
    return finish(opened, status, host);
}

enum tg_status tg_host_open(struct tg_host **host, const struct tg_config *config, const char *folder,
                            uint32_t number, struct tg_problems *problems)
{
    return tg_host_load(host, config, folder, number, NULL, problems);
}

enum tg_status tg_host_open_bare(struct tg_host **host, const struct tg_config *config)
{
    struct tg_host *opened = new_host(config, 1);
    if (!opened) return TG_E_NO_MEMORY;
    return finish(opened, fill(opened), host);
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

void tg_host_close(struct tg_host *host)
{
    if (host->world.L) {
        tg_task_pool_deinit(&host->tasks);
        lua_close(host->world.L);
    }
    tg_heap_deinit(&host->heap);
    tg_world_deinit(&host->world);
    tg_registry_deinit(&host->generation.registry);
    free(host);
}
