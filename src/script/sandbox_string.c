/* string.rep makes 16 MB at most. Patterns are matched by the stock functions, which backtrack for minutes if
 * one lets them, and which no hook can interrupt. But their matcher reads the pattern as it goes: where a
 * match may take long, it gets a pattern of its own, over which the watchdog writes when the time is up. Then
 * the next item of the pattern is malformed, and the matcher raises, in good order.
 *
 * The pattern has to be a long string, since Lua has each short one only once for all who use it. A short
 * pattern is made longer by an item that matches nothing and takes nothing. */
#include "script/call.h"
#include "script/sandbox.h"
#include "script/watchdog.h"

#include <lauxlib.h>
#include <string.h>

enum {
    REP_BYTES_MAX = 16 * 1024 * 1024,
    CHEAP_STEPS = 1000000, /* some milliseconds of matching */
    SHORT_BYTES_MAX = 40,  /* LUAI_MAXSHORTLEN */
};

/* A set without members, any number of times but as few as can be: none. */
static const char nothing[] = "[^\0-\377.......................................]-";

/* ---- string.rep ---- */

/* Fills `bytes` with what the first `period` of them hold. */
static void repeat(char *at, size_t period, size_t bytes)
{
    for (size_t filled = period; filled < bytes;) {
        size_t piece = filled < bytes - filled ? filled : bytes - filled;
        memcpy(at + filled, at, piece);
        filled += piece;
    }
}

/* string.rep(s, n [, sep]) */
static int guarded_rep(lua_State *L)
{
    size_t length, between_length;
    const char *text = luaL_checklstring(L, 1, &length);
    lua_Integer times = luaL_checkinteger(L, 2);
    const char *between = luaL_optlstring(L, 3, "", &between_length);
    size_t period = length + between_length;
    if (times <= 0 || period == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    if ((lua_Unsigned)times > REP_BYTES_MAX / period + 1 ||
        period * (size_t)times - between_length > REP_BYTES_MAX)
        return luaL_error(L, "string.rep: the result would have more than %d bytes", REP_BYTES_MAX);
    size_t bytes = period * (size_t)times - between_length;
    luaL_Buffer buffer;
    char *at = luaL_buffinitsize(L, &buffer, bytes);
    memcpy(at, text, length);
    if (times > 1) memcpy(at + length, between, between_length);
    repeat(at, times > 1 ? period : length, bytes);
    luaL_pushresultsize(&buffer, bytes);
    return 1;
}

/* ---- patterns ---- */

/* Whether a match may take more than CHEAP_STEPS: a guess on the safe side, since being wrong costs a copy of
 * the pattern. Each repetition multiplies what a subject can cost by its length. */
static bool is_risky(size_t subject, const char *pattern, size_t length)
{
    size_t cost = (subject + 1) * (length + 1);
    for (size_t i = 0; i < length && cost < CHEAP_STEPS; i++) {
        char c = pattern[i];
        bool is_search =
            c == '%' && i + 1 < length && (pattern[i + 1] == 'b' || (pattern[i + 1] & 0x30) == 0x30);
        if (c == '*' || c == '+' || c == '-' || is_search) cost *= subject + 1;
        if (c == '?') cost *= 2;
    }
    return cost >= CHEAP_STEPS;
}

/* The end of the set that begins at `i`, or `length` when it has none. */
static size_t skip_set(const char *pattern, size_t length, size_t i)
{
    i++;
    if (i < length && pattern[i] == '^') i++;
    do { /* a first ']' is a member */
        if (i >= length) return length;
        i += pattern[i] == '%' ? 2 : 1;
    } while (i < length && pattern[i] != ']');
    return i < length ? i + 1 : length;
}

/* Whether the last byte is a '$' that ties the match to the subject's end. */
static bool is_tied(const char *pattern, size_t length)
{
    size_t i = 0, item = 0;
    while (i < length) {
        item = i;
        if (pattern[i] == '[')
            i = skip_set(pattern, length, i);
        else if (pattern[i] == '%' && i + 1 < length && pattern[i + 1] == 'b')
            i += 4;
        else
            i += pattern[i] == '%' ? 2 : 1;
    }
    return length > 0 && item == length - 1 && pattern[item] == '$';
}

/* Replaces the pattern at 2 by one of its own. [-0, +0, e] */
static void own_pattern(lua_State *L)
{
    size_t length;
    const char *pattern = lua_tolstring(L, 2, &length);
    if (length > SHORT_BYTES_MAX) {
        lua_pushlstring(L, pattern, length);
    } else {
        bool ties = is_tied(pattern, length);
        lua_pushlstring(L, pattern, length - ties);
        lua_pushlstring(L, nothing, sizeof nothing - 1);
        lua_pushlstring(L, "$", ties);
        lua_concat(L, 3);
    }
    lua_replace(L, 2);
}

/* Calls what lies below the `arguments` on top while the pattern at `owned` may be written over; 0: none.
 * [-(arguments + 1), +results, e] */
static void call_tripwired(lua_State *L, int arguments, int owned, bool calls_back)
{
    struct tg_tripwire wire;
    if (owned) {
        size_t length;
        /* Ours alone: made for this, and no key of any table. */
        char *pattern = (char *)lua_tolstring(L, owned, &length);
        tg_tripwire_lay(&wire, pattern, length);
    }
    int outcome = LUA_OK;
    if (owned || !calls_back)
        outcome = tg_call_values(L, arguments, LUA_MULTRET);
    else
        lua_call(L, arguments, LUA_MULTRET); /* so that a traceback shows the callback */
    if (owned) {
        tg_tripwire_take_up(&wire);
        tg_watchdog_check(L);
    }
    if (outcome != LUA_OK) tg_sandbox_raise(L);
}

/* Upvalue 1: the stock function, which gets all arguments. */
static int call_matcher(lua_State *L)
{
    size_t subject, length;
    luaL_checklstring(L, 1, &subject);
    const char *pattern = luaL_checklstring(L, 2, &length);
    bool is_owned = is_risky(subject, pattern, length);
    if (is_owned) own_pattern(L);
    lua_pushvalue(L, 2); /* stays while the function runs */
    lua_insert(L, 1);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 2);
    call_tripwired(L, lua_gettop(L) - 2, is_owned ? 1 : 0, lua_isfunction(L, 5));
    return lua_gettop(L) - 1;
}

