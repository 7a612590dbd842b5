/* An app of the test kit: one worker with its loop, its clock and its clients, and the world that it runs.
 *
 * It lies in a userdata. Its user values keep what it uses: the world's userdata, the links of open
 * connections, what was stubbed.
 *
 * Whoever lets an app run calls tg_kit_enter, does what is to be done, and tg_kit_leave; in between nothing
 * raises.
 */
#ifndef TG_KIT_APP_H
#define TG_KIT_APP_H

#include "core/worker.h"
#include "kit/alloc.h"
#include "kit/fetcher.h"
#include "kit/journal.h"
#include "kit/layer.h"
#include "kit/link.h"
#include "kit/loop.h"
#include "kit/processes.h"
#include "script/host.h"

#include <lua.h>

enum { TG_KIT_UV_WORLD = 1, TG_KIT_UV_LINKS, TG_KIT_UV_STUBS, TG_KIT_USER_VALUES = TG_KIT_UV_STUBS };

struct tg_kit_app {
    struct tg_config config;
    struct tg_worker worker;
    struct tg_kit_loop loop;
    struct tg_kit_journal journal;
    struct tg_kit_layer layer;
    struct tg_kit_fetcher fetcher;
    struct tg_kit_processes processes;
    struct tg_kit_streams streams;
    struct tg_host *host;               /* in its userdata */
    struct tg_list links;               /* those that have not been let go of */
    uint64_t fail_at;                   /* injected: the allocation of core that fails; 0: none */
    struct tg_log_diversion log_before; /* while it runs, as the next */
    struct tg_kit_alloc_count alloc_before;
    uint32_t clients; /* that ever came */
    bool has_config, has_worker;
    bool is_shared; /* the world is the spec's own */
    bool is_running;
    bool is_closed;
};

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
void tg_kit_abandon(lua_State *L, struct tg_kit_app *app);

/* The metatables. [-0, +0, e] */
void tg_kit_app_install(lua_State *L);
void tg_kit_link_install(lua_State *L);

/* open(options) -> app | nil, errors; tide() -> the spec's own (open.c). */
int tg_kit_open(lua_State *L);
int tg_kit_tide(lua_State *L);

/* app:call(fn, ...) -> results (call.c) */
int tg_kit_call(lua_State *L);

/* app:tasks() -> where each task was started, or waits: list of texts (tasks.c) */
int tg_kit_tasks(lua_State *L);

/* app:published() -> how many publications there ever were; app:publications(skip) -> those behind the first
 * `skip` (layer.h); app:swallow("message" | "event", boolean) (capture.c) */
int tg_kit_published(lua_State *L);
int tg_kit_publications(lua_State *L);
int tg_kit_swallow(lua_State *L);

/* Makes the faults that the table at `index` names (app:inject). [-0, +0, e] */
void tg_kit_inject(lua_State *L, struct tg_kit_app *app, int index);

/* app:connect(options) -> link | nil, status, body, headers (connect.c) */
int tg_kit_connect(lua_State *L);

/* app:request(options) -> status, body, headers, type | nil | false (exchange.c) */
int tg_kit_exchange(lua_State *L);

/* app:check(consumer, text), app:is_text(consumer), app:text(message, consumer) (check.c) */
int tg_kit_check(lua_State *L);
int tg_kit_is_text(lua_State *L);
int tg_kit_text(lua_State *L);

#define TG_KIT_APP_NAME "tidegate.kit.app"
#define TG_KIT_LINK_NAME "tidegate.kit.link"

#endif
