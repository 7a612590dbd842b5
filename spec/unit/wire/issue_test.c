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

/* ---- every row of the table ---- */

#define INTEGER(number) (&(const struct tg_value){.type = TG_VALUE_INTEGER, .integer = (number)})
#define NUMBER(value_) (&(const struct tg_value){.type = TG_VALUE_NUMBER, .number = (value_)})
#define STRING(text)                                                                                         \
    (&(const struct tg_value){.type = TG_VALUE_STRING, .length = sizeof(text) - 1, .string = (text)})
#define EMPTY_LIST (&(const struct tg_value){.type = TG_VALUE_ARRAY})

/* A row: what is reported at ["a"] of the payload, and the two texts. */
static const struct row {
    enum tg_issue_type type;
    const char *text, *more; /* NULL: none */
    const struct tg_value *limit, *got;
    const char *name;
    const char *message;
} rows[] = {
    {TG_ISSUE_MISSING, .name = "missing", .message = "Field required"},
    {TG_ISSUE_STRING_TYPE, .got = STRING("x"), .name = "string_type",
     .message = "Input should be a valid string, got 'x'"},
    {TG_ISSUE_STRING_TOO_SHORT, .limit = INTEGER(2), .got = STRING("x"), .name = "string_too_short",
     .message = "String should have at least 2 characters"},
    {TG_ISSUE_STRING_TOO_SHORT, .limit = INTEGER(1), .name = "string_too_short",
     .message = "String should have at least 1 character"},
    {TG_ISSUE_STRING_TOO_LONG, .limit = INTEGER(20), .got = STRING("x"), .name = "string_too_long",
     .message = "String should have at most 20 characters"},
    {TG_ISSUE_STRING_TOO_LONG, .limit = INTEGER(1), .name = "string_too_long",
     .message = "String should have at most 1 character"},
    {TG_ISSUE_STRING_TOO_LONG, .limit = INTEGER(0), .name = "string_too_long",
     .message = "String should have at most 0 characters"},
    {TG_ISSUE_STRING_PATTERN_MISMATCH, .text = "^[a-z]+$", .got = STRING("A1"),
     .name = "string_pattern_mismatch", .message = "String should match pattern '^[a-z]+$', got 'A1'"},
    {TG_ISSUE_INT_TYPE, .got = STRING("x"), .name = "int_type",
     .message = "Input should be a valid integer, got 'x'"},
    {TG_ISSUE_INT_PARSING, .got = STRING("12x"), .name = "int_parsing",
     .message = "Input should be a valid integer, unable to parse string as an integer, got '12x'"},
    {TG_ISSUE_FLOAT_TYPE, .got = STRING("x"), .name = "float_type",
     .message = "Input should be a valid number, got 'x'"},
    {TG_ISSUE_FLOAT_PARSING, .got = STRING("1,5"), .name = "float_parsing",
     .message = "Input should be a valid number, unable to parse string as a number, got '1,5'"},
    {TG_ISSUE_BOOL_TYPE, .got = STRING("x"), .name = "bool_type",
     .message = "Input should be a valid boolean, got 'x'"},
    {TG_ISSUE_BOOL_PARSING, .got = STRING("maybe"), .name = "bool_parsing",
     .message = "Input should be a valid boolean, unable to interpret input, got 'maybe'"},
    {TG_ISSUE_GREATER_THAN, .limit = INTEGER(0), .got = INTEGER(0), .name = "greater_than",
     .message = "Input should be greater than 0, got 0"},
    {TG_ISSUE_GREATER_THAN_EQUAL, .limit = NUMBER(0.5), .got = NUMBER(0.25), .name = "greater_than_equal",
     .message = "Input should be greater than or equal to 0.5, got 0.25"},
    {TG_ISSUE_LESS_THAN, .limit = NUMBER(100), .got = INTEGER(100), .name = "less_than",
     .message = "Input should be less than 100, got 100"},
    {TG_ISSUE_LESS_THAN_EQUAL, .limit = INTEGER(INT64_MIN), .got = INTEGER(INT64_MAX),
     .name = "less_than_equal",
     .message = "Input should be less than or equal to -9223372036854775808, got 9223372036854775807"},
    {TG_ISSUE_MULTIPLE_OF, .limit = INTEGER(5), .got = INTEGER(7), .name = "multiple_of",
     .message = "Input should be a multiple of 5, got 7"},
    {TG_ISSUE_LITERAL_ERROR, .text = "'red'", .got = STRING("blue"), .name = "literal_error",
     .message = "Input should be 'red', got 'blue'"},
    {TG_ISSUE_ENUM, .text = "'red', 'green' or 3", .got = INTEGER(4), .name = "enum",
     .message = "Input should be 'red', 'green' or 3, got 4"},
    {TG_ISSUE_DICT_TYPE, .got = STRING("x"), .name = "dict_type",
     .message = "Input should be a valid dictionary, got 'x'"},
    {TG_ISSUE_MODEL_TYPE, .got = STRING("x"), .name = "model_type",
     .message = "Input should be a valid object, got 'x'"},
    {TG_ISSUE_LIST_TYPE, .got = STRING("x"), .name = "list_type",
     .message = "Input should be a valid list, got 'x'"},
    {TG_ISSUE_TOO_SHORT, .limit = INTEGER(1), .got = EMPTY_LIST, .name = "too_short",
     .message = "List should have at least 1 item"},
    {TG_ISSUE_TOO_LONG, .limit = INTEGER(3), .got = EMPTY_LIST, .name = "too_long",
     .message = "List should have at most 3 items"},
    {TG_ISSUE_DICT_TOO_SHORT, .limit = INTEGER(2), .name = "too_short",
     .message = "Dictionary should have at least 2 items"},
    {TG_ISSUE_DICT_TOO_LONG, .limit = INTEGER(1), .name = "too_long",
     .message = "Dictionary should have at most 1 item"},
    {TG_ISSUE_NONE_REQUIRED, .got = STRING("x"), .name = "none_required",
     .message = "Input should be null, got 'x'"},
    {TG_ISSUE_EXTRA_FORBIDDEN, .name = "extra_forbidden", .message = "Extra inputs are not permitted"},
    {TG_ISSUE_EXTRA_FORBIDDEN, .text = "content", .name = "extra_forbidden",
     .message = "Extra inputs are not permitted; did you mean 'content'?"},
    {TG_ISSUE_EMAIL, .got = STRING("a@"), .name = "value_error",
     .message = "Input should be a valid email address, got 'a@'"},
    {TG_ISSUE_HOSTNAME, .got = STRING("-"), .name = "value_error",
     .message = "Input should be a valid host name, got '-'"},
    {TG_ISSUE_URL_PARSING, .got = STRING("x"), .name = "url_parsing",
     .message = "Input should be a valid URL, got 'x'"},
    {TG_ISSUE_UUID_PARSING, .got = STRING("x"), .name = "uuid_parsing",
     .message = "Input should be a valid UUID, got 'x'"},
    {TG_ISSUE_DATE_PARSING, .got = STRING("5/11"), .name = "date_parsing",
     .message = "Input should be a valid date, as in 2025-05-11, got '5/11'"},
    {TG_ISSUE_TIME_PARSING, .got = STRING("14:30"), .name = "time_parsing",
     .message = "Input should be a valid time with its offset, as in 14:30:00Z, got '14:30'"},
    {TG_ISSUE_DATETIME_PARSING, .got = STRING("now"), .name = "datetime_parsing",
     .message = "Input should be a valid datetime with its offset, as in 2025-05-11T14:30:00Z, got 'now'"},
    {TG_ISSUE_IP_V4_ADDRESS, .got = STRING("1.2.3"), .name = "ip_v4_address",
     .message = "Input is not a valid IPv4 address, got '1.2.3'"},
    {TG_ISSUE_IP_V6_ADDRESS, .got = STRING(":"), .name = "ip_v6_address",
     .message = "Input is not a valid IPv6 address, got ':'"},
    {TG_ISSUE_VALUE_ERROR, .text = "too many guests", .got = INTEGER(9), .name = "value_error",
     .message = "Value error, too many guests"},
    {TG_ISSUE_TOO_MANY_STEPS, .name = "value_error",
     .message = "Value error, this takes too many steps to check"},
    {TG_ISSUE_RECURSION_LOOP, .limit = INTEGER(32), .name = "recursion_loop",
     .message = "Input should be nested at most 32 levels deep"},
    {TG_ISSUE_RECURSION_LOOP, .limit = INTEGER(1), .name = "recursion_loop",
     .message = "Input should be nested at most 1 level deep"},
    {TG_ISSUE_ACTION_INVALID, .text = "fly", .name = "union_tag_invalid",
     .message = "Input tag 'fly' found using 'action' does not match any of the expected tags"},
    {TG_ISSUE_ACTION_NOT_FOUND, .name = "union_tag_not_found",
     .message = "Unable to extract tag using discriminator 'action'"},
    {TG_ISSUE_UNION_TAG_INVALID, .text = "'text', 'image'", .more = "kind", .got = STRING("sound"),
     .name = "union_tag_invalid",
     .message =
         "Input tag 'sound' found using 'kind' does not match any of the expected tags: 'text', 'image'"},
    {TG_ISSUE_UNION_TAG_INVALID, .text = "1, 2", .more = "kind", .got = INTEGER(3),
     .name = "union_tag_invalid",
     .message = "Input tag 3 found using 'kind' does not match any of the expected tags: 1, 2"},
    {TG_ISSUE_UNION_TAG_INVALID, .text = "1, 2", .more = "kind", .got = EMPTY_LIST,
     .name = "union_tag_invalid",
     .message = "Input tag '...' found using 'kind' does not match any of the expected tags: 1, 2"},
    {TG_ISSUE_UNION_TAG_NOT_FOUND, .more = "kind", .name = "union_tag_not_found",
     .message = "Unable to extract tag using discriminator 'kind'"},
    {TG_ISSUE_JSON_INVALID, .text = "Invalid JSON at byte 17: expected ',' or '}'", .name = "json_invalid",
     .message = "Invalid JSON at byte 17: expected ',' or '}'"},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

static struct tg_issue issue_of(const struct row *row, const struct tg_path *path)
{
    return (struct tg_issue){.type = row->type,
                             .path = path,
                             .text = tg_slice_of(row->text),
                             .more = tg_slice_of(row->more),
                             .limit = row->limit,
                             .got = row->got};
}

static void assert_line(struct fixture *fixture, const struct tg_issue *issue, const char *wanted)
{
    start_again(fixture);
    fixture->issues.style = TG_ISSUE_TEXT;
    tg_issue_report(&fixture->issues, issue);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, wanted);
}

