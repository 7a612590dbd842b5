/* Lists of generations change in two places only: tg_generation_serve, which the background's `done` calls,
 * and tg_generations_turn; so both may walk them while scripts run.
 *
 * Invariants: the last in worker->generations is worker->generation, and the only one that is SERVING. A
 * connection is in one list of its generation, or in worker->moves, and is counted. The timer is armed while
 * RETIRING, unless the time is up, and while STOPPING.
 */
#include "core/generation.h"

#include "base/log.h"
#include "core/worker.h"

#include <assert.h>

static void request_turn(struct tg_worker *worker)
{
    worker->loop->ops->request_turn(worker->loop);
}

static void time_is_up(struct tg_timer *timer)
{
    tg_generation_expire(TG_CONTAINER(timer, struct tg_generation, timer), false);
}

void tg_generation_init(struct tg_generation *generation, uint32_t number, struct tg_script *script)
{
    generation->number = number;
    generation->script = script;
    generation->worker = NULL;
    generation->state = TG_GENERATION_LOADED;
    generation->is_over = generation->is_last = generation->is_stop_awaited = false;
    generation->connections = 0;
    tg_list_init(&generation->link);
    tg_list_init(&generation->conns);
    tg_list_init(&generation->busy);
    tg_timer_init(&generation->timer, time_is_up);
}

const char *tg_generation_state_name(const struct tg_generation *generation)
{
    static const char *const names[] = {"loaded", "serving", "retiring", "stopping", "stopping"};
    return names[generation->state];
}

/* ---- its connections ---- */

void tg_generation_take(struct tg_generation *generation, struct tg_conn *conn)
{
    conn->generation = generation;
    tg_list_append(&generation->conns, &conn->generation_link);
    generation->connections++;
}

void tg_generation_lose(struct tg_conn *conn)
{
    struct tg_generation *generation = conn->generation;
    tg_list_remove(&conn->generation_link);
    generation->connections--;
    if (generation->connections == 0 && generation->state == TG_GENERATION_RETIRING)
        request_turn(conn->worker);
}

/* ---- its life ---- */

static void set_timer(struct tg_generation *generation, uint32_t seconds)
{
    struct tg_worker *worker = generation->worker;
    tg_worker_arm(worker, &generation->timer, tg_worker_now_ms(worker) + seconds * 1000ull);
}

static void retire(struct tg_generation *generation)
{
    struct tg_script *script = generation->script;
    generation->state = TG_GENERATION_RETIRING;
    set_timer(generation, generation->worker->config->retire_seconds);
    if (script->ops->retire) script->ops->retire(script);
    request_turn(generation->worker);
}

void tg_generation_serve(struct tg_generation *generation, struct tg_worker *worker)
{
    struct tg_generation *before = worker->generation;
    struct tg_script *script = generation->script;
    assert(generation->state == TG_GENERATION_LOADED);
    generation->state = TG_GENERATION_SERVING;
    generation->worker = worker;
    generation->began_ms = tg_worker_now_ms(worker);
    tg_list_append(&worker->generations, &generation->link);
    worker->generation = generation;
    worker->metrics.generation = generation->number;
    worker->metrics.generations_alive++;
    tg_log_set_generation(generation->number);
    if (before) retire(before);
    if (script->ops->begin) script->ops->begin(script, worker);
}

void tg_generation_expire(struct tg_generation *generation, bool is_last)
{
    tg_wheel_disarm(&generation->worker->wheel, &generation->timer);
    generation->is_over = true;
    generation->is_last |= is_last;
    if (generation->state == TG_GENERATION_STOPPING) generation->state = TG_GENERATION_STOPPED;
    tg_list_move_all(&generation->conns, &generation->busy);
    request_turn(generation->worker);
}

/* ---- its end ---- */

static bool stop(struct tg_generation *generation, const char *reason)
{
    struct tg_script *script = generation->script;
    generation->is_stop_awaited = script->ops->stop(script, reason) == TG_WAITING;
    return generation->is_stop_awaited;
}

static void leave(struct tg_generation *generation)
{
    if (!stop(generation, "reload") || generation->is_over) {
        generation->state = TG_GENERATION_STOPPED;
        return;
    }
    generation->state = TG_GENERATION_STOPPING;
    set_timer(generation, generation->worker->config->drain_seconds);
}

void tg_generation_script_stopped(struct tg_generation *generation)
{
    struct tg_worker *worker = generation->worker;
    generation->is_stop_awaited = false;
    if (generation->state == TG_GENERATION_STOPPING) generation->state = TG_GENERATION_STOPPED;
    request_turn(worker);
    tg_worker_script_stopped(worker);
}

