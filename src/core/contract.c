/* Declarations are told apart by their names: consumers and actions by theirs, topics and routes by their
 * patterns. Of a consumer that is new or gone nothing more is told. What several consumers share (a message
 * that all of them take) is told once.
 *
 * Invariant: a change that is not kept, because there are too many, is counted. */
#include "core/contract.h"

#include "core/problem.h"
#include "wire/json.h"
#include "wire/stricter.h"

enum { KEEP_BYTES = 4096, CHANGES_MAX = 500, NAMES_MAX = 3 };

void tg_contract_init(struct tg_contract_report *report)
{
    *report = (struct tg_contract_report){0};
    tg_arena_init(&report->arena, KEEP_BYTES);
}

void tg_contract_deinit(struct tg_contract_report *report)
{
    tg_arena_deinit(&report->arena);
    tg_contract_init(report);
}

/* ---- adding ---- */

static bool is_same(const struct tg_change *a, const struct tg_change *b)
{
    return a->kind == b->kind && a->way == b->way && tg_slice_equal(a->name, b->name) &&
           tg_slice_equal(a->detail, b->detail) &&
           (a->kind == TG_CHANGE_SCHEMA || tg_slice_equal(a->owner, b->owner));
}

static bool copy(struct tg_contract_report *report, struct tg_slice *text)
{
    if (!text->data) return true;
    *text = tg_arena_copy(&report->arena, *text);
    return text->data != NULL;
}

static enum tg_status add(struct tg_contract_report *report, const struct tg_change *change)
{
    for (const struct tg_change *told = report->first; told; told = told->next)
        if (is_same(told, change)) return TG_OK;
    report->counts[change->kind][change->way]++;
    if (report->count++ >= CHANGES_MAX) return TG_OK;
    struct tg_change *added = tg_arena_alloc(&report->arena, sizeof *added);
    if (!added) return TG_E_NO_MEMORY;
    *added = *change;
    added->next = NULL;
    if (!copy(report, &added->owner) || !copy(report, &added->name) || !copy(report, &added->detail))
        return TG_E_NO_MEMORY;
    if (report->last)
        report->last->next = added;
    else
        report->first = added;
    report->last = added;
    return TG_OK;
}

enum tg_status tg_contract_add_module(struct tg_contract_report *report, enum tg_change_way way,
                                      struct tg_slice path)
{
    return add(report, &(struct tg_change){.kind = TG_CHANGE_MODULE, .way = way, .name = path});
}

/* ---- comparing ---- */

/* The schemas of one action. */
struct comparison {
    struct tg_stricter stricter; /* first */
    struct tg_contract_report *report;
    struct tg_slice owner, action;
    enum tg_status status;
};

static void hear(struct tg_stricter *stricter, struct tg_slice path, struct tg_slice what)
{
    struct comparison *comparison = (struct comparison *)stricter;
    struct tg_buf name;
    tg_buf_init(&name);
    tg_buf_append_slice(&name, comparison->action);
    tg_buf_append_char(&name, ' ');
    tg_buf_append_slice(&name, path);
    enum tg_status status = tg_buf_status(&name);
    if (status == TG_OK)
        status = add(comparison->report, &(struct tg_change){.kind = TG_CHANGE_SCHEMA,
                                                             .owner = comparison->owner,
                                                             .name = tg_buf_peek(&name),
                                                             .detail = what});
    if (comparison->status == TG_OK) comparison->status = status;
    tg_buf_deinit(&name);
}

static enum tg_status compare_schemas(struct comparison *comparison, const struct tg_schema *before,
                                      const struct tg_schema *after, enum tg_naming naming)
{
    comparison->stricter.tell = hear;
    enum tg_status status =
        tg_stricter_compare(&comparison->stricter, TG_SLICE("payload"), before, after, naming);
    return comparison->status != TG_OK ? comparison->status : status;
}

static enum tg_status add_action(struct tg_contract_report *report, const struct tg_consumer *consumer,
                                 const struct tg_action *action, enum tg_change_way way)
{
    return add(report, &(struct tg_change){.kind = action->is_event ? TG_CHANGE_EVENT : TG_CHANGE_ACTION,
                                           .way = way,
                                           .owner = consumer->name,
                                           .name = action->name});
}

