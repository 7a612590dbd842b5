#include "app/routes.h"

#include <stdio.h>

enum { SHORT_MAX = 20 };

static int widest_pattern(const struct tg_registry *registry, uint32_t count)
{
    size_t widest = 0;
    for (uint32_t i = 0; i < count; i++)
        if (registry->endpoints[i].route->pattern.length > widest)
            widest = registry->endpoints[i].route->pattern.length;
    return (int)widest;
}

static void print_actions(const struct tg_consumer *consumer)
{
    for (uint32_t i = 0; i < consumer->action_count; i++)
        printf("%s%.*s", i ? ", " : "", TG_SLICE_ARG(consumer->ordered_actions[i]->name));
}

static void print_topic(const struct tg_consumer *stream)
{
    printf("  %.*s  ", TG_SLICE_ARG(stream->name));
    print_actions(stream);
    printf("  %.*s\n", TG_SLICE_ARG(stream->source));
}

static void print_endpoint(const struct tg_endpoint *endpoint, int width)
{
    const struct tg_consumer *consumer = endpoint->consumer;
    printf("%-*.*s  %.*s  ", width, TG_SLICE_ARG(endpoint->route->pattern), TG_SLICE_ARG(consumer->name));
    if (consumer->is_text) printf("(plain text)");
    print_actions(consumer);
    printf("  %.*s\n", TG_SLICE_ARG(consumer->source));
    for (uint32_t i = 0; i < consumer->topic_count; i++) print_topic(&consumer->topics[i]->stream);
}

void tg_routes_print(const struct tg_registry *registry)
{
    int width = widest_pattern(registry, registry->endpoint_count);
    for (uint32_t i = 0; i < registry->endpoint_count; i++) print_endpoint(&registry->endpoints[i], width);
    for (uint32_t i = 0; i < registry->routes.count; i++) {
        const struct tg_http_route *route = registry->routes.items[i];
        printf("%.*s  %.*s\n", TG_SLICE_ARG(route->name), TG_SLICE_ARG(route->source));
    }
}

void tg_routes_print_short(const struct tg_registry *registry)
{
    uint32_t paths = registry->endpoint_count < SHORT_MAX ? registry->endpoint_count : SHORT_MAX;
    uint32_t routes = registry->routes.count < SHORT_MAX - paths ? registry->routes.count : SHORT_MAX - paths;
    int width = widest_pattern(registry, paths);
    for (uint32_t i = 0; i < paths; i++)
        printf("  %-*.*s  %.*s\n", width, TG_SLICE_ARG(registry->endpoints[i].route->pattern),
               TG_SLICE_ARG(registry->endpoints[i].consumer->name));
    for (uint32_t i = 0; i < routes; i++) printf("  %.*s\n", TG_SLICE_ARG(registry->routes.items[i]->name));
    uint32_t more = registry->endpoint_count - paths + registry->routes.count - routes;
    if (more) printf("  and %u more: `tidegate routes` lists them\n", more);
}
