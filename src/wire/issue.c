/* One row per type: its name for machines and its text for people, in the words of pydantic.
 *
 * A text is a subject ("Key" takes its place where a key is wrong) and what is said of it, with places for
 * what is specific: $1 text or limit, $2 `more`, $s an "s" unless the limit is 1, $g what was sent.
 */
#include "wire/issue.h"

#include "wire/json.h"

enum {
    LONGEST_TAG = 100, /* of a text that a client chose, in an error about it; of a key in a line */
    LONGEST_GOT = 40,  /* a longer string is no short scalar */
};

static const struct row {
    const char *name;
    const char *subject;
    const char *text;
    const char *expected;  /* stands at $1 when the issue has no text */
    const char *with_text; /* follows when the issue has a text */
    bool shows_got;        /* ", got 'abc'" at the end, where that is short */
} rows[TG_ISSUE_TYPES] = {
    [TG_ISSUE_MISSING] = {"missing", "", "Field required", .shows_got = false},
    [TG_ISSUE_STRING_TYPE] = {"string_type", "Input", " should be $1", "a valid string", .shows_got = true},
    [TG_ISSUE_STRING_TOO_SHORT] = {"string_too_short", "String", " should have at least $1 character$s",
                                   .shows_got = false},
    [TG_ISSUE_STRING_TOO_LONG] = {"string_too_long", "String", " should have at most $1 character$s",
                                  .shows_got = false},
    [TG_ISSUE_STRING_PATTERN_MISMATCH] = {"string_pattern_mismatch", "String", " should match pattern '$1'",
                                          .shows_got = true},
    [TG_ISSUE_INT_TYPE] = {"int_type", "Input", " should be $1", "a valid integer", .shows_got = true},
    [TG_ISSUE_INT_PARSING] = {"int_parsing", "Input",
                              " should be a valid integer, unable to parse string as an integer",
                              .shows_got = true},
    [TG_ISSUE_FLOAT_TYPE] = {"float_type", "Input", " should be $1", "a valid number", .shows_got = true},
    [TG_ISSUE_FLOAT_PARSING] = {"float_parsing", "Input",
                                " should be a valid number, unable to parse string as a number",
                                .shows_got = true},
    [TG_ISSUE_BOOL_TYPE] = {"bool_type", "Input", " should be $1", "a valid boolean", .shows_got = true},
    [TG_ISSUE_BOOL_PARSING] = {"bool_parsing", "Input",
                               " should be a valid boolean, unable to interpret input", .shows_got = true},
    [TG_ISSUE_GREATER_THAN] = {"greater_than", "Input", " should be greater than $1", .shows_got = true},
    [TG_ISSUE_GREATER_THAN_EQUAL] = {"greater_than_equal", "Input", " should be greater than or equal to $1",
                                     .shows_got = true},
    [TG_ISSUE_LESS_THAN] = {"less_than", "Input", " should be less than $1", .shows_got = true},
    [TG_ISSUE_LESS_THAN_EQUAL] = {"less_than_equal", "Input", " should be less than or equal to $1",
                                  .shows_got = true},
    [TG_ISSUE_MULTIPLE_OF] = {"multiple_of", "Input", " should be a multiple of $1", .shows_got = true},
    [TG_ISSUE_LITERAL_ERROR] = {"literal_error", "Input", " should be $1", .shows_got = true},
    [TG_ISSUE_ENUM] = {"enum", "Input", " should be $1", .shows_got = true},
    [TG_ISSUE_DICT_TYPE] = {"dict_type", "Input", " should be $1", "a valid dictionary", .shows_got = true},
    [TG_ISSUE_MODEL_TYPE] = {"model_type", "Input", " should be $1", "a valid object", .shows_got = true},
    [TG_ISSUE_LIST_TYPE] = {"list_type", "Input", " should be $1", "a valid list", .shows_got = true},
    [TG_ISSUE_TOO_SHORT] = {"too_short", "List", " should have at least $1 item$s", .shows_got = false},
    [TG_ISSUE_TOO_LONG] = {"too_long", "List", " should have at most $1 item$s", .shows_got = false},
    [TG_ISSUE_DICT_TOO_SHORT] = {"too_short", "Dictionary", " should have at least $1 item$s",
                                 .shows_got = false},
    [TG_ISSUE_DICT_TOO_LONG] = {"too_long", "Dictionary", " should have at most $1 item$s",
                                .shows_got = false},
    [TG_ISSUE_NOT_UNIQUE] = {"not_unique", "Item", " should be unique, but it equals item $1",
                             .shows_got = false},
    [TG_ISSUE_NONE_REQUIRED] = {"none_required", "Input", " should be $1", "null", .shows_got = true},
    [TG_ISSUE_EXTRA_FORBIDDEN] = {"extra_forbidden", "", "Extra inputs are not permitted",
                                  .with_text = "; did you mean '$1'?"},
    [TG_ISSUE_EMAIL] = {"value_error", "Input", " should be a valid email address", .shows_got = true},
    [TG_ISSUE_HOSTNAME] = {"value_error", "Input", " should be a valid host name", .shows_got = true},
    [TG_ISSUE_URL_PARSING] = {"url_parsing", "Input", " should be a valid URL", .shows_got = true},
    [TG_ISSUE_UUID_PARSING] = {"uuid_parsing", "Input", " should be a valid UUID", .shows_got = true},
    [TG_ISSUE_DATE_PARSING] = {"date_parsing", "Input", " should be a valid date, as in 2025-05-11",
                               .shows_got = true},
    [TG_ISSUE_TIME_PARSING] = {"time_parsing", "Input",
                               " should be a valid time with its offset, as in 14:30:00Z", .shows_got = true},
    [TG_ISSUE_DATETIME_PARSING] = {"datetime_parsing", "Input",
                                   " should be a valid datetime with its offset, as in 2025-05-11T14:30:00Z",
                                   .shows_got = true},
    [TG_ISSUE_IP_V4_ADDRESS] = {"ip_v4_address", "Input", " is not a valid IPv4 address", .shows_got = true},
    [TG_ISSUE_IP_V6_ADDRESS] = {"ip_v6_address", "Input", " is not a valid IPv6 address", .shows_got = true},
    [TG_ISSUE_VALUE_ERROR] = {"value_error", "", "Value error, $1", .shows_got = false},
    [TG_ISSUE_TOO_MANY_STEPS] = {"value_error", "", "Value error, this takes too many steps to check",
                                 .shows_got = false},
    [TG_ISSUE_RECURSION_LOOP] = {"recursion_loop", "Input", " should be nested at most $1 level$s deep",
                                 .shows_got = false},
    [TG_ISSUE_ACTION_INVALID] = {"union_tag_invalid", "Input",
                                 " tag '$1' found using 'action' does not match any of the expected tags",
                                 .shows_got = false},
    [TG_ISSUE_ACTION_NOT_FOUND] = {"union_tag_not_found", "",
                                   "Unable to extract tag using discriminator 'action'", .shows_got = false},
    [TG_ISSUE_UNION_TAG_INVALID] = {"union_tag_invalid", "Input",
                                    " tag $g found using '$2' does not match any of the expected tags: $1",
                                    .shows_got = false},
    [TG_ISSUE_UNION_TAG_NOT_FOUND] = {"union_tag_not_found", "",
                                      "Unable to extract tag using discriminator '$2'", .shows_got = false},
    [TG_ISSUE_JSON_INVALID] = {"json_invalid", "", "$1", .shows_got = false},
};

