/* Endpoints are kept in tg_route_compare's order, so the first that matches is the right one; that
 * order is total but for routes that accept the same paths, and those are refused. A gateway has tens
 * of paths, and asks once per connection: no tree.
 *
 * Lists have room for the next power of two of their count, so that no capacity is kept; what they
 * leave behind when they grow stays in the arena, at most as much as they hold.
 */
#include "core/registry.h"

void tg_registry_init(struct tg_registry *registry, uint32_t max_check_steps)
{
    *registry = (struct tg_registry){.seed = tg_hash_seed_random()};
    tg_arena_init(&registry->arena, 0);
    tg_patterns_init(&registry->patterns, max_check_steps);
}

static void deinit_maps(struct tg_consumer *consumer)
{
    tg_map_deinit(&consumer->actions);
    tg_map_deinit(&consumer->events);
}

void tg_registry_deinit(struct tg_registry *registry)
{
    for (uint32_t i = 0; i < registry->consumer_count; i++) deinit_maps(registry->consumers[i]);
    for (uint32_t i = 0; i < registry->topic_count; i++) deinit_maps(&registry->topics[i]->stream);
    tg_patterns_deinit(&registry->patterns);
    tg_arena_deinit(&registry->arena);
}

/* The list with room for one item more; NULL without memory, and `items` is as it was. */
static void *with_room(struct tg_arena *arena, void *items, uint32_t count, size_t item_bytes)
{
    bool is_full = (count & (count - 1)) == 0;
    if (!is_full) return items;
    void *grown = tg_arena_calloc(arena, count ? 2 * (size_t)count : 1, item_bytes);
    if (grown && count) memcpy(grown, items, count * item_bytes);
    return grown;
}

static struct tg_counters *new_counters(struct tg_registry *registry, const struct tg_consumer *consumer)
{
    static const struct tg_slice names[TG_HOOKS] = {
        TG_SLICE("connected"),    TG_SLICE("disconnected"),   TG_SLICE("receive"),
        TG_SLICE("on_binary"),    TG_SLICE("authenticate"),   TG_SLICE("groups"),
        TG_SLICE("on_subscribe"), TG_SLICE("on_unsubscribe"), TG_SLICE("admit"),
        TG_SLICE("migrate"),      TG_SLICE("reloaded")};
    struct tg_counters *counters = tg_arena_calloc(&registry->arena, 1, sizeof *counters);
    for (int i = 0; counters && i < TG_HOOKS; i++)
        counters->hooks[i] = (struct tg_handler){
            .consumer = consumer->name, .name = names[i], .is_hook = true, .is_topic = consumer->is_topic};
    return counters;
}

enum tg_status tg_registry_add_consumer(struct tg_registry *registry, struct tg_consumer *consumer)
{
    struct tg_consumer **consumers =
        with_room(&registry->arena, registry->consumers, registry->consumer_count, sizeof(void *));
    if (!consumers) return TG_E_NO_MEMORY;
    registry->consumers = consumers;
    consumer->counters = new_counters(registry, consumer);
    if (!consumer->counters) return TG_E_NO_MEMORY;
    consumers[registry->consumer_count++] = consumer;
    tg_map_init(&consumer->actions, registry->seed);
    tg_map_init(&consumer->events, registry->seed);
    if (consumer->naming == TG_NAMING_CAMEL) registry->has_camel = true;
    return TG_OK;
}

/* The map, the list and the count of a consumer's actions, or of its events. */
struct table {
    struct tg_map *map;
    struct tg_action ***ordered;
    uint32_t *count;
};

static enum tg_status add(struct tg_registry *registry, const struct tg_consumer *consumer,
                          const struct table *table, struct tg_action *action, struct tg_error *error)
{
    const struct tg_action *other = tg_map_get(table->map, action->name);
    if (other)
        return tg_error_set(error, TG_E_EXISTS,
                            "%s \"%.*s\" handles the %s \"%.*s\" twice, at %.*s and at %.*s: "
                            "remove one handler or rename its action.",
                            consumer->is_topic ? "Topic" : "Consumer", TG_SLICE_ARG(consumer->name),
                            action->is_event ? "event" : "action", TG_SLICE_ARG(action->name),
                            TG_SLICE_ARG(other->source), TG_SLICE_ARG(action->source));
    struct tg_action **ordered = with_room(&registry->arena, *table->ordered, *table->count, sizeof(void *));
    if (!ordered) return TG_E_NO_MEMORY;
    *table->ordered = ordered;
    action->handler = tg_arena_calloc(&registry->arena, 1, sizeof *action->handler);
    if (!action->handler) return TG_E_NO_MEMORY;
    *action->handler = (struct tg_handler){.consumer = consumer->name,
                                           .name = action->name,
                                           .is_event = action->is_event,
                                           .is_topic = consumer->is_topic};
    enum tg_status status = tg_map_add(table->map, action->name, action);
    if (status == TG_OK) ordered[(*table->count)++] = action;
    return status;
}

