/* What programs outside ask for, without sockets: who may, what is read, and what is handed to the script. */
#include "core/api.h"

#include "support/alloc.h"
#include "support/fake_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TOKEN "0123456789abcdef"

/* What the script was asked for last, and what it answers. */
static struct {
    struct fake_core *core;
    struct tg_api api;
    struct tg_script_ops ops;
    struct tg_api_answer answer;
    char asked[512];
    enum tg_status status;
} stage;

static enum tg_status note(const char *what, const struct tg_value *value,
                           const struct tg_publication *publication, struct tg_issues *issues,
                           uint64_t *receivers)
{
    char text[256] = "";
    size_t length = 0;
    for (uint32_t i = 0; publication->to == TG_TO_GROUPS && i < publication->group_count; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, " %.*s",
                                   TG_SLICE_ARG(publication->groups[i]));
    if (publication->to == TG_TO_CONN) snprintf(text, sizeof text, " conn");
    if (publication->to == TG_TO_USER)
        snprintf(text, sizeof text, " user %.*s", TG_SLICE_ARG(publication->user));
    if (publication->to == TG_TO_CONSUMER)
        snprintf(text, sizeof text, " consumer %.*s", TG_SLICE_ARG(publication->consumer));
    snprintf(stage.asked, sizeof stage.asked, "%s of %u to%s", what, value->length, text);
    *receivers = 7;
    if (stage.status == TG_E_INVALID)
        tg_issue_add(issues, TG_ISSUE_MISSING, &(struct tg_path){.key = TG_SLICE("x")});
    return stage.status;
}

static enum tg_status publish_event(struct tg_script *script, struct tg_value *event, struct tg_arena *arena,
                                    struct tg_publication *publication, struct tg_issues *issues,
                                    uint64_t *receivers)
{
    (void)script;
    (void)arena;
    return note("event", event, publication, issues, receivers);
}

static enum tg_status publish_message(struct tg_script *script, struct tg_value *message,
                                      struct tg_arena *arena, struct tg_publication *publication,
                                      struct tg_issues *issues, uint64_t *receivers)
{
    (void)script;
    (void)arena;
    return note("message", message, publication, issues, receivers);
}

static int setup(void **state)
{
    (void)state;
    memset(&stage, 0, sizeof stage);
    stage.core = fake_core_new();
    stage.ops = *stage.core->script.script.ops;
    stage.ops.publish_event = publish_event;
    stage.ops.publish_message = publish_message;
    stage.core->script.script.ops = &stage.ops;
    stage.api = (struct tg_api){.worker = &stage.core->worker, .token = TG_SLICE(TOKEN)};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_core_free(stage.core);
    return 0;
}

static void expect_answer(unsigned status, const char *body)
{
    tg_buf_append_char(&stage.answer.body, '\0');
    assert_string_equal(stage.answer.body.data, body);
    assert_int_equal(stage.answer.status, status);
    tg_api_answer_deinit(&stage.answer);
}

static struct tg_api_request good(void)
{
    return (struct tg_api_request){
        .path = TG_SLICE("/api/events"),
        .authorization = TG_SLICE("Bearer " TOKEN),
        .content_type = TG_SLICE("application/json"),
        .peer = TG_SLICE("192.0.2.1:1"),
        .is_post = true,
        .has_length = true,
        .body_bytes = 5,
    };
}

static void expect_refused(const struct tg_api_request *request, unsigned status, const char *detail)
{
    char body[128];
    snprintf(body, sizeof body, "{\"detail\":\"%s\"}", detail);
    assert_true(tg_api_refuses(&stage.api, request, &stage.answer));
    expect_answer(status, body);
}

static void post(const char *path, const char *body)
{
    stage.asked[0] = '\0';
    tg_api_answer(&stage.api, tg_slice_of(path), tg_slice_of(body), &stage.answer);
}

/* ---- the specs ---- */

static void lies_below_its_root(void **state)
{
    (void)state;
    assert_true(tg_api_is_path(TG_SLICE("/api")));
    assert_true(tg_api_is_path(TG_SLICE("/api/")));
    assert_true(tg_api_is_path(TG_SLICE("/api/anything")));
    assert_false(tg_api_is_path(TG_SLICE("/apis")));
    assert_false(tg_api_is_path(TG_SLICE("/ap")));
    assert_false(tg_api_is_path(TG_SLICE("/")));
    assert_false(tg_api_is_path(TG_SLICE("")));
}

