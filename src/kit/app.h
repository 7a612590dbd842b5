/* An app of the test kit: one worker with its loop, its clock and its clients, and the worlds that it runs:
 * one for each generation that is alive.
 *
 * It lies in a userdata. Its user values keep what it uses: a thread for what core calls, what it is loaded
 * from, the links of open connections, what was stubbed.
 *
 * Whoever lets an app run calls tg_kit_enter, does what is to be done, and tg_kit_leave; in between nothing
 * raises.
 */
#ifndef TG_KIT_APP_H
#define TG_KIT_APP_H

#include "core/reload.h"
#include "core/worker.h"
#include "kit/alloc.h"
#include "kit/background.h"
#include "kit/fetcher.h"
#include "kit/journal.h"
#include "kit/layer.h"
#include "kit/link.h"
#include "kit/loop.h"
#include "kit/processes.h"
#include "kit/source.h"
#include "script/host.h"

#include <lua.h>

enum {
    TG_KIT_UV_THREAD = 1,
    TG_KIT_UV_SOURCE, /* { folder | declare | consumers = } */
    TG_KIT_UV_LINKS,
    TG_KIT_UV_STUBS,
    TG_KIT_USER_VALUES = TG_KIT_UV_STUBS
};

struct tg_kit_world;

struct tg_kit_app {
    struct tg_config config;
    struct tg_worker worker;
    struct tg_kit_loop loop;
    struct tg_kit_journal journal;
    struct tg_kit_layer layer;
    struct tg_kit_fetcher fetcher;
    struct tg_kit_processes processes;
    struct tg_kit_streams streams;
    struct tg_kit_background background;
    struct tg_kit_source source;
    struct tg_reload reload;
    struct tg_reload_listener reloading; /* of app:reload */
    enum tg_reload_outcome reloaded;     /* how it went */
    lua_State *L;                        /* of its own, for what core calls */
    struct tg_kit_world *shared;         /* the spec's own world, while it is of the app's; NULL: it is not */
    uint64_t seed;
    struct tg_list links;               /* those that have not been let go of */
    uint64_t fail_at;                   /* injected: the allocation of core that fails; 0: none */
    struct tg_log_diversion log_before; /* while it runs, as the next */
    struct tg_kit_alloc_count alloc_before;
    uint32_t clients; /* that ever came */
    bool has_config, has_worker;
    bool is_running;
    bool is_closed;
};

/* The newest world's. The app is open. */
static inline struct tg_host *tg_kit_host(const struct tg_kit_app *app)
{
    return TG_CONTAINER(app->worker.generation, struct tg_host, generation);
}

/* Has the app at `index` found by its address; pushes it, nil when it is being collected. [-0, +0|1, e] */
void tg_kit_app_note(lua_State *L, int index);
void tg_kit_app_push(lua_State *L, const struct tg_kit_app *app);

/* The app at `index`, which must be open and not run: raises a sentence otherwise. [-0, +0, e] */
struct tg_kit_app *tg_kit_check_app(lua_State *L, int index);

/* The same, also when it runs. [-0, +0, e] */
struct tg_kit_app *tg_kit_check_open_app(lua_State *L, int index);

void tg_kit_enter(struct tg_kit_app *app);
void tg_kit_leave(struct tg_kit_app *app);

/* Runs until nothing is left to do; raises when that never comes. `index`: of the app. [-0, +0, e] */
void tg_kit_rest(lua_State *L, struct tg_kit_app *app, int index);

/* Raises unless `rests`. [-0, +0, e] */
void tg_kit_check_rest(lua_State *L, bool rests);

/* Moves to the next timer until `until_ms` and rests. False: there is none, and that time has come.
 * [-0, +0, e] */
bool tg_kit_pass(lua_State *L, struct tg_kit_app *app, int index, uint64_t until_ms);

/* The seconds at `index` as milliseconds. [-0, +0, e] */
uint64_t tg_kit_check_ms(lua_State *L, int index);

/* Stops the app as the gateway stops, and gives everything back. Nothing when it is closed. [-0, +0, e] */
void tg_kit_close(lua_State *L, struct tg_kit_app *app, int index);

/* The app was forgotten, or the state is being closed: the same without any code of the application's. */
void tg_kit_abandon(struct tg_kit_app *app);

/* The metatables. [-0, +0, e] */
void tg_kit_app_install(lua_State *L);
void tg_kit_link_install(lua_State *L);

/* Makes the faults that the table at `index` names (app:inject). [-0, +0, e] */
void tg_kit_inject(lua_State *L, struct tg_kit_app *app, int index);

#define TG_KIT_APP_NAME "tidegate.kit.app"
#define TG_KIT_LINK_NAME "tidegate.kit.link"

#endif