static void assert_message(struct fixture *fixture, const struct tg_issue *issue, const char *name,
                           const char *message)
{
    char wanted[300];
    snprintf(wanted, sizeof wanted, "{\"type\":\"%s\",\"loc\":[\"payload\",\"a\"],\"msg\":\"%s\"}", name,
             message);
    start_again(fixture);
    tg_issue_report(&fixture->issues, issue);
    assert_items(fixture, wanted);
}

static const struct tg_path payload = {.key = {"payload", 7}};
static const struct tg_path payload_a = {.parent = &payload, .key = {"a", 1}};

static void writes_each_type_for_clients_and_for_programmers(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct tg_issue issue = issue_of(&rows[i], &payload_a);
        assert_string_equal(tg_issue_name(issue.type), rows[i].name);
        assert_message(*state, &issue, rows[i].name, rows[i].message);
        char line[300];
        snprintf(line, sizeof line, "payload.a: %s", rows[i].message);
        assert_line(*state, &issue, line);
        issue.path = NULL;
        assert_line(*state, &issue, rows[i].message);
    }
}

/* An index counts from 0 for clients, whose loc does, and from 1 for programmers of Lua. */
static void counts_the_item_that_stands_twice_as_the_path_does(void **state)
{
    const struct tg_issue issue = {.type = TG_ISSUE_NOT_UNIQUE, .path = &payload_a, .limit = INTEGER(0)};
    assert_message(*state, &issue, "not_unique", "Item should be unique, but it equals item 0");
    assert_line(*state, &issue, "payload.a: Item should be unique, but it equals item 1");
}

