/* One row per type: its name for machines and its text for people, in the words of pydantic.
 * A text is `before`, then what is specific (if anything), then `after` or, for a limit of 1, `after_one`.
 */
#include "wire/issue.h"

#include "wire/json.h"

/* Of a text that a client chose, in an error about it. */
enum { LONGEST_TAG = 100 };

static const struct row {
    const char *name;
    const char *before;
    const char *after;
    const char *after_one;
} rows[TG_ISSUE_TYPES] = {
    [TG_ISSUE_MISSING] = {"missing", "Field required", "", ""},
    [TG_ISSUE_STRING_TYPE] = {"string_type", "Input should be a valid string", "", ""},
    [TG_ISSUE_STRING_TOO_SHORT] = {"string_too_short", "String should have at least ", " characters",
                                   " character"},
    [TG_ISSUE_STRING_TOO_LONG] = {"string_too_long", "String should have at most ", " characters",
                                  " character"},
    [TG_ISSUE_INT_TYPE] = {"int_type", "Input should be a valid integer", "", ""},
    [TG_ISSUE_FLOAT_TYPE] = {"float_type", "Input should be a valid number", "", ""},
    [TG_ISSUE_BOOL_TYPE] = {"bool_type", "Input should be a valid boolean", "", ""},
    [TG_ISSUE_GREATER_THAN_EQUAL] = {"greater_than_equal", "Input should be greater than or equal to ", "",
                                     ""},
    [TG_ISSUE_LESS_THAN_EQUAL] = {"less_than_equal", "Input should be less than or equal to ", "", ""},
    [TG_ISSUE_LITERAL_ERROR] = {"literal_error", "Input should be ", "", ""},
    [TG_ISSUE_ENUM] = {"enum", "Input should be ", "", ""},
    [TG_ISSUE_DICT_TYPE] = {"dict_type", "Input should be a valid dictionary", "", ""},
    [TG_ISSUE_MODEL_TYPE] = {"model_type", "Input should be a valid object", "", ""},
    [TG_ISSUE_LIST_TYPE] = {"list_type", "Input should be a valid list", "", ""},
    [TG_ISSUE_TOO_SHORT] = {"too_short", "List should have at least ", " items", " item"},
    [TG_ISSUE_TOO_LONG] = {"too_long", "List should have at most ", " items", " item"},
    [TG_ISSUE_DICT_TOO_LONG] = {"too_long", "Dictionary should have at most ", " items", " item"},
    [TG_ISSUE_NONE_REQUIRED] = {"none_required", "Input should be null", "", ""},
    [TG_ISSUE_EXTRA_FORBIDDEN] = {"extra_forbidden", "Extra inputs are not permitted", "", ""},
    [TG_ISSUE_UNION_TAG_INVALID] = {"union_tag_invalid", "Input tag '",
                                    "' found using 'action' does not match any of the expected tags", ""},
    [TG_ISSUE_UNION_TAG_NOT_FOUND] = {"union_tag_not_found",
                                      "Unable to extract tag using discriminator 'action'", "", ""},
    [TG_ISSUE_JSON_INVALID] = {"json_invalid", "", "", ""},
};

void tg_issues_init(struct tg_issues *issues, struct tg_buf *out, uint32_t max)
{
    *issues = (struct tg_issues){.out = out, .max = max};
}

static void write_path(struct tg_buf *out, const struct tg_path *path)
{
    if (path->parent) {
        write_path(out, path->parent);
        tg_buf_append_char(out, ',');
    }
    if (path->key.data)
        tg_json_write_string(out, path->key);
    else
        tg_json_write_integer(out, path->index);
}

/* Writes the item up to where the specific part of its text goes. False: past the limit, only counted. */
static bool begin_item(struct tg_issues *issues, const struct row *row, const struct tg_path *path)
{
    if (issues->count++ >= issues->max) return false;
    struct tg_buf *out = issues->out;
    if (issues->count > 1) tg_buf_append_char(out, ',');
    tg_buf_append_literal(out, "{\"type\":\"");
    tg_buf_append_slice(out, tg_slice_of(row->name));
    tg_buf_append_literal(out, "\",\"loc\":[");
    if (path) write_path(out, path);
    tg_buf_append_literal(out, "],\"msg\":\"");
    tg_buf_append_slice(out, tg_slice_of(row->before));
    return true;
}

static void end_item(struct tg_issues *issues, const char *after)
{
    tg_buf_append_slice(issues->out, tg_slice_of(after));
    tg_buf_append_literal(issues->out, "\"}");
}

void tg_issue_add(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path)
{
    if (begin_item(issues, &rows[type], path)) end_item(issues, "");
}

void tg_issue_add_integer(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                          int64_t limit)
{
    if (!begin_item(issues, &rows[type], path)) return;
    tg_json_write_integer(issues->out, limit);
    end_item(issues, limit == 1 ? rows[type].after_one : rows[type].after);
}

void tg_issue_add_number(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                         double limit)
{
    /* "at least 1" reads better than "at least 1.0". */
    struct tg_value value = {.type = TG_VALUE_NUMBER, .number = limit};
    int64_t integer;
    if (tg_value_to_integer(&value, &integer)) {
        tg_issue_add_integer(issues, type, path, integer);
        return;
    }
    if (!begin_item(issues, &rows[type], path)) return;
    tg_json_write_number(issues->out, limit);
    end_item(issues, rows[type].after);
}

void tg_issue_add_text(struct tg_issues *issues, enum tg_issue_type type, const struct tg_path *path,
                       struct tg_slice text)
{
    if (!begin_item(issues, &rows[type], path)) return;
    struct tg_slice shown = type == TG_ISSUE_UNION_TAG_INVALID ? tg_json_cut(text, LONGEST_TAG) : text;
    tg_json_write_escaped(issues->out, shown);
    if (shown.length < text.length) tg_buf_append_literal(issues->out, "...");
    end_item(issues, rows[type].after);
}

void tg_issues_finish(struct tg_issues *issues)
{
    if (issues->count <= issues->max) return;
    uint32_t more = issues->count - issues->max;
    if (issues->max > 0) tg_buf_append_char(issues->out, ',');
    tg_buf_append_literal(issues->out, "{\"type\":\"too_many_errors\",\"loc\":[],\"msg\":\"");
    tg_json_write_integer(issues->out, more);
    end_item(issues, more == 1 ? " more error" : " more errors");
}