/* Adds those that `map` does not have; where `compares` those that it has are compared. */
static enum tg_status compare_actions(struct tg_contract_report *report, const struct tg_consumer *consumer,
                                      struct tg_action *const *actions, uint32_t count,
                                      const struct tg_map *others, enum tg_change_way way)
{
    enum tg_status status = TG_OK;
    for (uint32_t i = 0; i < count && status == TG_OK; i++) {
        const struct tg_action *other = tg_map_get(others, actions[i]->name);
        struct comparison comparison = {
            .report = report, .owner = consumer->name, .action = actions[i]->name};
        if (!other)
            status = add_action(report, consumer, actions[i], way);
        else if (way == TG_ADDED && !other->is_event)
            status = compare_schemas(&comparison, other->payload, actions[i]->payload, consumer->naming);
    }
    return status;
}

static enum tg_status add_connection(struct tg_contract_report *report, const struct tg_consumer *consumer,
                                     const char *what)
{
    return add(report,
               &(struct tg_change){.kind = TG_CHANGE_CONNECTION,
                                   .owner = consumer->name,
                                   .name = tg_slice_of(what),
                                   .detail = consumer->is_topic ? TG_SLICE("applies to new subscriptions")
                                                                : TG_SLICE("applies to new connections")});
}

static const char *const prints[TG_PRINTS] = {"admit",       "origins", "authenticate",
                                              "permissions", "groups",  "authorise"};

/* A consumer, or the stream of a topic. */
static enum tg_status compare_consumer(struct tg_contract_report *report, const struct tg_consumer *before,
                                       const struct tg_consumer *after)
{
    enum tg_status status = compare_actions(report, after, before->ordered_actions, before->action_count,
                                            &after->actions, TG_REMOVED);
    if (status == TG_OK)
        status = compare_actions(report, after, after->ordered_actions, after->action_count, &before->actions,
                                 TG_ADDED);
    if (status == TG_OK)
        status = compare_actions(report, after, before->ordered_events, before->event_count, &after->events,
                                 TG_REMOVED);
    if (status == TG_OK)
        status = compare_actions(report, after, after->ordered_events, after->event_count, &before->events,
                                 TG_ADDED);
    if (status == TG_OK && before->naming != after->naming)
        status = add(report, &(struct tg_change){.kind = TG_CHANGE_SCHEMA,
                                                 .owner = after->name,
                                                 .name = after->name,
                                                 .detail = TG_SLICE("the names of fields are written in "
                                                                    "another way (camelize)")});
    for (int print = 0; print < TG_PRINTS && status == TG_OK; print++)
        if (before->prints[print] != after->prints[print])
            status = add_connection(report, after, prints[print]);
    return status;
}

static enum tg_status compare_consumers(struct tg_contract_report *report, const struct tg_registry *before,
                                        const struct tg_registry *after)
{
    enum tg_status status = TG_OK;
    struct tg_change change = {.kind = TG_CHANGE_CONSUMER, .way = TG_REMOVED};
    for (uint32_t i = 0; i < before->consumer_count && status == TG_OK; i++) {
        change.name = before->consumers[i]->name;
        if (!tg_registry_find_consumer(after, change.name)) status = add(report, &change);
    }
    change.way = TG_ADDED;
    for (uint32_t i = 0; i < after->consumer_count && status == TG_OK; i++) {
        change.name = after->consumers[i]->name;
        const struct tg_consumer *was = tg_registry_find_consumer(before, change.name);
        status = was ? compare_consumer(report, was, after->consumers[i]) : add(report, &change);
    }
    return status;
}

