#include "wire/issue.h"

#include "support/alloc.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct fixture {
    struct tg_buf out;
    struct tg_issues issues;
};

static void add_limit(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                      struct tg_value limit)
{
    tg_issue_report(issues, &(struct tg_issue){.type = type, .path = path, .limit = &limit});
}

static void add_integer(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                        int64_t limit)
{
    add_limit(issues, type, path, (struct tg_value){.type = TG_VALUE_INTEGER, .integer = limit});
}

static void add_number(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                       double limit)
{
    add_limit(issues, type, path, (struct tg_value){.type = TG_VALUE_NUMBER, .number = limit});
}

static void add_text(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                     struct tg_slice text)
{
    tg_issue_report(issues, &(struct tg_issue){.type = type, .path = path, .text = text});
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    tg_issues_init(&fixture->issues, &fixture->out, 10);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    tg_buf_deinit(&fixture->out);
    free(fixture);
    return 0;
}

/* The items make strict JSON and are these. */
static void assert_items(struct fixture *fixture, const char *wanted)
{
    struct tg_arena arena;
    struct tg_value value;
    struct tg_buf list;
    tg_arena_init(&arena, 0);
    tg_buf_init(&list);
    tg_buf_append_char(&list, '[');
    tg_buf_append_slice(&list, tg_buf_peek(&fixture->out));
    tg_buf_append_char(&list, ']');
    assert_int_equal(tg_json_parse(tg_buf_peek(&list), 4, &arena, &value, NULL), TG_OK);
    tg_buf_deinit(&list);
    tg_arena_deinit(&arena);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, wanted);
}

static void start_again(struct fixture *fixture)
{
    tg_buf_truncate(&fixture->out, 0);
    tg_issues_init(&fixture->issues, &fixture->out, fixture->issues.max);
}

static void writes_name_path_and_text_of_each_type(void **state)
{
    static const struct {
        enum tg_issue_type type;
        const char *name;
        const char *text;
    } rows[] = {
        {TG_ISSUE_MISSING, "missing", "Field required"},
        {TG_ISSUE_STRING_TYPE, "string_type", "Input should be a valid string"},
        {TG_ISSUE_INT_TYPE, "int_type", "Input should be a valid integer"},
        {TG_ISSUE_FLOAT_TYPE, "float_type", "Input should be a valid number"},
        {TG_ISSUE_BOOL_TYPE, "bool_type", "Input should be a valid boolean"},
        {TG_ISSUE_DICT_TYPE, "dict_type", "Input should be a valid dictionary"},
        {TG_ISSUE_MODEL_TYPE, "model_type", "Input should be a valid object"},
        {TG_ISSUE_LIST_TYPE, "list_type", "Input should be a valid list"},
        {TG_ISSUE_NONE_REQUIRED, "none_required", "Input should be null"},
        {TG_ISSUE_EXTRA_FORBIDDEN, "extra_forbidden", "Extra inputs are not permitted"},
        {TG_ISSUE_ACTION_NOT_FOUND, "union_tag_not_found",
         "Unable to extract tag using discriminator 'action'"},
    };
    struct fixture *fixture = *state;
    struct tg_path path = {.key = TG_SLICE("a")};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[200];
        snprintf(wanted, sizeof wanted, "{\"type\":\"%s\",\"loc\":[\"a\"],\"msg\":\"%s\"}", rows[i].name,
                 rows[i].text);
        start_again(fixture);
        tg_issue_add(&fixture->issues, rows[i].type, &path);
        assert_items(fixture, wanted);
    }
}

