#include "script/plain.h"

#include "script/call.h"

#include "support/alloc.h"

#include <lauxlib.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* A world with two functions for the chunks below:
 *   copy(value) -> its copy, the lines that tell what stayed behind
 *   bytes(value) -> what is written, or the name of a status */
struct stage {
    struct tg_config config;
    struct tg_heap heap;
    struct tg_world world;
    struct tg_buf out;
    size_t max_bytes;
    bool has_names;
    int told, most; /* lines that are told, and how many are wanted */
    lua_State *L;   /* that the lines are told to */
    int lines;
};

static bool note(void *context, struct tg_slice path, const char *what)
{
    struct stage *stage = context;
    lua_pushlstring(stage->L, path.data, path.length);
    lua_pushfstring(stage->L, "%s %s", lua_tostring(stage->L, -1), what);
    lua_rawseti(stage->L, stage->lines, ++stage->told);
    lua_pop(stage->L, 1);
    return stage->told < stage->most;
}

static enum tg_status write(struct stage *stage, lua_State *L)
{
    const struct tg_plain plain = {.name = stage->has_names ? NULL : "value",
                                   .max_bytes = stage->max_bytes,
                                   .left_out = note,
                                   .context = stage};
    stage->L = L;
    stage->told = 0;
    lua_newtable(L);
    stage->lines = lua_gettop(L);
    tg_buf_truncate(&stage->out, 0);
    int top = lua_gettop(L);
    enum tg_status status = tg_plain_write(&stage->world, L, 1, &plain, &stage->out);
    assert_int_equal(lua_gettop(L), top);
    return status;
}

static int copy(lua_State *L)
{
    struct stage *stage = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 1);
    if (write(stage, L) == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    int top = lua_gettop(L);
    assert_int_equal(tg_plain_read(&stage->world, L, tg_buf_peek(&stage->out)), TG_OK);
    assert_int_equal(lua_gettop(L), top + 1);
    lua_insert(L, -2);
    return 2;
}

static int bytes(lua_State *L)
{
    struct stage *stage = lua_touserdata(L, lua_upvalueindex(1));
    lua_settop(L, 1);
    enum tg_status status = write(stage, L);
    if (status != TG_OK) assert_int_equal(stage->out.length, 0);
    lua_pushstring(L, tg_status_name(status));
    if (status == TG_OK) lua_pushlstring(L, stage->out.data, stage->out.length);
    return 1;
}

static int open_world(lua_State *L)
{
    struct stage *stage = lua_touserdata(L, 1);
    static const luaL_Reg functions[] = {{"copy", copy}, {"bytes", bytes}, {NULL, NULL}};
    tg_world_open(&stage->world);
    luaL_openlibs(L);
    lua_pushglobaltable(L);
    lua_pushlightuserdata(L, stage);
    luaL_setfuncs(L, functions, 1);
    lua_pushlightuserdata(L, NULL);
    lua_setfield(L, -2, "null");
    tg_world_push(&stage->world, L, TG_REF_ARRAY_META);
    lua_setfield(L, -2, "array");
    return 0;
}

static struct stage *begin(void)
{
    struct stage *stage = calloc(1, sizeof *stage);
    assert_non_null(stage);
    assert_int_equal(tg_config_init(&stage->config), TG_OK);
    stage->world.config = &stage->config;
    stage->world.L = lua_newstate(tg_heap_alloc, &stage->heap);
    assert_non_null(stage->world.L);
    stage->most = 100;
    assert_int_equal(tg_call_protected(stage->world.L, open_world, stage, NULL), LUA_OK);
    return stage;
}

static void end(struct stage *stage)
{
    lua_close(stage->world.L);
    tg_world_deinit(&stage->world);
    tg_heap_deinit(&stage->heap);
    tg_buf_deinit(&stage->out);
    tg_config_deinit(&stage->config);
    free(stage);
}

static void run(struct stage *stage, const char *chunk)
{
    if (luaL_dostring(stage->world.L, chunk) != LUA_OK) fail_msg("%s", lua_tostring(stage->world.L, -1));
    lua_settop(stage->world.L, 0);
}

/* ---- what is copied ---- */

static void copies_each_kind_of_value(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage,
        "local function same(value)\n"
        "  local got, lines = copy(value)\n"
        "  assert(rawequal(got, value) and math.type(got) == math.type(value), tostring(value))\n"
        "  assert(#lines == 0)\n"
        "end\n"
        "same(nil) same(true) same(false) same(0) same(-1) same(math.maxinteger) same(math.mininteger)\n"
        "same(1.0) same(-0.0) same(1e308) same(math.huge) same(2^53) same('') same('a\\0b') same(null)\n"
        "same(('x'):rep(127)) same(('x'):rep(128)) same(('x'):rep(70000))\n"
        "local nan = copy(0/0) assert(nan ~= nan)");
    end(stage);
}

