/* An answer is {"receivers":n}, {"detail":"..."} or {"errors":[...]} with the items of an error frame, whose
 * `loc` begins at the top of the body. Nothing is sent unless all of the body is right.
 */
#include "core/api_publish.h"

#include "core/worker.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_events(struct tg_slice path)
{
    return tg_slice_equal(path, TG_SLICE("/api/events"));
}

static void answer_issues(struct tg_api_answer *answer, unsigned status, struct tg_slice items)
{
    tg_api_answer_begin(answer, status);
    tg_buf_append_literal(&answer->body, "{\"errors\":[");
    tg_buf_append_slice(&answer->body, items);
    tg_buf_append_literal(&answer->body, "]}");
}

/* Reading one body. */
struct reading {
    struct tg_worker *worker;
    struct tg_arena arena;
    struct tg_buf text; /* of the issues */
    struct tg_issues issues;
    struct tg_publication publication;
    bool is_nobody; /* the connection that it is for is none */
    bool is_out_of_memory;
};

static void refuse(struct reading *reading, enum tg_issue_type type, const struct tg_path *path,
                   const struct tg_value *got)
{
    tg_issue_report(&reading->issues, &(struct tg_issue){.type = type, .path = path, .got = got});
}

static void refuse_value(struct reading *reading, const struct tg_path *path, struct tg_slice why)
{
    tg_issue_report(&reading->issues,
                    &(struct tg_issue){.type = TG_ISSUE_VALUE_ERROR, .path = path, .text = why});
}

static void read_group(struct reading *reading, const struct tg_value *value, const struct tg_path *path,
                       struct tg_slice *name)
{
    if (value->type != TG_VALUE_STRING)
        refuse(reading, TG_ISSUE_STRING_TYPE, path, value);
    else if (value->length == 0 || value->length > TG_GROUP_NAME_MAX)
        refuse_value(reading, path, TG_SLICE("the name of a group has 1 to 200 bytes"));
    else
        *name = tg_value_string(value);
}

static void read_groups(struct reading *reading, const struct tg_value *value, const struct tg_path *path)
{
    if (value->type != TG_VALUE_ARRAY) {
        refuse(reading, TG_ISSUE_LIST_TYPE, path, value);
        return;
    }
    struct tg_slice *names = tg_arena_calloc(&reading->arena, (size_t)value->length + 1, sizeof *names);
    if (!names) {
        reading->is_out_of_memory = true;
        return;
    }
    for (uint32_t i = 0; i < value->length; i++) {
        const struct tg_path item = {.parent = path, .index = i};
        read_group(reading, &value->items[i], &item, &names[i]);
    }
    reading->publication.to = TG_TO_GROUPS;
    reading->publication.group_kind = TG_GROUP_NAMED;
    reading->publication.groups = names;
    reading->publication.group_count = value->length;
}

static void read_connection(struct reading *reading, const struct tg_value *value, const struct tg_path *path)
{
    reading->publication.to = TG_TO_CONN;
    if (value->type != TG_VALUE_STRING)
        refuse(reading, TG_ISSUE_STRING_TYPE, path, value);
    else
        reading->is_nobody = !tg_conn_id_read(tg_value_string(value), &reading->publication.conn_id) ||
                             !tg_worker_find(reading->worker, reading->publication.conn_id);
}

static void read_consumer(struct reading *reading, const struct tg_value *value, const struct tg_path *path)
{
    reading->publication.to = TG_TO_CONSUMER;
    if (value->type != TG_VALUE_STRING)
        refuse(reading, TG_ISSUE_STRING_TYPE, path, value);
    else if (!tg_generations_find_consumer(reading->worker, tg_value_string(value)))
        refuse_value(reading, path, TG_SLICE("there is no consumer of this name"));
    else
        reading->publication.consumer = tg_value_string(value);
}

/* Users are compared by the text of their id. */
static void read_user(struct reading *reading, const struct tg_value *value, const struct tg_path *path)
{
    enum { DIGITS = 32 };
    reading->publication.to = TG_TO_USER;
    if (value->type == TG_VALUE_INTEGER) {
        char *text = tg_arena_alloc(&reading->arena, DIGITS);
        if (text) snprintf(text, DIGITS, "%" PRId64, value->integer);
        reading->publication.user = tg_slice_of(text);
        reading->is_out_of_memory = !text;
    } else if (value->type != TG_VALUE_STRING) {
        refuse(reading, TG_ISSUE_STRING_TYPE, path, value);
    } else if (value->length == 0) {
        refuse_value(reading, path, TG_SLICE("an empty id is nobody's"));
    } else {
        reading->publication.user = tg_value_string(value);
    }
}

static const struct {
    struct tg_slice name;
    void (*read)(struct reading *reading, const struct tg_value *value, const struct tg_path *path);
} targets[] = {
    {TG_SLICE("connection"), read_connection},
    {TG_SLICE("groups"), read_groups},
    {TG_SLICE("consumer"), read_consumer},
    {TG_SLICE("user"), read_user},
};

enum { TARGETS = sizeof targets / sizeof targets[0] };

