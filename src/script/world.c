/* The environment is a copy of the stock libraries' tables, made per world, so that one world's changes
 * to `string` or `table` are not seen by another. `require`, `load`, `loadfile` and `dofile` are replaced:
 * what they load lives in this world and is text, never bytecode. */
#include "script/world.h"

#include "script/libs/coroutine.h"
#include "script/reading.h"
#include "script/require.h"
#include "script/sandbox.h"
#include "script/watchdog.h"
#include "script/weak.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

void *tg_world_check_memory(lua_State *L, void *pointer)
{
    if (!pointer) luaL_error(L, "not enough memory");
    return pointer;
}

/* Only a borrowed state has finalizers (sandbox.c). LUA_GCRESTART has the next allocation begin a step,
 * however little garbage there is, which is too much for each message that is checked. */
void tg_world_stop_collector(struct tg_world *world)
{
    if (!world->is_borrowed || world->is_collector_stopped || !lua_gc(world->L, LUA_GCISRUNNING)) return;
    lua_gc(world->L, LUA_GCSTOP);
    world->is_collector_stopped = true;
}

void tg_world_restart_collector(struct tg_world *world)
{
    if (!world->is_collector_stopped) return;
    lua_gc(world->L, LUA_GCRESTART);
    world->is_collector_stopped = false;
}

struct tg_slice tg_world_copy(struct tg_world *world, lua_State *L, struct tg_slice text)
{
    text = tg_arena_copy(&world->registry->arena, text);
    if (!text.data) tg_world_check_memory(L, NULL);
    return text;
}

int tg_world_keep(struct tg_world *world, lua_State *L)
{
    tg_world_push_refs(world, L);
    lua_insert(L, -2);
    int ref = luaL_ref(L, -2);
    lua_pop(L, 1);
    return ref;
}

void tg_world_forget(struct tg_world *world, lua_State *L, int ref)
{
    tg_world_push_refs(world, L);
    luaL_unref(L, -1, ref);
    lua_pop(L, 1);
}

uint32_t tg_world_key_id(struct tg_world *world, lua_State *L)
{
    tg_world_push(world, L, TG_REF_KEY_IDS);
    lua_pushvalue(L, -2);
    if (lua_rawget(L, -2) == LUA_TNIL) {
        tg_world_push(world, L, TG_REF_KEYS);
        lua_pushvalue(L, -4);
        lua_rawseti(L, -2, ++world->key_count);
        lua_pushvalue(L, -4);
        lua_pushinteger(L, world->key_count);
        lua_rawset(L, -5);
        lua_pop(L, 4);
        return world->key_count;
    }
    uint32_t id = (uint32_t)lua_tointeger(L, -1);
    lua_pop(L, 3);
    return id;
}

void tg_world_load(struct tg_world *world, lua_State *L, enum tg_world_ref env, const char *text,
                   size_t length, const char *chunk_name)
{
    if (luaL_loadbufferx(L, text, length, chunk_name, "t") != LUA_OK) lua_error(L);
    tg_world_push(world, L, (int)env);
    lua_setupvalue(L, -2, 1);
}

/* Calls the original with `count` arguments, of which the last two are mode and environment: text only, and
 * this world's globals unless others are given. */
static int load_text(lua_State *L, int count)
{
    lua_settop(L, count);
    if (lua_isnil(L, count)) lua_copy(L, lua_upvalueindex(2), count);
    lua_pushliteral(L, "t");
    lua_replace(L, count - 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, count, LUA_MULTRET);
    return lua_gettop(L);
}

/* A text that is handed over piece by piece, so that compiling a long one can be stopped. */
struct pieces {
    const char *next;
    size_t left;
};

static const char *read_piece(lua_State *L, void *context, size_t *bytes)
{
    enum { PIECE_BYTES = 4096 };
    struct pieces *pieces = context;
    const char *piece = pieces->next;
    tg_watchdog_check(L);
    *bytes = pieces->left < PIECE_BYTES ? pieces->left : PIECE_BYTES;
    pieces->next += *bytes;
    pieces->left -= *bytes;
    return piece;
}