static enum tg_status compare_topics(struct tg_contract_report *report, const struct tg_registry *before,
                                     const struct tg_registry *after)
{
    enum tg_status status = TG_OK;
    struct tg_change change = {.kind = TG_CHANGE_TOPIC, .way = TG_REMOVED};
    for (uint32_t i = 0; i < before->topic_count && status == TG_OK; i++) {
        change.name = before->topics[i]->stream.name;
        if (!tg_registry_find_topic(after, change.name)) status = add(report, &change);
    }
    change.way = TG_ADDED;
    for (uint32_t i = 0; i < after->topic_count && status == TG_OK; i++) {
        change.name = after->topics[i]->stream.name;
        const struct tg_topic *was = tg_registry_find_topic(before, change.name);
        status =
            was ? compare_consumer(report, &was->stream, &after->topics[i]->stream) : add(report, &change);
    }
    return status;
}

/* ---- plain requests ---- */

static const struct tg_http_route *find_http_route(const struct tg_registry *registry, struct tg_slice name)
{
    for (uint32_t i = 0; i < registry->routes.count; i++)
        if (tg_slice_equal(registry->routes.items[i]->name, name)) return registry->routes.items[i];
    return NULL;
}

static enum tg_status compare_http_routes(struct tg_contract_report *report, const struct tg_registry *before,
                                          const struct tg_registry *after)
{
    struct tg_change change = {.kind = TG_CHANGE_ROUTE, .way = TG_REMOVED};
    enum tg_status status = TG_OK;
    for (uint32_t i = 0; i < before->routes.count && status == TG_OK; i++) {
        change.name = before->routes.items[i]->name;
        if (!find_http_route(after, change.name)) status = add(report, &change);
    }
    change.way = TG_ADDED;
    for (uint32_t i = 0; i < after->routes.count && status == TG_OK; i++) {
        const struct tg_http_route *is = after->routes.items[i], *was = find_http_route(before, is->name);
        struct comparison comparison = {.report = report, .action = is->name};
        change.name = is->name;
        status = was ? compare_schemas(&comparison, was->payload, is->payload, TG_NAMING_DECLARED)
                     : add(report, &change);
    }
    return status;
}

/* ---- paths ---- */

static bool has_route(const struct tg_registry *registry, const struct tg_endpoint *endpoint)
{
    for (uint32_t i = 0; i < registry->endpoint_count; i++)
        if (tg_slice_equal(registry->endpoints[i].route->pattern, endpoint->route->pattern) &&
            tg_slice_equal(registry->endpoints[i].consumer->name, endpoint->consumer->name))
            return true;
    return false;
}

/* The routes of `registry` that `other` has not, of consumers that both have. */
static enum tg_status compare_routes(struct tg_contract_report *report, const struct tg_registry *registry,
                                     const struct tg_registry *other, enum tg_change_way way)
{
    enum tg_status status = TG_OK;
    for (uint32_t i = 0; i < registry->endpoint_count && status == TG_OK; i++) {
        const struct tg_endpoint *endpoint = &registry->endpoints[i];
        if (!tg_registry_find_consumer(other, endpoint->consumer->name) || has_route(other, endpoint))
            continue;
        status = add(report, &(struct tg_change){.kind = TG_CHANGE_ROUTE,
                                                 .way = way,
                                                 .owner = endpoint->consumer->name,
                                                 .name = endpoint->route->pattern});
        if (status == TG_OK) status = add_connection(report, endpoint->consumer, "path");
    }
    return status;
}

enum tg_status tg_contract_compare(struct tg_contract_report *report, const struct tg_registry *before,
                                   const struct tg_registry *after)
{
    enum tg_status status = compare_consumers(report, before, after);
    if (status == TG_OK) status = compare_topics(report, before, after);
    if (status == TG_OK) status = compare_routes(report, before, after, TG_REMOVED);
    if (status == TG_OK) status = compare_routes(report, after, before, TG_ADDED);
    if (status == TG_OK) status = compare_http_routes(report, before, after);
    return status;
}

/* ---- writing ---- */

static const char *const kinds[TG_CHANGE_KINDS] = {"module", "consumer", "topic",  "route",
                                                   "action", "event",    "schema", "connection"};
static const char *const ways[] = {"changed", "added", "removed"};

