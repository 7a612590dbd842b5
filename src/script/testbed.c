/* The specs are one task, in which busted runs; what they spawn are others. os.exit ends the loop, and what
 * called it is never resumed: its <close> variables are closed with its task.
 *
 * An interruption is told once. Lua code that runs gets a hook, which raises; if the main task waits, its
 * wait raises. What hangs in another task is stopped by the hook alone, and the main task as well. */
#include "script/testbed.h"

#include "script/call.h"
#include "script/embedded.h"
#include "script/libs/coroutine.h"
#include "script/libs/task.h"
#include "script/libs/watch.h"
#include "script/place.h"

#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

static const char interrupted[] = "interrupted";

/* Its address is the key of the testbed in the registry. */
static const char testbed_key = 0;

static struct tg_testbed *testbed_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &testbed_key);
    struct tg_testbed *testbed = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return testbed;
}

/* Whether code of this world's tasks runs, and not that of an application under test. */
static bool is_own(lua_State *L)
{
    return tg_task_of(L)->pool == &testbed_of(L)->host->tasks;
}

/* ---- what Lua gets ---- */

static int exit_status(lua_State *L)
{
    if (lua_isboolean(L, 1)) return lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    return (int)luaL_optinteger(L, 1, EXIT_SUCCESS);
}

static int never(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return luaL_error(L, "os.exit was called");
}

/* os.exit([status [, close]]) */
static int test_exit(lua_State *L)
{
    struct tg_testbed *testbed = testbed_of(L);
    testbed->status = exit_status(L);
    bool can_wait = lua_isyieldable(L) && is_own(L);
    testbed->ended(testbed, !can_wait);
    return tg_task_nap(L, NULL, TG_NEVER, never, 0);
}

/* is_own() -> whether the specs' own code runs, and not that of an application that is being tested */
static int test_is_own(lua_State *L)
{
    lua_pushboolean(L, is_own(L));
    return 1;
}

/* is_interrupted() -> boolean */
static int test_is_interrupted(lua_State *L)
{
    lua_pushboolean(L, testbed_of(L)->is_interrupted);
    return 1;
}

/* require(name) -> a module of tidegate's, in the world of the specs */
static int test_require(lua_State *L)
{
    tg_world_push(&testbed_of(L)->host->world, L, TG_REF_OWN_ENV);
    lua_getfield(L, -1, "require");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

/* embedded(name) -> the text of a module that the program carries, its chunk's name | nothing */
static int test_embedded(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    for (const struct tg_embedded_module *module = tg_embedded_modules; module->name; module++) {
        if (strcmp(module->name, name) != 0) continue;
        lua_pushlstring(L, module->text, module->length);
        lua_pushstring(L, module->chunk);
        return 2;
    }
    return 0;
}

/* real_path(path) -> string | nil */
static int test_real_path(lua_State *L)
{
    char path[PATH_MAX];
    lua_pushstring(L, realpath(luaL_checkstring(L, 1), path));
    return 1;
}

/* cover(folder): counts the lines of its files from now on */
static int test_cover(lua_State *L)
{
    tg_coverage_begin(&testbed_of(L)->coverage, L, luaL_checkstring(L, 1));
    return 0;
}

/* covered() -> { [path] = { [line] = times } } */
static int test_covered(lua_State *L)
{
    const struct tg_coverage *coverage = &testbed_of(L)->coverage;
    if (coverage->has_failed) return luaL_error(L, "not enough memory to count lines");
    tg_coverage_push(coverage, L);
    return 1;
}

/* seen() -> the files of which a line has run since the last call */
static int test_seen(lua_State *L)
{
    tg_coverage_push_seen(&testbed_of(L)->coverage, L);
    return 1;
}

static void push_library(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"exit", test_exit},
        {"is_own", test_is_own},
        {"is_interrupted", test_is_interrupted},
        {"require", test_require},
        {"embedded", test_embedded},
        {"real_path", test_real_path},
        {"cover", test_cover},
        {"covered", test_covered},
        {"seen", test_seen},
        {NULL, NULL},
    };
    luaL_newlib(L, functions);
    tg_watch_library_install(&testbed_of(L)->host->world, L);
}

/* ---- the beginning ---- */

/* Of the ordinary libraries two things are ours: a wait passes outwards through coroutines, and the program
 * is tidied up before it ends. */
static void open_libraries(lua_State *L)
{
    luaL_openlibs(L);
    lua_getglobal(L, LUA_COLIBNAME);
    tg_coroutine_install(L);
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_pushcfunction(L, test_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 2);
}

static void main_ended(void *context)
{
    struct tg_testbed *testbed = context;
    testbed->main = NULL;
}

/* begin(testbed, arguments) */
static int begin(lua_State *L)
{
    static const char module[] = "tidegate.runner.run";
    struct tg_testbed *testbed = lua_touserdata(L, 1);
    char *const *arguments = lua_touserdata(L, 2);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &testbed_key);
    open_libraries(L);
    lua_pushcfunction(L, test_embedded);
    lua_pushstring(L, module);
    lua_call(L, 1, 2);
    size_t length;
    const char *text = lua_tolstring(L, -2, &length);
    if (luaL_loadbufferx(L, text, length, lua_tostring(L, -1), "t") != LUA_OK) return lua_error(L);
    lua_call(L, 0, 1);
    push_library(L);
    lua_newtable(L);
    for (lua_Integer i = 1; *arguments; i++) {
        lua_pushstring(L, *arguments++);
        lua_rawseti(L, -2, i);
    }
    tg_spawn(L, &testbed->host->tasks, 2, main_ended, testbed);
    testbed->main = TG_CONTAINER(testbed->host->tasks.tasks.previous, struct tg_task, siblings);
    return 0;
}

enum tg_status tg_testbed_start(struct tg_testbed *testbed, char *const *arguments, struct tg_error *error)
{
    struct tg_worker *worker = testbed->host->world.worker;
    lua_State *L = testbed->host->world.L;
    testbed->status = EXIT_FAILURE;
    int top = lua_gettop(L);
    /* Reading is all that is done with them. */
    enum tg_status status = TG_OK;
    if (tg_call_traced(L, begin, testbed, (void *)arguments) != LUA_OK) {
        const char *text = lua_gettop(L) > top ? lua_tostring(L, -1) : NULL;
        status = tg_error_set(error, TG_E_SCRIPT, "%s", text ? text : "not enough memory");
    }
    lua_settop(L, top);
    if (status == TG_OK) worker->loop->ops->request_turn(worker->loop);
    return status;
}

void tg_testbed_deinit(struct tg_testbed *testbed)
{
    tg_coverage_deinit(&testbed->coverage);
}

/* ---- Ctrl-C ---- */

/* The hook. */
static void raise_interrupted(lua_State *L, lua_Debug *debug)
{
    struct tg_testbed *testbed = testbed_of(L);
    lua_sethook(L, NULL, 0, 0);
    if (testbed->is_told) return;
    testbed->is_told = tg_task_of(L) == testbed->main;
    if (tg_place_find(L, 0, debug))
        lua_pushfstring(L, "%s:%d: %s", debug->short_src, debug->currentline, interrupted);
    else
        lua_pushstring(L, interrupted);
    lua_error(L);
}

void tg_testbed_interrupt(struct tg_testbed *testbed)
{
    testbed->is_interrupted = true;
    tg_watchdog_hook(raise_interrupted);
}

void tg_testbed_wake(struct tg_testbed *testbed)
{
    if (testbed->is_told || !testbed->main) return;
    testbed->is_told = tg_task_interrupt(testbed->main, interrupted);
}
