/* An authoriser that fails refuses, an authenticator has a frame of its own, and of an event nobody is told
 * but the log. */
#include "script/run_failure.h"

#include "base/log.h"
#include "core/dispatch.h"
#include "core/topic.h"
#include "core/worker.h"
#include "script/admission.h"

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

static void answer_failure(const struct tg_run *run, const struct tg_failure *failure)
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
    }
    tg_dispatch_answer_detail(run->conn, &detail, &run->ref);
}

void tg_run_tell_failure(void *context, const struct tg_failure *failure)
{
    struct tg_run *run = context;
    if (!failure->is_declared || !run->answers || run->is_authentication) {
        run->conn->worker->metrics.handler_errors++;
        log_failure(run, failure);
    }
    if (run->is_authentication)
        tg_admission_failed(run);
    else if (run->answers)
        answer_failure(run, failure);
}

void tg_run_tell_late(const struct tg_run *run, uint64_t timeout_ms)
{
    struct tg_worker *worker = run->conn->worker;
    if (run->is_authentication) {
        tg_admission_late(run);
        return;
    }
    worker->metrics.handler_timeouts++;
    tg_log(TG_LOG_WARNING, "handler_timeout", TG_LOG_CONN(run->conn), TG_LOG_STR("action", what_failed(run)),
           TG_LOG_I("timeout_ms", timeout_ms));
    if (is_authorising(run)) {
        tg_topic_refuse(run->subscription, TG_SLICE("The authoriser took too long"));
        return;
    }
    if (!run->answers) return;
    const struct tg_detail detail = {.code = TG_SLICE("handler_timeout"),
                                     .detail = TG_SLICE("The handler took too long")};
    tg_dispatch_answer_detail(run->conn, &detail, &run->ref);
}
