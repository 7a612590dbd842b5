/* A metatable is known by the address of its kind's name, which no Lua code can put into another. */
#include "script/handle.h"

void tg_handle_install(struct tg_world *world, lua_State *L, const struct tg_handle_kind *kind)
{
    tg_world_push_refs(world, L);
    lua_createtable(L, 1, 6);
    lua_newtable(L);
    luaL_setfuncs(L, kind->methods, 0);
    lua_pushcclosure(L, kind->index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, kind->newindex);
    lua_setfield(L, -2, "__newindex");
    lua_pushcfunction(L, kind->tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushstring(L, kind->name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, kind->name);
    tg_world_push_self(world, L);
    lua_rawseti(L, -2, 1);
    lua_rawseti(L, -2, kind->meta);
    lua_pop(L, 1);
}

void *tg_handle_to(lua_State *L, int index, const struct tg_handle_kind *kind)
{
    void *handle = lua_touserdata(L, index);
    if (!handle || !lua_getmetatable(L, index)) return NULL;
    lua_rawgetp(L, -1, kind->name);
    bool is_handle = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return is_handle ? handle : NULL;
}

void *tg_handle_check(lua_State *L, const struct tg_handle_kind *kind)
{
    void *handle = tg_handle_to(L, 1, kind);
    if (!handle) luaL_error(L, "%s", kind->misuse);
    return handle;
}

bool tg_handle_push_kept(struct tg_world *world, lua_State *L, int ref)
{
    if (ref) tg_world_push(world, L, ref);
    return ref != 0;
}

void *tg_handle_new(struct tg_world *world, lua_State *L, const struct tg_handle_kind *kind, size_t bytes)
{
    void *handle = lua_newuserdatauv(L, bytes, 1);
    tg_world_push(world, L, kind->meta);
    lua_setmetatable(L, -2);
    return handle;
}

int tg_handle_keep(struct tg_world *world, lua_State *L)
{
    lua_pushvalue(L, -1);
    return tg_world_keep(world, L);
}
