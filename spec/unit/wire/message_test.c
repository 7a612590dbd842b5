#include "wire/message.h"

#include "support/alloc.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct tg_arena arena;
    struct tg_buf out;
    struct tg_buf frame;
    struct tg_issues issues;
    struct tg_value value;
    struct tg_envelope envelope;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    tg_arena_init(&fixture->arena, 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    tg_arena_deinit(&fixture->arena);
    tg_buf_deinit(&fixture->out);
    tg_buf_deinit(&fixture->frame);
    free(fixture);
    return 0;
}

static enum tg_status read_text(struct fixture *fixture, const char *json)
{
    tg_buf_truncate(&fixture->out, 0);
    tg_issues_init(&fixture->issues, &fixture->out, 10);
    assert_int_equal(tg_json_parse(tg_slice_of(json), 64, &fixture->arena, &fixture->value, NULL), TG_OK);
    return tg_envelope_read(&fixture->value, &fixture->envelope, NULL, &fixture->issues);
}

static struct tg_envelope *read_good(struct fixture *fixture, const char *json)
{
    assert_int_equal(read_text(fixture, json), TG_OK);
    assert_int_equal(fixture->out.length, 0);
    return &fixture->envelope;
}

static void assert_slice(struct tg_slice got, const char *wanted)
{
    if (!tg_slice_equal(got, tg_slice_of(wanted))) fail_msg("got %.*s, wanted %s", TG_SLICE_ARG(got), wanted);
}

/* The answer to `json`, ref and all. */
static void answers(struct fixture *fixture, const char *json, const char *frame)
{
    assert_int_equal(read_text(fixture, json), TG_E_INVALID);
    tg_buf_truncate(&fixture->frame, 0);
    tg_message_write_issues(&fixture->frame, tg_buf_peek(&fixture->out), &fixture->envelope.ref);
    assert_slice(tg_buf_peek(&fixture->frame), frame);
}

/* ---- in ---- */

static void reads_an_envelope_in_any_order(void **state)
{
    struct fixture *fixture = *state;
    static const char *const texts[] = {
        "{\"action\":\"chat\",\"payload\":{\"content\":\"hi\"},\"topic\":\"room:a\",\"ref\":\"7\"}",
        "{\"ref\":\"7\",\"topic\":\"room:a\",\"x\":[1],\"payload\":{\"content\":\"hi\"},\"action\":\"chat\"}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct tg_envelope *envelope = read_good(fixture, texts[i]);
        assert_slice(envelope->action, "chat");
        assert_slice(envelope->topic, "room:a");
        assert_int_equal(envelope->ref.type, TG_REF_STRING);
        assert_slice(envelope->ref.string, "7");
        assert_slice(tg_value_string(tg_value_get(envelope->payload, TG_SLICE("content"))), "hi");
    }
}

static void needs_nothing_but_an_action(void **state)
{
    struct tg_envelope *envelope = read_good(*state, "{\"action\":\"\"}");
    assert_non_null(envelope->action.data);
    assert_null(envelope->payload);
    assert_null(envelope->topic.data);
    assert_int_equal(envelope->ref.type, TG_REF_NONE);
}

static void takes_null_for_an_absent_payload_or_ref(void **state)
{
    struct tg_envelope *envelope = read_good(*state, "{\"action\":\"a\",\"payload\":null,\"ref\":null}");
    assert_null(envelope->payload);
    assert_int_equal(envelope->ref.type, TG_REF_NONE);
}

static void keeps_any_payload_as_it_is(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(read_good(fixture, "{\"action\":\"a\",\"payload\":false}")->payload->type,
                     TG_VALUE_BOOLEAN);
    assert_int_equal(read_good(fixture, "{\"action\":\"a\",\"payload\":[]}")->payload->type, TG_VALUE_ARRAY);
}