/* string.find without a pattern: the stock one takes the product of both lengths, memmem their sum. */
static int find_plain(lua_State *L)
{
    size_t length, wanted_length;
    const char *text = lua_tolstring(L, 1, &length), *wanted = lua_tolstring(L, 2, &wanted_length);
    lua_Integer init = luaL_optinteger(L, 3, 1);
    if (init < 0) init = (lua_Unsigned)-init > length ? 1 : (lua_Integer)length + init + 1;
    size_t skipped = init > 0 ? (size_t)init - 1 : 0;
    const char *found =
        skipped > length ? NULL : memmem(text + skipped, length - skipped, wanted, wanted_length);
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)wanted_length);
    return 2;
}

/* string.find(s, pattern [, init [, plain]]) */
static int guarded_find(lua_State *L)
{
    size_t subject, length;
    luaL_checklstring(L, 1, &subject);
    const char *pattern = luaL_checklstring(L, 2, &length);
    luaL_optinteger(L, 3, 1);
    bool is_plain = lua_toboolean(L, 4) || strcspn(pattern, "^$*+?.([%-") == length;
    return is_plain && subject * length > CHEAP_STEPS ? find_plain(L) : call_matcher(L);
}

/* string.match(s, pattern [, init]) */
static int guarded_match(lua_State *L)
{
    luaL_optinteger(L, 3, 1);
    return call_matcher(L);
}

/* string.gsub(s, pattern, repl [, n]) */
static int guarded_gsub(lua_State *L)
{
    int type = lua_type(L, 3);
    luaL_checkstring(L, 1);
    luaL_checkstring(L, 2);
    luaL_argexpected(
        L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
        "string/function/table");
    luaL_optinteger(L, 4, 0);
    return call_matcher(L);
}

/* One step of string.gmatch: upvalue 1 is that of the stock function, 2 its pattern. */
static int gmatch_step(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    call_tripwired(L, 0, lua_upvalueindex(2), false);
    return lua_gettop(L);
}

/* string.gmatch(s, pattern [, init]) */
static int guarded_gmatch(lua_State *L)
{
    size_t subject, length;
    luaL_checklstring(L, 1, &subject);
    const char *pattern = luaL_checklstring(L, 2, &length);
    luaL_optinteger(L, 3, 1);
    bool is_owned = is_risky(subject, pattern, length);
    if (is_owned) own_pattern(L);
    lua_settop(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_call(L, 3, 1);
    if (!is_owned) return 1;
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, gmatch_step, 2);
    return 1;
}

void tg_sandbox_guard_string(lua_State *L)
{
    tg_sandbox_replace(L, "rep", guarded_rep);
    tg_sandbox_replace(L, "find", guarded_find);
    tg_sandbox_replace(L, "match", guarded_match);
    tg_sandbox_replace(L, "gsub", guarded_gsub);
    tg_sandbox_replace(L, "gmatch", guarded_gmatch);
}
