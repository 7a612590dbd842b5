/* A handle is a userdata whose user value is the name. The initial values lie in the world under
 * TG_REF_KEEPS, name -> bytes: the first of a name counts, within a load and among generations. */
#include "script/libs/keep.h"

#include "base/log.h"
#include "base/utf8.h"
#include "core/keep.h"
#include "script/call.h"
#include "script/place.h"
#include "script/plain.h"
#include "script/scratch.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

static const char keep_name[] = TG_REGISTRY_PREFIX "keep";

enum { NAME_MAX_BYTES = 200 };

struct keep {
    struct tg_world *world;
};

static struct tg_slice slice_at(lua_State *L, int index)
{
    struct tg_slice text;
    text.data = lua_tolstring(L, index, &text.length);
    return text;
}

/* ---- values ---- */

/* The first thing that cannot be kept. */
struct refusal {
    char text[160];
    bool is_refused;
};

static bool refuse(void *context, struct tg_slice path, const char *what)
{
    struct refusal *refusal = context;
    snprintf(refusal->text, sizeof refusal->text, "%.*s %s", TG_SLICE_ARG(path), what);
    refusal->is_refused = true;
    return false;
}

/* Writes the value at `index`; raises what is not plain: nothing is left out in silence. */
static void write_value(struct tg_world *world, lua_State *L, int index, const char *method,
                        struct tg_buf *out)
{
    struct refusal refusal = {.is_refused = false};
    const struct tg_plain plain = {.name = "the value", .left_out = refuse, .context = &refusal};
    if (tg_plain_write(world, L, index, &plain, out) != TG_OK) luaL_error(L, "not enough memory");
    if (refusal.is_refused)
        tg_place_error(
            L, "%s: %s; what is kept is plain data: booleans, numbers, strings, null, and tables of them",
            method, refusal.text);
}

/* Pushes a copy of what is kept under the name at `name`; of what nobody could keep, the initial value.
 * [-0, +1, e] */
static void push_value(struct tg_world *world, lua_State *L, int name)
{
    struct tg_slice bytes = tg_keep_get(world->worker, slice_at(L, name));
    if (!bytes.data) {
        tg_world_push(world, L, TG_REF_KEEPS);
        lua_pushvalue(L, name);
        lua_rawget(L, -2);
        lua_replace(L, -2);
        bytes = slice_at(L, -1);
    } else {
        lua_pushnil(L);
    }
    if (tg_plain_read(world, L, bytes) != TG_OK) luaL_error(L, "what is kept is damaged");
    lua_replace(L, -2);
}

/* Keeps the value at `index` under the name at `name`: pushes that value, or nil and "full". [-0, +1|2, e] */
static int keep_value(struct tg_world *world, lua_State *L, int name, int index, const char *method)
{
    index = lua_absindex(L, index);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    write_value(world, L, index, method, &scratch->text);
    enum tg_status status = tg_keep_set(world->worker, slice_at(L, name), tg_buf_peek(&scratch->text));
    tg_scratch_pop(L);
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status == TG_OK) {
        lua_pushvalue(L, index);
        return 1;
    }
    luaL_pushfail(L);
    lua_pushstring(L, tg_status_name(status));
    return 2;
}

/* ---- methods ---- */

enum { KEEP = 1, VALUE, NAME }; /* on the stack */

/* The world of the handle at KEEP, when it serves; the name is pushed at NAME. Raises at the user's line. */
static struct tg_world *check_keep(lua_State *L, const char *method)
{
    const struct keep *keep = luaL_testudata(L, KEEP, keep_name);
    if (!keep)
        tg_place_error(L, "%s is called with a colon, on what tide.keep returned: scores:%s(...)", method,
                       strchr(method, ':') + 1);
    struct tg_world *world = keep->world;
    if (!world->tasks) tg_place_error(L, "%s: the app is closed, or serves newer code", method);
    if (!world->worker)
        tg_place_error(
            L,
            "%s: nothing is kept while modules load, since this code may never serve: read and set it "
            "in handlers, hooks and tide.on_start",
            method);
    lua_settop(L, VALUE);
    lua_getiuservalue(L, KEEP, 1);
    return world;
}

/* keep:get() -> a copy of the value */
static int keep_get(lua_State *L)
{
    struct tg_world *world = check_keep(L, "keep:get");
    push_value(world, L, NAME);
    return 1;
}

