#include "script/tool.h"

#include "script/call.h"

#include <lauxlib.h>

struct tool {
    struct tg_world *world;
    const char *module, *function;
    struct tg_buf *out;
};

/* call_tool(tool) */
static int call_tool(lua_State *L)
{
    struct tool *tool = lua_touserdata(L, 1);
    tg_world_push(tool->world, L, TG_REF_ENV);
    lua_getfield(L, -1, "require");
    lua_pushstring(L, tool->module);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, tool->function);
    lua_call(L, 0, 1);
    size_t length;
    const char *text = luaL_checklstring(L, -1, &length);
    tg_buf_append(tool->out, text, length);
    return 0;
}

enum tg_status tg_tool_call(struct tg_host *host, const char *module, const char *function,
                            struct tg_buf *out)
{
    lua_State *L = host->world.L;
    struct tool tool = {&host->world, module, function, out};
    int top = lua_gettop(L);
    enum tg_status status = tg_call_traced(L, call_tool, &tool, NULL) == LUA_OK ? TG_OK : TG_E_SCRIPT;
    if (status == TG_E_SCRIPT) {
        size_t length;
        const char *text = lua_gettop(L) > top ? lua_tolstring(L, -1, &length) : NULL;
        if (!text) return TG_E_NO_MEMORY;
        tg_buf_append(out, text, length);
    }
    lua_settop(L, top);
    return out->has_failed ? TG_E_NO_MEMORY : status;
}
