/* Every function gets the pattern, then the name or a table of the parameters that make it. */
#include "script/libs/topic.h"

#include "base/utf8.h"
#include "core/topic.h"
#include "script/conn_handle.h"
#include "script/place.h"
#include "script/publish.h"

#include <lauxlib.h>
#include <string.h>

enum { PATTERN = 1, NAME, MESSAGE }; /* on the stack */

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* The topic; raises while modules load, and when nobody hosts it. */
static const struct tg_topic *check_topic(lua_State *L, const char *what)
{
    const struct tg_world *world = world_of(L);
    struct tg_slice pattern;
    pattern.data = luaL_checklstring(L, PATTERN, &pattern.length);
    tg_publish_check_served(L, world, what, "subscribed");
    const struct tg_topic *topic = tg_registry_find_topic(world->registry, pattern);
    if (!topic)
        tg_place_error(L, "%s: no consumer hosts the topic '%s': topics = { ... } of tide.consumer", what,
                       pattern.data);
    return topic;
}

/* Replaces the name of the segment on top, a parameter's, by its value. A colon in it would make a name of
 * others. [-1, +1, e] */
static void push_param(lua_State *L, const struct tg_topic *topic, const struct tg_route_segment *segment,
                       const char *what)
{
    const char *name = lua_tostring(L, -1), *pattern = topic->stream.name.data;
    lua_pushvalue(L, -1);
    lua_gettable(L, NAME);
    if (lua_type(L, -1) != LUA_TSTRING && !lua_isinteger(L, -1))
        tg_place_error(L, "%s: the topic '%s' needs '%s', a string or an integer, got %s", what, pattern,
                       name, tg_place_push_kind(L, -1));
    const char *value = lua_tostring(L, -1);
    if (segment->type != TG_PARAM_PATH && strchr(value, ':'))
        tg_place_error(L, "%s: '%s' of the topic '%s' has no colon in it, got '%s'", what, name, pattern,
                       value);
    lua_replace(L, -2);
}

/* Replaces the table of parameters by the name that they make. [-0, +0, e] */
static void make_name(lua_State *L, const struct tg_topic *topic, const char *what)
{
    const struct tg_route *route = topic->route;
    lua_pushliteral(L, "");
    for (uint32_t i = 0; i < route->count; i++) {
        const struct tg_route_segment *segment = &route->segments[i];
        if (i > 0) lua_pushliteral(L, ":");
        lua_pushlstring(L, segment->text.data, segment->text.length);
        if (segment->is_param) push_param(L, topic, segment, what);
        lua_concat(L, i > 0 ? 3 : 2);
    }
    lua_replace(L, NAME);
}

/* The name; raises one that is not the topic's. */
static struct tg_slice check_name(lua_State *L, const struct tg_topic *topic, const char *what)
{
    struct tg_params params;
    struct tg_slice name;
    if (lua_istable(L, NAME)) make_name(L, topic, what);
    if (lua_type(L, NAME) != LUA_TSTRING)
        tg_place_error(L, "%s: expected the name of a topic or a table of its parameters, got %s", what,
                       tg_place_push_kind(L, NAME));
    name.data = lua_tolstring(L, NAME, &name.length);
    if (name.length > TG_TOPIC_NAME_MAX)
        tg_place_error(L, "%s: the name of a topic has at most %d bytes, got %I", what, TG_TOPIC_NAME_MAX,
                       (LUAI_UACINT)name.length);
    if (!tg_utf8_is_valid(name.data, name.length))
        tg_place_error(L, "%s: the name of a topic is not UTF-8", what);
    if (!tg_route_match(topic->route, name, &params))
        tg_place_error(L, "%s: '%s' is no name of the topic '%s'", what, name.data, topic->stream.name.data);
    return name;
}

/* The key of its group, in the box. */
static struct tg_slice make_key(lua_State *L, const struct tg_topic *topic, struct tg_slice name,
                                struct tg_scratch *scratch)
{
    struct tg_slice pattern = topic->stream.name;
    size_t length = pattern.length + 1 + name.length;
    char *key = tg_world_check_memory(L, tg_arena_calloc(&scratch->arena, 1, length));
    memcpy(key, pattern.data, pattern.length);
    if (name.length) memcpy(key + pattern.length + 1, name.data, name.length);
    return (struct tg_slice){key, length};
}

/* topic_count(pattern, name) -> how many connections are subscribed */
static int topic_count(lua_State *L)
{
    struct tg_world *world = world_of(L);
    lua_settop(L, NAME);
    const struct tg_topic *topic = check_topic(L, "Topic:count");
    struct tg_slice name = check_name(L, topic, "Topic:count");
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    const struct tg_group *group =
        tg_group_find(world->worker, TG_GROUP_TOPIC, make_key(L, topic, name, scratch));
    lua_pushinteger(L, group ? tg_group_count(group) : 0);
    return 1;
}

static int publish(lua_State *L, const struct tg_message_type *type, enum tg_publish kind, const char *what)
{
    struct tg_world *world = world_of(L);
    const struct tg_topic *topic = check_topic(L, what);
    struct tg_slice name = check_name(L, topic, what);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct tg_publication publication = {.kind = kind, .to = TG_TO_GROUPS, .group_kind = TG_GROUP_TOPIC};
    tg_publish_write(world, L, MESSAGE, type, name, scratch, &publication);
    const struct tg_slice key = make_key(L, topic, name, scratch);
    publication.groups = &key;
    publication.group_count = 1;
    return tg_publish(world, L, &publication);
}

/* topic_broadcast(pattern, name, message) -> how many got it | nil, why */
static int topic_broadcast(lua_State *L)
{
    lua_settop(L, MESSAGE);
    const struct tg_message_type *type =
        tg_publish_check_message(L, MESSAGE, "Topic:broadcast", "Topic:broadcast_event");
    return publish(L, type, TG_PUBLISH_MESSAGE, "Topic:broadcast");
}

/* topic_broadcast_event(pattern, name, event) -> how many got it | nil, why */
static int topic_broadcast_event(lua_State *L)
{
    lua_settop(L, MESSAGE);
    const struct tg_message_type *type = tg_publish_check_event(L, MESSAGE, "Topic:broadcast_event");
    return publish(L, type, TG_PUBLISH_EVENT, "Topic:broadcast_event");
}

void tg_topic_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"topic_count", topic_count},
        {"topic_broadcast", topic_broadcast},
        {"topic_broadcast_event", topic_broadcast_event},
        {NULL, NULL},
    };
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
}