/* {"connection":...} or another one of the targets. */
static void read_to(struct reading *reading, const struct tg_value *to, const struct tg_path *path)
{
    if (to->type != TG_VALUE_OBJECT) {
        refuse(reading, TG_ISSUE_MODEL_TYPE, path, to);
        return;
    }
    uint32_t known = 0;
    for (uint32_t i = 0; i < to->length; i++) {
        const struct tg_path key = {.parent = path, .key = tg_member_key(&to->members[i])};
        size_t target = 0;
        while (target < TARGETS && !tg_slice_equal(targets[target].name, key.key)) target++;
        known += target < TARGETS;
        if (target < TARGETS)
            targets[target].read(reading, &to->members[i].value, &key);
        else
            refuse(reading, TG_ISSUE_EXTRA_FORBIDDEN, &key, NULL);
    }
    if (known != 1)
        refuse_value(reading, path,
                     TG_SLICE("one of connection, groups, consumer and user says whom it is for"));
}

/* What stands in a body beside the event or the message, and that. */
struct form {
    struct tg_slice to, what;
    void (*read_to)(struct reading *reading, const struct tg_value *value, const struct tg_path *path);
};

static const struct form forms[] = {
    {TG_SLICE("to"), TG_SLICE("event"), read_to},
    {TG_SLICE("groups"), TG_SLICE("message"), read_groups},
};

static void read_parts(struct reading *reading, const struct form *form, struct tg_value *body,
                       struct tg_value **what)
{
    const struct tg_slice keys[] = {form->to, form->what};
    for (size_t i = 0; i < 2; i++)
        if (!tg_value_get(body, keys[i]))
            refuse(reading, TG_ISSUE_MISSING, &(struct tg_path){.key = keys[i]}, NULL);
    for (uint32_t i = 0; i < body->length; i++) {
        struct tg_value *value = &body->members[i].value;
        const struct tg_path path = {.key = tg_member_key(&body->members[i])};
        if (tg_slice_equal(path.key, form->to))
            form->read_to(reading, value, &path);
        else if (tg_slice_equal(path.key, form->what))
            *what = value;
        else
            refuse(reading, TG_ISSUE_EXTRA_FORBIDDEN, &path, NULL);
    }
}

/* TG_E_INVALID: the issues say why; `*is_json`: and not because it is no JSON. */
static enum tg_status read_body(struct reading *reading, const struct form *form, struct tg_slice text,
                                struct tg_value **what, bool *is_json)
{
    struct tg_error error;
    struct tg_value *body = tg_arena_alloc(&reading->arena, sizeof *body);
    if (!body) return TG_E_NO_MEMORY;
    enum tg_status status =
        tg_json_parse(text, reading->worker->config->max_json_depth, &reading->arena, body, &error);
    if (status == TG_E_NO_MEMORY) return status;
    *is_json = status == TG_OK;
    if (status != TG_OK)
        tg_issue_report(&reading->issues,
                        &(struct tg_issue){.type = TG_ISSUE_JSON_INVALID, .text = tg_slice_of(error.text)});
    else if (body->type != TG_VALUE_OBJECT)
        refuse(reading, TG_ISSUE_MODEL_TYPE, NULL, body);
    else
        read_parts(reading, form, body, what);
    if (reading->is_out_of_memory || reading->text.has_failed) return TG_E_NO_MEMORY;
    if (reading->issues.count == 0) return TG_OK;
    tg_issues_finish(&reading->issues);
    return TG_E_INVALID;
}

static enum tg_status publish(struct reading *reading, const struct form *form, struct tg_value *what,
                              uint64_t *receivers)
{
    struct tg_script *script = reading->worker->generation->script;
    reading->issues.prefix = form->what;
    if (form == &forms[0])
        return script->ops->publish_event(script, what, &reading->arena, &reading->publication,
                                          &reading->issues, receivers);
    return script->ops->publish_message(script, what, &reading->arena, &reading->publication,
                                        &reading->issues, receivers);
}

static void answer_published(const struct reading *reading, enum tg_status status, uint64_t receivers,
                             struct tg_api_answer *answer)
{
    switch (status) {
    case TG_OK:
        tg_api_answer_begin(answer, 200);
        tg_buf_printf(&answer->body, "{\"receivers\":%" PRIu64 "}", receivers);
        break;
    case TG_E_INVALID:
        answer_issues(answer, 422, tg_buf_peek(&reading->text));
        break;
    case TG_E_SCRIPT:
        TG_API_ERROR(answer, 500, "A check or a default of the payload failed; the log says how");
        break;
    case TG_E_NO_MEMORY:
        TG_API_ERROR(answer, 503, "Out of memory");
        break;
    default:
        TG_API_ERROR(answer, 503, "The channel layer does not answer");
    }
}

void tg_api_publish(struct tg_api *api, struct tg_slice path, struct tg_slice body,
                    struct tg_api_answer *answer)
{
    const struct form *form = &forms[is_events(path) ? 0 : 1];
    struct reading reading = {.worker = api->worker};
    struct tg_value *what = NULL;
    bool is_json = true;
    uint64_t receivers = 0;
    tg_arena_init(&reading.arena, 0);
    tg_buf_init(&reading.text);
    tg_issues_init(&reading.issues, &reading.text, api->worker->config->max_errors);
    enum tg_status status = read_body(&reading, form, body, &what, &is_json);
    bool is_published = status == TG_OK && !reading.is_nobody;
    if (is_published) status = publish(&reading, form, what, &receivers);
    if (!is_json)
        answer_issues(answer, 400, tg_buf_peek(&reading.text));
    else if (status == TG_OK && !is_published)
        TG_API_ERROR(answer, 404, "No such connection");
    else
        answer_published(&reading, status, receivers, answer);
    tg_buf_deinit(&reading.text);
    tg_arena_deinit(&reading.arena);
}