enum tg_status tg_registry_add_action(struct tg_registry *registry, struct tg_consumer *consumer,
                                      struct tg_action *action, struct tg_error *error)
{
    const struct table table = {&consumer->actions, &consumer->ordered_actions, &consumer->action_count};
    return add(registry, consumer, &table, action, error);
}

enum tg_status tg_registry_add_event(struct tg_registry *registry, struct tg_consumer *consumer,
                                     struct tg_action *event, struct tg_error *error)
{
    const struct table table = {&consumer->events, &consumer->ordered_events, &consumer->event_count};
    event->is_event = true;
    return add(registry, consumer, &table, event, error);
}

const struct tg_action *tg_consumer_find_event(const struct tg_consumer *consumer, struct tg_slice name)
{
    return consumer->event_count ? tg_map_get(&consumer->events, name) : NULL;
}

const struct tg_consumer *tg_registry_find_consumer(const struct tg_registry *registry, struct tg_slice name)
{
    for (uint32_t i = 0; i < registry->consumer_count; i++)
        if (tg_slice_equal(registry->consumers[i]->name, name)) return registry->consumers[i];
    return NULL;
}

/* ---- topics ---- */

const struct tg_topic *tg_registry_find_topic(const struct tg_registry *registry, struct tg_slice pattern)
{
    for (uint32_t i = 0; i < registry->topic_count; i++)
        if (tg_slice_equal(registry->topics[i]->stream.name, pattern)) return registry->topics[i];
    return NULL;
}

enum tg_status tg_registry_add_topic(struct tg_registry *registry, struct tg_topic *topic,
                                     struct tg_error *error)
{
    struct tg_consumer *stream = &topic->stream;
    const struct tg_topic *other = tg_registry_find_topic(registry, stream->name);
    if (other)
        return tg_error_set(
            error, TG_E_EXISTS,
            "The topic \"%.*s\" is declared twice, at %.*s and at %.*s, and their subscribers "
            "would be one group: declare it once, and host it wherever it is needed.",
            TG_SLICE_ARG(stream->name), TG_SLICE_ARG(other->stream.source), TG_SLICE_ARG(stream->source));
    enum tg_status status = tg_route_parse_topic(&registry->arena, stream->name, &topic->route, error);
    if (status != TG_OK) return status;
    struct tg_topic **topics =
        with_room(&registry->arena, registry->topics, registry->topic_count, sizeof(void *));
    if (!topics) return TG_E_NO_MEMORY;
    registry->topics = topics;
    stream->is_topic = true;
    stream->counters = new_counters(registry, stream);
    if (!stream->counters) return TG_E_NO_MEMORY;
    topics[registry->topic_count++] = topic;
    tg_map_init(&stream->actions, registry->seed);
    tg_map_init(&stream->events, registry->seed);
    return TG_OK;
}

enum tg_status tg_registry_host_topic(struct tg_registry *registry, struct tg_consumer *consumer,
                                      struct tg_topic *topic, struct tg_error *error)
{
    uint32_t at = 0;
    for (; at < consumer->topic_count; at++) {
        const struct tg_topic *there = consumer->topics[at];
        int order = tg_route_compare(topic->route, there->route);
        if (order == 0)
            return tg_error_set(error, TG_E_EXISTS,
                                "Consumer \"%.*s\" (%.*s) hosts the topics \"%.*s\" (%.*s) and \"%.*s\" "
                                "(%.*s), which are the same to a client: change or remove one.",
                                TG_SLICE_ARG(consumer->name), TG_SLICE_ARG(consumer->source),
                                TG_SLICE_ARG(there->stream.name), TG_SLICE_ARG(there->stream.source),
                                TG_SLICE_ARG(topic->stream.name), TG_SLICE_ARG(topic->stream.source));
        if (order < 0) break;
    }
    struct tg_topic **topics =
        with_room(&registry->arena, consumer->topics, consumer->topic_count, sizeof(void *));
    if (!topics) return TG_E_NO_MEMORY;
    consumer->topics = topics;
    memmove(topics + at + 1, topics + at, (consumer->topic_count - at) * sizeof(void *));
    topics[at] = topic;
    consumer->topic_count++;
    return TG_OK;
}