void tg_issues_init(struct tg_issues *issues, struct tg_buf *out, uint32_t max)
{
    *issues = (struct tg_issues){.out = out, .max = max};
}

const char *tg_issue_name(enum tg_issue_type type)
{
    return rows[type].name;
}

const char *tg_issue_expected(enum tg_issue_type type)
{
    return rows[type].expected;
}

/* ---- where ---- */

static void write_loc(struct tg_buf *out, const struct tg_path *path)
{
    if (path->parent) {
        write_loc(out, path->parent);
        tg_buf_append_char(out, ',');
    }
    if (path->key.data)
        tg_json_write_string(out, path->key);
    else
        tg_json_write_integer(out, path->index);
}

void tg_path_write(struct tg_buf *out, const struct tg_path *path)
{
    if (path->parent) tg_path_write(out, path->parent);
    if (path->key.data) {
        struct tg_slice shown = tg_json_cut(path->key, LONGEST_TAG);
        if (path->parent) tg_buf_append_char(out, '.');
        tg_json_write_line(out, shown);
        if (shown.length < path->key.length) tg_buf_append_literal(out, "...");
    } else {
        tg_buf_append_char(out, '[');
        tg_json_write_integer(out, (int64_t)path->index + 1);
        tg_buf_append_char(out, ']');
    }
}

/* ---- what ---- */

/* Text inside of a JSON string, or in a line. */
static void write_text(const struct tg_issues *issues, struct tg_slice text)
{
    if (issues->style == TG_ISSUE_JSON)
        tg_json_write_escaped(issues->out, text);
    else
        tg_json_write_line(issues->out, text);
}

static bool is_short_scalar(const struct tg_value *value)
{
    if (!value || value->is_secret) return false;
    return value->type < TG_VALUE_STRING || (value->type == TG_VALUE_STRING && value->length <= LONGEST_GOT);
}

static void write_scalar(const struct tg_issues *issues, const struct tg_value *value)
{
    if (value->type != TG_VALUE_STRING) {
        tg_json_write_value(issues->out, value);
        return;
    }
    tg_buf_append_char(issues->out, '\'');
    write_text(issues, tg_value_string(value));
    tg_buf_append_char(issues->out, '\'');
}

static void write_limit(const struct tg_issues *issues, enum tg_issue_type type, const struct tg_value *limit)
{
    /* An index counts as those of the path do. */
    int64_t base = type == TG_ISSUE_NOT_UNIQUE && issues->style == TG_ISSUE_TEXT ? 1 : 0;
    /* "at least 1" reads better than "at least 1.0". */
    int64_t integer;
    if (tg_value_to_integer(limit, &integer))
        tg_json_write_integer(issues->out, integer + base);
    else
        tg_json_write_value(issues->out, limit);
}

