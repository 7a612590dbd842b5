/* The value lies in the handle's table of what was asked for, so that it can be read as long as the handle.
 */
#include "script/conn_user.h"

#include "core/generation.h"
#include "core/user.h"
#include "script/call.h"
#include "script/conn_handle.h"
#include "script/host_ops.h"
#include "script/plain.h"
#include "script/scratch.h"

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

struct foreign {
    struct tg_world *world; /* that has it */
    const struct tg_conn *conn;
    struct tg_buf *out;
};

/* write_user(foreign): in the world that has the connection. */
static int write_user(lua_State *L)
{
    const struct foreign *foreign = lua_touserdata(L, 1);
    const struct tg_plain plain = {.name = "conn.user"};
    tg_world_push(foreign->world, L, foreign->conn->script_ref);
    tg_conn_handle_push_cache(L, lua_gettop(L));
    lua_pushliteral(L, "user");
    lua_rawget(L, -2);
    tg_plain_write(foreign->world, L, -1, &plain, foreign->out);
    return 0;
}

void tg_conn_user_push_foreign(struct tg_world *world, lua_State *L, struct tg_conn *conn)
{
    struct tg_host *owner = tg_host_of(conn->generation->script);
    lua_pushnil(L);
    if (!owner || !conn->script_ref) return;
    int place = lua_gettop(L);
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    struct foreign foreign = {&owner->world, conn, &scratch->text};
    if (tg_call_protected(owner->world.L, write_user, &foreign, NULL) != LUA_OK || scratch->text.has_failed)
        luaL_error(L, "not enough memory");
    if (tg_plain_read(world, L, tg_buf_peek(&scratch->text)) == TG_OK) lua_replace(L, place);
    tg_scratch_pop(L);
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
    lua_getfield(L, -1, "user");
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
    if (!conn->user || !tg_conn_user_push_id(L, index)) return false;
    id.data = lua_tolstring(L, -1, &id.length);
    bool is_same = tg_slice_equal(id, conn->user_id);
    lua_pop(L, 1);
    return is_same;
}

bool tg_conn_user_has_id(lua_State *L, int index)
{
    if (!tg_conn_user_push_id(L, index)) return false;
    bool is_there = lua_rawlen(L, -1) > 0;
    lua_pop(L, 1);
    return is_there;
}

void tg_conn_user_set(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index)
{
    tg_conn_user_keep(world, L, conn, index);
    tg_conn_user_note(world, L, conn);
}
