/* The job does what takes time and knows nothing of the worker: whether files differ, the load, and whether
 * they were torn meanwhile. Its `done` decides; between the last look at the files and the swap nothing but a
 * turn of the loop passes.
 *
 * Invariant: `why` is set from the request to its result, and is_running while the job is the background's:
 * then `load`, `serving` and `failed` are its own.
 */
#include "core/reload.h"

#include "base/log.h"
#include "core/worker.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* Files that change as often as they are read belong to a program that writes them: who watches will ask
 * again. */
enum { LOADS_MAX = 8, PAUSE_MS_MAX = 100 };

enum { NS_PER_MS = 1000 * 1000 };

const char *tg_reload_outcome_name(enum tg_reload_outcome outcome)
{
    static const char *const names[] = {"ok", "failed", "unchanged", "back", "restless", "cancelled"};
    return names[outcome];
}

/* ---- on the background thread ---- */

static void discard(struct tg_reload *reload)
{
    struct tg_generation *generation = reload->load.generation;
    if (generation) generation->script->ops->close(generation->script);
    reload->source->ops->forget(reload->source, &reload->load);
    reload->load = (struct tg_load){0};
}

/* What is on disk is known: `*outcome` says which. False: it is new. */
static bool is_known(struct tg_reload *reload, enum tg_reload_outcome *outcome)
{
    struct tg_source *source = reload->source;
    bool has_failed = reload->failed.number > 0;
    *outcome = TG_RELOAD_UNCHANGED;
    if (!source->ops->differs(source, has_failed ? &reload->failed : &reload->serving)) return true;
    *outcome = TG_RELOAD_BACK;
    return has_failed && !source->ops->differs(source, &reload->serving);
}

/* Whoever writes gets the time to end. */
static void pause_for_writers(const struct tg_reload *reload)
{
    nanosleep(&(struct timespec){.tv_nsec = (long)reload->pause_ms * NS_PER_MS}, NULL);
}

static enum tg_reload_outcome load(struct tg_reload *reload)
{
    struct tg_source *source = reload->source;
    struct tg_load *load = &reload->load;
    for (int i = 0; i < LOADS_MAX; i++) {
        *load = (struct tg_load){
            .number = reload->number, .serving = reload->before, .serving_load = &reload->serving};
        enum tg_status status = source->ops->load(source, load);
        const char *torn = source->ops->is_torn(source, load);
        if (!torn) return status == TG_OK ? TG_RELOAD_OK : TG_RELOAD_FAILED;
        snprintf(reload->restless, sizeof reload->restless, "%s", torn);
        discard(reload);
        pause_for_writers(reload);
    }
    return TG_RELOAD_RESTLESS;
}

static void work(struct tg_job *job)
{
    struct tg_reload *reload = TG_CONTAINER(job, struct tg_reload, job);
    if (reload->repeats) pause_for_writers(reload);
    reload->is_new = reload->is_forced || !is_known(reload, &reload->outcome);
    if (reload->is_new && reload->has_room) reload->outcome = load(reload);
}

/* ---- telling ---- */

static void count(struct tg_reload *reload, const struct tg_reload_result *result)
{
    struct tg_metrics *metrics = &reload->worker->metrics;
    if (result->outcome == TG_RELOAD_OK) {
        metrics->reloads++;
        tg_times_note(&reload->worker->reloads, result->took_ms * NS_PER_MS);
    } else if (result->outcome == TG_RELOAD_FAILED || result->outcome == TG_RELOAD_RESTLESS) {
        metrics->reloads_failed++;
    }
}