static void tells_nothing_to_who_has_no_token(void **state)
{
    (void)state;
    static const char *const given[] = {"",
                                        "Bearer",
                                        "Bearer ",
                                        TOKEN,
                                        "Bearer" TOKEN,
                                        "Bearer 0123456789abcdeF",
                                        "Bearer 0123456789abcde",
                                        "Bearer " TOKEN "0",
                                        "Bearer " TOKEN " ",
                                        "Basic " TOKEN};
    struct tg_api_request request = {.path = TG_SLICE("/api/nope")};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        request.authorization = tg_slice_of(given[i]);
        expect_refused(&request, 401, "The token is missing or wrong");
    }
    assert_int_equal(stage.core->worker.metrics.api_unauthorized, sizeof given / sizeof given[0]);
    request = good();
    request.authorization = TG_SLICE("bEARER   " TOKEN);
    assert_false(tg_api_refuses(&stage.api, &request, &stage.answer));
}

static void is_off_without_a_token(void **state)
{
    (void)state;
    struct tg_api_request request = good();
    stage.api.token = (struct tg_slice){0};
    request.authorization = TG_SLICE("Bearer ");
    expect_refused(&request, 403, "The API is off: no token is set");
}

static void refuses_the_first_thing_that_is_wrong(void **state)
{
    (void)state;
    struct tg_api_request request = good();
    stage.core->config.api_max_bytes = 4;
    stage.core->config.api_max_requests = 1;
    stage.api.reading = 1;
    request.path = TG_SLICE("/api/event");
    request.is_post = request.has_length = false;
    request.content_type = TG_SLICE("application/jsonx");
    expect_refused(&request, 404, "Not found");
    request.path = TG_SLICE("/api/broadcast");
    expect_refused(&request, 405, "Method not allowed");
    request.is_post = true;
    expect_refused(&request, 415, "The body has to be application/json");
    request.content_type = TG_SLICE("Application/Json ; charset=utf-8");
    expect_refused(&request, 411, "The length of the body has to be told in Content-Length");
    request.has_length = true;
    expect_refused(&request, 413, "The body is longer than api_max_bytes");
    request.body_bytes = 4;
    expect_refused(&request, 503, "Too many requests at once");
    stage.api.reading = 0;
    assert_false(tg_api_refuses(&stage.api, &request, &stage.answer));
    stage.core->worker.is_draining = true;
    expect_refused(&request, 503, "The server is shutting down");
    const struct tg_metrics *metrics = &stage.core->worker.metrics;
    assert_int_equal(metrics->api_requests, 8);
    assert_int_equal(metrics->api_too_large, 1);
    assert_int_equal(metrics->api_full, 1);
}

/* The request of a reload has no body; that of the status is no POST. */
static void takes_nothing_with_a_reload_and_no_body_with_a_status(void **state)
{
    (void)state;
    struct tg_api_request request = good();
    request.path = TG_SLICE("/api/reload");
    request.content_type = (struct tg_slice){0};
    request.has_body = true;
    expect_refused(&request, 400, "A request with a body is not taken");
    request.has_body = false;
    request.body_bytes = 0;
    assert_false(tg_api_refuses(&stage.api, &request, &stage.answer));
    request.has_length = false;
    expect_refused(&request, 411, "The length of the body has to be told in Content-Length");
    request.path = TG_SLICE("/api/status");
    expect_refused(&request, 405, "Method not allowed");
    request.is_post = false;
    request.is_get = true;
    assert_false(tg_api_refuses(&stage.api, &request, &stage.answer));
    stage.core->worker.is_draining = true;
    assert_false(tg_api_refuses(&stage.api, &request, &stage.answer));
    assert_true(tg_api_takes_long(TG_SLICE("/api/reload")));
    assert_false(tg_api_takes_long(TG_SLICE("/api/status")));
}