static void counts_in_singular_and_plural(void **state)
{
    static const struct {
        enum tg_issue_type type;
        const char *name;
        const char *text;
        int64_t limit;
    } rows[] = {
        {TG_ISSUE_STRING_TOO_SHORT, "string_too_short", "String should have at least 1 character", 1},
        {TG_ISSUE_STRING_TOO_SHORT, "string_too_short", "String should have at least 2 characters", 2},
        {TG_ISSUE_STRING_TOO_LONG, "string_too_long", "String should have at most 1 character", 1},
        {TG_ISSUE_STRING_TOO_LONG, "string_too_long", "String should have at most 20 characters", 20},
        {TG_ISSUE_STRING_TOO_LONG, "string_too_long", "String should have at most 0 characters", 0},
        {TG_ISSUE_TOO_SHORT, "too_short", "List should have at least 1 item", 1},
        {TG_ISSUE_TOO_SHORT, "too_short", "List should have at least 3 items", 3},
        {TG_ISSUE_TOO_LONG, "too_long", "List should have at most 1 item", 1},
        {TG_ISSUE_TOO_LONG, "too_long", "List should have at most 3 items", 3},
        {TG_ISSUE_DICT_TOO_LONG, "too_long", "Dictionary should have at most 1 item", 1},
        {TG_ISSUE_DICT_TOO_LONG, "too_long", "Dictionary should have at most 3 items", 3},
        {TG_ISSUE_GREATER_THAN_EQUAL, "greater_than_equal", "Input should be greater than or equal to 1", 1},
        {TG_ISSUE_LESS_THAN_EQUAL, "less_than_equal",
         "Input should be less than or equal to -9223372036854775808", INT64_MIN},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[200];
        snprintf(wanted, sizeof wanted, "{\"type\":\"%s\",\"loc\":[],\"msg\":\"%s\"}", rows[i].name,
                 rows[i].text);
        start_again(fixture);
        add_integer(&fixture->issues, rows[i].type, NULL, rows[i].limit);
        assert_items(fixture, wanted);
    }
}

static void writes_a_limit_without_needless_decimals(void **state)
{
    struct fixture *fixture = *state;
    add_number(&fixture->issues, TG_ISSUE_GREATER_THAN_EQUAL, NULL, 0.5);
    add_number(&fixture->issues, TG_ISSUE_LESS_THAN_EQUAL, NULL, 100.0);
    assert_items(fixture,
                 "{\"type\":\"greater_than_equal\",\"loc\":[],\"msg\":\"Input should be greater than "
                 "or equal to 0.5\"},"
                 "{\"type\":\"less_than_equal\",\"loc\":[],\"msg\":\"Input should be less than or "
                 "equal to 100\"}");
}

static void escapes_text_that_may_hold_anything(void **state)
{
    struct fixture *fixture = *state;
    add_text(&fixture->issues, TG_ISSUE_JSON_INVALID, NULL, TG_SLICE("key \"\n\" stands twice"));
    add_text(&fixture->issues, TG_ISSUE_ENUM, NULL, TG_SLICE("'a' or \"b\""));
    add_text(&fixture->issues, TG_ISSUE_LITERAL_ERROR, NULL, TG_SLICE("'\\'"));
    assert_items(fixture, "{\"type\":\"json_invalid\",\"loc\":[],\"msg\":\"key \\\"\\n\\\" stands twice\"},"
                          "{\"type\":\"enum\",\"loc\":[],\"msg\":\"Input should be 'a' or \\\"b\\\"\"},"
                          "{\"type\":\"literal_error\",\"loc\":[],\"msg\":\"Input should be '\\\\'\"}");
}

static void names_the_tag_that_was_sent(void **state)
{
    struct fixture *fixture = *state;
    struct tg_path path = {.key = TG_SLICE("action")};
    add_text(&fixture->issues, TG_ISSUE_ACTION_INVALID, &path, TG_SLICE("fly\"\t"));
    assert_items(fixture, "{\"type\":\"union_tag_invalid\",\"loc\":[\"action\"],\"msg\":\"Input tag "
                          "'fly\\\"\\t' found using 'action' does not match any of the expected tags\"}");
}

static void cuts_a_long_tag_between_characters(void **state)
{
    struct fixture *fixture = *state;
    struct tg_buf tag = {0}, wanted = {0};
    tg_buf_append_literal(&wanted, "{\"type\":\"union_tag_invalid\",\"loc\":[],\"msg\":\"Input tag '");
    for (int i = 0; i < 5000; i++) tg_buf_append_literal(&tag, "\xe2\x82\xac");
    tg_buf_append(&wanted, tag.data, 99);
    tg_buf_append_literal(&wanted, "...' found using 'action' does not match any of the expected tags\"}");
    tg_buf_append_char(&wanted, '\0');
    add_text(&fixture->issues, TG_ISSUE_ACTION_INVALID, NULL, tg_buf_peek(&tag));
    assert_items(fixture, wanted.data);
    tg_buf_deinit(&tag);
    tg_buf_deinit(&wanted);
}

