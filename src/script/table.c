/* Errors are put together in the world's scratch buffer, which nothing else uses at that moment. The
 * collector stands still until the text is Lua's: a finalizer could take away the keys that a path borrows.
 */
#include "script/table.h"

#include "base/utf8.h"
#include "script/place.h"

#include <lauxlib.h>
#include <stdlib.h>

void tg_mark_array(struct tg_world *world, lua_State *L)
{
    tg_world_push(world, L, TG_REF_ARRAY_META);
    lua_setmetatable(L, -2);
}

bool tg_is_marked_array(struct tg_world *world, lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) return false;
    tg_world_push(world, L, TG_REF_ARRAY_META);
    bool is_array = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_array;
}

/* ---- errors ---- */

_Noreturn void tg_fail_at(struct tg_world *world, lua_State *L, const struct tg_subject *subject,
                          const struct tg_path *path, const char *text)
{
    struct tg_buf *out = &world->scratch;
    tg_world_stop_collector(world);
    luaL_checkstack(L, 4, NULL);
    tg_buf_truncate(out, 0);
    tg_buf_append_slice(out, subject->name);
    tg_buf_append_literal(out, ": ");
    if (path) {
        tg_path_write(out, path);
        tg_buf_append_literal(out, ": ");
    }
    tg_buf_append_slice(out, tg_slice_of(text));
    if (out->has_failed) tg_world_check_memory(L, NULL);
    if (subject->has_place)
        lua_pushliteral(L, "");
    else
        tg_place_push_prefix(L);
    lua_pushlstring(L, out->data, out->length);
    lua_concat(L, 2);
    tg_world_restart_collector(world);
    lua_error(L);
    abort(); /* lua_error does not return */
}

_Noreturn void tg_fail_type_at(struct tg_world *world, lua_State *L, const struct tg_subject *subject,
                               const struct tg_path *path, const char *expected, int index)
{
    bool is_json_null = lua_islightuserdata(L, index) && !lua_touserdata(L, index);
    const char *got = is_json_null ? "null" : luaL_typename(L, index);
    tg_fail_at(world, L, subject, path, lua_pushfstring(L, "expected %s, got %s", expected, got));
}

/* ---- keys ---- */

static int compare_keys(const void *a, const void *b)
{
    return tg_slice_compare(*(const struct tg_slice *)a, *(const struct tg_slice *)b);
}

struct tg_slice *tg_table_keys(struct tg_world *world, lua_State *L, int index, struct tg_arena *arena,
                               const struct tg_subject *subject, const struct tg_path *path, uint32_t *count)
{
    uint32_t capacity = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) capacity++;
    struct tg_slice *keys = tg_arena_alloc(arena, ((size_t)capacity + 1) * sizeof *keys);
    tg_world_check_memory(L, keys);
    *count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            tg_fail_at(
                world, L, subject, path,
                lua_pushfstring(L, "keys of JSON objects are strings, got a %s", luaL_typename(L, -2)));
        struct tg_slice key;
        key.data = lua_tolstring(L, -2, &key.length);
        if (!tg_utf8_is_valid(key.data, key.length))
            tg_fail_at(world, L, subject, path, "a key is not UTF-8");
        keys[(*count)++] = key;
    }
    qsort(keys, *count, sizeof *keys, compare_keys);
    return keys;
}

void tg_table_check_sequence(struct tg_world *world, lua_State *L, int index,
                             const struct tg_subject *subject, const struct tg_path *path)
{
    lua_Unsigned count = lua_rawlen(L, index);
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        const char *key = "another key";
        if (lua_isinteger(L, -2)) {
            lua_Integer place = lua_tointeger(L, -2);
            if (place >= 1 && (lua_Unsigned)place <= count) continue;
            key = lua_pushfstring(L, "[%I], with a hole before it", (LUAI_UACINT)place);
        } else if (lua_type(L, -2) == LUA_TSTRING) {
            key = lua_pushfstring(L, "'%s'", lua_tostring(L, -2));
        }
        tg_fail_at(world, L, subject, path,
                   lua_pushfstring(L, "a table is a list or an object; this one has [1] and %s", key));
    }
}
