/* Where a module is looked for, in this order:
 *   1. what the world has loaded already
 *   2. tidegate's own modules, carried in the program
 *   3. the application: ENTRIES/a/b.lua, ENTRIES/a/b/init.lua, then the same below the served folder
 *   4. what is installed for Lua 5.4: package.path and package.cpath
 * Everything found is loaded into this world, so two worlds never share a module table. */
#include "script/require.h"

#include "script/embedded.h"
#include "script/reading.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>
#include <unistd.h>

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

/* Pushes what the running loader has to tell: LOADED[name], or true when it is nil. [-1, +1, e]
 * The value on top is what the module returned. */
static void remember(struct tg_world *world, lua_State *L, const char *name)
{
    tg_world_push(world, L, TG_REF_LOADED);
    if (lua_isnil(L, -2)) {
        lua_pushboolean(L, 1);
        lua_replace(L, -3);
    }
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* Marks a module as being loaded, so that a ring of requires is an error instead of a stack overflow. */
static void begin_loading(struct tg_world *world, lua_State *L, const char *name)
{
    tg_world_push(world, L, TG_REF_LOADED);
    lua_pushlightuserdata(L, world);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

/* end_loading(): upvalues world, name. A failed module is forgotten, so that the next require tells the same
 * again. */
static int end_loading(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    tg_world_push(world, L, TG_REF_LOADED);
    lua_pushvalue(L, lua_upvalueindex(2));
    if (lua_rawget(L, -2) != LUA_TLIGHTUSERDATA || lua_touserdata(L, -1) != world) return 0;
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_pushnil(L);
    lua_rawset(L, -4);
    return 0;
}

/* Pushes what calls end_loading when it is closed. [-0, +1, e] */
static void push_guard(struct tg_world *world, lua_State *L, const char *name)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    tg_world_push_self(world, L);
    lua_pushstring(L, name);
    lua_pushcclosure(L, end_loading, 2);
    lua_setfield(L, -2, "__close");
    lua_setmetatable(L, -2);
}

/* Runs the chunk on top as module `name` found in `where`. Not protected: whoever tells of an error would see
 * nothing of the calls that led to it. [-1, +1, e] */
static void run_chunk(struct tg_world *world, lua_State *L, const char *name, const char *where)
{
    push_guard(world, L, name);
    lua_insert(L, -2);
    int guard = lua_gettop(L) - 1;
    lua_toclose(L, guard);
    begin_loading(world, L, name);
    lua_pushstring(L, name);
    lua_pushstring(L, where);
    lua_call(L, 2, 1);
    remember(world, L, name);
    lua_closeslot(L, guard);
    lua_remove(L, guard);
}

static void require_file(struct tg_world *world, lua_State *L, enum tg_world_ref env, const char *name,
                         const char *path)
{
    tg_world_push(world, L, TG_REF_LOADED);
    int type = lua_getfield(L, -1, name);
    lua_remove(L, -2);
    if (type != LUA_TNIL) return;
    lua_pop(L, 1);
    tg_reading_push_file(world, L, path);
    size_t length;
    const char *text = lua_tolstring(L, -1, &length);
    lua_pushfstring(L, "@%s", path);
    tg_world_load(world, L, env, text, length, lua_tostring(L, -1));
    lua_replace(L, -3);
    lua_pop(L, 1);
    run_chunk(world, L, name, path);
}

void tg_require_file(struct tg_world *world, lua_State *L, const char *name, const char *path)
{
    require_file(world, L, TG_REF_ENV, name, path);
}

static bool require_embedded(struct tg_world *world, lua_State *L, const char *name)
{
    for (const struct tg_embedded_module *module = tg_embedded_modules; module->name; module++) {
        if (strcmp(module->name, name) != 0) continue;
        tg_world_load(world, L, TG_REF_OWN_ENV, module->text, module->length, module->chunk);
        run_chunk(world, L, name, module->chunk + 1);
        return true;
    }
    return false;
}

/* Tries FOLDER/a/b.lua and FOLDER/a/b/init.lua; adds what it tried to the string on top. [-1, +1, e] */
static bool require_below(struct tg_world *world, lua_State *L, const char *folder, const char *name)
{
    static const char *const endings[] = {".lua", "/init.lua"};
    const char *relative = luaL_gsub(L, name, ".", "/");
    for (size_t i = 0; i < 2; i++) {
        const char *path = lua_pushfstring(L, "%s/%s%s", folder, relative, endings[i]);
        tg_reading_look(world, L, path);
        if (access(path, F_OK) == 0) {
            tg_require_file(world, L, name, path);
            return true;
        }
        lua_pushfstring(L, "%s\n  no file %s", lua_tostring(L, -3), path);
        lua_replace(L, -4);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return false;
}

/* As require_below. A world that has loaded nothing, such as that of specs at first, has no application. */
static bool require_application(struct tg_world *world, lua_State *L, const char *name)
{
    if (!world->root) return false;
    if (require_below(world, L, world->entries, name)) return true;
    return strcmp(world->root, world->entries) != 0 && require_below(world, L, world->root, name);
}

/* Notes where the search that follows will look: what comes there first would be found. [-0, +0, e] */
static void look_at_installed(struct tg_world *world, lua_State *L, const char *name, const char *field)
{
    int top = lua_gettop(L);
    const char *relative = luaL_gsub(L, name, ".", LUA_DIRSEP);
    lua_getfield(L, lua_upvalueindex(2), field);
    const char *next = lua_tostring(L, -1);
    for (bool is_found = !world->files || !next; !is_found && *next;) {
        size_t length = strcspn(next, LUA_PATH_SEP);
        lua_pushlstring(L, next, length);
        const char *path = luaL_gsub(L, lua_tostring(L, -1), LUA_PATH_MARK, relative);
        is_found = access(path, R_OK) == 0;
        if (!is_found) tg_reading_look(world, L, path);
        lua_pop(L, 2);
        next += length + (next[length] != '\0');
    }
    lua_settop(L, top);
}

/* package.searchpath(name, package.FIELD); pushes the file's name. [-0, +1 or +0, e] */
static const char *search_installed(struct tg_world *world, lua_State *L, const char *name, const char *field)
{
    look_at_installed(world, L, name, field);
    lua_getfield(L, lua_upvalueindex(2), "searchpath");
    lua_pushstring(L, name);
    lua_getfield(L, lua_upvalueindex(2), field);
    lua_call(L, 2, 1);
    if (lua_isstring(L, -1)) return lua_tostring(L, -1);
    lua_pop(L, 1);
    return NULL;
}

static bool require_installed(struct tg_world *world, lua_State *L, const char *name)
{
    const char *path = search_installed(world, L, name, "path");
    if (path) {
        require_file(world, L, TG_REF_INSTALLED_ENV, name, path);
        return true;
    }
    path = search_installed(world, L, name, "cpath");
    if (!path) return false;
    const char *opener = lua_pushfstring(L, "luaopen_%s", luaL_gsub(L, name, ".", "_"));
    lua_pushvalue(L, lua_upvalueindex(3)); /* package.loadlib, which is for require alone */
    lua_pushstring(L, path);
    lua_pushstring(L, opener);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2)) luaL_error(L, "module '%s' in %s: %s", name, path, lua_tostring(L, -1));
    lua_pop(L, 1);
    run_chunk(world, L, name, path);
    return true;
}

