#include "script/scratch.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { VALUES = 300 };

/* push_and_pop(world, ...) -> how many values a box leaves on the stack */
static int push_and_pop(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, 1);
    int place = lua_gettop(L) + 1;
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    tg_buf_append_literal(&scratch->text, "owned");
    tg_scratch_pop(L);
    lua_pushinteger(L, lua_gettop(L) - place + 1);
    return 1;
}

/* open(world) */
static int open_world(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, 1);
    tg_world_open(world);
    tg_scratch_install(world, L);
    return 0;
}

/* lua_settop of Lua 5.4.4 keeps a pointer into the stack while it closes a box, which may move the stack: a
 * message that was made in the check of another ended the process. */
static void leaves_nothing_however_full_the_stack_is(void **state)
{
    (void)state;
    struct tg_config config;
    assert_int_equal(tg_config_init(&config), TG_OK);
    struct tg_world world = {.L = luaL_newstate(), .config = &config};
    assert_non_null(world.L);
    lua_pushcfunction(world.L, open_world);
    lua_pushlightuserdata(world.L, &world);
    assert_int_equal(lua_pcall(world.L, 1, 0, 0), LUA_OK);
    for (int count = 0; count < VALUES; count++) {
        lua_State *thread = lua_newthread(world.L);
        int results;
        assert_true(lua_checkstack(thread, 2));
        lua_pushcfunction(thread, push_and_pop);
        lua_pushlightuserdata(thread, &world);
        for (int i = 0; i < count; i++) {
            assert_true(lua_checkstack(thread, 1));
            lua_pushinteger(thread, i);
        }
        assert_int_equal(lua_resume(thread, NULL, count + 1, &results), LUA_OK);
        assert_int_equal(lua_tointeger(thread, -1), 0);
        lua_pop(world.L, 1);
    }
    lua_close(world.L);
    tg_world_deinit(&world);
    tg_config_deinit(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_nothing_however_full_the_stack_is),
    };
    return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
