/* Counting lines where memory ends. What is counted is shown by spec/wire/test_command.test.js. */
#include "script/coverage.h"

#include "support/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

struct place {
    char folder[64], file[80];
    lua_State *L;
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/tidegate-coverage-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->file, sizeof place->file, "%s/one.lua", place->folder);
    FILE *file = fopen(place->file, "w");
    fputs("local n = 0\nfor i = 1, 3 do\n  n = n + i\nend\n", file);
    for (int i = 5; i < 400; i++) fputs("\n", file);
    fputs("coroutine.wrap(function()\n  n = n + 1\nend)()\n", file); /* 400 to 402 */
    fclose(file);
    place->L = luaL_newstate();
    luaL_openlibs(place->L);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    lua_close(place->L);
    unlink(place->file);
    rmdir(place->folder);
    free(place);
    return 0;
}

static lua_Integer count_of(lua_State *L, const char *path, lua_Integer line)
{
    lua_getfield(L, -1, path);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        return -1;
    }
    lua_rawgeti(L, -1, line);
    lua_Integer count = lua_tointeger(L, -1);
    lua_pop(L, 2);
    return count;
}

static void counts_the_lines_of_its_folder(void **state)
{
    struct place *place = *state;
    struct tg_coverage coverage = {0};
    tg_coverage_begin(&coverage, place->L, place->folder);
    assert_int_equal(luaL_dofile(place->L, place->file), LUA_OK);
    assert_int_equal(luaL_dostring(place->L, "local elsewhere = 1"), LUA_OK);
    tg_coverage_push(&coverage, place->L);
    assert_int_equal(count_of(place->L, place->file, 1), 1);
    assert_int_equal(count_of(place->L, place->file, 3), 3);
    assert_int_equal(count_of(place->L, place->file, 401), 1);
    lua_pushnil(place->L);
    assert_true(lua_next(place->L, -2));
    lua_pop(place->L, 1);
    assert_false(lua_next(place->L, -2)); /* that file and no other */

    tg_coverage_push_seen(&coverage, place->L);
    assert_int_equal(lua_rawlen(place->L, -1), 1);
    tg_coverage_push_seen(&coverage, place->L);
    assert_int_equal(lua_rawlen(place->L, -1), 0);
    tg_coverage_deinit(&coverage);
}

/* Memory of the state itself is not meant here, nor what begins the counting. */
static void says_when_there_was_no_memory_for_a_line(void **state)
{
    struct place *place = *state;
    assert_int_equal(luaL_loadfile(place->L, place->file), LUA_OK);
    size_t failures = 0;
    for (size_t n = 1;; n++) {
        struct tg_coverage coverage = {0};
        tg_coverage_begin(&coverage, place->L, place->folder);
        lua_gc(place->L, LUA_GCSTOP);
        lua_pushvalue(place->L, -1);
        tg_alloc_fail_at(n);
        int outcome = lua_pcall(place->L, 0, 0, 0);
        bool has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        lua_gc(place->L, LUA_GCRESTART);
        bool is_told = coverage.has_failed;
        tg_coverage_deinit(&coverage);
        lua_settop(place->L, 1);
        if (!has_failed) {
            assert_int_equal(outcome, LUA_OK);
            assert_false(is_told);
            break;
        }
        failures += is_told; /* else it was the state's, which collects and tries again */
    }
    assert_true(failures >= 3); /* the source, the file, its counts */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(counts_the_lines_of_its_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_there_was_no_memory_for_a_line, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
