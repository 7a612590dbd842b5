/* Loops of Lua under a watchdog: each test would not end without it. */
#include "script/watchdog.h"

#include <lauxlib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BUDGET_MS = 10 };

struct stage {
    lua_State *L;
    struct tg_watchdog watchdog;
};

static int begin(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    stage->L = luaL_newstate();
    stage->watchdog.setting = "handler_cpu_ms";
    assert_int_equal(tg_watchdog_open(&stage->watchdog, NULL), TG_OK);
    *state = stage;
    return 0;
}

static int end(void **state)
{
    struct stage *stage = *state;
    tg_watchdog_close(&stage->watchdog);
    lua_close(stage->L);
    free(stage);
    return 0;
}

/* A coroutine with the chunk, anchored on the main thread's stack. */
static lua_State *coroutine_of(struct stage *stage, const char *text)
{
    lua_State *thread = lua_newthread(stage->L);
    assert_int_equal(luaL_loadstring(thread, text), LUA_OK);
    return thread;
}

static int resume(struct stage *stage, lua_State *thread)
{
    int results;
    lua_State *outer = tg_watchdog_enter(&stage->watchdog, thread, BUDGET_MS);
    int outcome = lua_resume(thread, NULL, 0, &results);
    tg_watchdog_leave(&stage->watchdog, outer);
    return outcome;
}

static void makes_a_coroutine_yield_that_takes_too_long(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(resume(stage, coroutine_of(stage, "while true do end")), LUA_YIELD);
    assert_true(tg_watchdog_has_stopped(&stage->watchdog));
}

static void lets_the_next_run_have_a_budget_of_its_own(void **state)
{
    struct stage *stage = *state;
    lua_State *thread = coroutine_of(stage, "while true do end");
    assert_int_equal(resume(stage, thread), LUA_YIELD);
    /* Hooked still, but the hook finds a run that may go on. */
    lua_State *other = coroutine_of(stage, "local n = 0 for i = 1, 1000 do n = n + i end");
    lua_sethook(other, lua_gethook(thread), LUA_MASKCOUNT, 1);
    assert_int_equal(resume(stage, other), LUA_OK);
    assert_false(tg_watchdog_has_stopped(&stage->watchdog));
    assert_null(lua_gethook(other));
}

static void raises_where_nobody_can_yield(void **state)
{
    struct stage *stage = *state;
    assert_int_equal(luaL_loadstring(stage->L, "while true do end"), LUA_OK);
    lua_State *outer = tg_watchdog_enter(&stage->watchdog, stage->L, BUDGET_MS);
    assert_int_equal(lua_pcall(stage->L, 0, 0, 0), LUA_ERRRUN);
    tg_watchdog_leave(&stage->watchdog, outer);
    assert_non_null(
        strstr(lua_tostring(stage->L, -1), ":1: this takes more than handler_cpu_ms, 10 ms of CPU time"));
}

/* Waits in C for the run to be stopped, as a function does that asks now and then. */
static int spin_in_c(lua_State *L)
{
    for (bool is_waiting = true; is_waiting;) tg_watchdog_check(L);
    return 0;
}

static void stops_a_c_function_that_asks(void **state)
{
    struct stage *stage = *state;
    lua_pushcfunction(stage->L, spin_in_c);
    lua_setglobal(stage->L, "spin");
    assert_int_equal(resume(stage, coroutine_of(stage, "spin()")), LUA_ERRRUN);
    assert_true(tg_watchdog_has_stopped(&stage->watchdog));
}

static int wait_for_wire(lua_State *L)
{
    char bytes[4] = {'a', 'b', 'c', '\0'};
    struct tg_tripwire outer_wire, wire;
    char outer_bytes[1] = {'x'};
    tg_tripwire_lay(&outer_wire, outer_bytes, 1);
    tg_tripwire_lay(&wire, bytes, 3);
    while (((volatile char *)bytes)[0] == 'a') continue;
    tg_tripwire_take_up(&wire);
    tg_tripwire_take_up(&outer_wire);
    lua_pushstring(L, bytes);
    lua_pushboolean(L, outer_bytes[0] == '[');
    lua_setglobal(L, "is_outer_tripped");
    lua_setglobal(L, "bytes");
    return 0;
}

static void writes_over_the_bytes_of_every_tripwire(void **state)
{
    struct stage *stage = *state;
    lua_pushcfunction(stage->L, wait_for_wire);
    lua_setglobal(stage->L, "wait");
    resume(stage, coroutine_of(stage, "wait()"));
    lua_getglobal(stage->L, "bytes");
    assert_string_equal(lua_tostring(stage->L, -1), "[[[");
    lua_getglobal(stage->L, "is_outer_tripped");
    assert_true(lua_toboolean(stage->L, -1));
}

static int inner_run(lua_State *L)
{
    struct stage *stage = lua_touserdata(L, lua_upvalueindex(1));
    lua_State *thread = coroutine_of(stage, "while true do end");
    lua_pushinteger(L, resume(stage, thread));
    lua_setglobal(L, "inner");
    return 0;
}

static void counts_a_run_within_a_run_to_that_one(void **state)
{
    struct stage *stage = *state;
    lua_pushlightuserdata(stage->L, stage);
    lua_pushcclosure(stage->L, inner_run, 1);
    lua_setglobal(stage->L, "run");
    assert_int_equal(resume(stage, coroutine_of(stage, "run() went_on = true")), LUA_YIELD);
    lua_getglobal(stage->L, "inner");
    assert_int_equal(lua_tointeger(stage->L, -1), LUA_YIELD);
    lua_getglobal(stage->L, "went_on");
    assert_true(lua_isnil(stage->L, -1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(makes_a_coroutine_yield_that_takes_too_long, begin, end),
        cmocka_unit_test_setup_teardown(lets_the_next_run_have_a_budget_of_its_own, begin, end),
        cmocka_unit_test_setup_teardown(raises_where_nobody_can_yield, begin, end),
        cmocka_unit_test_setup_teardown(stops_a_c_function_that_asks, begin, end),
        cmocka_unit_test_setup_teardown(writes_over_the_bytes_of_every_tripwire, begin, end),
        cmocka_unit_test_setup_teardown(counts_a_run_within_a_run_to_that_one, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
