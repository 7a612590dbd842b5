/* Prints who is asked for which path, in the order in which they are asked:
 *
 *     /ws/system  system  ping, user_message  consumers/system/init.lua:5
 *       room:{room_name}  post  consumers/system/rooms.lua:3
 *
 * with the topics that it hosts below each. Then what answers plain requests:
 *
 *     POST /login  consumers/accounts.lua:8
 */
#include "app/commands/commands.h"

#include <stdio.h>
#include <stdlib.h>

static int widest_pattern(const struct tg_registry *registry)
{
    size_t widest = 0;
    for (uint32_t i = 0; i < registry->endpoint_count; i++)
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

int tg_command_routes(const struct tg_cli *cli, const struct tg_config *config)
{
    struct tg_host *host = tg_command_load(cli, config);
    if (!host) return EXIT_FAILURE;
    const struct tg_registry *registry = &host->generation.registry;
    int width = widest_pattern(registry);
    for (uint32_t i = 0; i < registry->endpoint_count; i++) print_endpoint(&registry->endpoints[i], width);
    for (uint32_t i = 0; i < registry->routes.count; i++) {
        const struct tg_http_route *route = registry->routes.items[i];
        printf("%.*s  %.*s\n", TG_SLICE_ARG(route->name), TG_SLICE_ARG(route->source));
    }
    tg_host_close(host);
    return EXIT_SUCCESS;
}
