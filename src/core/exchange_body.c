/* A form is made a tree as JSON would be, and checked like that. */
#include "core/exchange_body.h"

#include "core/worker.h"
#include "wire/json.h"

#include <string.h>
#include <strings.h>

static bool has_type(struct tg_slice content_type, struct tg_slice type)
{
    if (content_type.length < type.length) return false;
    if (strncasecmp(content_type.data, type.data, type.length) != 0) return false;
    return content_type.length == type.length || strchr(" \t;", content_type.data[type.length]);
}

static bool is_form(struct tg_slice content_type)
{
    return has_type(content_type, TG_SLICE("application/x-www-form-urlencoded"));
}

bool tg_exchange_body_is_known(struct tg_slice content_type)
{
    return is_form(content_type) || has_type(content_type, TG_SLICE("application/json"));
}

static struct tg_value *find_field(const struct tg_value *form, struct tg_slice name)
{
    for (uint32_t i = 0; i < form->length; i++)
        if (tg_slice_equal(tg_member_key(&form->members[i]), name)) return &form->members[i].value;
    return NULL;
}

/* What came behind a name that stands once in a form is a string; behind one that stands twice, a list. */
static bool add_field(struct tg_arena *arena, struct tg_value *form, const struct tg_pair *pair,
                      uint32_t room)
{
    struct tg_value text = {.type = TG_VALUE_STRING,
                            .length = (uint32_t)pair->value.length,
                            .string = pair->value.length ? pair->value.data : ""};
    struct tg_value *there = find_field(form, pair->name);
    if (!there) {
        form->members[form->length++] = (struct tg_member){
            .key = pair->name.data, .key_length = (uint32_t)pair->name.length, .value = text};
        return true;
    }
    if (there->type != TG_VALUE_ARRAY) {
        struct tg_value *items = tg_arena_calloc(arena, room, sizeof *items);
        if (!items) return false;
        items[0] = *there;
        *there = (struct tg_value){.type = TG_VALUE_ARRAY, .length = 1, .items = items};
    }
    there->items[there->length++] = text;
    return true;
}

static enum tg_status read_form(struct tg_slice text, struct tg_arena *arena, struct tg_value *form)
{
    struct tg_pairs pairs = {0};
    if (tg_query_parse(text, arena, &pairs) != TG_OK) return TG_E_NO_MEMORY;
    *form = (struct tg_value){.type = TG_VALUE_OBJECT};
    form->members = tg_arena_calloc(arena, (size_t)pairs.count + 1, sizeof *form->members);
    if (!form->members) return TG_E_NO_MEMORY;
    for (uint32_t i = 0; i < pairs.count; i++)
        if (!add_field(arena, form, &pairs.items[i], pairs.count)) return TG_E_NO_MEMORY;
    return TG_OK;
}

/* The body as a tree; *value stays NULL where there is none. */
static enum tg_status parse(struct tg_exchange *exchange, struct tg_issues *issues, struct tg_value **value)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_slice text = tg_buf_peek(&exchange->body);
    struct tg_error error;
    if (text.length == 0) return TG_OK;
    struct tg_value *parsed = tg_arena_alloc(&worker->arena, sizeof *parsed);
    if (!parsed) return TG_E_NO_MEMORY;
    *value = parsed;
    if (is_form(exchange->content_type)) return read_form(text, &worker->arena, parsed);
    enum tg_status status =
        tg_json_parse(text, worker->config->max_json_depth, &worker->arena, parsed, &error);
    if (status != TG_OK && status != TG_E_NO_MEMORY)
        tg_issue_report(issues,
                        &(struct tg_issue){.type = TG_ISSUE_JSON_INVALID, .text = tg_slice_of(error.text)});
    return status;
}

static enum tg_status validate(struct tg_exchange *exchange, struct tg_issues *issues, struct tg_value *value)
{
    static const struct tg_path path = {.key = TG_SLICE("payload")};
    struct tg_worker *worker = exchange->worker;
    struct tg_validation validation = {.arena = &worker->arena,
                                       .issues = issues,
                                       .naming = TG_NAMING_DECLARED,
                                       .max_steps = worker->config->max_check_steps};
    enum tg_status status = tg_validate_payload(exchange->route->payload, &value, &path, &validation);
    worker->metrics.check_steps_hit += validation.has_hit_steps;
    exchange->payload = value;
    exchange->calls = validation.calls;
    return status;
}

unsigned tg_exchange_body_check(struct tg_exchange *exchange)
{
    struct tg_worker *worker = exchange->worker;
    struct tg_issues issues;
    struct tg_value *value = NULL;
    tg_arena_reset(&worker->arena);
    tg_buf_truncate(&worker->issues, 0);
    tg_issues_init(&issues, &worker->issues, worker->config->max_errors);
    issues.counts = worker->issue_counts;
    enum tg_status status = parse(exchange, &issues, &value);
    bool is_parsed = status == TG_OK;
    if (is_parsed) status = validate(exchange, &issues, value);
    if (status == TG_OK) return 0;
    tg_issues_finish(&issues);
    if (status == TG_E_NO_MEMORY || worker->issues.has_failed) return 503;
    return is_parsed ? 422 : 400;
}
