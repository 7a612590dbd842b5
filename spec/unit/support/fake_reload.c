#include "support/fake_reload.h"

#include "support/fake_registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One that was loaded. */
struct fake_generation {
    struct fake_script script; /* first */
    struct tg_generation generation;
    struct fake_reload *reload;
};

static struct fake_reload *reload_of(struct fake_core *core)
{
    return (struct fake_reload *)core->worker.reload;
}

static struct fake_core *core_of(const struct tg_script *script)
{
    return ((const struct fake_script *)script)->core;
}

/* ---- the script ---- */

/* The first generation lies in the core. */
static uint32_t number_of(struct tg_script *script)
{
    struct fake_core *core = core_of(script);
    return script == &core->script.script ? 1 : ((struct fake_generation *)script)->generation.number;
}

static void begin(struct tg_script *script, struct tg_worker *worker)
{
    (void)worker;
    fake_core_note(core_of(script), NULL, "begin %u", number_of(script));
}

static void retire(struct tg_script *script)
{
    fake_core_note(core_of(script), NULL, "retire %u", number_of(script));
}

static void release(struct tg_script *script, struct tg_conn *conn)
{
    fake_core_note(core_of(script), conn, "release");
}

/* As the script layer does: whatever runs ends before this returns. */
static void expire(struct tg_script *script, struct tg_conn *conn)
{
    fake_core_note(core_of(script), conn, "expire");
    if (conn->is_starting) tg_conn_ended(conn, TG_FAILED);
    for (uint32_t left = conn->running; left > 0; left--) tg_conn_ended(conn, TG_FAILED);
}

static enum tg_status move_out(struct tg_script *script, struct tg_conn *conn, struct tg_buf *state)
{
    struct fake_core *core = core_of(script);
    if (reload_of(core)->is_move_failing) return TG_E_NO_MEMORY;
    tg_buf_append(state, &conn->script_ref, sizeof conn->script_ref);
    if (state->has_failed) return TG_E_NO_MEMORY;
    fake_core_note(core, conn, "out of %u", number_of(script));
    conn->script_ref = 0;
    for (struct tg_list *node = conn->subscriptions.next; node != &conn->subscriptions; node = node->next)
        TG_CONTAINER(node, struct tg_subscription, link)->script_ref = 0;
    return TG_OK;
}

static enum tg_outcome move_in(struct tg_script *script, struct tg_conn *conn, struct tg_slice state,
                               uint32_t from)
{
    struct fake_core *core = core_of(script);
    assert_int_equal(state.length, sizeof conn->script_ref);
    assert_ptr_equal(conn->generation->script, script);
    memcpy(&conn->script_ref, state.data, state.length);
    fake_core_note(core, conn, "into %u from %u", number_of(script), from);
    if (reload_of(core)->on_moved) reload_of(core)->on_moved(core, conn);
    return fake_core_outcome(core);
}

static enum tg_outcome stop(struct tg_script *script, const char *reason)
{
    struct fake_core *core = core_of(script);
    fake_core_note(core, NULL, "stop %u %s", number_of(script), reason);
    return reload_of(core)->is_stop_waiting ? TG_WAITING : TG_DONE;
}

static void end(struct tg_script *script)
{
    fake_core_note(core_of(script), NULL, "end %u", number_of(script));
    reload_of(core_of(script))->ended++;
}

static void close_generation(struct tg_script *script)
{
    struct fake_core *core = core_of(script);
    reload_of(core)->closed++;
    if (script == &core->script.script) return;
    struct fake_generation *fake = (struct fake_generation *)script;
    tg_registry_deinit(&fake->generation.registry);
    free(fake);
}

/* ---- the source ---- */

static struct fake_reload *of_source(struct tg_source *source)
{
    return TG_CONTAINER(source, struct fake_reload, source);
}

static struct tg_generation *new_generation(struct fake_reload *reload, uint32_t number)
{
    struct fake_generation *fake = calloc(1, sizeof *fake);
    if (!fake) return NULL;
    fake->script = (struct fake_script){.script.ops = &reload->ops, .core = reload->of};
    tg_generation_init(&fake->generation, number, &fake->script.script);
    tg_registry_init(&fake->generation.registry, reload->of->config.max_check_steps);
    fake_registry_fill(&fake->generation.registry, reload->without);
    return &fake->generation;
}