void tg_generation_end(struct tg_generation *generation)
{
    struct tg_worker *worker = generation->worker;
    struct tg_script *script = generation->script;
    if (!worker) return;
    if (script->ops->end) script->ops->end(script);
    tg_turn_keep_names(&worker->turns);
    tg_wheel_disarm(&worker->wheel, &generation->timer);
    tg_list_remove(&generation->link);
    worker->metrics.generations_alive--;
    if (worker->generation == generation) worker->generation = NULL;
    generation->worker = NULL;
    generation->is_stop_awaited = false;
    generation->state = TG_GENERATION_LOADED;
}

static void close_it(struct tg_job *job)
{
    struct tg_script *script = TG_CONTAINER(job, struct tg_generation, closing)->script;
    script->ops->close(script);
}

void tg_generation_close(struct tg_generation *generation, struct tg_background *background)
{
    generation->closing = (struct tg_job){.work = close_it};
    if (background)
        background->ops->run(background, &generation->closing);
    else
        close_it(&generation->closing);
}

static void finish(struct tg_generation *generation)
{
    struct tg_worker *worker = generation->worker;
    tg_log(TG_LOG_INFO, "generation_ended", TG_LOG_I("generation", generation->number),
           TG_LOG_I("seconds", (tg_worker_now_ms(worker) - generation->began_ms) / 1000));
    tg_generation_end(generation);
    tg_generation_close(generation, worker->background);
    if (worker->reload) tg_reload_go_on(worker->reload);
}

/* ---- all of them ---- */

static struct tg_generation *at(const struct tg_worker *worker, struct tg_list *node)
{
    return node == &worker->generations ? NULL : TG_CONTAINER(node, struct tg_generation, link);
}

struct tg_generation *tg_generation_first(const struct tg_worker *worker)
{
    return at(worker, worker->generations.next);
}

struct tg_generation *tg_generation_next(const struct tg_generation *generation)
{
    return at(generation->worker, generation->link.next);
}

bool tg_generations_have_camel(const struct tg_worker *worker)
{
    for (const struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g))
        if (g->registry.has_camel) return true;
    return false;
}

const struct tg_consumer *tg_generations_find_consumer(const struct tg_worker *worker, struct tg_slice name)
{
    const struct tg_consumer *newest = NULL;
    for (const struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g)) {
        const struct tg_consumer *found = tg_registry_find_consumer(&g->registry, name);
        if (found) newest = found;
    }
    return newest;
}

/* Between reloads there is but one, and then none has anything to move or to end. */
static bool is_alone(const struct tg_worker *worker)
{
    return worker->generation && worker->generations.next == &worker->generation->link;
}

static void end_those_without_use(struct tg_worker *worker)
{
    for (struct tg_generation *g = tg_generation_first(worker), *next; g; g = next) {
        next = tg_generation_next(g);
        if (g->state == TG_GENERATION_RETIRING && g->connections == 0 && !worker->is_draining) leave(g);
        if (g->state == TG_GENERATION_STOPPED) finish(g);
    }
}

void tg_generations_turn(struct tg_worker *worker)
{
    if (is_alone(worker)) {
        struct tg_script *script = worker->generation->script;
        script->ops->turn(script);
        return;
    }
    for (struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g))
        g->script->ops->turn(g->script);
    tg_moves_turn(worker);
    end_those_without_use(worker);
}

bool tg_generations_have_more(const struct tg_worker *worker)
{
    if (is_alone(worker)) {
        struct tg_script *script = worker->generation->script;
        return script->ops->has_more(script);
    }
    for (struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g))
        if (g->script->ops->has_more(g->script)) return true;
    return tg_moves_have_more(worker);
}

void tg_generations_stop(struct tg_worker *worker)
{
    for (struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g))
        if (g->state == TG_GENERATION_SERVING || g->state == TG_GENERATION_RETIRING) stop(g, "stop");
}

bool tg_generations_are_stopping(const struct tg_worker *worker)
{
    for (const struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g))
        if (g->is_stop_awaited) return true;
    return false;
}

void tg_generations_end(struct tg_worker *worker, struct tg_list *ended)
{
    tg_list_init(ended);
    for (struct tg_generation *g; (g = tg_generation_first(worker));) {
        tg_generation_end(g);
        tg_list_append(ended, &g->link);
    }
}

void tg_generations_close(struct tg_list *ended)
{
    for (struct tg_list *node; (node = tg_list_take_first(ended));)
        tg_generation_close(TG_CONTAINER(node, struct tg_generation, link), NULL);
}