/* load of a string; the environment lies at 4. */
static int load_string(lua_State *L)
{
    struct pieces pieces;
    pieces.next = lua_tolstring(L, 1, &pieces.left);
    const char *name = luaL_optstring(L, 2, pieces.next);
    if (lua_load(L, read_piece, &pieces, name, "t") != LUA_OK) {
        lua_pushnil(L);
        lua_insert(L, -2);
        return 2;
    }
    lua_pushvalue(L, 4);
    lua_setupvalue(L, -2, 1);
    return 1;
}

/* load(chunk [, chunkname [, mode [, env]]]) */
static int world_load(lua_State *L)
{
    lua_settop(L, 4);
    if (lua_isnil(L, 4)) lua_copy(L, lua_upvalueindex(2), 4);
    if (lua_type(L, 1) == LUA_TSTRING) return load_string(L);
    return load_text(L, 4);
}

static void look(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TSTRING)
        tg_reading_look(lua_touserdata(L, lua_upvalueindex(3)), L, lua_tostring(L, 1));
}

/* loadfile([filename [, mode [, env]]]) */
static int world_loadfile(lua_State *L)
{
    look(L);
    return load_text(L, 3);
}

static int dofile_done(lua_State *L, int status, lua_KContext base)
{
    (void)status;
    return lua_gettop(L) - (int)base;
}

/* dofile(filename) */
static int world_dofile(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    look(L);
    if (luaL_loadfilex(L, name, "t") != LUA_OK) return lua_error(L);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setupvalue(L, -2, 1);
    lua_callk(L, 0, LUA_MULTRET, 1, dofile_done);
    return dofile_done(L, LUA_OK, 1);
}

/* Copies the table on top, one level deep. [-1, +1, e] */
static void copy_table(lua_State *L)
{
    lua_newtable(L);
    lua_pushnil(L);
    while (lua_next(L, -3)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_replace(L, -2);
}

/* Opens a stock library and puts a copy of its table into the environment below. [-0, +0, e] */
static void add_library(lua_State *L, const char *name, lua_CFunction open)
{
    lua_pushcfunction(L, open);
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    copy_table(L);
    lua_setfield(L, -2, name);
}

/* Replaces env.NAME by `function`, whose upvalues are the original, the environment and the world. [-0, +0,
 * e]
 */
static void wrap(struct tg_world *world, lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushvalue(L, -2);
    tg_world_push_self(world, L);
    lua_pushcclosure(L, function, 3);
    lua_setfield(L, -2, name);
}

/* Pushes the environment: base functions and libraries. [-0, +1, e] */
static void push_environment(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg libraries[] = {
        {LUA_STRLIBNAME, luaopen_string}, {LUA_TABLIBNAME, luaopen_table},    {LUA_MATHLIBNAME, luaopen_math},
        {LUA_UTF8LIBNAME, luaopen_utf8},  {LUA_COLIBNAME, luaopen_coroutine}, {LUA_OSLIBNAME, luaopen_os},
        {LUA_IOLIBNAME, luaopen_io},      {LUA_DBLIBNAME, luaopen_debug},
    };
    /* The base library opens itself into the state's globals: they are exchanged while it does. */
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_pushcfunction(L, luaopen_base);
    lua_call(L, 0, 1);
    lua_pop(L, 1);
    lua_pushvalue(L, -2);
    lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
    lua_remove(L, -2);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++)
        add_library(L, libraries[i].name, libraries[i].func);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    wrap(world, L, "load", world_load);
    wrap(world, L, "loadfile", world_loadfile);
    wrap(world, L, "dofile", world_dofile);
    lua_getfield(L, -1, "coroutine");
    tg_coroutine_install(L);
    lua_pop(L, 1);
    lua_getfield(L, -1, "io");
    tg_reading_install(world, L);
    lua_pop(L, 1);
    tg_sandbox_guard(L);
}