static void has_a_row_here_for_every_type(void **state)
{
    (void)state;
    bool is_tested[TG_ISSUE_TYPES] = {[TG_ISSUE_NOT_UNIQUE] = true};
    for (size_t i = 0; i < ROWS; i++) is_tested[rows[i].type] = true;
    for (int type = 0; type < TG_ISSUE_TYPES; type++)
        if (!is_tested[type]) fail_msg("%s has no row", tg_issue_name((enum tg_issue_type)type));
}

static void shows_short_scalars_and_nothing_else(void **state)
{
    static const char long_text[] = "12345678901234567890123456789012345678901";
    struct tg_value secret = {.type = TG_VALUE_INTEGER, .is_secret = true, .integer = 1234};
    const struct {
        const struct tg_value *got;
        const char *message;
    } got[] = {
        {NULL, "Input should be a valid string"},
        {&secret, "Input should be a valid string"},
        {EMPTY_LIST, "Input should be a valid string"},
        {&(const struct tg_value){.type = TG_VALUE_OBJECT}, "Input should be a valid string"},
        {&(const struct tg_value){.type = TG_VALUE_NULL}, "Input should be a valid string, got null"},
        {&(const struct tg_value){.type = TG_VALUE_BOOLEAN, .boolean = true},
         "Input should be a valid string, got true"},
        {NUMBER(1), "Input should be a valid string, got 1.0"},
        {STRING(""), "Input should be a valid string, got ''"},
        {STRING("1234567890123456789012345678901234567890"),
         "Input should be a valid string, got '1234567890123456789012345678901234567890'"},
        {STRING(long_text), "Input should be a valid string"},
    };
    for (size_t i = 0; i < sizeof got / sizeof got[0]; i++) {
        struct tg_issue issue = {.type = TG_ISSUE_STRING_TYPE, .path = &payload_a, .got = got[i].got};
        assert_message(*state, &issue, "string_type", got[i].message);
    }
    struct tg_issue tag = {.type = TG_ISSUE_UNION_TAG_INVALID,
                           .path = &payload_a,
                           .got = &secret,
                           .text = TG_SLICE("1"),
                           .more = TG_SLICE("kind")};
    assert_message(*state, &tag, "union_tag_invalid",
                   "Input tag '...' found using 'kind' does not match any of the expected tags: 1");
}

