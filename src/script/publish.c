/* The texts are written one behind the other into the text of the box, while no Lua code runs; slices into it
 * are taken when both are there. */
#include "script/publish.h"

#include "base/log.h"
#include "base/utf8.h"
#include "core/group.h"
#include "core/user.h"
#include "core/worker.h"
#include "script/place.h"
#include "wire/json.h"

#include <lauxlib.h>

/* ---- texts ---- */

/* Appends the text of the payload at `index` to `out`. */
static void write_text(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                       enum tg_naming naming, struct tg_slice topic, struct tg_buf *out)
{
    tg_message_write_head(world, L, index, type, naming, out);
    if (topic.data) {
        tg_buf_append_literal(out, ",\"topic\":");
        tg_json_write_string(out, topic);
    }
    if (type->role != TG_ROLE_GROUP_MESSAGE) tg_buf_append_char(out, '}');
}

void tg_publish_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      struct tg_slice topic, struct tg_scratch *scratch, struct tg_publication *publication)
{
    struct tg_buf *out = &scratch->text;
    size_t ends[TG_NAMINGS];
    bool has_camel = world->registry->has_camel && !type->clash.data;
    tg_message_push_payload(world, L, index, type);
    tg_buf_truncate(out, 0);
    for (int naming = 0; naming < TG_NAMINGS; naming++) {
        if (naming == TG_NAMING_DECLARED || has_camel)
            write_text(world, L, lua_gettop(L), type, (enum tg_naming)naming, topic, out);
        ends[naming] = out->length;
    }
    lua_pop(L, 1);
    if (out->has_failed) tg_world_check_memory(L, NULL);
    size_t begin = 0;
    for (int naming = 0; naming < TG_NAMINGS; naming++) {
        bool is_there = ends[naming] > begin;
        publication->texts[naming] =
            is_there ? (struct tg_slice){out->data + begin, ends[naming] - begin} : (struct tg_slice){0};
        begin = ends[naming];
    }
    publication->action = type->action;
    publication->tells_whose = type->role == TG_ROLE_GROUP_MESSAGE;
}

void tg_publish_check_served(lua_State *L, const struct tg_world *world, const char *what, const char *done)
{
    if (!world->tasks) tg_place_error(L, "%s: the app is closed", what);
    if (!world->worker) /* a world that is loading has none yet */
        tg_place_error(L, "%s: nobody is %s while modules load; tide.on_start runs when they have", what,
                       done);
}

void tg_publish_check_role(lua_State *L, const struct tg_message_type *type, const char *what)
{
    if (type->role == TG_ROLE_EVENT)
        tg_place_error(L, "%s: the event '%s' is not for clients: tide.broadcast_event tells it to consumers",
                       what, type->action.data);
}

/* ---- whom it reaches ---- */

static bool is_camel(const struct tg_conn *conn)
{
    return conn->consumer->naming == TG_NAMING_CAMEL;
}

/* Whether somebody would need the text in camel case. Looked at only when there is none. */
static bool reaches_camel(const struct tg_worker *worker, const struct tg_publication *publication)
{
    bool is_reached = false;
    for (uint32_t i = 0; publication->to == TG_TO_GROUPS && i < publication->group_count; i++) {
        const struct tg_group *group = tg_group_find(worker, publication->group_kind, publication->groups[i]);
        const struct tg_membership *member = group ? tg_group_first(group) : NULL;
        for (; member; member = tg_group_next(member)) is_reached |= is_camel(member->conn);
    }
    if (publication->to == TG_TO_USER) {
        const struct tg_user *user = tg_user_find(worker, publication->user);
        const struct tg_conn *conn = user ? tg_user_first(user) : NULL;
        for (; conn; conn = tg_user_next(conn)) is_reached |= is_camel(conn);
    }
    return is_reached;
}

int tg_publish(struct tg_world *world, lua_State *L, const struct tg_publication *publication)
{
    struct tg_layer *layer = world->worker->layer;
    uint64_t receivers = 0;
    if (publication->kind == TG_PUBLISH_MESSAGE && world->registry->has_camel &&
        !publication->texts[TG_NAMING_CAMEL].data && reaches_camel(world->worker, publication))
        return tg_place_error(L, "the message '%s' has no names in camel case, which a receiver asks for",
                              publication->action.data);
    enum tg_status status = layer->ops->publish(layer, publication, &receivers);
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status == TG_OK) {
        lua_pushinteger(L, (lua_Integer)receivers);
        return 1;
    }
    luaL_pushfail(L);
    lua_pushstring(L, status == TG_E_FULL ? "full" : "the channel layer does not answer");
    return 2;
}

/* ---- names ---- */

struct tg_slice tg_publish_check_group(lua_State *L, int index, const char *what)
{
    struct tg_slice name = {0};
    if (lua_type(L, index) != LUA_TSTRING)
        tg_place_error(L, "%s: the name of a group is a string, got a %s", what, luaL_typename(L, index));
    name.data = lua_tolstring(L, index, &name.length);
    if (name.length == 0 || name.length > TG_GROUP_NAME_MAX)
        tg_place_error(L, "%s: the name of a group has 1 to %d bytes, got %I", what, TG_GROUP_NAME_MAX,
                       (LUAI_UACINT)name.length);
    if (!tg_utf8_is_valid(name.data, name.length))
        tg_place_error(L, "%s: the name of a group is not UTF-8", what);
    return name;
}

const struct tg_slice *tg_publish_groups(lua_State *L, int index, const char *what,
                                         struct tg_scratch *scratch, uint32_t *count)
{
    bool is_list = lua_istable(L, index);
    lua_Unsigned length = is_list ? lua_rawlen(L, index) : 1;
    if (is_list && length == 0 && (lua_pushnil(L), lua_next(L, index)))
        tg_place_error(L, "%s: groups are a name or a list of names, got a table with other keys", what);
    struct tg_slice *names = tg_arena_calloc(&scratch->arena, (size_t)length + 1, sizeof *names);
    tg_world_check_memory(L, names);
    for (lua_Unsigned i = 0; i < length; i++) {
        if (is_list)
            lua_rawgeti(L, index, (lua_Integer)i + 1);
        else
            lua_pushvalue(L, index);
        struct tg_slice name = tg_publish_check_group(L, -1, what);
        lua_pop(L, 1); /* the list keeps it, and nobody changes the list before the names have been used */
        names[i] = name;
    }
    *count = (uint32_t)length;
    return names;
}