/* " (chat.edit, chat.typing)" */
static void write_names(const struct tg_contract_report *report, enum tg_change_kind kind,
                        enum tg_change_way way, struct tg_buf *out)
{
    uint32_t written = 0;
    for (const struct tg_change *change = report->first; change; change = change->next) {
        if (change->kind != kind || change->way != way) continue;
        tg_buf_append_slice(out, written ? TG_SLICE(", ") : TG_SLICE(" ("));
        if (written++ == NAMES_MAX) {
            tg_buf_append_literal(out, "...");
            break;
        }
        tg_json_write_line(out, change->name);
    }
    if (written) tg_buf_append_char(out, ')');
}

static void begin_item(struct tg_buf *out, size_t start)
{
    if (out->length > start) tg_buf_append_literal(out, ", ");
}

void tg_contract_write_line(const struct tg_contract_report *report, struct tg_buf *out)
{
    size_t start = out->length;
    const uint32_t *of_modules = report->counts[TG_CHANGE_MODULE];
    uint32_t modules = of_modules[TG_CHANGED] + of_modules[TG_ADDED] + of_modules[TG_REMOVED];
    if (modules) tg_buf_printf(out, "%u module%s", modules, modules == 1 ? "" : "s");
    for (int kind = TG_CHANGE_CONSUMER; kind <= TG_CHANGE_EVENT; kind++)
        for (int way = TG_ADDED; way <= TG_REMOVED; way++) {
            uint32_t count = report->counts[kind][way];
            if (!count) continue;
            begin_item(out, start);
            tg_buf_printf(out, "%c%u %s%s", way == TG_ADDED ? '+' : '-', count, kinds[kind],
                          count == 1 ? "" : "s");
            write_names(report, (enum tg_change_kind)kind, (enum tg_change_way)way, out);
        }
    uint32_t stricter = report->counts[TG_CHANGE_SCHEMA][TG_CHANGED];
    if (stricter) {
        begin_item(out, start);
        tg_buf_printf(out, "stricter in %u place%s", stricter, stricter == 1 ? "" : "s");
    }
    if (out->length == start) tg_buf_append_literal(out, "nothing declared has changed");
}

void tg_contract_write_details(const struct tg_contract_report *report, struct tg_buf *out)
{
    for (const struct tg_change *change = report->first; change; change = change->next) {
        if (change->kind != TG_CHANGE_SCHEMA && change->kind != TG_CHANGE_CONNECTION) continue;
        tg_buf_append_literal(out, "  ");
        if (change->kind == TG_CHANGE_CONNECTION) {
            tg_json_write_line(out, change->owner);
            tg_buf_append_literal(out, ": a changed ");
        }
        tg_json_write_line(out, change->name);
        tg_buf_append_slice(out, change->kind == TG_CHANGE_SCHEMA ? TG_SLICE(": ") : TG_SLICE(" "));
        tg_json_write_line(out, change->detail);
        tg_buf_append_char(out, '\n');
    }
    if (report->count > CHANGES_MAX)
        tg_buf_printf(out, "  and %u changes more\n", report->count - CHANGES_MAX);
}

static void write_member(struct tg_buf *out, const char *name, struct tg_slice text)
{
    if (!text.data) return;
    tg_buf_printf(out, ",\"%s\":", name);
    tg_problem_write_string(out, text);
}

void tg_contract_write_json(const struct tg_contract_report *report, struct tg_buf *out)
{
    struct tg_buf line;
    tg_buf_init(&line);
    tg_contract_write_line(report, &line);
    tg_buf_append_literal(out, "{\"summary\":");
    tg_problem_write_string(out, tg_buf_peek(&line));
    tg_buf_append_literal(out, ",\"changes\":[");
    for (const struct tg_change *change = report->first; change; change = change->next) {
        tg_buf_printf(out, "%s{\"kind\":\"%s\",\"way\":\"%s\"", change == report->first ? "" : ",",
                      kinds[change->kind], ways[change->way]);
        write_member(out, "consumer", change->owner);
        write_member(out, "name", change->name);
        write_member(out, "detail", change->detail);
        tg_buf_append_char(out, '}');
    }
    tg_buf_append_literal(out, "]}");
    if (line.has_failed) out->has_failed = true;
    tg_buf_deinit(&line);
}