static void says_that_a_key_is_wrong(void **state)
{
    struct tg_issue issue = {
        .type = TG_ISSUE_STRING_TOO_LONG, .path = &payload_a, .limit = INTEGER(3), .is_key = true};
    assert_message(*state, &issue, "string_too_long", "Key should have at most 3 characters");
    issue = (struct tg_issue){.type = TG_ISSUE_ENUM,
                              .path = &payload_a,
                              .text = TG_SLICE("'x'"),
                              .got = STRING("a"),
                              .is_key = true};
    assert_message(*state, &issue, "enum", "Key should be 'x', got 'a'");
    issue = (struct tg_issue){
        .type = TG_ISSUE_VALUE_ERROR, .path = &payload_a, .text = TG_SLICE("no"), .is_key = true};
    assert_message(*state, &issue, "value_error", "Value error, no");
}

static void writes_what_is_expected_beside_the_kind(void **state)
{
    struct tg_issue issue = {.type = TG_ISSUE_INT_TYPE,
                             .path = &payload_a,
                             .text = TG_SLICE("a valid integer or null"),
                             .got = STRING("x")};
    assert_message(*state, &issue, "int_type", "Input should be a valid integer or null, got 'x'");
    assert_string_equal(tg_issue_expected(TG_ISSUE_INT_TYPE), "a valid integer");
    assert_null(tg_issue_expected(TG_ISSUE_MISSING));
}

static void escapes_whatever_a_client_sent(void **state)
{
    struct tg_issue issue = {.type = TG_ISSUE_UNION_TAG_INVALID,
                             .path = &payload_a,
                             .got = STRING("\"\n\\"),
                             .text = TG_SLICE("'\"'"),
                             .more = TG_SLICE("k\"\t")};
    assert_message(
        *state, &issue, "union_tag_invalid",
        "Input tag '\\\"\\n\\\\' found using 'k\\\"\\t' does not match any of the expected tags: '\\\"'");
}

static void keeps_a_line_one_line_of_utf8(void **state)
{
    const struct tg_path evil = {.parent = &payload, .key = TG_SLICE("a\n\x1b[2J\xff")};
    struct tg_issue issue = {.type = TG_ISSUE_ENUM,
                             .path = &evil,
                             .text = TG_SLICE("'\r'"),
                             .got = STRING("\"\n\xe2\x80\xae\xc3")};
    assert_line(*state, &issue,
                "payload.a\\n\\u001b[2J\xef\xbf\xbd: Input should be '\\r', got "
                "'\"\\n\\u202e\xef\xbf\xbd'");
}

