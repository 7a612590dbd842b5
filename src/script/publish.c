/* The texts are written one behind the other into the text of the box, while no Lua code runs; slices into it
 * are taken when both are there. */
#include "script/publish.h"

#include "base/log.h"
#include "base/utf8.h"
#include "core/generation.h"
#include "core/group.h"
#include "core/user.h"
#include "core/worker.h"
#include "script/conn_handle.h"
#include "script/place.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <string.h>

const char tg_publish_unreachable[] = "the channel layer does not answer";

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

/* Whether a client of any generation reads names in camel case. A closed app has none. */
static bool has_camel(const struct tg_world *world)
{
    return world->worker && tg_generations_have_camel(world->worker);
}

void tg_publish_write(struct tg_world *world, lua_State *L, int index, const struct tg_message_type *type,
                      struct tg_slice topic, struct tg_scratch *scratch, struct tg_publication *publication)
{
    struct tg_buf *out = &scratch->text;
    size_t ends[TG_NAMINGS];
    bool is_camel_needed = has_camel(world) && !type->clash.data;
    tg_message_push_payload(world, L, index, type);
    tg_buf_truncate(out, 0);
    for (int naming = 0; naming < TG_NAMINGS; naming++) {
        if (naming == TG_NAMING_DECLARED || is_camel_needed)
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
    if (!world->tasks) tg_place_error(L, "%s: the app is closed, or serves newer code", what);
    if (!world->worker) /* a world that is loading has none yet */
        tg_place_error(L, "%s: nobody is %s while modules load; tide.on_start runs when they have", what,
                       done);
}

const struct tg_message_type *tg_publish_check_message(lua_State *L, int index, const char *method,
                                                       const char *teller)
{
    const struct tg_message_type *type = tg_conn_handle_check_message(L, index, method);
    if (type->role == TG_ROLE_EVENT)
        tg_place_error(L, "%s: the event '%s' is not for clients: %s tells it to consumers", method,
                       type->action.data, teller);
    return type;
}

const struct tg_message_type *tg_publish_check_event(lua_State *L, int index, const char *method)
{
    const struct tg_message_type *type = tg_message_type_of_instance(L, index);
    if (!type)
        tg_place_error(L,
                       "%s: an event is expected (what tide.event returned, called with its payload), got %s",
                       method, tg_message_type_push_misuse(L, index));
    else if (type->role != TG_ROLE_EVENT)
        tg_place_error(L, "%s: '%s' is a message for clients, and no event: tide.event declares one", method,
                       type->action.data);
    return type;
}

/* ---- options ---- */

static bool is_known(const char *const *known, const char *name)
{
    while (*known && strcmp(*known, name) != 0) known++;
    return *known != NULL;
}

/* Raises the name at `index`, and says which there are. */
static void fail_unknown(lua_State *L, int index, const char *method, const char *const *known)
{
    const char *name = luaL_tolstring(L, index, NULL), *names = *known;
    while (*++known) names = lua_pushfstring(L, "%s, %s", names, *known);
    tg_place_error(L, "%s: unknown option '%s' (options: %s)", method, name, names);
}

bool tg_publish_check_options(lua_State *L, int index, const char *method, const char *const *known,
                              const char *example)
{
    if (lua_isnil(L, index)) return false;
    if (!lua_istable(L, index) || luaL_getmetafield(L, index, "__name") != LUA_TNIL)
        tg_place_error(L, "%s: expected a table of options, as in { %s }, got %s", method, example,
                       tg_place_push_kind(L, index));
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING || !is_known(known, lua_tostring(L, -2)))
            fail_unknown(L, -2, method, known);
    return true;
}

bool tg_publish_excludes_current(lua_State *L, int index, const char *method)
{
    lua_getfield(L, index, "exclude_current");
    if (!lua_isnil(L, -1) && !lua_isboolean(L, -1))
        tg_place_error(L, "%s: exclude_current is true or false, got %s", method, tg_place_push_kind(L, -1));
    bool excludes = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return excludes;
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
    if (publication->kind == TG_PUBLISH_MESSAGE && has_camel(world) &&
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
    lua_pushstring(L, status == TG_E_FULL ? "full" : tg_publish_unreachable);
    return 2;
}

/* ---- names ---- */

struct tg_slice tg_publish_check_group(lua_State *L, int index, const char *what)
{
    struct tg_slice name = {0};
    if (lua_type(L, index) != LUA_TSTRING)
        tg_place_error(L, "%s: the name of a group is a string, got %s", what, tg_place_push_kind(L, index));
    name.data = lua_tolstring(L, index, &name.length);
    if (name.length == 0 || name.length > TG_GROUP_NAME_MAX)
        tg_place_error(L, "%s: the name of a group has 1 to %d bytes, got %I", what, TG_GROUP_NAME_MAX,
                       (LUAI_UACINT)name.length);
    if (!tg_utf8_is_valid(name.data, name.length))
        tg_place_error(L, "%s: the name of a group is not UTF-8", what);
    return name;
}

/* A table that is something else: with a name of its own, or with keys. */
static void check_list(lua_State *L, int index, const char *what)
{
    static const char text[] = "%s: groups are a name or a list of names, got %s%s";
    if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) {
        bool is_topic = strcmp(lua_tostring(L, -1), "tidegate.topic") == 0;
        tg_place_error(L, text, what, tg_place_push_kind(L, index),
                       is_topic ? ": Topic:broadcast reaches its subscribers" : "");
    }
    if (lua_rawlen(L, index) > 0) return;
    lua_pushnil(L);
    if (lua_next(L, index)) tg_place_error(L, text, what, "a table with other keys", "");
}

const struct tg_slice *tg_publish_groups(lua_State *L, int index, const char *what,
                                         struct tg_scratch *scratch, uint32_t *count)
{
    bool is_list = lua_istable(L, index);
    lua_Unsigned length = is_list ? lua_rawlen(L, index) : 1;
    if (is_list) check_list(L, index, what);
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
