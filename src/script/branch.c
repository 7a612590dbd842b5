/* Mostly the Lua types tell branches apart; only where they do not, the value is read into a tree and tried
 * against each. */
#include "script/branch.h"

#include "script/exact.h"

/* Whether the Lua type alone lets the value be of the branch. */
static bool is_candidate(lua_State *L, int index, const struct tg_schema *branch)
{
    int type = lua_type(L, index);
    if (tg_is_null(L, index) && branch->is_nullable) return true;
    branch = tg_schema_follow(branch);
    switch (branch->kind) {
    case TG_SCHEMA_ANY:
    case TG_SCHEMA_UNION:
        return true;
    case TG_SCHEMA_NULL:
        return tg_is_null(L, index);
    case TG_SCHEMA_BOOLEAN:
        return type == LUA_TBOOLEAN;
    case TG_SCHEMA_INTEGER:
    case TG_SCHEMA_NUMBER:
        return type == LUA_TNUMBER;
    case TG_SCHEMA_STRING:
        return type == LUA_TSTRING;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        return type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN;
    default:
        return type == LUA_TTABLE || (branch->is_nullable && tg_is_null(L, index));
    }
}

/* Whether the branch accepts the value in full. It is read without the branch, which may not be the one that
 * it was made for: what is a list is read as a list, whatever the branch has there. */
static bool accepts(struct tg_world *world, lua_State *L, int index, const struct tg_schema *branch,
                    const struct tg_reading *reading)
{
    struct tg_reading plain = *reading;
    struct tg_value value;
    plain.schema = NULL;
    tg_to_value(world, L, index, &plain, &value);
    struct tg_exact exact;
    tg_exact_begin(&exact, world, reading->arena);
    exact.issues.max = 0; /* nobody asks what is wrong */
    return tg_exact_end(&exact, world, L, tg_validate(branch, &value, reading->path, &exact.validation));
}

const struct tg_schema *tg_union_branch(struct tg_world *world, lua_State *L, int index,
                                        const struct tg_schema *alternatives,
                                        const struct tg_reading *reading)
{
    const struct tg_schema *candidate = NULL;
    uint32_t candidates = 0;
    for (uint32_t i = 0; i < alternatives->alternatives.count; i++) {
        if (!is_candidate(L, index, alternatives->alternatives.branches[i])) continue;
        candidate = alternatives->alternatives.branches[i];
        candidates++;
    }
    if (candidates <= 1) return candidate;
    for (uint32_t i = 0; i < alternatives->alternatives.count; i++) {
        candidate = alternatives->alternatives.branches[i];
        if (is_candidate(L, index, candidate) && accepts(world, L, index, candidate, reading))
            return candidate;
    }
    return NULL;
}

/* Whether the scalar at `index` is the tag. [-0, +0, -] */
static bool is_tag(lua_State *L, int index, const struct tg_value *tag)
{
    switch (lua_type(L, index)) {
    case LUA_TSTRING: {
        struct tg_slice text;
        text.data = lua_tolstring(L, index, &text.length);
        return tag->type == TG_VALUE_STRING && tg_slice_equal(text, tg_value_string(tag));
    }
    case LUA_TBOOLEAN:
        return tag->type == TG_VALUE_BOOLEAN && tag->boolean == lua_toboolean(L, index);
    case LUA_TNUMBER: {
        int64_t integer;
        int is_integer;
        lua_Integer number = lua_tointegerx(L, index, &is_integer);
        return is_integer && tg_value_to_integer(tag, &integer) && integer == number;
    }
    default:
        return false;
    }
}

const struct tg_schema *tg_tagged_branch(lua_State *L, int index, int keys, const struct tg_schema *tagged)
{
    const struct tg_schema *found = NULL;
    lua_rawgeti(L, keys, tagged->tagged.tag.key_id);
    lua_rawget(L, index);
    for (uint32_t i = 0; i < tagged->tagged.count && !found; i++)
        if (is_tag(L, -1, &tagged->tagged.tags[i])) found = tagged->tagged.branches[i];
    lua_pop(L, 1);
    return found;
}