static void copies_tables_whatever_their_keys_are(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage,
        "local key = { 'k' }\n"
        "local value = { 1, 'two', nil, 4, [9] = 'nine', [-1] = 'minus', [1.5] = 'float', [true] = 'yes',\n"
        "  name = { deep = { deeper = null } }, [key] = key, [''] = {} }\n"
        "local got, lines = copy(value)\n"
        "assert(#lines == 0)\n"
        "assert(got ~= value and got[1] == 1 and got[2] == 'two' and got[3] == nil and got[4] == 4)\n"
        "assert(got[9] == 'nine' and got[-1] == 'minus' and got[1.5] == 'float' and got[true] == 'yes')\n"
        "assert(got.name.deep.deeper == null and next(got['']) == nil)\n"
        "local found = 0\n"
        "for k, v in pairs(got) do\n"
        "  if type(k) == 'table' then assert(k == v and k[1] == 'k' and k ~= key) found = found + 1 end\n"
        "end\n"
        "assert(found == 1)");
    end(stage);
}

static void keeps_cycles_and_shared_references(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage, "local shared = { 1 }\n"
               "local value = { a = shared, b = shared, list = { shared } }\n"
               "value.self, shared.back = value, value\n"
               "local got = copy(value)\n"
               "assert(got ~= value and got.self == got and got.a == got.b and got.list[1] == got.a)\n"
               "assert(got.a.back == got and got.a ~= shared)");
    end(stage);
}

static void copies_what_is_nested_deeper_than_a_stack_of_c(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage, "local value = {}\n"
               "local at = value\n"
               "for i = 1, 300000 do at.next = { i } at = at.next end\n"
               "local got, depth = copy(value), 0\n"
               "while got.next do got = got.next depth = depth + 1 assert(got[1] == depth) end\n"
               "assert(depth == 300000)");
    end(stage);
}

static void keeps_the_mark_of_arrays(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage, "local got, lines = copy { setmetatable({}, array), setmetatable({ 1, 2 }, array), {} }\n"
               "assert(#lines == 0)\n"
               "assert(getmetatable(got[1]) == array and getmetatable(got[2]) == array and got[2][2] == 2)\n"
               "assert(getmetatable(got[3]) == nil)");
    end(stage);
}

static void asks_no_metamethod(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage,
        "local function no() error 'asked' end\n"
        "local meta = { __index = no, __newindex = no, __pairs = no, __len = no, __eq = no, __gc = false }\n"
        "local got, lines = copy { box = setmetatable({ 1, x = 2 }, meta) }\n"
        "assert(got.box[1] == 1 and got.box.x == 2 and getmetatable(got.box) == nil)\n"
        "assert(#lines == 1 and lines[1] == 'value.box has a metatable', lines[1])");
    end(stage);
}

/* ---- what is left out ---- */

static void names_what_it_leaves_out_with_its_path(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage,
        "local function told(value, ...)\n"
        "  local _, lines = copy(value)\n"
        "  table.sort(lines)\n"
        "  local got, wanted = table.concat(lines, '|'), table.concat({ ... }, '|')\n"
        "  assert(got == wanted, got)\n"
        "end\n"
        "told(print, 'value is a function')\n"
        "told({ on_done = print }, 'value.on_done is a function')\n"
        "told({ a = { { b = { print, 1 } } } }, 'value.a[1].b[1] is a function')\n"
        "told({ ['two words'] = io.stdout }, 'value[\"two words\"] is a FILE*')\n"
        "told({ [7] = coroutine.create(print), [2.5] = print, [false] = print },\n"
        "  'value[2.5] is a function', 'value[7] is a thread', 'value[false] is a function')\n"
        "told({ x = { [print] = 1 } }, 'value.x[a function] is a function')\n"
        "told({ [('k'):rep(70)] = print }, 'value[\"' .. ('k'):rep(60) .. '...\"] is a function')\n"
        "told({ [{ print }] = 1 }, 'value[false][1] is a function')\n"
        "local got = copy { 1, print, 3, name = print, kept = 'k' }\n"
        "assert(got[1] == 1 and got[2] == nil and got[3] == 3 and got.name == nil and got.kept == 'k')\n"
        "local deep = print\n"
        "for i = 1, 30 do deep = { d = deep } end\n"
        "told(deep, '...' .. ('.d'):rep(21) .. ' is a function')");
    end(stage);
}

