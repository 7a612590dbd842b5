/* An authoriser that fails refuses, an authenticator has a frame of its own, and of an event nobody is told
 * but the log. */
#include "script/run_failure.h"

#include "base/log.h"
#include "core/dev.h"
#include "core/dispatch.h"
#include "core/generation.h"
#include "core/topic.h"
#include "core/worker.h"
#include "script/admission.h"
#include "script/failure_place.h"

static struct tg_slice what_failed(const struct tg_run *run)
{
    return run->action ? run->action->name : tg_slice_of(run->what);
}

/* Where no Lua runs any more: the handler, or what has the hook. */
static struct tg_failure_place find_place(const struct tg_run *run, const struct tg_failure *failure)
{
    return tg_failure_place_find(failure,
                                 run->action ? run->action->source : tg_slice_of(tg_run_source(run)));
}

static void log_failure(const struct tg_run *run, const struct tg_failure *failure)
{
    struct tg_failure_place place = find_place(run, failure);
    char source[TG_FAILURE_PLACE_BYTES];
    tg_log(TG_LOG_ERROR, tg_failure_event(failure, "handler_failed"), TG_LOG_CONN(run->conn),
           TG_LOG_STR("action", what_failed(run)), TG_LOG_S("source", tg_failure_place_text(&place, source)),
           TG_LOG_STR("error", failure->message), TG_LOG_STR("traceback", failure->traceback));
}

/* Whether the code decides who may subscribe: every failure means no. */
static bool is_authorising(const struct tg_run *run)
{
    return run->subscription && run->subscription->state == TG_SUBSCRIBING;
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
        struct tg_failure_place place = find_place(run, failure);
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
    struct tg_failure_place place = find_place(run, failure);
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
        struct tg_failure_place place = find_place(run, failure);
        tg_failure_place_write_source(&place, &source);
    }
    if (!failure->is_declared || !run->answers || run->is_authentication) {
        run->conn->worker->metrics.handler_errors++;
        log_failure(run, failure);
        tell_developer(run, failure, tg_buf_peek(&source));
    }
    if (run->is_authentication)
        tg_admission_failed(run);
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
        tg_admission_late(run);
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