/* Pushes a copy of the environment on top, whose `load` and `_G` are its own. [-0, +1, e] */
static void push_copy(struct tg_world *world, lua_State *L)
{
    lua_pushvalue(L, -1);
    copy_table(L);
    lua_pushvalue(L, -1);
    lua_setfield(L, -2, "_G");
    wrap(world, L, "load", world_load);
    wrap(world, L, "loadfile", world_loadfile);
    wrap(world, L, "dofile", world_dofile);
}

/* Makes the three environments; the refs table is on top. They share the tables of the libraries. [-0, +0, e]
 */
static void add_environments(struct tg_world *world, lua_State *L)
{
    int refs = lua_gettop(L);
    push_environment(world, L);
    tg_require_install(world, L);
    push_copy(world, L);
    tg_sandbox_choose(world, L);
    lua_pushvalue(L, refs + 1);
    push_copy(world, L);
    tg_sandbox_close(world, L, refs + 2);
    lua_rawseti(L, refs, TG_REF_ENV);
    lua_settop(L, refs + 2);
    lua_rawseti(L, refs, TG_REF_INSTALLED_ENV);
    lua_rawseti(L, refs, TG_REF_OWN_ENV);
}

/* Makes the keys of the table that refs, on top, has at `ref` weak. [-0, +0, e] */
static void set_weak_keys(lua_State *L, int ref)
{
    lua_rawgeti(L, -1, ref);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void tg_world_open(struct tg_world *world)
{
    lua_State *L = world->L;
    tg_list_init(&world->held);
    lua_createtable(L, TG_REF_COUNT, 0);
    for (int i = 1; i < TG_REF_COUNT; i++) {
        lua_pushinteger(L, 0); /* no hole, so that the next free number is behind the fixed places */
        lua_rawseti(L, -2, i);
    }
    lua_pushvalue(L, -1);
    world->table_ref = luaL_ref(L, LUA_REGISTRYINDEX);
    static const int tables[] = {
        TG_REF_LOADED, TG_REF_KEYS,  TG_REF_KEY_IDS,  TG_REF_ARRAY_META, TG_REF_DECLARED,
        TG_REF_STARTS, TG_REF_STOPS, TG_REF_RETURNED, TG_REF_THREADS,    TG_REF_KEEPS,
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        lua_newtable(L);
        lua_rawseti(L, -2, tables[i]);
    }
    if (world->is_borrowed) {
        lua_rawgetp(L, LUA_REGISTRYINDEX, world);
        lua_rawseti(L, -2, TG_REF_SELF);
        set_weak_keys(L, TG_REF_THREADS);
    }
    /* In the order of enum tg_world_key, since ids are given out in order. */
    static const char *const keys[] = {"action", "payload", "topic", "ref"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        lua_pushstring(L, keys[i]);
        tg_world_key_id(world, L);
    }
    add_environments(world, L);
    lua_pop(L, 1);
}

/* ---- the end of a borrowed world ---- */

/* In the registry: what finds the userdata of a closed world, by its address; the values are weak. */
static const char closed_worlds[] = TG_REGISTRY_PREFIX "closed_worlds";

void tg_world_push_closed_refs(struct tg_world *world, lua_State *L)
{
    tg_weak_push(L, closed_worlds, world);
    lua_getiuservalue(L, -1, 2);
    lua_replace(L, -2);
}

void tg_world_close(struct tg_world *world, lua_State *L, int index)
{
    index = lua_absindex(L, index);
    tg_world_push_refs(world, L);
    lua_setiuservalue(L, index, 2);
    tg_weak_note(L, closed_worlds, index, world);
    luaL_unref(L, LUA_REGISTRYINDEX, world->table_ref);
    world->table_ref = 0;
}

void tg_world_note_thread(struct tg_world *world, lua_State *L, lua_State *thread)
{
    tg_world_push(world, L, TG_REF_THREADS);
    lua_pushthread(thread);
    lua_xmove(thread, L, 1);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void tg_world_deinit(struct tg_world *world)
{
    tg_buf_deinit(&world->scratch);
    tg_arena_deinit(&world->arena);
    free(world->root);
    free(world->entries);
    world->root = world->entries = NULL;
}
