/* The file runs in a small state of its own, with string, table and math and nothing that reaches outside:
 * settings are data. They are set in byte order of their names, so that the first error is always the same.
 */
#include "script/settings.h"

#include "script/call.h"

#include <lauxlib.h>
#include <lualib.h>
#include <unistd.h>

struct reading {
    const char *path;
    struct tg_config *config;
    struct tg_error *error;
    enum tg_status status;
};

static void open_libraries(lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_GNAME, luaopen_base},
        {LUA_STRLIBNAME, luaopen_string},
        {LUA_TABLIBNAME, luaopen_table},
        {LUA_MATHLIBNAME, luaopen_math},
    };
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        luaL_requiref(L, libraries[i].name, libraries[i].func, 1);
        lua_pop(L, 1);
    }
    static const char *const reaching_out[] = {"dofile", "loadfile"};
    for (size_t i = 0; i < sizeof reaching_out / sizeof reaching_out[0]; i++) {
        lua_pushnil(L);
        lua_setglobal(L, reaching_out[i]);
    }
}

/* Pushes the texts of the list on top with commas between them. [-0, +1, e] */
static void join(lua_State *L, const struct reading *reading, const char *name)
{
    int list = lua_gettop(L);
    luaL_Buffer joined;
    luaL_buffinit(L, &joined);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, list, i) != LUA_TSTRING || strchr(lua_tostring(L, -1), ','))
            luaL_error(L, "%s: %s: a list has strings without commas in it", reading->path, name);
        luaL_addvalue(&joined);
        if (i < count) luaL_addchar(&joined, ',');
    }
    luaL_pushresult(&joined);
}

/* The setting whose name and value are on top. */
static void set(lua_State *L, struct reading *reading)
{
    struct tg_slice name, text;
    name.data = lua_tolstring(L, -2, &name.length);
    if (lua_isfunction(L, -1) || (lua_istable(L, -1) && lua_rawlen(L, -1) == 0))
        luaL_error(L, "%s: %s: a setting is a string, a number, a boolean or a list of strings, got a %s",
                   reading->path, name.data, luaL_typename(L, -1));
    if (lua_istable(L, -1))
        join(L, reading, name.data);
    else
        lua_pushvalue(L, -1);
    text.data = luaL_tolstring(L, -1, &text.length);
    lua_remove(L, -2);
    reading->status = tg_config_set(reading->config, reading->path, name, text, reading->error);
    lua_pop(L, 1);
}

/* read(reading) */
static int read_settings(lua_State *L)
{
    struct reading *reading = lua_touserdata(L, 1);
    open_libraries(L);
    if (luaL_loadfilex(L, reading->path, "t") != LUA_OK) return lua_error(L);
    lua_call(L, 0, 1);
    if (!lua_istable(L, -1)) luaL_error(L, "%s: it must return a table of settings", reading->path);
    int table = lua_gettop(L);
    lua_getglobal(L, "table");
    lua_getfield(L, -1, "sort");
    lua_newtable(L);
    int names = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "%s: settings have names: { port = 9000 }", reading->path);
        lua_pushvalue(L, -2);
        lua_rawseti(L, names, (lua_Integer)lua_rawlen(L, names) + 1);
    }
    lua_pushvalue(L, -2);
    lua_pushvalue(L, names);
    lua_call(L, 1, 0);
    for (lua_Integer i = 1; reading->status == TG_OK && lua_rawgeti(L, names, i) != LUA_TNIL; i++) {
        lua_pushvalue(L, -1);
        lua_rawget(L, table);
        set(L, reading);
        lua_pop(L, 2);
    }
    return 0;
}

enum tg_status tg_settings_load(const char *path, struct tg_config *config, struct tg_error *error)
{
    if (access(path, R_OK) != 0)
        return tg_error_set(error, TG_E_NOT_FOUND, "%s: there is no such file", path);
    lua_State *L = luaL_newstate();
    if (!L) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    struct reading reading = {.path = path, .config = config, .error = error};
    if (tg_call_traced(L, read_settings, &reading, NULL) != LUA_OK) {
        size_t length;
        const char *text = lua_tolstring(L, -1, &length);
        struct tg_slice first_line = {text, text ? strcspn(text, "\n") : 0};
        reading.status = tg_error_set(error, TG_E_SCRIPT, "%.*s", TG_SLICE_ARG(first_line));
    }
    lua_close(L);
    return reading.status;
}
