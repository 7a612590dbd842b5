/* A generation whose code is Lua: one state with one world. From tg_generation_serve on it lives as
 * host_life.h says.
 *
 *     host -> loader  reads the application's files
 *          -> declare what they declared, into the registry
 *          -> task    runs handlers and hooks
 */
#ifndef TG_SCRIPT_HOST_H
#define TG_SCRIPT_HOST_H

#include "core/generation.h"
#include "core/problem.h"
#include "core/script.h"
#include "core/worker.h"
#include "script/collector.h"
#include "script/conn_move.h"
#include "script/heap.h"
#include "script/task.h"
#include "script/world.h"

struct tg_host {
    struct tg_world world; /* first: the userdata that a borrowed world lies in is one of both */
    struct tg_script script;
    struct tg_generation generation;
    struct tg_task_pool tasks;
    uint32_t stops;       /* hooks of on_stop that have not ended */
    uint32_t shown_tasks; /* its share of metrics.tasks */
    bool is_watched;      /* by the watchdog, on whichever thread runs it */
    struct tg_left_behind left_behind;
    void (*let_go)(struct tg_host *host); /* of a borrowed world: it is over, its owner may close it */
    struct tg_heap heap;                  /* of the Lua state */
    struct tg_watchdog watchdog;
    struct tg_collector collector;
};

/* Loads the application in `folder` into a new state: its number is `number`. What is wrong with each
 * module is added to `problems`; TG_E_SCRIPT when there is any, and no host then.
 * TG_E_NO_MEMORY. The config is borrowed; close with tg_host_close. */
enum tg_status tg_host_open(struct tg_host **host, const struct tg_config *config, const char *folder,
                            uint32_t number, struct tg_problems *problems);

/* The same, noting in `files` (NULL: nowhere) what is read or looked for. On any thread: the one that begins
 * may be another. */
enum tg_status tg_host_load(struct tg_host **host, const struct tg_config *config, const char *folder,
                            uint32_t number, struct tg_files *files, struct tg_problems *problems);

/* The same without an application: a state with an open world, no limit of memory, and no watchdog. For
 * code that is trusted as the program itself (testbed.h). */
enum tg_status tg_host_open_bare(struct tg_host **host, const struct tg_config *config);

/* ---- in a state of somebody else's: no memory limit, no watchdog, no collector of ours ---- */

/* Makes a world without modules, for loader.h to load, in the state of `L`. `host` is the block of the
 * userdata at `index`, zeroed, and alive as long as any function of the world. TG_E_NO_MEMORY: close it all
 * the same. [-0, +0, e] */
enum tg_status tg_host_open_in(struct tg_host *host, lua_State *L, int index, const struct tg_config *config);

/* Gives back all but the block. What Lua still holds of the world answers that it is closed. Nothing when it
 * is closed already. */
void tg_host_close_in(struct tg_host *host, lua_State *L);

/* What is left to be freed when the userdata of a closed host is collected. */
void tg_host_deinit_in(struct tg_host *host);

/* ---- */

/* One that never began, or has ended. On any thread. */
void tg_host_close(struct tg_host *host);

#endif
