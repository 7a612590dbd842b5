/* Functions that go over the items of a table in C believe what __len says, or their arguments, and no hook
 * comes between two items. So what they move is bounded, and sorting compares by a function of ours, which
 * asks whether it may go on. */
#include "script/sandbox.h"
#include "script/watchdog.h"

#include <lauxlib.h>

enum { ITEMS_MAX = 1000000, SORT_UNASKED = 1000 };

static void check_items(lua_State *L, const char *function, lua_Integer first, lua_Integer last)
{
    if (last >= first && (lua_Unsigned)last - (lua_Unsigned)first >= ITEMS_MAX)
        luaL_error(L, "%s: this would move more than %d items", function, ITEMS_MAX);
}

/* table.insert(list, [pos,] value) */
static int guarded_insert(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_gettop(L) == 3) check_items(L, "table.insert", luaL_checkinteger(L, 2), luaL_len(L, 1));
    return tg_sandbox_call(L);
}

/* table.remove(list [, pos]) */
static int guarded_remove(lua_State *L)
{
    luaL_checkany(L, 1);
    if (lua_gettop(L) > 1) check_items(L, "table.remove", luaL_checkinteger(L, 2), luaL_len(L, 1));
    return tg_sandbox_call(L);
}

/* table.move(a1, f, e, t [, a2]) */
static int guarded_move(lua_State *L)
{
    check_items(L, "table.move", luaL_checkinteger(L, 2), luaL_checkinteger(L, 3));
    luaL_checkinteger(L, 4);
    return tg_sandbox_call(L);
}

/* table.concat(list [, sep [, i [, j]]]) */
static int guarded_concat(lua_State *L)
{
    luaL_checkany(L, 1);
    luaL_optstring(L, 2, "");
    lua_Integer first = luaL_optinteger(L, 3, 1);
    lua_Integer last = lua_isnoneornil(L, 4) ? luaL_len(L, 1) : luaL_checkinteger(L, 4);
    check_items(L, "table.concat", first, last);
    return tg_sandbox_call(L);
}

/* a < b */
static int is_less(lua_State *L)
{
    tg_watchdog_check(L);
    lua_pushboolean(L, lua_compare(L, 1, 2, LUA_OPLT));
    return 1;
}

/* The order that the user gave, in C: upvalue 1. */
static int is_before(lua_State *L)
{
    tg_watchdog_check(L);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 2, 1);
    return 1;
}

/* table.sort(list [, comp]) */
static int guarded_sort(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    if (lua_iscfunction(L, 2)) {
        lua_pushcclosure(L, is_before, 1);
    } else if (lua_isnil(L, 2) && luaL_len(L, 1) > SORT_UNASKED) {
        lua_pushcfunction(L, is_less);
        lua_replace(L, 2);
    }
    if (!lua_isfunction(L, 2)) return tg_sandbox_call(L);
    lua_pushvalue(L, lua_upvalueindex(1)); /* so that a traceback shows the comparison */
    lua_insert(L, 1);
    lua_call(L, 2, 0);
    return 0;
}

void tg_sandbox_guard_table(lua_State *L)
{
    tg_sandbox_replace(L, "insert", guarded_insert);
    tg_sandbox_replace(L, "remove", guarded_remove);
    tg_sandbox_replace(L, "move", guarded_move);
    tg_sandbox_replace(L, "concat", guarded_concat);
    tg_sandbox_replace(L, "sort", guarded_sort);
}