static void writes_a_path_from_the_top(void **state)
{
    struct fixture *fixture = *state;
    struct tg_path payload = {.key = TG_SLICE("payload")};
    struct tg_path tags = {.parent = &payload, .key = TG_SLICE("a \"tag\"\n")};
    struct tg_path empty = {.parent = &tags, .key = TG_SLICE("")};
    struct tg_path item = {.parent = &empty, .index = 4000000000};
    tg_issue_add(&fixture->issues, TG_ISSUE_MISSING, &item);
    assert_items(fixture, "{\"type\":\"missing\",\"loc\":[\"payload\",\"a \\\"tag\\\"\\n\",\"\",4000000000],"
                          "\"msg\":\"Field required\"}");
}

static void counts_what_is_past_the_limit(void **state)
{
    struct fixture *fixture = *state;
    static const char missing[] = "{\"type\":\"missing\",\"loc\":[],\"msg\":\"Field required\"}";
    const struct {
        uint32_t max, reported;
        const char *rest;
    } rows[] = {{2, 2, NULL}, {2, 3, "1 more error"}, {2, 9, "7 more errors"}, {0, 5, "5 more errors"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char wanted[400] = "";
        size_t length = 0;
        for (uint32_t j = 0; j < rows[i].max; j++)
            length +=
                (size_t)snprintf(wanted + length, sizeof wanted - length, "%s%s", j ? "," : "", missing);
        if (rows[i].rest)
            snprintf(wanted + length, sizeof wanted - length,
                     "%s{\"type\":\"too_many_errors\",\"loc\":[],\"msg\":\"%s\"}", length ? "," : "",
                     rows[i].rest);
        fixture->issues.max = rows[i].max;
        start_again(fixture);
        for (uint32_t j = 0; j < rows[i].reported; j++)
            tg_issue_add(&fixture->issues, TG_ISSUE_MISSING, NULL);
        tg_issues_finish(&fixture->issues);
        assert_int_equal(fixture->issues.count, rows[i].reported);
        assert_items(fixture, wanted);
    }
}

static void knows_a_text_for_every_type(void **state)
{
    struct fixture *fixture = *state;
    for (int type = 0; type < TG_ISSUE_TYPES; type++) {
        start_again(fixture);
        add_text(&fixture->issues, (enum tg_issue_type)type, NULL, TG_SLICE("x"));
        tg_buf_append_char(&fixture->out, '\0');
        assert_null(strstr(fixture->out.data, "\"type\":\"\""));
        assert_null(strstr(fixture->out.data, "\"msg\":\"\""));
    }
}

static enum tg_status report_once(void *context)
{
    (void)context;
    struct tg_buf out;
    struct tg_issues issues;
    tg_buf_init(&out);
    for (int round = 0;; round++) {
        tg_issues_init(&issues, &out, 20);
        for (int i = 0; i < 25; i++) add_text(&issues, TG_ISSUE_ACTION_INVALID, NULL, TG_SLICE("x"));
        tg_issues_finish(&issues);
        enum tg_status status = tg_buf_status(&out);
        if (status == TG_OK && round > 0) status = TG_E_NO_MEMORY;
        if (status == TG_OK || round > 0) {
            assert_int_equal(issues.count, 25);
            assert_false(out.has_failed);
            tg_buf_deinit(&out);
            return status;
        }
        tg_buf_truncate(&out, 0);
    }
}

static void survives_every_failing_allocation(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(report_once, NULL) >= 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(writes_name_path_and_text_of_each_type),
        TEST(counts_in_singular_and_plural),
        TEST(writes_a_limit_without_needless_decimals),
        TEST(escapes_text_that_may_hold_anything),
        TEST(names_the_tag_that_was_sent),
        TEST(cuts_a_long_tag_between_characters),
        TEST(writes_a_path_from_the_top),
        TEST(counts_what_is_past_the_limit),
        TEST(knows_a_text_for_every_type),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
