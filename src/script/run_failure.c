/* An authoriser that fails refuses, an authenticator has a frame of its own, and of an event nobody is told
 * but the log. */
#include "script/run_failure.h"

#include "base/log.h"
#include "core/dev.h"
#include "core/dispatch.h"
#include "core/generation.h"
#include "core/topic.h"
#include "core/worker.h"
#include "script/excerpt.h"
#include "script/start.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct tg_slice what_failed(const struct tg_run *run)
{
    return run->action ? run->action->name : tg_slice_of(run->what);
}

struct place {
    struct tg_slice file;
    int64_t line;
};

/* Where it happened: the innermost Lua function; or, where none runs any more because what one returned is
 * wrong, the handler, or what has the hook. */
static struct place find_place(const struct tg_run *run, const struct tg_failure *failure)
{
    if (failure->file[0]) return (struct place){tg_slice_of(failure->file), failure->line};
    const char *source = run->action ? run->action->source.data : tg_run_source(run);
    const char *colon = strrchr(source, ':');
    if (!colon) return (struct place){tg_slice_of(source), 0};
    return (struct place){{source, (size_t)(colon - source)}, strtoll(colon + 1, NULL, 10)};
}

static void log_failure(const struct tg_run *run, const struct tg_failure *failure)
{
    struct place place = find_place(run, failure);
    char source[sizeof failure->file + 16];
    snprintf(source, sizeof source, "%.*s:%lld", TG_SLICE_ARG(place.file), (long long)place.line);
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, "handler_failed"), TG_LOG_CONN(run->conn),
           TG_LOG_STR("action", what_failed(run)), TG_LOG_S("source", source),
           TG_LOG_STR("error", failure->message), TG_LOG_STR("traceback", failure->traceback));
}

/* Whether the code decides who may subscribe: every failure means no. */
static bool is_authorising(const struct tg_run *run)
{
    return run->subscription && run->subscription->state == TG_SUBSCRIBING;
}

/* The lines around, as JSON. */
static void write_source(struct tg_buf *out, const struct place *place)
{
    struct tg_arena arena;
    uint32_t first_line;
    if (place->line <= 0 || place->line > INT32_MAX) return;
    tg_arena_init(&arena, 0);
    struct tg_slice lines = tg_excerpt_read(&arena, place->file, (uint32_t)place->line, &first_line);
    if (lines.length) tg_excerpt_write_json(lines, first_line, out);
    if (out->has_failed) tg_buf_truncate(out, 0);
    tg_arena_deinit(&arena);
}

/* `source`: of the place, in development. */
static void answer_failure(const struct tg_run *run, const struct tg_failure *failure, struct tg_slice source)
{
    struct tg_detail detail = {.detail = TG_SLICE("Failed to process message")};
    if (is_authorising(run)) {
        tg_topic_refuse(run->subscription, failure->is_declared ? failure->detail : (struct tg_slice){0});
        return;
    }
    if (failure->is_declared) {
        detail = (struct tg_detail){.code = failure->code, .detail = failure->detail};
    } else if (tg_config_is_development(run->world->config)) {
        struct place place = find_place(run, failure);
        detail.traceback = failure->traceback;
        detail.file = place.file;
        detail.line = place.line;
        detail.source = source;
        detail.generation = run->conn->generation->number;
    }
    tg_dispatch_answer_detail(run->conn, &detail, &run->ref);
}

static void tell_developer(const struct tg_run *run, const struct tg_failure *failure, struct tg_slice source)
{
    struct place place = find_place(run, failure);
    const struct tg_dev_failure told = {
        .consumer = run->conn->consumer->name,
        .action = what_failed(run),
        .message = failure->message,
        .traceback = failure->traceback,
        .file = place.file,
        .line = place.line,
        .source = source,
        .generation = run->conn->generation->number,
    };
    tg_dev_tell_failure(run->conn->worker->dev, &told);
}

void tg_run_tell_failure(void *context, const struct tg_failure *failure)
{
    struct tg_run *run = context;
    struct tg_buf source;
    tg_buf_init(&source);
    if (tg_config_is_development(run->world->config) && !failure->is_declared) {
        struct place place = find_place(run, failure);
        write_source(&source, &place);
    }
    if (!failure->is_declared || !run->answers || run->is_authentication) {
        run->conn->worker->metrics.handler_errors++;
        log_failure(run, failure);
        tell_developer(run, failure, tg_buf_peek(&source));
    }
    if (run->is_authentication)
        tg_start_authentication_failed(run->conn);
    else if (run->answers)
        answer_failure(run, failure, tg_buf_peek(&source));
    tg_buf_deinit(&source);
}

static void log_late(const struct tg_run *run, uint64_t timeout_ms)
{
    struct tg_log_field limit = TG_LOG_I("timeout_ms", timeout_ms);
    if (run->is_retired)
        limit = TG_LOG_I("retire_seconds", run->world->config->retire_seconds);
    else
        run->conn->worker->metrics.handler_timeouts++;
    tg_log(TG_LOG_WARNING, "handler_timeout", TG_LOG_CONN(run->conn), TG_LOG_STR("action", what_failed(run)),
           limit);
}

void tg_run_tell_late(const struct tg_run *run, uint64_t timeout_ms)
{
    if (run->is_authentication) {
        tg_start_authentication_late(run->conn);
        return;
    }
    log_late(run, timeout_ms);
    if (is_authorising(run)) {
        tg_topic_refuse(run->subscription, TG_SLICE("The authoriser took too long"));
        return;
    }
    if (!run->answers) return;
    const struct tg_detail detail = {.code = TG_SLICE("handler_timeout"),
                                     .detail = TG_SLICE("The handler took too long")};
    tg_dispatch_answer_detail(run->conn, &detail, &run->ref);
}