static enum tg_status load(struct tg_source *source, struct tg_load *load)
{
    struct fake_reload *reload = of_source(source);
    int *disk = malloc(sizeof *disk);
    assert_non_null(disk);
    *disk = reload->disk;
    load->files = (struct tg_files *)(void *)disk;
    reload->loads++;
    reload->kept++;
    if (reload->is_memory_out) return TG_E_NO_MEMORY;
    if (reload->is_broken) return TG_E_SCRIPT;
    load->generation = new_generation(reload, load->number);
    return TG_OK;
}

static const char *differs(struct tg_source *source, const struct tg_load *load)
{
    const int *disk = (const int *)(const void *)load->files;
    return !disk || *disk != of_source(source)->disk ? "chat.lua" : NULL;
}

static const char *is_torn(struct tg_source *source, const struct tg_load *load)
{
    struct fake_reload *reload = of_source(source);
    if (reload->torn > 0) {
        reload->torn--;
        return "torn.lua";
    }
    return differs(source, load);
}

static void forget(struct tg_source *source, struct tg_load *load)
{
    if (load->files) of_source(source)->kept--;
    free(load->files);
    load->files = NULL;
}

static const struct tg_source_ops source_ops = {load, differs, is_torn, forget};

/* ---- the background ---- */

static void run(struct tg_background *background, struct tg_job *job)
{
    struct fake_reload *reload = TG_CONTAINER(background, struct fake_reload, background);
    job->next = NULL;
    if (reload->first)
        reload->last->next = job;
    else
        reload->first = job;
    reload->last = job;
}

static const struct tg_background_ops background_ops = {run};

void fake_reload_work(struct fake_reload *reload)
{
    while (reload->first) {
        struct tg_job *job = reload->first;
        void (*done)(struct tg_job * job) = job->done;
        reload->first = job->next;
        job->work(job);
        if (done) done(job);
    }
    fake_core_turn(reload->of);
}

/* ---- the whole ---- */

static void note_told(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    struct fake_reload *reload = TG_CONTAINER(listener, struct fake_reload, observer);
    reload->told = *result;
    reload->told_count++;
}

struct fake_reload *fake_reload_new(struct fake_core *core)
{
    struct fake_reload *reload = calloc(1, sizeof *reload);
    assert_non_null(reload);
    *reload = (struct fake_reload){.source.ops = &source_ops, .background.ops = &background_ops, .of = core};
    reload->observer.told = note_told;
    reload->ops = *core->script.script.ops;
    reload->ops.begin = begin;
    reload->ops.retire = retire;
    reload->ops.release = release;
    reload->ops.expire = expire;
    reload->ops.move_out = move_out;
    reload->ops.move_in = move_in;
    reload->ops.stop = stop;
    reload->ops.end = end;
    reload->ops.close = close_generation;
    core->script.script.ops = &reload->ops;
    tg_reload_init(&reload->core, &core->worker, &reload->source, &reload->background);
    tg_reload_observe(&reload->core, &reload->observer);
    struct tg_load first = {.number = 1};
    assert_int_equal(load(&reload->source, &first), TG_OK);
    tg_generation_close(first.generation, NULL);
    first.generation = &core->generation;
    tg_generation_end(&core->generation);
    tg_reload_begin(&reload->core, &first);
    core->journal_bytes = 0;
    reload->loads = reload->closed = reload->ended = 0;
    return reload;
}

void fake_reload_free(struct fake_reload *reload)
{
    struct fake_core *core = reload->of;
    struct tg_list ended;
    for (size_t i = 0; i < core->client_count; i++)
        if (core->clients[i].conn) fake_client_vanish(&core->clients[i]);
    fake_reload_work(reload);
    tg_generations_end(&core->worker, &ended);
    tg_generations_close(&ended);
    fake_reload_work(reload);
    tg_reload_deinit(&reload->core);
    assert_int_equal(reload->kept, 0);
    core->script.script.ops = &fake_script_ops;
    free(reload);
}

void fake_reload_expect(struct fake_reload *reload, enum tg_reload_outcome outcome)
{
    int before = reload->told_count;
    tg_reload_request(&reload->core, "spec", true, NULL);
    fake_reload_work(reload);
    assert_int_equal(reload->told_count, before + 1);
    assert_int_equal(reload->told.outcome, outcome);
}

void fake_reload_turns(struct fake_reload *reload, int count)
{
    for (int i = 0; i < count; i++) fake_core_turn(reload->of);
}
