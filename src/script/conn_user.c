/* The value lies in the handle's table of what was asked for, so that it can be read as long as the handle.
 */
#include "script/conn_user.h"

#include "core/user.h"
#include "script/conn_handle.h"

#include <lauxlib.h>

static bool push_text(lua_State *L, int index)
{
    lua_Integer integer = 0;
    int is_integer = 0;
    if (lua_type(L, index) == LUA_TNUMBER) integer = lua_tointegerx(L, index, &is_integer);
    if (is_integer)
        lua_pushfstring(L, "%I", (LUAI_UACINT)integer);
    else if (lua_type(L, index) == LUA_TSTRING)
        lua_pushvalue(L, index);
    else
        return false;
    return true;
}

bool tg_conn_user_push_id(lua_State *L, int index)
{
    if (!lua_istable(L, index)) return push_text(L, index);
    lua_getfield(L, index, "id");
    bool has_id = push_text(L, lua_gettop(L));
    if (has_id)
        lua_replace(L, -2);
    else
        lua_pop(L, 1);
    return has_id;
}

void tg_conn_user_push(lua_State *L, int index)
{
    if (lua_getiuservalue(L, index, 1) == LUA_TTABLE) {
        lua_pushliteral(L, "user");
        lua_rawget(L, -2);
    } else {
        lua_pushnil(L);
    }
    lua_replace(L, -2);
}

/* Puts the value at `index` among what has been asked of the handle. */
static void set_field(struct tg_world *world, lua_State *L, struct tg_conn *conn, const char *name, int index)
{
    index = lua_absindex(L, index);
    tg_conn_handle_push(world, L, conn);
    tg_conn_handle_push_cache(L, lua_gettop(L));
    lua_pushstring(L, name);
    lua_pushvalue(L, index);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

void tg_conn_object_set(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index)
{
    set_field(world, L, conn, "object", index);
}

void tg_conn_user_keep(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index)
{
    set_field(world, L, conn, "user", index);
    conn->is_authenticated = true;
}

void tg_conn_user_note(struct tg_world *world, lua_State *L, struct tg_conn *conn)
{
    int top = lua_gettop(L);
    tg_conn_handle_push(world, L, conn);
    tg_conn_user_push(L, lua_gettop(L));
    if (tg_conn_user_push_id(L, lua_gettop(L))) {
        struct tg_slice id;
        id.data = lua_tolstring(L, -1, &id.length);
        if (tg_user_set(conn, id) == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    }
    lua_settop(L, top);
}

bool tg_conn_user_is(lua_State *L, const struct tg_conn *conn, int index)
{
    struct tg_slice id = {0};
    if (!tg_conn_user_push_id(L, index)) return !conn->user;
    id.data = lua_tolstring(L, -1, &id.length);
    bool is_same = tg_slice_equal(id, conn->user_id);
    lua_pop(L, 1);
    return is_same;
}

void tg_conn_user_set(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index)
{
    tg_conn_user_keep(world, L, conn, index);
    tg_conn_user_note(world, L, conn);
}