static void begins_paths_with_the_names_of_several_values(void **state)
{
    (void)state;
    struct stage *stage = begin();
    stage->has_names = true;
    run(stage, "local _, lines = copy { ['conn.state'] = { f = print }, ['conn.user'] = print }\n"
               "table.sort(lines)\n"
               "assert(lines[1] == 'conn.state.f is a function', lines[1])\n"
               "assert(lines[2] == 'conn.user is a function' and #lines == 2, lines[2])");
    end(stage);
}

static void tells_no_more_than_is_wanted(void **state)
{
    (void)state;
    struct stage *stage = begin();
    stage->most = 2;
    run(stage, "local value = { keep = 1 }\n"
               "for i = 1, 1000 do value[i] = print end\n"
               "local got, lines = copy(value)\n"
               "assert(#lines == 2 and got.keep == 1)");
    end(stage);
}

static void stops_at_the_limit(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage, "size = #bytes { 'abc', name = 'x' }");
    lua_getglobal(stage->world.L, "size");
    stage->max_bytes = (size_t)lua_tointeger(stage->world.L, -1);
    run(stage, "assert(#bytes { 'abc', name = 'x' } == size)\n"
               "assert(bytes { 'abcd', name = 'x' } == 'full')\n"
               "assert(bytes(('x'):rep(1000000)) == 'full')");
    end(stage);
}

/* ---- reading ---- */

/* read(stage): what lies in `out`. */
static int read_out(lua_State *L)
{
    struct stage *stage = lua_touserdata(L, 1);
    tg_plain_read(&stage->world, L, tg_buf_peek(&stage->out));
    return 0;
}

static void refuses_what_was_cut_or_damaged(void **state)
{
    (void)state;
    struct stage *stage = begin();
    run(stage, "bytes { 1, 2.5, 'three', { true, false, null }, name = { back = 'x' } }");
    const struct tg_slice whole = tg_buf_peek(&stage->out);
    lua_State *L = stage->world.L;
    for (size_t length = 0; length < whole.length; length++) {
        assert_int_equal(tg_plain_read(&stage->world, L, (struct tg_slice){whole.data, length}),
                         TG_E_INVALID);
        assert_int_equal(lua_gettop(L), 0);
    }
    for (size_t i = 0; i < whole.length; i++) {
        for (int bit = 0; bit < 8; bit++) {
            stage->out.data[i] ^= (char)(1 << bit);
            assert_int_equal(tg_call_protected(L, read_out, stage, NULL), LUA_OK);
            stage->out.data[i] ^= (char)(1 << bit);
        }
    }
    end(stage);
}

static enum tg_status copy_once(void *context)
{
    struct stage *stage = context;
    bool is_done =
        luaL_dostring(stage->world.L,
                      "local got = copy { { 1, 2 }, name = { deep = { f = print } }, s = 'text' }\n"
                      "assert(got[1][2] == 2 and got.name.deep and got.s == 'text')") == LUA_OK;
    lua_settop(stage->world.L, 0);
    return is_done ? TG_OK : TG_E_NO_MEMORY;
}

static void says_when_there_is_no_memory(void **state)
{
    (void)state;
    struct stage *stage = begin();
    assert_int_equal(copy_once(stage), TG_OK);
    size_t failed = 0;
    for (bool has_failed = true; has_failed; failed += has_failed) {
        lua_gc(stage->world.L, LUA_GCCOLLECT);
        tg_buf_deinit(&stage->out);
        tg_alloc_fail_from(failed + 1);
        enum tg_status status = copy_once(stage);
        has_failed = tg_alloc_has_failed();
        tg_alloc_fail_at(0);
        assert_int_equal(status, has_failed ? TG_E_NO_MEMORY : TG_OK);
        assert_int_equal(copy_once(stage), TG_OK);
    }
    assert_true(failed > 20);
    end(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_each_kind_of_value),
        cmocka_unit_test(copies_tables_whatever_their_keys_are),
        cmocka_unit_test(keeps_cycles_and_shared_references),
        cmocka_unit_test(copies_what_is_nested_deeper_than_a_stack_of_c),
        cmocka_unit_test(keeps_the_mark_of_arrays),
        cmocka_unit_test(asks_no_metamethod),
        cmocka_unit_test(names_what_it_leaves_out_with_its_path),
        cmocka_unit_test(begins_paths_with_the_names_of_several_values),
        cmocka_unit_test(tells_no_more_than_is_wanted),
        cmocka_unit_test(stops_at_the_limit),
        cmocka_unit_test(refuses_what_was_cut_or_damaged),
        cmocka_unit_test(says_when_there_is_no_memory),
    };
    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