static void takes_integers_and_short_texts_as_ref(void **state)
{
    struct fixture *fixture = *state;
    char json[200];
    struct tg_envelope *envelope = read_good(fixture, "{\"action\":\"a\",\"ref\":-9223372036854775808}");
    assert_int_equal(envelope->ref.type, TG_REF_INTEGER);
    assert_true(envelope->ref.integer == INT64_MIN);
    snprintf(json, sizeof json, "{\"action\":\"a\",\"ref\":\"%0128d\"}", 0);
    assert_int_equal(read_good(fixture, json)->ref.string.length, TG_REF_MAX_BYTES);
}

static void refuses_any_other_ref_and_does_not_echo_it(void **state)
{
    char long_ref[200];
    snprintf(long_ref, sizeof long_ref, "\"%0129d\"", 0);
    const struct {
        const char *ref, *got;
    } refs[] = {{"1.0", ", got 1.0"}, {"true", ", got true"}, {"[]", ""}, {"{}", ""}, {long_ref, ""}};
    for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) {
        char json[256], answer[256];
        snprintf(json, sizeof json, "{\"action\":\"a\",\"ref\":%s}", refs[i].ref);
        snprintf(
            answer, sizeof answer,
            "{\"action\":\"error\",\"payload\":[{\"type\":\"string_type\",\"loc\":[\"ref\"],\"msg\":\"Input "
            "should be a valid string%s\"}]}",
            refs[i].got);
        answers(*state, json, answer);
    }
}

static void refuses_what_is_no_object(void **state)
{
    static const char *const texts[] = {"null", "true", "1", "1.5", "\"action\"", "[]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        answers(
            *state, texts[i],
            "{\"action\":\"error\",\"payload\":[{\"type\":\"model_type\",\"loc\":[],\"msg\":\"Input should "
            "be a valid object\"}]}");
}

static void reports_a_missing_action_and_echoes_the_ref(void **state)
{
    answers(
        *state, "{\"payload\":{\"action\":\"a\"},\"ref\":7}",
        "{\"action\":\"error\",\"payload\":[{\"type\":\"union_tag_not_found\",\"loc\":[\"action\"],\"msg\":"
        "\"Unable to extract tag using discriminator 'action'\"}],\"ref\":7}");
}

