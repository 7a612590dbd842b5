/* The box is a to-be-closed variable of the running function, and has a finalizer for a state that is closed
 * while it runs. */
#include "script/scratch.h"

#include <lauxlib.h>

static int close_box(lua_State *L)
{
    struct tg_scratch *scratch = lua_touserdata(L, 1);
    tg_arena_deinit(&scratch->arena);
    tg_buf_deinit(&scratch->text);
    return 0;
}

struct tg_scratch *tg_scratch_push(struct tg_world *world, lua_State *L)
{
    luaL_checkstack(L, 3, NULL);
    struct tg_scratch *scratch = lua_newuserdatauv(L, sizeof *scratch, 0);
    tg_arena_init(&scratch->arena, 0);
    tg_buf_init(&scratch->text);
    tg_world_push(world, L, TG_REF_SCRATCH_META);
    lua_setmetatable(L, -2);
    lua_toclose(L, -1);
    return scratch;
}

void tg_scratch_pop(lua_State *L)
{
    lua_closeslot(L, -1);
    lua_pop(L, 1);
}

void tg_scratch_install(struct tg_world *world, lua_State *L)
{
    static const luaL_Reg metamethods[] = {{"__close", close_box}, {"__gc", close_box}, {NULL, NULL}};
    tg_world_push_refs(world, L);
    luaL_newlib(L, metamethods);
    lua_rawseti(L, -2, TG_REF_SCRATCH_META);
    lua_pop(L, 1);
}