static void hands_over_what_it_is_given(void **state)
{
    (void)state;
    static const struct {
        const char *path, *body, *asked;
    } cases[] = {
        {"/api/events", "{\"to\":{\"groups\":[\"a\",\"b c\"]},\"event\":{\"a\":1}}", "event of 1 to a b c"},
        {"/api/events", "{\"event\":[1,2],\"to\":{\"user\":\"ann\"}}", "event of 2 to user ann"},
        {"/api/events", "{\"event\":[],\"to\":{\"user\":-9223372036854775808}}",
         "event of 0 to user -9223372036854775808"},
        {"/api/events", "{\"event\":[],\"to\":{\"consumer\":\"chat\"}}", "event of 0 to consumer chat"},
        {"/api/broadcast", "{\"groups\":[],\"message\":[]}", "message of 0 to"},
        {"/api/broadcast", "{\"message\":[],\"groups\":[\"x\"]}", "message of 0 to x"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        post(cases[i].path, cases[i].body);
        assert_string_equal(stage.asked, cases[i].asked);
        expect_answer(200, "{\"receivers\":7}");
    }
}

static void finds_a_connection_by_the_text_of_its_id(void **state)
{
    (void)state;
    char id[TG_CONN_ID_BYTES], body[128];
    struct fake_client *client = fake_core_open(stage.core, 0, "/chat");
    snprintf(body, sizeof body, "{\"to\":{\"connection\":\"%s\"},\"event\":[]}",
             tg_conn_id_text(client->conn->id, id).data);
    post("/api/events", body);
    assert_string_equal(stage.asked, "event of 0 to conn");
    expect_answer(200, "{\"receivers\":7}");
    fake_client_vanish(client);
    post("/api/events", body);
    assert_string_equal(stage.asked, "");
    expect_answer(404, "{\"detail\":\"No such connection\"}");
}

static void asks_for_nothing_when_something_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *body, *answer;
    } cases[] = {
        {"{\"to\":{\"user\":\"\"},\"event\":1}", "{\"errors\":[{\"type\":\"value_error\",\"loc\":[\"to\","
                                                 "\"user\"],\"msg\":\"Value error, an empty id is "
                                                 "nobody's\"}]}"},
        {"{\"to\":{\"groups\":[\"a\"],\"user\":true},\"event\":1}",
         "{\"errors\":[{\"type\":\"string_type\",\"loc\":[\"to\",\"user\"],\"msg\":\"Input should be a valid "
         "string, "
         "got true\"},{\"type\":\"value_error\",\"loc\":[\"to\"],\"msg\":\"Value error, one of connection, "
         "groups, "
         "consumer and user says whom it is for\"}]}"},
        {"null",
         "{\"errors\":[{\"type\":\"model_type\",\"loc\":[],\"msg\":\"Input should be a valid object, got "
         "null\"}]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        post("/api/events", cases[i].body);
        assert_string_equal(stage.asked, "");
        expect_answer(422, cases[i].answer);
    }
    post("/api/events", "{\"to\":{\"user\":1},\"to\":{}}");
    assert_string_equal(stage.asked, "");
    assert_int_equal(stage.answer.status, 400);
    tg_api_answer_deinit(&stage.answer);
}

static void tells_what_the_script_says(void **state)
{
    (void)state;
    static const struct {
        enum tg_status said;
        unsigned status;
        const char *body;
    } cases[] = {
        {TG_E_INVALID, 422,
         "{\"errors\":[{\"type\":\"missing\",\"loc\":[\"message\",\"x\"],\"msg\":\"Field required\"}]}"},
        {TG_E_SCRIPT, 500, "{\"detail\":\"A check or a default of the payload failed; the log says how\"}"},
        {TG_E_NO_MEMORY, 503, "{\"detail\":\"Out of memory\"}"},
        {TG_E_IO, 503, "{\"detail\":\"The channel layer does not answer\"}"},
        {TG_E_FULL, 503, "{\"detail\":\"The channel layer does not answer\"}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stage.status = cases[i].said;
        post("/api/broadcast", "{\"groups\":[\"a\"],\"message\":{}}");
        expect_answer(cases[i].status, cases[i].body);
    }
}

static enum tg_status answer_once(void *context)
{
    (void)context;
    post("/api/events", "{\"to\":{\"groups\":[\"a\"],\"user\":7},\"event\":{\"a\":[1,\"\\u0041\"]}}");
    bool is_short = stage.answer.status == 503 || stage.answer.body.has_failed;
    assert_true(is_short || stage.answer.status == 422);
    tg_api_answer_deinit(&stage.answer);
    return is_short ? TG_E_NO_MEMORY : TG_OK;
}

static void is_short_of_memory_without_harm(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(answer_once, NULL) >= 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lies_below_its_root),
        TEST(tells_nothing_to_who_has_no_token),
        TEST(is_off_without_a_token),
        TEST(refuses_the_first_thing_that_is_wrong),
        TEST(takes_nothing_with_a_reload_and_no_body_with_a_status),
        TEST(hands_over_what_it_is_given),
        TEST(finds_a_connection_by_the_text_of_its_id),
        TEST(asks_for_nothing_when_something_is_wrong),
        TEST(tells_what_the_script_says),
        TEST(is_short_of_memory_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