/* require(name) */
static int world_require(lua_State *L)
{
    struct tg_world *world = world_of(L);
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    tg_world_push(world, L, TG_REF_LOADED);
    lua_getfield(L, -1, name);
    if (lua_touserdata(L, -1) == world)
        return luaL_error(L,
                          "module '%s' is being loaded already: modules that require each other in a ring "
                          "must put what they share into a third one",
                          name);
    if (!lua_isnil(L, -1)) return 1;
    lua_pop(L, 1);
    if (require_embedded(world, L, name)) return 1;
    lua_pushliteral(L, "");
    if (require_application(world, L, name)) return 1;
    const char *tried = lua_tostring(L, -1);
    if (require_installed(world, L, name)) return 1;
    return luaL_error(L, "module '%s' was not found:%s\n  nor among what is installed for Lua 5.4", name,
                      tried);
}

void tg_require_install(struct tg_world *world, lua_State *L)
{
    /* The stock library is opened aside: its tables serve the search and nothing else. The `require` that it
     * puts among the globals would search with them, so it gets others. */
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_newtable(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushcfunction(L, luaopen_package);
    lua_call(L, 0, 1);
    lua_insert(L, -2);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_newtable(L); /* package of this world */
    static const char *const fields[] = {"path", "cpath", "config", "searchpath"};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        lua_getfield(L, -2, fields[i]);
        lua_setfield(L, -2, fields[i]);
    }
    tg_world_push(world, L, TG_REF_LOADED);
    lua_setfield(L, -2, "loaded");
    tg_world_push_self(world, L);
    lua_pushvalue(L, -2);
    lua_getfield(L, -4, "loadlib");
    lua_pushcclosure(L, world_require, 3);
    lua_setfield(L, -4, "require");
    lua_setfield(L, -3, "package");
    lua_pop(L, 1);
}
