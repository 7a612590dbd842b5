/* What tide.group and tide.user return is a userdata that holds a name and nothing else: who is behind it is
 * looked up each time. Its one user value is the world's, which lives as long as it. Connections are found by
 * their ids again before anything is done to each, since making their handles may run finalizers. */
#include "script/libs/group.h"

#include "core/group.h"
#include "core/user.h"
#include "script/conn_handle.h"
#include "script/conn_user.h"
#include "script/place.h"
#include "script/publish.h"

#include <lauxlib.h>
#include <string.h>

enum kind { GROUP, USER, KINDS };

struct face {
    struct tg_world *world;
    enum kind kind;
    size_t length;
    char name[];
};

static const char *const type_names[KINDS] = {TG_REGISTRY_PREFIX "group", TG_REGISTRY_PREFIX "user"};
static const char *const function_names[KINDS] = {"tide.group", "tide.user"};
static const char *const calls[KINDS] = {"tide.group(name)", "tide.user(id)"};

/* ---- tide.broadcast ---- */

enum { GROUPS = 1, MESSAGE, OPTIONS }; /* on the stack */

/* The connection that gets none: 0 for nobody. */
static uint64_t excluded(lua_State *L)
{
    static const char *const options[] = {"exclude", NULL};
    uint64_t id = 0;
    if (!tg_publish_check_options(L, OPTIONS, "tide.broadcast", options, "exclude = conn")) return 0;
    if (lua_getfield(L, OPTIONS, "exclude") != LUA_TNIL && !tg_conn_handle_read_id(L, -1, &id))
        tg_place_error(L, "tide.broadcast: exclude is a connection or the id of one, got %s",
                       tg_place_push_kind(L, -1));
    lua_pop(L, 1);
    return id;
}

/* tide.broadcast(groups, message [, { exclude = conn or id }]) -> how many got it | nil, why */
static int library_broadcast(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, OPTIONS);
    const struct tg_message_type *type =
        tg_publish_check_message(L, MESSAGE, "tide.broadcast", "tide.broadcast_event");
    tg_publish_check_served(L, world, "tide.broadcast", "connected");
    struct tg_publication publication = {.to = TG_TO_GROUPS, .group_kind = TG_GROUP_NAMED};
    publication.sender = excluded(L);
    publication.exclude_sender = publication.sender != 0;
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_publish_write(world, L, MESSAGE, type, (struct tg_slice){0}, scratch, &publication);
    publication.groups = tg_publish_groups(L, GROUPS, "tide.broadcast", scratch, &publication.group_count);
    return tg_publish(world, L, &publication);
}

/* ---- faces ---- */

static struct tg_slice name_of(const struct face *face)
{
    return (struct tg_slice){face->name, face->length};
}

/* For methods, whose upvalue 1 is the kind of what they are called on. */
static struct face *check_face(lua_State *L, const char *method)
{
    lua_Integer kind = lua_tointeger(L, lua_upvalueindex(1));
    struct face *face = luaL_testudata(L, 1, type_names[kind]);
    if (!face) tg_place_error(L, "%s is called with a colon: %s:%s()", method, calls[kind], method);
    tg_publish_check_served(L, face->world, function_names[face->kind], "connected");
    return face;
}

/* Appends the ids of who is behind it. */
static void collect(lua_State *L, const struct face *face, struct tg_buf *ids)
{
    const struct tg_worker *worker = face->world->worker;
    if (face->kind == GROUP) {
        const struct tg_group *group = tg_group_find(worker, TG_GROUP_NAMED, name_of(face));
        if (group) tg_group_ids(group, ids);
    } else {
        const struct tg_user *user = tg_user_find(worker, name_of(face));
        if (user) tg_user_ids(user, ids);
    }
    if (ids->has_failed) luaL_error(L, "not enough memory");
}

/* The i-th of the connections that were collected; NULL: it has gone. */
static struct tg_conn *collected(const struct face *face, const struct tg_buf *ids, size_t i)
{
    uint64_t id;
    memcpy(&id, ids->data + i * sizeof id, sizeof id);
    return tg_worker_find(face->world->worker, id);
}

static size_t count_of(const struct tg_buf *ids)
{
    return ids->length / sizeof(uint64_t);
}

/* group:count(), user:count() -> how many connections */
static int face_count(lua_State *L)
{
    const struct face *face = check_face(L, "count");
    const struct tg_worker *worker = face->world->worker;
    uint32_t count = 0;
    if (face->kind == GROUP) {
        const struct tg_group *group = tg_group_find(worker, TG_GROUP_NAMED, name_of(face));
        if (group) count = tg_group_count(group);
    } else {
        const struct tg_user *user = tg_user_find(worker, name_of(face));
        if (user) count = tg_user_count(user);
    }
    lua_pushinteger(L, count);
    return 1;
}

/* Pushes { id =, user =, conn = }. [-0, +1, e] */
static void push_member(lua_State *L, struct tg_world *world, struct tg_conn *conn)
{
    char text[TG_CONN_ID_BYTES];
    struct tg_slice id = tg_conn_id_text(conn->id, text);
    lua_createtable(L, 0, 3);
    lua_pushlstring(L, id.data, id.length);
    lua_setfield(L, -2, "id");
    tg_conn_handle_push(world, L, conn);
    lua_getfield(L, -1, "user");
    lua_setfield(L, -3, "user");
    lua_setfield(L, -2, "conn");
}