static void log_result(const struct tg_reload_result *result)
{
    bool is_good = result->outcome == TG_RELOAD_OK || result->outcome == TG_RELOAD_BACK;
    if (result->restless)
        tg_log(TG_LOG_WARNING, "reload_failed", TG_LOG_S("outcome", "restless"), TG_LOG_S("why", result->why),
               TG_LOG_I("took_ms", result->took_ms), TG_LOG_S("file", result->restless));
    else
        tg_log(is_good ? TG_LOG_INFO : TG_LOG_WARNING, is_good ? "reloaded" : "reload_failed",
               TG_LOG_S("outcome", tg_reload_outcome_name(result->outcome)), TG_LOG_S("why", result->why),
               TG_LOG_I("took_ms", result->took_ms));
}

static void tell_all(struct tg_list *listeners, const struct tg_reload_result *result)
{
    for (struct tg_list *node = listeners->next, *next; node != listeners; node = next) {
        struct tg_reload_listener *listener = TG_CONTAINER(node, struct tg_reload_listener, link);
        next = node->next;
        listener->told(listener, result);
    }
}

static void tell_once(struct tg_list *listeners, const struct tg_reload_result *result)
{
    for (struct tg_list *node; (node = tg_list_take_first(listeners));) {
        struct tg_reload_listener *listener = TG_CONTAINER(node, struct tg_reload_listener, link);
        listener->told(listener, result);
    }
}

static void tell(struct tg_reload *reload, enum tg_reload_outcome outcome, const struct tg_load *about)
{
    struct tg_worker *worker = reload->worker;
    const struct tg_reload_result result = {
        .outcome = outcome,
        .why = reload->why,
        .number = worker->generation ? worker->generation->number : 0,
        .took_ms = tg_worker_now_ms(worker) - reload->began_ms,
        .when_ms = tg_clock_wall_ms(worker->clock),
        .load = about,
        .restless = outcome == TG_RELOAD_RESTLESS ? reload->restless : NULL,
    };
    if (outcome != TG_RELOAD_UNCHANGED && outcome != TG_RELOAD_CANCELLED) {
        reload->last = result;
        count(reload, &result);
        log_result(&result);
        tell_all(&reload->observers, &result);
    }
    tell_once(&reload->asking, &result);
}

/* ---- one after the other ---- */

static void start(struct tg_reload *reload)
{
    struct tg_worker *worker = reload->worker;
    reload->has_room = worker->metrics.generations_alive < worker->config->max_generations;
    reload->before = worker->generation;
    reload->number = worker->generation->number + 1;
    reload->is_running = true;
    if (reload->begins) reload->begins(reload->disturbed_context);
    reload->background->ops->run(reload->background, &reload->job);
}

/* What was read may be half of what somebody writes just now, and right all the same: an empty file is. */
static bool has_to_repeat(const struct tg_reload *reload)
{
    if (!reload->is_disturbed || !reload->is_new || reload->repeats >= LOADS_MAX) return false;
    return reload->is_disturbed(reload->disturbed_context);
}

/* Too many are alive: the oldest has no more time. */
static void wait_for_room(struct tg_reload *reload)
{
    struct tg_worker *worker = reload->worker;
    reload->is_forced = true; /* that files differ is known */
    if (worker->metrics.generations_alive < worker->config->max_generations) {
        start(reload);
        return;
    }
    worker->metrics.reloads_postponed++;
    tg_generation_expire(tg_generation_first(worker), true);
}

static void begin_next(struct tg_reload *reload)
{
    reload->why = reload->next_why;
    reload->next_why = NULL;
    if (!reload->why) return;
    reload->is_forced = reload->is_next_forced;
    reload->is_next_forced = false;
    reload->began_ms = reload->next_began_ms;
    tg_list_move_all(&reload->asking, &reload->following);
    start(reload);
}

static void forget(struct tg_reload *reload, struct tg_load *load)
{
    reload->source->ops->forget(reload->source, load);
    *load = (struct tg_load){0};
}

/* `load` is what `to` has from now on. */
static void keep(struct tg_reload *reload, struct tg_load *to)
{
    forget(reload, to);
    *to = reload->load;
    reload->load = (struct tg_load){0};
}