static void cuts_a_long_key_in_a_line(void **state)
{
    static char key[120], wanted[200] = "payload.";
    memset(key, 'k', sizeof key);
    memset(wanted + 8, 'k', 100);
    strcpy(wanted + 108, "...[1]: Field required");
    const struct tg_path at_key = {.parent = &payload, .key = {key, sizeof key}};
    const struct tg_path item = {.parent = &at_key};
    assert_line(*state, &(struct tg_issue){.type = TG_ISSUE_MISSING, .path = &item}, wanted);
}

static void separates_lines_and_counts_the_rest(void **state)
{
    struct fixture *fixture = *state;
    fixture->issues.max = 2;
    fixture->issues.style = TG_ISSUE_TEXT;
    for (int i = 0; i < 4; i++) tg_issue_add(&fixture->issues, TG_ISSUE_MISSING, i ? &payload_a : NULL);
    tg_issues_finish(&fixture->issues);
    tg_buf_append_char(&fixture->out, '\0');
    assert_string_equal(fixture->out.data, "Field required; payload.a: Field required; 2 more errors");
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
    } counts[] = {{2, 2, NULL}, {2, 3, "1 more error"}, {2, 9, "7 more errors"}, {0, 5, "5 more errors"}};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        char wanted[400] = "";
        size_t length = 0;
        for (uint32_t j = 0; j < counts[i].max; j++)
            length +=
                (size_t)snprintf(wanted + length, sizeof wanted - length, "%s%s", j ? "," : "", missing);
        if (counts[i].rest)
            snprintf(wanted + length, sizeof wanted - length,
                     "%s{\"type\":\"too_many_errors\",\"loc\":[],\"msg\":\"%s\"}", length ? "," : "",
                     counts[i].rest);
        fixture->issues.max = counts[i].max;
        start_again(fixture);
        for (uint32_t j = 0; j < counts[i].reported; j++)
            tg_issue_add(&fixture->issues, TG_ISSUE_MISSING, NULL);
        tg_issues_finish(&fixture->issues);
        assert_int_equal(fixture->issues.count, counts[i].reported);
        assert_items(fixture, wanted);
    }
}

/* Found by review: a key of a megabyte, in front of fifty wrong values, was sent back fifty times. */
static void writes_no_more_once_the_list_is_long(void **state)
{
    struct fixture *fixture = *state;
    char *long_key = malloc(TG_ISSUES_BYTES_MAX);
    assert_non_null(long_key);
    memset(long_key, 'k', TG_ISSUES_BYTES_MAX);
    struct tg_path key = {.parent = &payload, .key = {long_key, TG_ISSUES_BYTES_MAX}};
    for (uint32_t i = 0; i < 5; i++) {
        struct tg_path item = {.parent = &key, .index = i};
        tg_issue_add(&fixture->issues, TG_ISSUE_INT_TYPE, &item);
    }
    free(long_key);
    tg_issues_finish(&fixture->issues);
    tg_buf_append_char(&fixture->out, '\0');
    assert_true(fixture->out.length < TG_ISSUES_BYTES_MAX + 300);
    assert_string_equal(strrchr(fixture->out.data, 'k'),
                        "k\",0],\"msg\":\"Input should be a valid integer\"},"
                        "{\"type\":\"too_many_errors\",\"loc\":[],\"msg\":\"4 more errors\"}");
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
        TEST(writes_each_type_for_clients_and_for_programmers),
        TEST(counts_the_item_that_stands_twice_as_the_path_does),
        TEST(has_a_row_here_for_every_type),
        TEST(shows_short_scalars_and_nothing_else),
        TEST(says_that_a_key_is_wrong),
        TEST(writes_what_is_expected_beside_the_kind),
        TEST(escapes_whatever_a_client_sent),
        TEST(keeps_a_line_one_line_of_utf8),
        TEST(cuts_a_long_key_in_a_line),
        TEST(separates_lines_and_counts_the_rest),
        TEST(writes_a_limit_without_needless_decimals),
        TEST(escapes_text_that_may_hold_anything),
        TEST(names_the_tag_that_was_sent),
        TEST(cuts_a_long_tag_between_characters),
        TEST(writes_a_path_from_the_top),
        TEST(counts_what_is_past_the_limit),
        TEST(writes_no_more_once_the_list_is_long),
        TEST(survives_every_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
