/* Invariant: world.worker is set from `begin` to `end`, and only meanwhile does anything of this state lie in
 * the worker's lists, wheel or metrics. */
#include "script/host_life.h"

#include "base/log.h"
#include "script/conn_move.h"
#include "script/held.h"
#include "script/host_ops.h"
#include "script/libs/keep.h"
#include "script/libs/life.h"

/* ---- what the worker is told ---- */

void tg_host_note_tasks(struct tg_host *host)
{
    if (!host->world.worker) return;
    host->world.worker->metrics.tasks += (uint64_t)host->tasks.count - host->shown_tasks;
    host->shown_tasks = host->tasks.count;
}

void tg_host_note_run(struct tg_host *host)
{
    tg_host_note_tasks(host);
    tg_collector_note(&host->collector);
}

uint32_t tg_host_task_count(const struct tg_script *script)
{
    return TG_CONTAINER(script, const struct tg_host, script)->tasks.count;
}

/* ---- the beginning ---- */

/* Runs of handlers are watched on the loop's thread, which is not the one that has loaded. */
static void watch(struct tg_host *host)
{
    struct tg_error error;
    host->watchdog.setting = "handler_cpu_ms";
    host->watchdog.stuck_seconds = host->world.config->watchdog_seconds;
    if (host->is_watched && tg_watchdog_open(&host->watchdog, &error) != TG_OK)
        tg_log(TG_LOG_ERROR, "watchdog_failed", TG_LOG_S("error", error.text));
}

void tg_host_begin(struct tg_script *script, struct tg_worker *worker)
{
    struct tg_host *host = tg_host_of(script);
    host->world.worker = worker;
    watch(host);
    if (!host->world.is_borrowed) tg_collector_start(&host->collector, worker);
    if (tg_keep_begin(&host->world) != TG_OK || tg_life_start(&host->tasks) != TG_OK)
        tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_S("action", "on_start"));
    tg_task_turn(&host->tasks);
    tg_host_note_run(host);
}

/* ---- the end ---- */

void tg_host_retire(struct tg_script *script)
{
    struct tg_host *host = tg_host_of(script);
    tg_conn_move_release_nobodys(&host->tasks);
    tg_host_note_run(host);
}

static void stop_hook_ended(void *context)
{
    struct tg_host *host = context;
    if (--host->stops == 0) tg_generation_script_stopped(&host->generation);
}

enum tg_outcome tg_host_stop(struct tg_script *script, const char *reason)
{
    struct tg_host *host = tg_host_of(script);
    if (tg_life_stop(&host->tasks, reason, stop_hook_ended, host, &host->stops) != TG_OK)
        tg_log(TG_LOG_ERROR, "no_memory", TG_LOG_S("action", "on_stop"));
    return host->stops > 0 ? TG_WAITING : TG_DONE;
}

void tg_host_end(struct tg_script *script)
{
    struct tg_host *host = tg_host_of(script);
    if (!host->world.worker) return;
    tg_task_cancel_all(&host->tasks, NULL);
    tg_held_let_go(&host->world);
    tg_host_note_tasks(host);
    tg_collector_stop(&host->collector);
    tg_watchdog_close(&host->watchdog);
    host->world.worker = NULL;
}

void tg_host_close_script(struct tg_script *script)
{
    struct tg_host *host = tg_host_of(script);
    if (host->world.is_borrowed)
        host->let_go(host);
    else
        tg_host_close(host);
}