/* A list of what `push` makes of each connection. */
static int push_all(lua_State *L, const struct face *face,
                    void (*push)(lua_State *L, struct tg_world *world, struct tg_conn *conn))
{
    struct tg_scratch *scratch = tg_scratch_push(face->world, L);
    collect(L, face, &scratch->text);
    size_t count = count_of(&scratch->text);
    lua_createtable(L, (int)count, 0);
    lua_Integer place = 0;
    for (size_t i = 0; i < count; i++) {
        struct tg_conn *conn = collected(face, &scratch->text, i);
        if (!conn) continue;
        push(L, face->world, conn);
        lua_rawseti(L, -2, ++place);
    }
    return 1;
}

static void push_conn(lua_State *L, struct tg_world *world, struct tg_conn *conn)
{
    tg_conn_handle_push(world, L, conn);
}

/* group:members() -> list of { id =, user =, conn = }, in the order of joining */
static int group_members(lua_State *L)
{
    return push_all(L, check_face(L, "members"), push_member);
}

/* user:connections() -> list of connections, oldest first */
static int user_connections(lua_State *L)
{
    return push_all(L, check_face(L, "connections"), push_conn);
}

/* group:close([code [, reason]]), user:close(...) -> how many were closed */
static int face_close(lua_State *L)
{
    const struct face *face = check_face(L, "close");
    struct tg_slice reason;
    uint16_t code = tg_conn_handle_check_close(L, &reason);
    struct tg_scratch *scratch = tg_scratch_push(face->world, L);
    collect(L, face, &scratch->text);
    lua_Integer closed = 0;
    for (size_t i = 0; i < count_of(&scratch->text); i++) {
        struct tg_conn *conn = collected(face, &scratch->text, i);
        closed += conn && tg_conn_close(conn, code, reason) == TG_OK;
    }
    lua_pushinteger(L, closed);
    return 1;
}

/* group:send(message), user:send(message) -> how many got it | nil, why */
static int face_send(lua_State *L)
{
    static const char *const whats[KINDS] = {"group:send", "user:send"};
    const struct face *face = check_face(L, "send");
    struct tg_slice name = name_of(face);
    lua_settop(L, MESSAGE);
    const struct tg_message_type *type =
        tg_publish_check_message(L, MESSAGE, whats[face->kind], "tide.broadcast_event");
    struct tg_scratch *scratch = tg_scratch_push(face->world, L);
    struct tg_publication publication = {.to = face->kind == GROUP ? TG_TO_GROUPS : TG_TO_USER,
                                         .group_kind = TG_GROUP_NAMED,
                                         .groups = &name,
                                         .group_count = 1,
                                         .user = name};
    tg_publish_write(face->world, L, MESSAGE, type, (struct tg_slice){0}, scratch, &publication);
    return tg_publish(face->world, L, &publication);
}

static int face_tostring(lua_State *L)
{
    const struct face *face = luaL_testudata(L, 1, type_names[GROUP]);
    if (!face) face = luaL_checkudata(L, 1, type_names[USER]);
    lua_pushfstring(L, "%s %s", face->kind == GROUP ? "group" : "user", face->name);
    return 1;
}

/* ---- making them ---- */

static int push_face(lua_State *L, enum kind kind, struct tg_slice name)
{
    struct face *face = lua_newuserdatauv(L, sizeof *face + name.length + 1, 1);
    face->world = lua_touserdata(L, lua_upvalueindex(1));
    face->kind = kind;
    face->length = name.length;
    memcpy(face->name, name.data, name.length);
    face->name[name.length] = '\0';
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, type_names[kind]);
    return 1;
}

/* tide.group(name) */
static int library_group(lua_State *L)
{
    return push_face(L, GROUP, tg_publish_check_group(L, 1, function_names[GROUP]));
}

/* tide.user(id) */
static int library_user(lua_State *L)
{
    struct tg_slice id = {0};
    if (tg_conn_user_push_id(L, 1)) id.data = lua_tolstring(L, -1, &id.length);
    if (id.length == 0)
        return tg_place_error(
            L, "tide.user: the id of a user is a string that is not empty or an integer, got a %s",
            luaL_typename(L, 1));
    return push_face(L, USER, id);
}

static void install_type(lua_State *L, enum kind kind, const luaL_Reg *methods)
{
    luaL_newmetatable(L, type_names[kind]);
    lua_newtable(L);
    lua_pushinteger(L, kind);
    luaL_setfuncs(L, methods, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, face_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}

void tg_group_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"broadcast", library_broadcast}, {"group", library_group}, {"user", library_user}, {NULL, NULL}};
    static const luaL_Reg group_methods[] = {{"count", face_count},
                                             {"members", group_members},
                                             {"send", face_send},
                                             {"close", face_close},
                                             {NULL, NULL}};
    static const luaL_Reg user_methods[] = {{"count", face_count},
                                            {"connections", user_connections},
                                            {"send", face_send},
                                            {"close", face_close},
                                            {NULL, NULL}};
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
    install_type(L, GROUP, group_methods);
    install_type(L, USER, user_methods);
}
