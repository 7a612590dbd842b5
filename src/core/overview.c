#include "core/overview.h"

#include "core/problem.h"

#include <inttypes.h>

static uint64_t seconds_since(const struct tg_worker *worker, uint64_t then_ms)
{
    return (tg_worker_now_ms(worker) - then_ms) / 1000;
}

static void write_generation(const struct tg_generation *generation, struct tg_buf *out)
{
    const struct tg_script *script = generation->script;
    uint32_t tasks = script->ops->task_count ? script->ops->task_count(script) : 0;
    tg_buf_printf(out,
                  "{\"number\":%" PRIu32 ",\"state\":\"%s\",\"connections\":%" PRIu32 ",\"tasks\":%" PRIu32
                  ",\"age_seconds\":%" PRIu64 ",\"consumers\":%" PRIu32 "}",
                  generation->number, tg_generation_state_name(generation), generation->connections, tasks,
                  seconds_since(generation->worker, generation->began_ms),
                  generation->registry.consumer_count);
}

static void write_generations(const struct tg_worker *worker, struct tg_buf *out)
{
    tg_buf_printf(out, ",\"generation\":%" PRIu64 ",\"generations\":[", worker->metrics.generation);
    for (const struct tg_generation *g = tg_generation_first(worker); g; g = tg_generation_next(g)) {
        if (g != tg_generation_first(worker)) tg_buf_append_char(out, ',');
        write_generation(g, out);
    }
    tg_buf_append_char(out, ']');
}

static void write_last_reload(const struct tg_reload_result *last, struct tg_buf *out)
{
    char when[TG_CLOCK_TEXT_BYTES];
    tg_clock_write_wall(last->when_ms, when);
    tg_buf_printf(out,
                  "{\"outcome\":\"%s\",\"why\":\"%s\",\"generation\":%" PRIu32
                  ",\"when\":\"%s\",\"took_ms\":%" PRIu64,
                  tg_reload_outcome_name(last->outcome), last->why, last->number, when, last->took_ms);
    if (last->outcome == TG_RELOAD_FAILED && last->load->problems) {
        tg_buf_append_literal(out, ",\"problems\":");
        tg_problems_write_json(last->load->problems, out);
    }
    tg_buf_append_char(out, '}');
}

void tg_overview_write(const struct tg_overview *overview, struct tg_buf *out)
{
    const struct tg_worker *worker = overview->worker;
    const struct tg_reload *reload = worker->reload;
    tg_buf_printf(out, "{\"version\":\"%s\",\"mode\":\"%s\",\"folder\":", TG_VERSION,
                  tg_config_is_development(worker->config) ? "development" : "production");
    tg_problem_write_string(out, overview->folder);
    tg_buf_printf(out, ",\"uptime_seconds\":%" PRIu64 ",\"connections\":%" PRIu64,
                  seconds_since(worker, worker->began_ms), worker->metrics.connections);
    write_generations(worker, out);
    tg_buf_append_literal(out, ",\"last_reload\":");
    if (reload && reload->last.why)
        write_last_reload(&reload->last, out);
    else
        tg_buf_append_literal(out, "null");
    tg_buf_append_char(out, '}');
}
