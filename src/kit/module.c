/* The Lua module tidegate_kit: `local kit = require "tidegate_kit"`.
 *
 *     kit.open(options) -> app | nil, errors
 *     kit.tide() -> what `require "tidegate"` gives in a spec
 *     kit.wire: real sockets and programs (kit/wire.h)
 */
#include "kit/app.h"
#include "kit/methods.h"
#include "kit/wire.h"

#include <lauxlib.h>

/* The one name that this library shows. */
__attribute__((visibility("default"))) int luaopen_tidegate_kit(lua_State *L);

int luaopen_tidegate_kit(lua_State *L)
{
    static const luaL_Reg functions[] = {{"open", tg_kit_open}, {"tide", tg_kit_tide}, {NULL, NULL}};
    bool is_foreign = lua_getfield(L, LUA_REGISTRYINDEX, TG_OWN_STATE) == LUA_TNIL;
    lua_pop(L, 1);
    if (is_foreign) tg_task_claim_state(L);
    tg_kit_app_install(L);
    tg_kit_link_install(L);
    luaL_newlib(L, functions);
    tg_kit_push_wire(L);
    lua_setfield(L, -2, "wire");
    lua_pushliteral(L, TG_VERSION);
    lua_setfield(L, -2, "version");
    return 1;
}