const struct tg_topic *tg_consumer_find_topic(const struct tg_consumer *consumer, struct tg_slice name,
                                              struct tg_params *params)
{
    for (uint32_t i = 0; i < consumer->topic_count; i++)
        if (tg_route_match(consumer->topics[i]->route, name, params)) return consumer->topics[i];
    return NULL;
}

/* ---- paths ---- */

static bool has_param(const struct tg_route *route, struct tg_slice name)
{
    for (uint32_t i = 0; i < route->count; i++)
        if (route->segments[i].is_param && tg_slice_equal(route->segments[i].text, name)) return true;
    return false;
}

/* The name of the consumer's own topic is made of the parameters of its path. */
static enum tg_status check_own_topic(const struct tg_consumer *consumer, const struct tg_route *route,
                                      struct tg_error *error)
{
    const struct tg_topic *topic = consumer->own_topic;
    for (uint32_t i = 0; topic && i < topic->route->count; i++) {
        const struct tg_route_segment *segment = &topic->route->segments[i];
        if (segment->is_param && !has_param(route, segment->text))
            return tg_error_set(
                error, TG_E_INVALID,
                "The path \"%.*s\" has no parameter {%.*s}, which its topic \"%.*s\" (%.*s) is "
                "made of.",
                TG_SLICE_ARG(route->pattern), TG_SLICE_ARG(segment->text), TG_SLICE_ARG(topic->stream.name),
                TG_SLICE_ARG(topic->stream.source));
    }
    return TG_OK;
}

static enum tg_status refuse_conflict(const struct tg_endpoint *there, const struct tg_endpoint *added,
                                      struct tg_error *error)
{
    if (there->consumer == added->consumer)
        return tg_error_set(
            error, TG_E_EXISTS,
            "Consumer \"%.*s\" (%.*s) has the paths \"%.*s\" and \"%.*s\", which are the same: "
            "remove one.",
            TG_SLICE_ARG(added->consumer->name), TG_SLICE_ARG(added->consumer->source),
            TG_SLICE_ARG(there->route->pattern), TG_SLICE_ARG(added->route->pattern));
    return tg_error_set(error, TG_E_EXISTS,
                        "The path \"%.*s\" of consumer \"%.*s\" (%.*s) and the path \"%.*s\" of consumer "
                        "\"%.*s\" (%.*s) are the same to a client: change or remove one.",
                        TG_SLICE_ARG(there->route->pattern), TG_SLICE_ARG(there->consumer->name),
                        TG_SLICE_ARG(there->consumer->source), TG_SLICE_ARG(added->route->pattern),
                        TG_SLICE_ARG(added->consumer->name), TG_SLICE_ARG(added->consumer->source));
}

enum tg_status tg_registry_add_path(struct tg_registry *registry, struct tg_consumer *consumer,
                                    struct tg_slice pattern, struct tg_error *error)
{
    struct tg_endpoint added = {.consumer = consumer};
    enum tg_status status = tg_route_parse(&registry->arena, pattern, &added.route, error);
    if (status == TG_OK) status = check_own_topic(consumer, added.route, error);
    if (status != TG_OK) return status;
    uint32_t at = 0;
    for (; at < registry->endpoint_count; at++) {
        int order = tg_route_compare(added.route, registry->endpoints[at].route);
        if (order == 0) return refuse_conflict(&registry->endpoints[at], &added, error);
        if (order < 0) break;
    }
    struct tg_endpoint *endpoints =
        with_room(&registry->arena, registry->endpoints, registry->endpoint_count, sizeof *endpoints);
    if (!endpoints) return TG_E_NO_MEMORY;
    registry->endpoints = endpoints;
    memmove(endpoints + at + 1, endpoints + at, (registry->endpoint_count - at) * sizeof *endpoints);
    endpoints[at] = added;
    registry->endpoint_count++;
    return TG_OK;
}

const struct tg_consumer *tg_registry_find(const struct tg_registry *registry, struct tg_slice path,
                                           struct tg_params *params)
{
    for (uint32_t i = 0; i < registry->endpoint_count; i++)
        if (tg_route_match(registry->endpoints[i].route, path, params))
            return registry->endpoints[i].consumer;
    return NULL;
}
