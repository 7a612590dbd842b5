#include "kit/wire.h"

#include "base/base64.h"
#include "kit/wire_link.h"
#include "kit/wire_process.h"

#include <dlfcn.h>
#include <errno.h>
#include <lauxlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* wire.folder() -> string | nil */
static int folder(lua_State *L)
{
    Dl_info info;
    if (dladdr((void *)tg_kit_push_wire, &info) == 0 || !info.dli_fname) return 0;
    const char *slash = strrchr(info.dli_fname, '/');
    if (slash)
        lua_pushlstring(L, info.dli_fname, (size_t)(slash - info.dli_fname));
    else
        lua_pushliteral(L, ".");
    return 1;
}

/* wire.sleep(seconds) */
static int sleep_for(lua_State *L)
{
    lua_Number seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0 && seconds <= 86400, 1, "seconds");
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (lua_Number)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
    return 0;
}

/* wire.now() -> seconds */
static int now(lua_State *L)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec / 1e9);
    return 1;
}

/* wire.base64(text) -> bytes | nil. A box on the stack, since pushing the result may raise. */
static int base64(lua_State *L)
{
    struct tg_slice text;
    text.data = luaL_checklstring(L, 1, &text.length);
    struct tg_buf bytes;
    luaL_Buffer room;
    char *data = luaL_buffinitsize(L, &room, text.length + 1);
    bytes = (struct tg_buf){.data = data, .capacity = text.length + 1}; /* decoding never grows it */
    enum tg_status status = tg_base64_read(&bytes, text);
    luaL_pushresultsize(&room, status == TG_OK ? bytes.length : 0);
    if (status != TG_OK) lua_pushnil(L);
    return 1;
}

/* wire.environment() -> { "NAME=VALUE", ... } */
static int environment(lua_State *L)
{
    lua_newtable(L);
    for (int i = 0; environ[i]; i++) {
        lua_pushstring(L, environ[i]);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

void tg_kit_push_wire(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"connect", tg_kit_wire_connect},
        {"start", tg_kit_wire_start},
        {"folder", folder},
        {"sleep", sleep_for},
        {"now", now},
        {"base64", base64},
        {"environment", environment},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
}
