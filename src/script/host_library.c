/* Every function has the world as upvalue 1. */
#include "script/host_library.h"

#include "base/log.h"
#include "script/events.h"
#include "script/libs/group.h"
#include "script/libs/http.h"
#include "script/libs/keep.h"
#include "script/libs/life.h"
#include "script/libs/process.h"
#include "script/libs/queue.h"
#include "script/libs/task.h"
#include "script/libs/tcp.h"
#include "script/libs/topic.h"
#include "script/message_type.h"
#include "script/place.h"
#include "script/table.h"
#include "wire/format.h"
#include "wire/pattern.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* A line has at most so many fields of the user's, beside text and source. */
enum { MAX_FIELDS = 16 };

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* is_loading() -> boolean: whether anything may be declared. What is stays as long as the code that was
 * loaded, so a handler that declares would fill the memory. */
static int host_is_loading(lua_State *L)
{
    lua_pushboolean(L, !world_of(L)->is_loaded);
    return 1;
}

/* message_type(type_table) -> constructor */
static int host_message_type(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    tg_message_type_push_constructor(world_of(L), L, 1);
    return 1;
}

/* declared(declaration): notes that it was made, until its module returns it. */
static int host_declared(lua_State *L)
{
    struct tg_world *world = world_of(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    tg_world_push(world, L, TG_REF_DECLARED);
    lua_Integer place = (lua_Integer)lua_rawlen(L, -1) + 1;
    lua_getfield(L, 1, "source");
    lua_rawseti(L, -2, place);
    lua_pushvalue(L, 1);
    lua_pushinteger(L, place);
    lua_rawset(L, -3);
    return 0;
}

void tg_declared_forget(struct tg_world *world, lua_State *L, int index)
{
    index = lua_absindex(L, index);
    tg_world_push(world, L, TG_REF_DECLARED);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    lua_Integer place = lua_tointeger(L, -1);
    lua_pushboolean(L, 0);
    lua_rawseti(L, -3, place);
    lua_pop(L, 2);
}

/* array([table]) -> the table, marked so that it is written as an array even when it is empty */
static int host_array(lua_State *L)
{
    if (lua_isnoneornil(L, 1)) lua_newtable(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    if (lua_getmetatable(L, 1) && !tg_is_marked_array(world_of(L), L, 1))
        return luaL_argerror(L, 1, "the table has a metatable of its own");
    lua_settop(L, 1);
    tg_mark_array(world_of(L), L);
    return 1;
}

/* check_pattern(text) -> nil, or what is wrong with it */
static int host_check_pattern(lua_State *L)
{
    struct tg_slice pattern;
    struct tg_error error;
    pattern.data = luaL_checklstring(L, 1, &pattern.length);
    enum tg_status status = tg_pattern_check(pattern, &error);
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status == TG_OK) return 0;
    lua_pushstring(L, error.text);
    return 1;
}

/* Pushes the names of all formats. [-0, +1, e] */
static void push_formats(lua_State *L)
{
    lua_createtable(L, TG_FORMATS, 0);
    for (int format = TG_FORMAT_NONE + 1; format < TG_FORMATS; format++) {
        lua_pushstring(L, tg_format_name((enum tg_format)format));
        lua_rawseti(L, -2, format);
    }
}

static int visible_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L);
}

/* The function that `visible` returned: calls upvalue 1. */
static int call_visibly(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, visible_done);
    return visible_done(L, LUA_OK, 0);
}

/* visible(function) -> function: the same, but `return f()` does not take the caller off the stack, as a
 * tail call does: the line that an error has to name stays. */
static int host_visible(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    lua_pushcclosure(L, call_visibly, 1);
    return 1;
}

static bool is_field_name(const char *name)
{
    return *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == strlen(name);
}

/* Keeps the string on top alive in the table at `texts`. [-1, +0, e] */
static void anchor(lua_State *L, int texts)
{
    lua_rawseti(L, texts, (lua_Integer)lua_rawlen(L, texts) + 1);
}

/* Adds the pair on top (key, value) as a log field. Both texts stay anchored in the table at `texts`: turning
 * a value into text may run a __tostring of the user's, which may take the key out of its table. */
static void add_log_field(lua_State *L, int texts, struct tg_log_field *field)
{
    if (lua_type(L, -2) != LUA_TSTRING || !is_field_name(lua_tostring(L, -2)))
        luaL_error(L, "a log field's name is made of letters, digits, '_' and '.', got '%s'",
                   luaL_tolstring(L, -2, NULL));
    const char *key = lua_tostring(L, -2);
    lua_pushvalue(L, -2);
    anchor(L, texts);
    if (lua_isinteger(L, -1)) {
        *field = TG_LOG_I(key, lua_tointeger(L, -1));
        return;
    }
    struct tg_slice text;
    text.data = luaL_tolstring(L, -1, &text.length);
    anchor(L, texts);
    *field = TG_LOG_STR(key, text);
}

static int compare_fields(const void *a, const void *b)
{
    return strcmp(((const struct tg_log_field *)a)->key, ((const struct tg_log_field *)b)->key);
}

/* log(level, text, fields|nil) */
static int host_log(lua_State *L)
{
    static const char *const names[] = {"debug", "info", "warning", "error", NULL};
    enum tg_log_level level = (enum tg_log_level)luaL_checkoption(L, 1, NULL, names);
    if (!tg_log_is_on(level)) return 0;
    struct tg_log_field fields[MAX_FIELDS + 3] = {0};
    size_t count = 0;
    lua_settop(L, 3);
    lua_newtable(L);
    for (lua_pushnil(L); lua_istable(L, 3) && lua_next(L, 3); lua_pop(L, 1)) {
        if (count == MAX_FIELDS) luaL_error(L, "a log line has at most %d fields", MAX_FIELDS);
        add_log_field(L, 4, &fields[2 + count++]);
    }
    qsort(fields + 2, count, sizeof *fields, compare_fields);
    struct tg_slice text;
    text.data = luaL_tolstring(L, 2, &text.length);
    fields[0] = TG_LOG_STR("text", text);
    tg_place_push(L);
    fields[1] = TG_LOG_S("source", lua_tostring(L, -1));
    tg_log_write(level, "script", fields);
    return 0;
}

bool tg_is_visible_call(lua_CFunction function)
{
    return function == call_visibly;
}

void tg_host_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"message_type", host_message_type},
        {"is_loading", host_is_loading},
        {"declared", host_declared},
        {"array", host_array},
        {"visible", host_visible},
        {"log", host_log},
        {"check_pattern", host_check_pattern},
        {NULL, NULL},
    };
    tg_world_push(world, L, TG_REF_LOADED);
    luaL_newlibtable(L, functions);
    tg_world_push_self(world, L);
    luaL_setfuncs(L, functions, 1);
    tg_life_library_install(world, L);
    tg_group_library_install(world, L);
    tg_queue_library_install(world, L);
    tg_keep_library_install(world, L);
    tg_task_library_install(world, L);
    tg_tcp_library_install(world, L);
    tg_process_library_install(world, L);
    tg_http_library_install(world, L);
    tg_topic_library_install(world, L);
    tg_events_library_install(world, L);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    push_formats(L);
    lua_setfield(L, -2, "formats");
    lua_pushstring(L, tg_config_is_development(world->config) ? "development" : "production");
    lua_setfield(L, -2, "mode");
    lua_setfield(L, -2, "tidegate.host");
    lua_pop(L, 1);
}