static void names_an_action_that_is_no_string(void **state)
{
    static const struct {
        const char *action, *tag;
    } rows[] = {{"null", "null"}, {"true", "true"}, {"42", "42"},          {"1.5", "1.5"},
                {"[1]", "[...]"}, {"[]", "[...]"},  {"{\"a\":1}", "{...}"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char json[64], frame[300];
        snprintf(json, sizeof json, "{\"action\":%s}", rows[i].action);
        snprintf(frame, sizeof frame,
                 "{\"action\":\"error\",\"payload\":[{\"type\":\"union_tag_invalid\",\"loc\":[\"action\"],"
                 "\"msg\":\"Input tag '%s' found using 'action' does not match any of the expected tags\"}]}",
                 rows[i].tag);
        answers(*state, json, frame);
    }
}

static void tells_all_that_is_wrong_in_document_order_but_missing_first(void **state)
{
    answers(
        *state, "{\"topic\":null,\"ref\":1.5}",
        "{\"action\":\"error\",\"payload\":["
        "{\"type\":\"union_tag_not_found\",\"loc\":[\"action\"],\"msg\":\"Unable to extract tag using "
        "discriminator 'action'\"},"
        "{\"type\":\"string_type\",\"loc\":[\"topic\"],\"msg\":\"Input should be a valid string, got null\"},"
        "{\"type\":\"string_type\",\"loc\":[\"ref\"],\"msg\":\"Input should be a valid string, got 1.5\"}]}");
}

/* ---- out ---- */

static void writes_the_frame_of_an_invalid_message(void **state)
{
    struct fixture *fixture = *state;
    struct tg_path payload = {.key = TG_SLICE("payload")};
    struct tg_path content = {.parent = &payload, .key = TG_SLICE("content")};
    struct tg_path tags = {.parent = &payload, .key = TG_SLICE("tags")};
    struct tg_path tag = {.parent = &tags, .index = 3};
    tg_issues_init(&fixture->issues, &fixture->out, 10);
    tg_issue_add(&fixture->issues, TG_ISSUE_MISSING, &content);
    tg_issue_report(&fixture->issues,
                    &(struct tg_issue){.type = TG_ISSUE_STRING_TOO_LONG,
                                       .path = &tag,
                                       .limit = &(struct tg_value){.type = TG_VALUE_INTEGER, .integer = 20}});
    tg_issues_finish(&fixture->issues);
    struct tg_ref ref = {.type = TG_REF_STRING, .string = TG_SLICE("7")};
    tg_message_write_issues(&fixture->frame, tg_buf_peek(&fixture->out), &ref);
    assert_slice(tg_buf_peek(&fixture->frame),
                 "{\"action\":\"error\",\"payload\":[{\"type\":\"missing\",\"loc\":[\"payload\",\"content\"],"
                 "\"msg\":\"Field required\"},{\"type\":\"string_too_long\",\"loc\":[\"payload\",\"tags\",3],"
                 "\"msg\":\"String should have at most 20 characters\"}],\"ref\":\"7\"}");
}

static void writes_a_ref_or_nothing(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        struct tg_ref ref;
        const char *wanted;
    } rows[] = {
        {{.type = TG_REF_NONE}, ""},
        {{.type = TG_REF_INTEGER, .integer = -7}, ",\"ref\":-7"},
        {{.type = TG_REF_STRING, .string = TG_SLICE("a\"\n")}, ",\"ref\":\"a\\\"\\n\""},
        {{.type = TG_REF_STRING, .string = TG_SLICE("")}, ",\"ref\":\"\""},
        {{.topic = TG_SLICE("room:\"a")}, ",\"topic\":\"room:\\\"a\""},
        {{.topic = TG_SLICE("a"), .type = TG_REF_INTEGER, .integer = 1}, ",\"topic\":\"a\",\"ref\":1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tg_buf_truncate(&fixture->frame, 0);
        tg_message_write_ref(&fixture->frame, &rows[i].ref);
        assert_slice(tg_buf_peek(&fixture->frame), rows[i].wanted);
    }
}

static void writes_only_the_details_that_are_given(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        struct tg_detail detail;
        struct tg_ref ref;
        const char *wanted;
    } rows[] = {
        {{.detail = TG_SLICE("Binary frames are not accepted")},
         {.type = TG_REF_NONE},
         "{\"action\":\"error\",\"payload\":{\"detail\":\"Binary frames are not accepted\"}}"},
        {{.code = TG_SLICE("not_found"), .detail = TG_SLICE("No such room")},
         {.type = TG_REF_INTEGER, .integer = 1},
         "{\"action\":\"error\",\"payload\":{\"code\":\"not_found\",\"detail\":\"No such room\"},\"ref\":1}"},
        {{.detail = TG_SLICE("Failed to process message"),
          .traceback = TG_SLICE("a.lua:3: x\n\ty"),
          .file = TG_SLICE("a.lua"),
          .line = 3},
         {.type = TG_REF_NONE},
         "{\"action\":\"error\",\"payload\":{\"detail\":\"Failed to process "
         "message\",\"traceback\":\"a.lua:3: x\\n\\ty\",\"file\":\"a.lua\",\"line\":3}}"},
        {{.line = 3}, {.type = TG_REF_NONE}, "{\"action\":\"error\",\"payload\":{\"line\":3}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tg_buf_truncate(&fixture->frame, 0);
        tg_message_write_detail(&fixture->frame, &rows[i].detail, &rows[i].ref);
        assert_slice(tg_buf_peek(&fixture->frame), rows[i].wanted);
    }
}

#define REPLACEMENT "\xef\xbf\xbd"

static void repairs_text_that_is_not_utf8(void **state)
{
    struct fixture *fixture = *state;
    const struct {
        struct tg_slice text;
        const char *wanted;
    } rows[] = {
        {TG_SLICE(""), ""},
        {TG_SLICE("\xc3\xa9\xf0\x9f\x98\x80"), "\xc3\xa9\xf0\x9f\x98\x80"},
        {TG_SLICE("\xff"), REPLACEMENT},
        {TG_SLICE("a\xff\"b"), "a" REPLACEMENT "\\\"b"},
        {TG_SLICE("\xe2\x82"), REPLACEMENT REPLACEMENT},
        {TG_SLICE("ab\xe2\x82z\xc3"), "ab" REPLACEMENT REPLACEMENT "z" REPLACEMENT},
        {TG_SLICE("\xed\xa0\x80"), REPLACEMENT REPLACEMENT REPLACEMENT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[128];
        snprintf(wanted, sizeof wanted, "{\"action\":\"error\",\"payload\":{\"detail\":\"%s\"}}",
                 rows[i].wanted);
        struct tg_detail detail = {.detail = rows[i].text};
        struct tg_ref ref = {.type = TG_REF_NONE};
        tg_buf_truncate(&fixture->frame, 0);
        tg_message_write_detail(&fixture->frame, &detail, &ref);
        assert_slice(tg_buf_peek(&fixture->frame), wanted);
    }
}

/* ---- without memory ---- */

static enum tg_status read_once(void *context)
{
    (void)context;
    struct tg_member member = {
        .key = "action", .key_length = 6, .value = {.type = TG_VALUE_INTEGER, .integer = 1}};
    struct tg_value message = {.type = TG_VALUE_OBJECT, .length = 1, .members = &member};
    struct tg_buf out;
    struct tg_issues issues;
    struct tg_envelope envelope;
    tg_buf_init(&out);
    tg_issues_init(&issues, &out, 10);
    enum tg_status status = tg_envelope_read(&message, &envelope, NULL, &issues);
    if (status == TG_E_NO_MEMORY) {
        tg_buf_truncate(&out, 0);
        tg_issues_init(&issues, &out, 10);
        assert_int_equal(tg_envelope_read(&message, &envelope, NULL, &issues), TG_E_INVALID);
    }
    tg_buf_deinit(&out);
    return status == TG_E_INVALID ? TG_OK : status;
}

static enum tg_status write_once(void *context)
{
    struct tg_buf out;
    struct tg_detail detail = {.code = TG_SLICE("code"), .detail = *(struct tg_slice *)context, .line = 1};
    struct tg_ref ref = {.type = TG_REF_STRING, .string = TG_SLICE("7")};
    tg_buf_init(&out);
    tg_message_write_detail(&out, &detail, &ref);
    tg_message_write_issues(&out, detail.detail, &ref);
    enum tg_status status = tg_buf_status(&out);
    tg_buf_truncate(&out, 0);
    tg_message_write_ref(&out, &ref);
    assert_slice(tg_buf_peek(&out), ",\"ref\":\"7\"");
    tg_buf_deinit(&out);
    return status;
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    static char text[1000];
    memset(text, 'x', sizeof text);
    struct tg_slice slice = {text, sizeof text};
    assert_true(tg_alloc_sweep(read_once, NULL) >= 3);
    assert_true(tg_alloc_sweep(write_once, &slice) >= 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(reads_an_envelope_in_any_order),
        TEST(needs_nothing_but_an_action),
        TEST(takes_null_for_an_absent_payload_or_ref),
        TEST(keeps_any_payload_as_it_is),
        TEST(takes_integers_and_short_texts_as_ref),
        TEST(refuses_any_other_ref_and_does_not_echo_it),
        TEST(refuses_what_is_no_object),
        TEST(reports_a_missing_action_and_echoes_the_ref),
        TEST(names_an_action_that_is_no_string),
        TEST(tells_all_that_is_wrong_in_document_order_but_missing_first),
        TEST(writes_the_frame_of_an_invalid_message),
        TEST(writes_a_ref_or_nothing),
        TEST(writes_only_the_details_that_are_given),
        TEST(repairs_text_that_is_not_utf8),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
