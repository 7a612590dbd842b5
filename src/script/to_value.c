/* Objects are read in byte order of their keys, so that what is wrong with them always comes in one order.
 * The collector stands still meanwhile: a finalizer is Lua code, which could change what is being read. */
#include "script/to_value.h"

#include "base/utf8.h"

#include <lauxlib.h>
#include <math.h>

struct reader {
    struct tg_world *world;
    lua_State *L;
    struct tg_arena *arena;
    const struct tg_subject *subject;
    int depth;
};

static void read_value(struct reader *reader, int index, const struct tg_schema *schema,
                       const struct tg_path *path, struct tg_value *value);

static _Noreturn void fail(const struct reader *reader, const struct tg_path *path, const char *text)
{
    tg_fail_at(reader->world, reader->L, reader->subject, path, text);
}

static void *allocate(const struct reader *reader, uint32_t count, size_t bytes)
{
    return tg_world_check_memory(reader->L, tg_arena_calloc(reader->arena, count ? count : 1, bytes));
}

static struct tg_slice copy(const struct reader *reader, struct tg_slice text)
{
    text = tg_arena_copy(reader->arena, text);
    if (!text.data) tg_world_check_memory(reader->L, NULL);
    return text;
}

/* The schema itself, when it is a reference to it. */
static const struct tg_schema *follow(const struct tg_schema *schema)
{
    while (schema && schema->kind == TG_SCHEMA_REF) schema = schema->ref.target;
    return schema;
}

static bool is_empty(lua_State *L, int index)
{
    lua_pushnil(L);
    if (!lua_next(L, index)) return true;
    lua_pop(L, 2);
    return false;
}

static bool is_array(const struct reader *reader, int index, const struct tg_schema *schema)
{
    lua_State *L = reader->L;
    if (tg_is_marked_array(reader->world, L, index)) return true;
    switch (schema ? schema->kind : TG_SCHEMA_ANY) {
    case TG_SCHEMA_ARRAY:
        return lua_rawlen(L, index) > 0 || is_empty(L, index);
    case TG_SCHEMA_OBJECT:
    case TG_SCHEMA_MAP:
    case TG_SCHEMA_TAGGED:
        return false;
    default:
        return lua_rawlen(L, index) > 0;
    }
}

static void read_array(struct reader *reader, int index, const struct tg_schema *item,
                       const struct tg_path *path, struct tg_value *value)
{
    lua_State *L = reader->L;
    tg_table_check_sequence(reader->world, L, index, reader->subject, path);
    uint32_t count = (uint32_t)lua_rawlen(L, index);
    struct tg_value *items = allocate(reader, count, sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        const struct tg_path step = {.parent = path, .index = i};
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        read_value(reader, lua_gettop(L), item, &step, &items[i]);
        lua_pop(L, 1);
    }
    *value = (struct tg_value){.type = TG_VALUE_ARRAY, .length = count, .items = items};
}

/* What the value under `key` has to look like; NULL: nothing is known. */
static const struct tg_schema *schema_of_member(const struct tg_schema *schema, struct tg_slice key)
{
    if (schema && schema->kind == TG_SCHEMA_MAP) return schema->map.value;
    if (!schema || schema->kind != TG_SCHEMA_OBJECT) return NULL;
    const struct tg_schema_field *field = tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, key, 0);
    return field ? field->schema : NULL;
}

static void read_object(struct reader *reader, int index, const struct tg_schema *schema,
                        const struct tg_path *path, struct tg_value *value)
{
    lua_State *L = reader->L;
    uint32_t count;
    struct tg_slice *keys =
        tg_table_keys(reader->world, L, index, reader->arena, reader->subject, path, &count);
    struct tg_member *members = allocate(reader, count, sizeof *members);
    for (uint32_t i = 0; i < count; i++) {
        const struct tg_slice key = copy(reader, keys[i]);
        const struct tg_path step = {.parent = path, .key = key};
        members[i].key = key.data;
        members[i].key_length = (uint32_t)key.length;
        lua_pushlstring(L, keys[i].data, keys[i].length);
        lua_rawget(L, index);
        read_value(reader, lua_gettop(L), schema_of_member(schema, key), &step, &members[i].value);
        lua_pop(L, 1);
    }
    *value = (struct tg_value){.type = TG_VALUE_OBJECT, .length = count, .members = members};
}

static void read_table(struct reader *reader, int index, const struct tg_schema *schema,
                       const struct tg_path *path, struct tg_value *value)
{
    schema = follow(schema);
    if (is_array(reader, index, schema))
        read_array(reader, index, schema && schema->kind == TG_SCHEMA_ARRAY ? schema->array.item : NULL, path,
                   value);
    else
        read_object(reader, index, schema, path, value);
}

static void read_string(const struct reader *reader, int index, const struct tg_path *path,
                        struct tg_value *value)
{
    struct tg_slice text;
    text.data = lua_tolstring(reader->L, index, &text.length);
    if (text.length > UINT32_MAX) fail(reader, path, "the text is longer than 4 GiB");
    if (!tg_utf8_is_valid(text.data, text.length)) fail(reader, path, "the text is not UTF-8");
    text = copy(reader, text);
    *value = (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)text.length, .string = text.data};
}

static void read_number(const struct reader *reader, int index, const struct tg_path *path,
                        struct tg_value *value)
{
    lua_State *L = reader->L;
    if (lua_isinteger(L, index))
        *value = (struct tg_value){.type = TG_VALUE_INTEGER, .integer = lua_tointeger(L, index)};
    else if (isfinite(lua_tonumber(L, index)))
        *value = (struct tg_value){.type = TG_VALUE_NUMBER, .number = lua_tonumber(L, index)};
    else
        fail(reader, path, "JSON has no infinity and no NaN");
}

static void read_value(struct reader *reader, int index, const struct tg_schema *schema,
                       const struct tg_path *path, struct tg_value *value)
{
    lua_State *L = reader->L;
    luaL_checkstack(L, 8, "value nested too deeply");
    if (++reader->depth > TG_TABLE_MAX_DEPTH)
        fail(reader, NULL, "nested deeper than 512 levels: does a table hold itself?");
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        *value = (struct tg_value){.type = TG_VALUE_BOOLEAN, .boolean = lua_toboolean(L, index)};
        break;
    case LUA_TNUMBER:
        read_number(reader, index, path, value);
        break;
    case LUA_TSTRING:
        read_string(reader, index, path, value);
        break;
    case LUA_TTABLE:
        read_table(reader, index, schema, path, value);
        break;
    default:
        if (!tg_is_null(L, index))
            tg_fail_type_at(reader->world, L, reader->subject, path, "a value that JSON can say", index);
        *value = (struct tg_value){.type = TG_VALUE_NULL};
    }
    reader->depth--;
}

void tg_to_value(struct tg_world *world, lua_State *L, int index, const struct tg_reading *reading,
                 struct tg_value *value)
{
    struct reader reader = {.world = world, .L = L, .arena = reading->arena, .subject = &reading->subject};
    bool was_stopped = world->is_collector_stopped;
    tg_world_stop_collector(world);
    read_value(&reader, lua_absindex(L, index), reading->schema, reading->path, value);
    if (!was_stopped) tg_world_restart_collector(world);
}
