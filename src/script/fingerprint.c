/* A function is the text of its lines, read from its file, and its upvalues in their order: other functions
 * are followed, each once. The bytecode would not do: it holds numbers of lines. What a table has is summed
 * up, since its order differs from load to load.
 *
 * No memory is held over a call that may raise. */
#include "script/fingerprint.h"

#include "script/source_text.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 3, FUNCTIONS_MAX = 100 };

#define SEED 0xcbf29ce484222325ull
#define PRIME 0x100000001b3ull

/* FNV-1a: nobody gains by two functions that look alike. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *byte = bytes;
    for (size_t i = 0; i < length; i++) hash = (hash ^ byte[i]) * PRIME;
    return hash;
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    return mix(hash, &number, sizeof number);
}

/* ---- scalars ---- */

static uint64_t of_scalar(lua_State *L, int index)
{
    uint64_t hash = mix_number(SEED, (uint64_t)lua_type(L, index) + 1);
    size_t length;
    lua_Number number;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        return mix_number(hash, (uint64_t)lua_toboolean(L, index));
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) return mix_number(hash, (uint64_t)lua_tointeger(L, index));
        number = lua_tonumber(L, index);
        return mix(hash, &number, sizeof number);
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &length);
        return mix(hash, text, length);
    }
    default:
        return hash;
    }
}

/* Numbers, texts and booleans of the table at `index`. [-0, +0, e] */
static uint64_t of_plain_table(lua_State *L, int index)
{
    uint64_t sum = mix_number(SEED, LUA_TTABLE);
    luaL_checkstack(L, 2, NULL);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TTABLE && lua_type(L, -1) != LUA_TTABLE)
            sum += mix_number(of_scalar(L, -2), of_scalar(L, -1));
    return sum;
}

/* ---- functions ---- */

static uint64_t of_text(const lua_Debug *debug)
{
    uint64_t hash = mix(SEED, debug->what, strlen(debug->what));
    size_t length;
    if (debug->source[0] != '@')
        return mix(mix_number(hash, (uint64_t)debug->linedefined), debug->source, debug->srclen);
    char *text = tg_source_read(tg_slice_of(debug->source + 1), &length);
    if (!text) return hash;
    struct tg_slice whole = {text, length};
    struct tg_slice first = tg_source_line(whole, (uint32_t)debug->linedefined);
    struct tg_slice last = tg_source_line(whole, (uint32_t)debug->lastlinedefined);
    if (first.data && last.data && first.data <= last.data)
        hash = mix(hash, first.data, (size_t)(last.data + last.length - first.data));
    free(text);
    return hash;
}

/* Of the Lua function at `index`; those that were met lie in the table at `met`. [-0, +0, e] */
static uint64_t of_function(lua_State *L, int index, int met, int *count)
{
    lua_Debug debug;
    lua_pushvalue(L, index);
    lua_getinfo(L, ">S", &debug);
    if (lua_iscfunction(L, index)) return mix_number(SEED, LUA_TFUNCTION);
    uint64_t hash = of_text(&debug);
    luaL_checkstack(L, 6, NULL);
    lua_pushvalue(L, index);
    lua_pushboolean(L, 1);
    lua_rawset(L, met);
    const char *name;
    for (int i = 1; (name = lua_getupvalue(L, index, i)) != NULL; i++, lua_pop(L, 1)) {
        int upvalue = lua_gettop(L);
        if (strcmp(name, "_ENV") == 0) continue;
        if (lua_isfunction(L, upvalue)) {
            lua_pushvalue(L, upvalue);
            bool is_met = lua_rawget(L, met) != LUA_TNIL;
            lua_pop(L, 1);
            if (!is_met && ++*count < FUNCTIONS_MAX)
                hash = mix_number(hash, of_function(L, upvalue, met, count));
        } else if (lua_istable(L, upvalue)) {
            hash = mix_number(hash, of_plain_table(L, upvalue));
        } else {
            hash = mix_number(hash, of_scalar(L, upvalue));
        }
    }
    return hash;
}

/* ---- any value ---- */

static uint64_t of_value(lua_State *L, int index, int depth);

static uint64_t of_table(lua_State *L, int index, int depth)
{
    uint64_t sum = mix_number(SEED, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
        sum += mix_number(of_scalar(L, -2), of_value(L, lua_gettop(L), depth - 1));
    return sum;
}

static uint64_t of_value(lua_State *L, int index, int depth)
{
    luaL_checkstack(L, 6, NULL);
    if (lua_istable(L, index) && depth > 0) return of_table(L, index, depth);
    if (!lua_isfunction(L, index)) return of_scalar(L, index);
    int count = 0;
    lua_newtable(L);
    uint64_t hash = of_function(L, index, lua_gettop(L), &count);
    lua_pop(L, 1);
    return hash;
}

uint64_t tg_fingerprint(lua_State *L, int index)
{
    if (lua_isnil(L, index)) return 0;
    uint64_t hash = of_value(L, lua_absindex(L, index), DEPTH_MAX);
    return hash ? hash : 1;
}
