/* Nothing is noted while data is written: who holds a table is found by going through the tables once more,
 * since that is seldom asked. */
#include "script/plain_path.h"

#include "script/place.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

enum { LEVELS = 20, SHOWN_BYTES = 60 };

static bool is_word(const char *text)
{
    size_t letters = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
    return letters > 0 && text[letters] == '\0' && (text[0] < '0' || text[0] > '9');
}

/* Pushes what the string at `index` looks like as a key. [-0, +1, e] */
static void push_name(lua_State *L, int index)
{
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    if (is_word(text) && length <= SHOWN_BYTES) {
        lua_pushfstring(L, ".%s", text);
        return;
    }
    bool is_long = length > SHOWN_BYTES;
    lua_pushlstring(L, text, is_long ? SHOWN_BYTES : length);
    lua_pushfstring(L, "[\"%s%s\"]", lua_tostring(L, -1), is_long ? "..." : "");
    lua_replace(L, -2);
}

/* The same of any key; those of the first table may be names as they are. [-0, +1, e] */
static void push_key(lua_State *L, int index, bool is_name)
{
    index = lua_absindex(L, index);
    int type = lua_type(L, index);
    if (type == LUA_TSTRING && is_name) {
        lua_pushvalue(L, index);
    } else if (type == LUA_TSTRING) {
        push_name(L, index);
    } else {
        int top = lua_gettop(L);
        const char *text = type == LUA_TNUMBER || type == LUA_TBOOLEAN ? luaL_tolstring(L, index, NULL)
                                                                       : tg_place_push_kind(L, index);
        lua_pushfstring(L, "[%s]", text);
        lua_replace(L, top + 1);
        lua_settop(L, top + 1);
    }
}

/* Pushes the key under which a table has table `number` as a value, and returns that one's number. A table
 * that is only somebody's key belongs to the first. [-0, +1, e] */
static lua_Integer push_holder(lua_State *L, const struct tg_plain_tables *tables, lua_Integer number)
{
    int top = lua_gettop(L);
    lua_rawgeti(L, tables->list, number);
    for (lua_Integer holder = 1; holder <= tables->count; holder++) {
        lua_rawgeti(L, tables->list, holder);
        for (lua_pushnil(L); lua_next(L, top + 2); lua_pop(L, 1)) {
            if (!lua_rawequal(L, -1, top + 1)) continue;
            lua_pop(L, 1);
            lua_replace(L, top + 1);
            lua_settop(L, top + 1);
            return holder;
        }
        lua_settop(L, top + 1);
    }
    lua_pop(L, 1);
    lua_pushboolean(L, 0);
    return 1;
}

const char *tg_plain_push_path(lua_State *L, const struct tg_plain_tables *tables, lua_Integer number,
                               int key, size_t *length)
{
    bool has_names = !tables->name;
    luaL_checkstack(L, 12, NULL);
    if (key)
        push_key(L, key, number == 1 && has_names);
    else
        lua_pushliteral(L, "");
    for (int level = 0; number > 1 && level < LEVELS; level++) {
        number = push_holder(L, tables, number);
        push_key(L, -1, number == 1 && has_names);
        lua_replace(L, -2);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    lua_pushstring(L, number > 1 ? "..." : has_names ? "" : tables->name);
    lua_insert(L, -2);
    lua_concat(L, 2);
    return lua_tolstring(L, -1, length);
}
