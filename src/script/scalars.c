/* A limit that is not there leaves the widest one, which the schema was made with. Of two limits in one
 * direction the narrower counts. */
#include "script/scalars.h"

#include <lauxlib.h>

/* Reads an integer field that may be absent. */
static bool get_integer(lua_State *L, int index, const char *name, int64_t *value)
{
    bool is_there = lua_getfield(L, index, name) != LUA_TNIL;
    if (is_there) *value = luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return is_there;
}

static bool get_number(lua_State *L, int index, const char *name, double *value)
{
    bool is_there = lua_getfield(L, index, name) != LUA_TNIL;
    if (is_there) *value = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return is_there;
}

uint32_t tg_get_count(lua_State *L, int index, const char *name, uint32_t otherwise)
{
    int64_t value = otherwise;
    get_integer(L, index, name, &value);
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

struct tg_slice tg_push_text(lua_State *L, int index, const char *name)
{
    struct tg_slice text = {0};
    if (lua_getfield(L, index, name) != LUA_TNIL) text.data = luaL_checklstring(L, -1, &text.length);
    return text;
}

void tg_compile_string(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema)
{
    schema->string.min_length = tg_get_count(L, index, "min", 0);
    uint32_t max_length = tg_get_count(L, index, "max", UINT32_MAX);
    schema->string.max_length = max_length < UINT32_MAX ? max_length : SIZE_MAX;
    schema->string.is_trimmed = tg_table_flag(L, index, "trim");
    struct tg_slice format = tg_push_text(L, index, "format");
    if (format.data) schema->string.format = tg_format_find(format);
    struct tg_slice pattern = tg_push_text(L, index, "pattern");
    struct tg_error error;
    enum tg_status status = TG_OK;
    if (pattern.data)
        status = tg_pattern_compile(&world->registry->patterns, pattern, &schema->string.pattern, &error);
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status != TG_OK) luaL_error(L, "the pattern '%s': %s", pattern.data, error.text);
    lua_pop(L, 2);
}

void tg_compile_integer(lua_State *L, int index, struct tg_schema *schema)
{
    int64_t limit;
    get_integer(L, index, "min", &schema->integer.min);
    get_integer(L, index, "max", &schema->integer.max);
    get_integer(L, index, "multiple_of", &schema->integer.multiple_of);
    if (get_integer(L, index, "exclusive_min", &limit) && limit >= schema->integer.min) {
        schema->integer.min = limit;
        schema->integer.is_above_min = true;
    }
    if (get_integer(L, index, "exclusive_max", &limit) && limit <= schema->integer.max) {
        schema->integer.max = limit;
        schema->integer.is_below_max = true;
    }
}

void tg_compile_number(lua_State *L, int index, struct tg_schema *schema)
{
    double limit;
    get_number(L, index, "min", &schema->number.min);
    get_number(L, index, "max", &schema->number.max);
    get_number(L, index, "multiple_of", &schema->number.multiple_of);
    if (get_number(L, index, "exclusive_min", &limit) && limit >= schema->number.min) {
        schema->number.min = limit;
        schema->number.is_above_min = true;
    }
    if (get_number(L, index, "exclusive_max", &limit) && limit <= schema->number.max) {
        schema->number.max = limit;
        schema->number.is_below_max = true;
    }
}
