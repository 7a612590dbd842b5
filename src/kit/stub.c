/* The stubs of an app lie in one of its user values, { http = { { pattern, answer }, ... }, process = ... }.
 * They are asked from calls of core's, which know no Lua: the app's userdata is found by its address. */
#include "kit/stub.h"

#include "kit/alloc.h"
#include "kit/app.h"
#include "script/call.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

/* ---- making ---- */

static int add_stub(lua_State *L, const char *kind)
{
    tg_kit_check_open_app(L, 1);
    luaL_checkstring(L, 2);
    luaL_argexpected(L, lua_istable(L, 3) || lua_isfunction(L, 3), 3, "table or function");
    lua_settop(L, 3);
    lua_getiuservalue(L, 1, TG_KIT_UV_STUBS);
    luaL_getsubtable(L, -1, kind);
    lua_createtable(L, 2, 0);
    for (int i = 1; i <= 2; i++) {
        lua_pushvalue(L, i + 1);
        lua_rawseti(L, -2, i);
    }
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    return 0;
}

int tg_kit_stub_http(lua_State *L)
{
    return add_stub(L, "http");
}

int tg_kit_stub_process(lua_State *L)
{
    return add_stub(L, "process");
}

/* ---- asking ---- */

struct asking {
    struct tg_kit_app *app;
    const struct tg_kit_question *question;
    bool is_found;
};

/* Whether the pattern on top is for this: as it is, with or without the word in front, or as a pattern. */
static bool matches(lua_State *L, struct tg_slice subject)
{
    struct tg_slice pattern, rest = subject;
    pattern.data = lua_tolstring(L, -1, &pattern.length);
    const char *space = memchr(subject.data, ' ', subject.length);
    if (space) rest = (struct tg_slice){space + 1, subject.length - (size_t)(space + 1 - subject.data)};
    if (tg_slice_equal(pattern, subject) || tg_slice_equal(pattern, rest)) return true;
    lua_pushlstring(L, subject.data, subject.length);
    lua_getfield(L, -1, "find");
    lua_insert(L, -2);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 1);
    bool is_match = !lua_isnil(L, -1);
    lua_pop(L, 1);
    return is_match;
}

/* The answer is on top; a function makes it. */
static void read_answer(lua_State *L, const struct tg_kit_question *question)
{
    if (lua_isfunction(L, -1)) {
        question->push_request(L, question->context);
        lua_call(L, 1, 1);
    }
    if (!lua_istable(L, -1))
        luaL_error(L, "the stub for \"%s\" answered with a %s: it answers with a table",
                   question->subject.data, luaL_typename(L, -1));
    question->read(L, question->context);
}

/* ask(asking) */
static int ask(lua_State *L)
{
    struct asking *asking = lua_touserdata(L, 1);
    const struct tg_kit_question *question = asking->question;
    tg_kit_app_push(L, asking->app);
    lua_getiuservalue(L, -1, TG_KIT_UV_STUBS);
    if (lua_getfield(L, -1, question->kind) != LUA_TTABLE) return 0;
    int stubs = lua_gettop(L);
    for (lua_Integer i = (lua_Integer)lua_rawlen(L, stubs); i > 0; i--, lua_settop(L, stubs)) {
        lua_rawgeti(L, stubs, i);
        lua_rawgeti(L, -1, 1);
        if (!matches(L, question->subject)) continue;
        asking->is_found = true;
        lua_rawgeti(L, stubs + 1, 2);
        read_answer(L, question);
        return 0;
    }
    return 0;
}

enum tg_status tg_kit_stub_ask(struct tg_kit_app *app, const struct tg_kit_question *question,
                               struct tg_error *error)
{
    struct asking asking = {.app = app, .question = question};
    lua_State *L = app->L;
    if (tg_call_traced(L, ask, &asking, NULL) == LUA_OK) return asking.is_found ? TG_OK : TG_E_NOT_FOUND;
    const char *text = lua_tostring(L, -1);
    tg_error_set(error, TG_E_SCRIPT, "%.*s", text ? (int)strcspn(text, "\n") : 0, text ? text : "");
    lua_pop(L, 1);
    return TG_E_SCRIPT;
}

uint64_t tg_kit_stub_delay_ms(lua_State *L)
{
    lua_getfield(L, -1, "delay");
    double seconds = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    if (!(seconds >= 0 && seconds <= 3155760000.0)) luaL_error(L, "a stub's delay is a number of seconds");
    return (uint64_t)ceil(seconds * 1000 - 1e-6);
}
