/* Who has no token learns nothing but that there is an API: its paths are compared behind the token.
 *
 * An answer is {"receivers":n}, {"detail":"..."} or {"errors":[...]} with the items of an error frame, whose
 * `loc` begins at the top of the body. Nothing is sent unless all of the body is right.
 */
#include "core/api.h"

#include "base/log.h"
#include "core/worker.h"
#include "wire/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

enum { WARNING_MS = 1000 };

/* ---- answers ---- */

static void begin(struct tg_api_answer *answer, unsigned status)
{
    *answer = (struct tg_api_answer){.status = status};
    tg_buf_init(&answer->body);
}

static void answer_error(struct tg_api_answer *answer, unsigned status, struct tg_slice detail)
{
    begin(answer, status);
    tg_buf_append_literal(&answer->body, "{\"detail\":");
    tg_json_write_string(&answer->body, detail);
    tg_buf_append_char(&answer->body, '}');
}

#define ANSWER_ERROR(answer, status, detail) answer_error((answer), (status), TG_SLICE(detail))

static void answer_issues(struct tg_api_answer *answer, unsigned status, struct tg_slice items)
{
    begin(answer, status);
    tg_buf_append_literal(&answer->body, "{\"errors\":[");
    tg_buf_append_slice(&answer->body, items);
    tg_buf_append_literal(&answer->body, "]}");
}

void tg_api_answer_deinit(struct tg_api_answer *answer)
{
    tg_buf_deinit(&answer->body);
}

/* ---- the head ---- */

bool tg_api_is_path(struct tg_slice path)
{
    static const struct tg_slice root = TG_SLICE("/api");
    if (path.length < root.length || memcmp(path.data, root.data, root.length) != 0) return false;
    return path.length == root.length || path.data[root.length] == '/';
}

/* How long it takes tells nothing but the token's length. */
static bool is_token(struct tg_slice given, struct tg_slice token)
{
    if (given.length != token.length) return false;
    volatile unsigned char difference = 0;
    for (size_t i = 0; i < token.length; i++)
        difference = (unsigned char)(difference | (given.data[i] ^ token.data[i]));
    return difference == 0;
}

/* `Bearer TOKEN`: RFC 6750 2.1; RFC 9110 11.1: the scheme in any case. */
static bool is_authorized(struct tg_slice authorization, struct tg_slice token)
{
    static const struct tg_slice scheme = TG_SLICE("bearer ");
    if (authorization.length < scheme.length) return false;
    if (strncasecmp(authorization.data, scheme.data, scheme.length) != 0) return false;
    struct tg_slice given = {authorization.data + scheme.length, authorization.length - scheme.length};
    while (given.length && given.data[0] == ' ') given.data++, given.length--;
    return is_token(given, token);
}

static void note_unauthorized(struct tg_api *api, const struct tg_api_request *request)
{
    struct tg_metrics *metrics = &api->worker->metrics;
    uint64_t now_ms = tg_worker_now_ms(api->worker);
    metrics->api_unauthorized++;
    if (now_ms < api->next_warning_ms) return;
    api->next_warning_ms = now_ms + WARNING_MS;
    tg_log(TG_LOG_WARNING, "api_unauthorized", TG_LOG_STR("peer", request->peer),
           TG_LOG_S("token", request->authorization.length ? "wrong" : "none"),
           TG_LOG_I("refused", metrics->api_unauthorized));
}

/* RFC 8259 11: without parameters that would matter. */
static bool is_json(struct tg_slice content_type)
{
    static const struct tg_slice json = TG_SLICE("application/json");
    if (content_type.length < json.length) return false;
    if (strncasecmp(content_type.data, json.data, json.length) != 0) return false;
    return content_type.length == json.length || strchr(" \t;", content_type.data[json.length]);
}

static bool is_events(struct tg_slice path)
{
    return tg_slice_equal(path, TG_SLICE("/api/events"));
}

/* What is wrong with the request, from who asks to how much. */
static bool find_objection(struct tg_api *api, const struct tg_api_request *request,
                           struct tg_api_answer *answer)
{
    if (!api->token.length) {
        ANSWER_ERROR(answer, 403, "The API is off: no token is set");
    } else if (!is_authorized(request->authorization, api->token)) {
        note_unauthorized(api, request);
        ANSWER_ERROR(answer, 401, "The token is missing or wrong");
        answer->headers = "WWW-Authenticate: Bearer\r\n";
    } else if (!is_events(request->path) && !tg_slice_equal(request->path, TG_SLICE("/api/broadcast"))) {
        ANSWER_ERROR(answer, 404, "Not found");
    } else if (!request->is_post) {
        ANSWER_ERROR(answer, 405, "Method not allowed");
        answer->headers = "Allow: POST\r\n";
    } else if (!is_json(request->content_type)) {
        ANSWER_ERROR(answer, 415, "The body has to be application/json");
    } else if (!request->has_length) {
        ANSWER_ERROR(answer, 411, "The length of the body has to be told in Content-Length");
    } else {
        return false;
    }
    return true;
}

/* What we cannot or do not want to read now. */
static bool is_beyond_limits(struct tg_api *api, const struct tg_api_request *request,
                             struct tg_api_answer *answer)
{
    const struct tg_config *config = api->worker->config;
    struct tg_metrics *metrics = &api->worker->metrics;
    if (request->body_bytes > config->api_max_bytes) {
        metrics->api_too_large++;
        ANSWER_ERROR(answer, 413, "The body is longer than api_max_bytes");
    } else if (api->worker->is_draining) {
        ANSWER_ERROR(answer, 503, "The server is shutting down");
    } else if (api->reading >= config->api_max_requests) {
        metrics->api_full++;
        ANSWER_ERROR(answer, 503, "Too many requests at once");
    } else {
        return false;
    }
    return true;
}

bool tg_api_refuses(struct tg_api *api, const struct tg_api_request *request, struct tg_api_answer *answer)
{
    api->worker->metrics.api_requests++;
    return find_objection(api, request, answer) || is_beyond_limits(api, request, answer);
}

/* ---- the body ---- */

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
        begin(answer, 200);
        tg_buf_printf(&answer->body, "{\"receivers\":%" PRIu64 "}", receivers);
        break;
    case TG_E_INVALID:
        answer_issues(answer, 422, tg_buf_peek(&reading->text));
        break;
    case TG_E_SCRIPT:
        ANSWER_ERROR(answer, 500, "A check or a default of the payload failed; the log says how");
        break;
    case TG_E_NO_MEMORY:
        ANSWER_ERROR(answer, 503, "Out of memory");
        break;
    default:
        ANSWER_ERROR(answer, 503, "The channel layer does not answer");
    }
}

void tg_api_answer(struct tg_api *api, struct tg_slice path, struct tg_slice body,
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
        ANSWER_ERROR(answer, 404, "No such connection");
    else
        answer_published(&reading, status, receivers, answer);
    tg_buf_deinit(&reading.text);
    tg_arena_deinit(&reading.arena);
}
