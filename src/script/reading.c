/* Of a module the bytes are noted that were compiled. Of other files what lies there when they are opened:
 * since their stamps are compared before the load is served, they were the same while they were read. */
#include "script/reading.h"

#include "core/files.h"
#include "script/sandbox.h"

#include <errno.h>
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>

static void check(lua_State *L, enum tg_status status)
{
    if (status != TG_OK) luaL_error(L, "not enough memory");
}

void tg_reading_look(struct tg_world *world, lua_State *L, const char *path)
{
    if (world->files) check(L, tg_files_look(world->files, path));
}

static int close_file(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    return luaL_fileresult(L, fclose(stream->f) == 0, NULL);
}

void tg_reading_push_file(struct tg_world *world, lua_State *L, const char *path)
{
    struct tg_file_stamp stamp;
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    stream->closef = NULL; /* closed as yet: valid before it owns a file */
    luaL_setmetatable(L, LUA_FILEHANDLE);
    stream->f = fopen(path, "rb");
    if (!stream->f) {
        int number = errno;
        tg_reading_look(world, L, path);
        luaL_error(L, "%s: %s", path, strerror(number));
    }
    stream->closef = close_file;
    tg_file_stamp_take(&stamp, fileno(stream->f));
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    size_t got;
    do {
        char *room = luaL_prepbuffer(&buffer);
        got = fread(room, 1, LUAL_BUFFERSIZE, stream->f);
        luaL_addsize(&buffer, got);
    } while (got > 0);
    if (ferror(stream->f)) {
        int number = errno;
        tg_reading_look(world, L, path);
        luaL_error(L, "%s: %s", path, strerror(number));
    }
    stream->closef = NULL;
    fclose(stream->f);
    luaL_pushresult(&buffer);
    lua_remove(L, -2);
    struct tg_slice text;
    text.data = lua_tolstring(L, -1, &text.length);
    if (world->files) check(L, tg_files_note(world->files, path, &stamp, text));
}

/* ---- what modules open ---- */

static struct tg_world *world_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(2));
}

/* io.open(filename [, mode]): a file that is also written has no content to note. */
static int noted_open(lua_State *L)
{
    struct tg_world *world = world_of(L);
    if (world->files && lua_type(L, 1) == LUA_TSTRING) {
        const char *mode = luaL_optstring(L, 2, "r");
        if (mode[0] == 'r' && !strchr(mode, '+')) tg_reading_look(world, L, lua_tostring(L, 1));
    }
    return tg_sandbox_call(L);
}

/* io.lines([filename, ...]), io.input([file]) */
static int noted_path(lua_State *L)
{
    struct tg_world *world = world_of(L);
    if (world->files && lua_type(L, 1) == LUA_TSTRING) tg_reading_look(world, L, lua_tostring(L, 1));
    return tg_sandbox_call(L);
}

static void replace(struct tg_world *world, lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    tg_world_push_self(world, L);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

void tg_reading_install(struct tg_world *world, lua_State *L)
{
    replace(world, L, "open", noted_open);
    replace(world, L, "lines", noted_path);
    replace(world, L, "input", noted_path);
}
