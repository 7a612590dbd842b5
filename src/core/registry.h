/* What one load of the code declared: consumers, their paths, their actions, the topics that they host.
 *
 * The script layer fills it while it loads; afterwards it is constant. Everything lies in the
 * registry's arena. What belongs to the script (`script_ref`, `script_data`) means nothing to core.
 */
#ifndef TG_CORE_REGISTRY_H
#define TG_CORE_REGISTRY_H

#include "base/arena.h"
#include "base/map.h"
#include "base/slice.h"
#include "base/status.h"
#include "core/consumer.h"
#include "core/http_route.h"
#include "wire/route.h"

#include <stdbool.h>
#include <stdint.h>

/* One path and who serves it. */
struct tg_endpoint {
    struct tg_route *route;
    struct tg_consumer *consumer;
};

struct tg_registry {
    struct tg_arena arena;
    struct tg_hash_seed seed;
    struct tg_patterns patterns;    /* of all schemas */
    struct tg_consumer **consumers; /* as declared */
    uint32_t consumer_count;
    struct tg_topic **topics; /* as declared */
    uint32_t topic_count;
    struct tg_endpoint *endpoints; /* in the order in which they are asked */
    uint32_t endpoint_count;
    struct tg_http_routes routes; /* of plain requests */
    bool has_camel;               /* some consumer's naming is TG_NAMING_CAMEL */
};

/* `max_check_steps`: what one match of a pattern may take. */
void tg_registry_init(struct tg_registry *registry, uint32_t max_check_steps);

void tg_registry_deinit(struct tg_registry *registry);

/* Adds a consumer that lies in the registry's arena, before its actions and paths: its map is begun
 * here. TG_E_NO_MEMORY. */
enum tg_status tg_registry_add_consumer(struct tg_registry *registry, struct tg_consumer *consumer);

/* Adds a topic that lies in the arena and whose stream has its name, likewise. TG_E_INVALID: a bad pattern.
 * TG_E_EXISTS: another topic has it, and their subscribers would be one group; `error` names both sources. */
enum tg_status tg_registry_add_topic(struct tg_registry *registry, struct tg_topic *topic,
                                     struct tg_error *error);

/* The topic with this pattern, or NULL. */
const struct tg_topic *tg_registry_find_topic(const struct tg_registry *registry, struct tg_slice pattern);

/* Has the consumer host the topic. TG_E_EXISTS: it hosts one that accepts the same names. */
enum tg_status tg_registry_host_topic(struct tg_registry *registry, struct tg_consumer *consumer,
                                      struct tg_topic *topic, struct tg_error *error);

/* Adds an action to a consumer. TG_E_EXISTS: the action is there; `error` names both sources. */
enum tg_status tg_registry_add_action(struct tg_registry *registry, struct tg_consumer *consumer,
                                      struct tg_action *action, struct tg_error *error);

/* The same for an event. */
enum tg_status tg_registry_add_event(struct tg_registry *registry, struct tg_consumer *consumer,
                                     struct tg_action *event, struct tg_error *error);

/* The consumer of this name, or NULL. */
const struct tg_consumer *tg_registry_find_consumer(const struct tg_registry *registry, struct tg_slice name);

/* Adds a path (copied). TG_E_INVALID: a bad pattern, or one without a parameter of the consumer's own topic.
 * TG_E_EXISTS: a path, or a route, is there that accepts the same; `error` names both patterns and both
 * sources. */
enum tg_status tg_registry_add_path(struct tg_registry *registry, struct tg_consumer *consumer,
                                    struct tg_slice pattern, struct tg_error *error);

/* Who serves `path`, and its parameters (values borrowed from `path`); NULL: nobody. */
const struct tg_consumer *tg_registry_find(const struct tg_registry *registry, struct tg_slice path,
                                           struct tg_params *params);

#endif