/* keep:set(value) -> value | nil, "full" */
static int keep_set(lua_State *L)
{
    luaL_checkany(L, VALUE);
    struct tg_world *world = check_keep(L, "keep:set");
    return keep_value(world, L, NAME, VALUE, "keep:set");
}

/* keep:update(function(value) return value end) -> value | nil, "full". Nothing comes between reading and
 * setting, since the function cannot wait. */
static int keep_update(lua_State *L)
{
    struct tg_world *world = check_keep(L, "keep:update");
    if (!lua_isfunction(L, VALUE))
        tg_place_error(L,
                       "keep:update: expected a function that gets the value and returns the new one, got %s",
                       tg_place_push_kind(L, VALUE));
    lua_pushvalue(L, VALUE);
    push_value(world, L, NAME);
    lua_call(L, 1, LUA_MULTRET);
    if (lua_gettop(L) == NAME)
        tg_place_error(L, "keep:update: the function returned nothing: it returns the value that is kept");
    if (!world->worker) tg_place_error(L, "keep:update: the app is closed, or serves newer code");
    lua_settop(L, NAME + 1);
    return keep_value(world, L, NAME, NAME + 1, "keep:update");
}

static int keep_tostring(lua_State *L)
{
    luaL_checkudata(L, KEEP, keep_name);
    lua_getiuservalue(L, KEEP, 1);
    lua_pushfstring(L, "keep \"%s\"", lua_tostring(L, -1));
    return 1;
}

/* ---- declaring ---- */

static void check_name(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TSTRING)
        tg_place_error(L, "tide.keep: expected a name, a string, got %s", tg_place_push_kind(L, 1));
    struct tg_slice name = slice_at(L, 1);
    if (name.length == 0 || name.length > NAME_MAX_BYTES || !tg_utf8_is_valid(name.data, name.length))
        tg_place_error(L, "tide.keep: a name has 1 to %d bytes of UTF-8", NAME_MAX_BYTES);
}

/* Notes the initial value at 2, unless the name at 1 has one. */
static void note_initial(struct tg_world *world, lua_State *L)
{
    tg_world_push(world, L, TG_REF_KEEPS);
    int keeps = lua_gettop(L);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, keeps) != LUA_TNIL) return;
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    write_value(world, L, 2, "tide.keep", &scratch->text);
    lua_pushvalue(L, 1);
    lua_pushlstring(L, scratch->text.data, scratch->text.length);
    lua_rawset(L, keeps);
    tg_scratch_pop(L);
}

/* keep(name, initial) -> keep. Upvalue 1: the world. */
static int declare_keep(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 2);
    check_name(L);
    if (world->is_loaded)
        return tg_place_error(L,
                              "tide.keep: declared while modules load, not by a handler: what is kept has a "
                              "name that the code knows");
    note_initial(world, L);
    struct keep *keep = lua_newuserdatauv(L, sizeof *keep, 1);
    keep->world = world;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, keep_name);
    return 1;
}

void tg_keep_library_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"get", keep_get}, {"set", keep_set}, {"update", keep_update}, {NULL, NULL}};
    luaL_newmetatable(L, keep_name);
    lua_pushcfunction(L, keep_tostring);
    lua_setfield(L, -2, "__tostring");
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
    tg_world_push_self(world, L);
    lua_pushcclosure(L, declare_keep, 1);
    lua_setfield(L, -2, "keep");
}

/* ---- serving ---- */

/* begin(world) */
static int begin(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, 1);
    tg_world_push(world, L, TG_REF_KEEPS);
    int keeps = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, keeps); lua_pop(L, 1)) {
        struct tg_slice name = slice_at(L, -2);
        if (tg_keep_get(world->worker, name).data) continue;
        enum tg_status status = tg_keep_set(world->worker, name, slice_at(L, -1));
        if (status == TG_OK) continue;
        tg_log(TG_LOG_ERROR, "keep_failed", TG_LOG_STR("name", name),
               TG_LOG_S("error", tg_status_name(status)),
               TG_LOG_I("keep_max_bytes", world->config->keep_max_bytes));
    }
    return 0;
}

enum tg_status tg_keep_begin(struct tg_world *world)
{
    return tg_call_protected(world->L, begin, world, NULL) == LUA_OK ? TG_OK : TG_E_NO_MEMORY;
}
