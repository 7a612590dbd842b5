/* Each reference that declare.c keeps has its place here too. */
#include "script/declare.h"

static void forget(struct tg_world *world, lua_State *L, int ref)
{
    if (ref) tg_world_forget(world, L, ref);
}

static void forget_actions(struct tg_world *world, lua_State *L, const struct tg_consumer *consumer)
{
    for (uint32_t i = 0; i < consumer->action_count; i++) {
        forget(world, L, consumer->ordered_actions[i]->script_ref);
        forget(world, L, consumer->ordered_actions[i]->script_allow);
    }
    for (uint32_t i = 0; i < consumer->event_count; i++)
        forget(world, L, consumer->ordered_events[i]->script_ref);
}

static void forget_consumer(struct tg_world *world, lua_State *L, const struct tg_consumer *consumer)
{
    const struct tg_hooks *hooks = consumer->script_data;
    const int refs[] = {hooks->object,      hooks->connected,   hooks->disconnected, hooks->receive,
                        hooks->binary,      hooks->before,      hooks->admit,        hooks->authenticate,
                        hooks->load_object, hooks->permissions, hooks->migrate,      hooks->reloaded};
    for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) forget(world, L, refs[i]);
    for (uint32_t i = 0; i < hooks->group_count; i++) forget(world, L, hooks->groups[i].function);
    forget_actions(world, L, consumer);
}

static void forget_topic(struct tg_world *world, lua_State *L, const struct tg_topic *topic)
{
    const struct tg_topic_hooks *hooks = topic->stream.script_data;
    if (hooks->object) {
        tg_world_push(world, L, hooks->object);
        lua_pushnil(L);
        lua_rawsetp(L, -2, &tg_declare_topic_key);
        lua_pop(L, 1);
    }
    const int refs[] = {hooks->object, hooks->authorise, hooks->on_subscribe, hooks->on_unsubscribe};
    for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) forget(world, L, refs[i]);
    forget_actions(world, L, &topic->stream);
}

void tg_declare_forget(struct tg_world *world, lua_State *L, const struct tg_registry *registry)
{
    for (uint32_t i = 0; i < registry->consumer_count; i++) forget_consumer(world, L, registry->consumers[i]);
    for (uint32_t i = 0; i < registry->topic_count; i++) forget_topic(world, L, registry->topics[i]);
    for (uint32_t i = 0; i < registry->routes.count; i++)
        forget(world, L, registry->routes.items[i]->script_ref);
}
