#include "script/start.h"

#include "script/conn_groups.h"
#include "script/place.h"

#include <lauxlib.h>

/* Joins the names at `index`, a list or one name, that a function returned. */
static void join_returned(lua_State *L, struct tg_run *run, int index)
{
    const char *place = run->conn->consumer->source.data;
    const char *what = lua_pushfstring(L, "%s: groups", place);
    if (lua_type(L, index) == LUA_TSTRING) {
        tg_conn_groups_add(L, run->conn, index, what);
    } else if (lua_istable(L, index)) {
        lua_Unsigned count = lua_rawlen(L, index);
        lua_pushnil(L);
        if (count == 0 && lua_next(L, index))
            luaL_error(L, "%s returned a table with other keys: it returns a list of names", what);
        lua_settop(L, index + 1);
        for (lua_Unsigned i = 1; i <= count; i++) {
            lua_rawgeti(L, index, (lua_Integer)i);
            tg_conn_groups_add(L, run->conn, lua_gettop(L), what);
            lua_pop(L, 1);
        }
    } else {
        luaL_error(L, "%s returned %s: it returns a list of names", what, tg_place_push_kind(L, index));
    }
    lua_pop(L, 1);
}

/* Goes on with the i-th source; what the one before it, a function, returned is on top when it has waited. */
static int join_sources(lua_State *L, struct tg_run *run, uint32_t i);

static int function_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct tg_run *run = tg_run_of(L);
    join_returned(L, run, lua_gettop(L));
    lua_pop(L, 1);
    return join_sources(L, run, (uint32_t)context);
}

static int join_sources(lua_State *L, struct tg_run *run, uint32_t i)
{
    const struct tg_hooks *hooks = tg_hooks_of(run->conn);
    for (; i < hooks->group_count; i++) {
        const struct tg_group_source *source = &hooks->groups[i];
        if (!source->function) {
            lua_pushlstring(L, source->name.data, source->name.length);
            tg_conn_groups_add(L, run->conn, lua_gettop(L), "groups");
        } else {
            lua_rawgeti(L, 1, source->function);
            tg_run_push_conn(L, run);
            lua_callk(L, 1, 1, (lua_KContext)i + 1, function_done);
            join_returned(L, run, lua_gettop(L));
        }
        lua_pop(L, 1);
    }
    return 0;
}

static int groups_body(lua_State *L)
{
    return join_sources(L, tg_run_of(L), 0);
}

enum tg_outcome tg_start_groups(struct tg_task_pool *pool, struct tg_run *run)
{
    return tg_hooks_of(run->conn)->group_count ? tg_run_task(pool, run, groups_body) : TG_DONE;
}