static void write_specific(const struct tg_issues *issues, const struct tg_issue *issue)
{
    const struct row *row = &rows[issue->type];
    if (issue->limit) {
        write_limit(issues, issue->type, issue->limit);
    } else if (!issue->text.data) {
        write_text(issues, tg_slice_of(row->expected ? row->expected : ""));
    } else {
        bool is_action = issue->type == TG_ISSUE_ACTION_INVALID;
        struct tg_slice shown = is_action ? tg_json_cut(issue->text, LONGEST_TAG) : issue->text;
        write_text(issues, shown);
        if (shown.length < issue->text.length) tg_buf_append_literal(issues->out, "...");
    }
}

static bool is_plural(const struct tg_value *limit)
{
    int64_t integer;
    return !limit || !tg_value_to_integer(limit, &integer) || integer != 1;
}

static void write_place(const struct tg_issues *issues, const struct tg_issue *issue, char place)
{
    switch (place) {
    case '1':
        write_specific(issues, issue);
        break;
    case '2':
        write_text(issues, issue->more);
        break;
    case 's':
        if (is_plural(issue->limit)) tg_buf_append_char(issues->out, 's');
        break;
    default: /* 'g' */
        if (is_short_scalar(issue->got))
            write_scalar(issues, issue->got);
        else
            tg_buf_append_literal(issues->out, "'...'");
    }
}

/* The table's own texts need no escaping. */
static void write_template(const struct tg_issues *issues, const struct tg_issue *issue, const char *text)
{
    for (const char *place; (place = strchr(text, '$')); text = place + 2) {
        tg_buf_append(issues->out, text, (size_t)(place - text));
        write_place(issues, issue, place[1]);
    }
    tg_buf_append_slice(issues->out, tg_slice_of(text));
}

static void write_message(const struct tg_issues *issues, const struct tg_issue *issue)
{
    const struct row *row = &rows[issue->type];
    tg_buf_append_slice(issues->out, tg_slice_of(issue->is_key && row->subject[0] ? "Key" : row->subject));
    write_template(issues, issue, row->text);
    if (row->with_text && issue->text.data) write_template(issues, issue, row->with_text);
    if (!row->shows_got || !is_short_scalar(issue->got)) return;
    tg_buf_append_literal(issues->out, ", got ");
    write_scalar(issues, issue->got);
}

/* ---- items ---- */

static void write_item(const struct tg_issues *issues, const struct tg_issue *issue)
{
    struct tg_buf *out = issues->out;
    tg_buf_append_literal(out, "{\"type\":\"");
    tg_buf_append_slice(out, tg_slice_of(rows[issue->type].name));
    tg_buf_append_literal(out, "\",\"loc\":[");
    if (issues->prefix.data) tg_json_write_string(out, issues->prefix);
    if (issues->prefix.data && issue->path) tg_buf_append_char(out, ',');
    if (issue->path) write_loc(out, issue->path);
    tg_buf_append_literal(out, "],\"msg\":\"");
    write_message(issues, issue);
    tg_buf_append_literal(out, "\"}");
}

static void write_line(const struct tg_issues *issues, const struct tg_issue *issue)
{
    if (issue->path) {
        tg_path_write(issues->out, issue->path);
        tg_buf_append_literal(issues->out, ": ");
    }
    write_message(issues, issue);
}

static void write_separator(const struct tg_issues *issues)
{
    if (issues->style == TG_ISSUE_JSON)
        tg_buf_append_char(issues->out, ',');
    else
        tg_buf_append_literal(issues->out, "; ");
}

void tg_issue_report(struct tg_issues *issues, const struct tg_issue *issue)
{
    if (issues->count++ >= issues->max) return;
    if (issues->counts) issues->counts[issue->type]++;
    if (issues->count > 1) write_separator(issues);
    if (issues->style == TG_ISSUE_JSON)
        write_item(issues, issue);
    else
        write_line(issues, issue);
    if (issues->out->length > TG_ISSUES_BYTES_MAX) issues->max = issues->count;
}

void tg_issue_add(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path)
{
    tg_issue_report(issues, &(struct tg_issue){.type = type, .path = path});
}

void tg_issues_finish(struct tg_issues *issues)
{
    if (issues->count <= issues->max) return;
    uint32_t more = issues->count - issues->max;
    bool is_json = issues->style == TG_ISSUE_JSON;
    if (issues->max > 0) write_separator(issues);
    if (is_json) tg_buf_append_literal(issues->out, "{\"type\":\"too_many_errors\",\"loc\":[],\"msg\":\"");
    tg_json_write_integer(issues->out, more);
    tg_buf_append_slice(issues->out, more == 1 ? TG_SLICE(" more error") : TG_SLICE(" more errors"));
    if (is_json) tg_buf_append_literal(issues->out, "\"}");
}
