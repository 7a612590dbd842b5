/* A reload that is asked for here is never told to be unchanged: it loads whether files differ or not. */
#include "core/api_manage.h"

#include "core/contract.h"
#include "core/overview.h"
#include "core/problem.h"
#include "core/worker.h"
#include "wire/json.h"

#include <inttypes.h>

static void write_outcome(struct tg_buf *body, const struct tg_reload_result *result)
{
    tg_buf_printf(body, "\"generation\":%" PRIu32 ",\"outcome\":\"%s\",\"took_ms\":%" PRIu64, result->number,
                  tg_reload_outcome_name(result->outcome), result->took_ms);
}

static void answer_reloaded(struct tg_api_answer *answer, const struct tg_reload_result *result)
{
    tg_api_answer_begin(answer, 200);
    tg_buf_append_char(&answer->body, '{');
    write_outcome(&answer->body, result);
    if (result->load && result->load->report) {
        tg_buf_append_literal(&answer->body, ",\"report\":");
        tg_contract_write_json(result->load->report, &answer->body);
    }
    tg_buf_append_char(&answer->body, '}');
}

static void answer_failed(struct tg_api_answer *answer, const struct tg_reload_result *result)
{
    const struct tg_problems *problems = result->load->problems;
    if (!problems || problems->has_failed) {
        TG_API_ERROR(answer, 503, "Out of memory");
        return;
    }
    tg_api_answer_begin(answer, 422);
    tg_buf_printf(&answer->body, "{\"detail\":\"It does not load: generation %" PRIu32 " still serves\",",
                  result->number);
    write_outcome(&answer->body, result);
    tg_buf_append_literal(&answer->body, ",\"problems\":");
    tg_problems_write_json(problems, &answer->body);
    tg_buf_append_char(&answer->body, '}');
}

static void answer_restless(struct tg_api_answer *answer, const struct tg_reload_result *result)
{
    tg_api_answer_begin(answer, 409);
    tg_buf_append_literal(&answer->body, "{\"detail\":\"Files change while they are read\",\"file\":");
    tg_problem_write_string(&answer->body, tg_slice_of(result->restless));
    tg_buf_append_char(&answer->body, ',');
    write_outcome(&answer->body, result);
    tg_buf_append_char(&answer->body, '}');
}

static void told(struct tg_reload_listener *listener, const struct tg_reload_result *result)
{
    struct tg_api_later *later = TG_CONTAINER(listener, struct tg_api_later, listener);
    if (result->outcome == TG_RELOAD_FAILED)
        answer_failed(&later->answer, result);
    else if (result->outcome == TG_RELOAD_RESTLESS)
        answer_restless(&later->answer, result);
    else if (result->outcome == TG_RELOAD_CANCELLED)
        TG_API_ERROR(&later->answer, 503, "The server is shutting down");
    else
        answer_reloaded(&later->answer, result);
    later->answered(later);
}

void tg_api_answer_later(struct tg_api *api, struct tg_api_later *later)
{
    later->listener.told = told;
    tg_list_init(&later->listener.link);
    tg_reload_request(api->worker->reload, "api", true, &later->listener);
}

void tg_api_forget_later(struct tg_api_later *later)
{
    tg_list_remove(&later->listener.link);
}

void tg_api_answer_status(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                          struct tg_api_answer *answer)
{
    (void)path;
    (void)body;
    const struct tg_overview overview = {.worker = api->worker, .folder = api->folder};
    tg_api_answer_begin(answer, 200);
    tg_overview_write(&overview, &answer->body);
}