static void swap(struct tg_reload *reload)
{
    struct tg_generation *generation = reload->load.generation;
    forget(reload, &reload->failed);
    keep(reload, &reload->serving);
    reload->serving.generation = NULL; /* the worker has it */
    reload->serving.serving = NULL;
    reload->serving.serving_load = NULL;
    tg_generation_serve(generation, reload->worker);
    tell(reload, TG_RELOAD_OK, &reload->serving);
}

static void drop_load(struct tg_reload *reload)
{
    if (reload->load.generation) tg_generation_close(reload->load.generation, reload->background);
    reload->load.generation = NULL;
    forget(reload, &reload->load);
}

/* The server stops: nothing new begins. */
static void cancel(struct tg_reload *reload)
{
    drop_load(reload);
    tell(reload, TG_RELOAD_CANCELLED, NULL);
}

static void conclude(struct tg_reload *reload)
{
    switch (reload->outcome) {
    case TG_RELOAD_OK:
        swap(reload);
        break;
    case TG_RELOAD_FAILED:
        keep(reload, &reload->failed);
        tell(reload, TG_RELOAD_FAILED, &reload->failed);
        break;
    case TG_RELOAD_BACK:
        forget(reload, &reload->failed);
        tell(reload, TG_RELOAD_BACK, NULL);
        break;
    default:
        tell(reload, reload->outcome, NULL);
    }
}

static void done(struct tg_job *job)
{
    struct tg_reload *reload = TG_CONTAINER(job, struct tg_reload, job);
    reload->is_running = false;
    if (reload->worker->is_draining) {
        cancel(reload);
    } else if (reload->is_new && !reload->has_room) {
        wait_for_room(reload);
        return;
    } else if (has_to_repeat(reload)) {
        drop_load(reload);
        reload->repeats++;
        start(reload);
        return;
    } else {
        conclude(reload);
    }
    reload->repeats = 0;
    begin_next(reload);
}

void tg_reload_go_on(struct tg_reload *reload)
{
    if (reload->why && !reload->is_running) start(reload);
}

/* ---- */

void tg_reload_init(struct tg_reload *reload, struct tg_worker *worker, struct tg_source *source,
                    struct tg_background *background)
{
    *reload = (struct tg_reload){.worker = worker, .source = source, .background = background};
    uint32_t quiet_ms = worker->config->reload_quiet_ms;
    reload->pause_ms = quiet_ms < PAUSE_MS_MAX ? quiet_ms : PAUSE_MS_MAX;
    reload->job = (struct tg_job){.work = work, .done = done};
    tg_list_init(&reload->observers);
    tg_list_init(&reload->asking);
    tg_list_init(&reload->following);
    worker->reload = reload;
    worker->background = background;
}

void tg_reload_begin(struct tg_reload *reload, struct tg_load *load)
{
    struct tg_generation *generation = load->generation;
    load->generation = NULL;
    reload->serving = *load;
    *load = (struct tg_load){0};
    tg_generation_serve(generation, reload->worker);
}

void tg_reload_deinit(struct tg_reload *reload)
{
    forget(reload, &reload->serving);
    forget(reload, &reload->failed);
    reload->worker->reload = NULL;
    reload->worker->background = NULL;
}

void tg_reload_request(struct tg_reload *reload, const char *why, bool is_forced,
                       struct tg_reload_listener *listener)
{
    uint64_t now_ms = tg_worker_now_ms(reload->worker);
    if (listener) tg_list_append(&reload->following, &listener->link);
    if (!reload->next_why) reload->next_began_ms = now_ms;
    if (!reload->next_why || is_forced) reload->next_why = why;
    reload->is_next_forced |= is_forced;
    if (!reload->why) begin_next(reload);
}

void tg_reload_observe(struct tg_reload *reload, struct tg_reload_listener *listener)
{
    tg_list_append(&reload->observers, &listener->link);
}
