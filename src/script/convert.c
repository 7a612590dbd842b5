/* Reading and writing tables is raw: no metamethod runs. Where writing allocates (sorting the keys of a map)
 * the collector stands still, since a finalizer is Lua code of the user's that may send to the very
 * connection whose frame is being written. Everything may raise; what is allocated is either Lua's or the
 * arena's. */
#include "script/convert.h"

#include "base/utf8.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A table that holds itself would never end: what a client may not send, we do not send either. */
enum { MAX_DEPTH = 512 };

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

/* ---- a tree to Lua ---- */

static void push_array(lua_State *L, int refs, int keys, const struct tg_value *value)
{
    lua_createtable(L, (int)value->length, 0);
    for (uint32_t i = 0; i < value->length; i++) {
        tg_push_value(L, refs, keys, &value->items[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_rawgeti(L, refs, TG_REF_ARRAY_META);
    lua_setmetatable(L, -2);
}

static void push_object(lua_State *L, int refs, int keys, const struct tg_value *value)
{
    lua_createtable(L, 0, (int)value->length);
    for (uint32_t i = 0; i < value->length; i++) {
        const struct tg_member *member = &value->members[i];
        if (member->key_id)
            lua_rawgeti(L, keys, member->key_id);
        else
            lua_pushlstring(L, member->key, member->key_length);
        tg_push_value(L, refs, keys, &member->value);
        lua_rawset(L, -3);
    }
}

void tg_push_value(lua_State *L, int refs, int keys, const struct tg_value *value)
{
    switch (value->type) {
    case TG_VALUE_NULL:
        lua_pushlightuserdata(L, NULL);
        return;
    case TG_VALUE_BOOLEAN:
        lua_pushboolean(L, value->boolean);
        return;
    case TG_VALUE_INTEGER:
        lua_pushinteger(L, value->integer);
        return;
    case TG_VALUE_NUMBER:
        lua_pushnumber(L, value->number);
        return;
    case TG_VALUE_STRING:
        lua_pushlstring(L, value->string, value->length);
        return;
    case TG_VALUE_ARRAY:
        luaL_checkstack(L, 4, "message nested too deeply");
        push_array(L, refs, keys, value);
        return;
    case TG_VALUE_OBJECT:
        luaL_checkstack(L, 4, "message nested too deeply");
        push_object(L, refs, keys, value);
        return;
    }
}

/* ---- Lua to JSON ---- */

struct writer {
    struct tg_world *world;
    lua_State *L;
    struct tg_buf *out;
    struct tg_slice name; /* of the message, for errors */
    int keys;
    int depth;
};

static void write_value(struct writer *writer, int index, const struct tg_schema *schema,
                        const struct tg_path *path);
static void write_any(struct writer *writer, int index, const struct tg_path *path);

/* "chat.payload.tags[2]": indices as a Lua programmer counts. [-0, +1, e] */
static void push_path(const struct writer *writer, const struct tg_path *path)
{
    lua_State *L = writer->L;
    if (!path) {
        lua_pushlstring(L, writer->name.data, writer->name.length);
        lua_pushfstring(L, "%s.payload", lua_tostring(L, -1));
        lua_remove(L, -2);
        return;
    }
    push_path(writer, path->parent);
    if (path->key.data) {
        lua_pushlstring(L, path->key.data, path->key.length);
        lua_pushfstring(L, "%s.%s", lua_tostring(L, -2), lua_tostring(L, -1));
        lua_remove(L, -2);
    } else {
        lua_pushfstring(L, "%s[%I]", lua_tostring(L, -1), (LUAI_UACINT)path->index + 1);
    }
    lua_remove(L, -2);
}

/* Raises "PATH: text", at the line of whoever called the running function. */
static void fail(const struct writer *writer, const struct tg_path *path, const char *text)
{
    tg_world_restart_collector(writer->world);
    push_path(writer, path);
    luaL_error(writer->L, "%s: %s", lua_tostring(writer->L, -1), text);
}

static void fail_type(const struct writer *writer, const struct tg_path *path, const char *expected,
                      int index)
{
    lua_State *L = writer->L;
    bool is_json_null = lua_islightuserdata(L, index) && !lua_touserdata(L, index);
    const char *got = is_json_null ? "null" : luaL_typename(L, index);
    fail(writer, path, lua_pushfstring(L, "expected %s, got %s", expected, got));
}

static bool is_null(lua_State *L, int index)
{
    return lua_isnil(L, index) || (lua_islightuserdata(L, index) && !lua_touserdata(L, index));
}

static void write_string(struct writer *writer, int index, const struct tg_path *path)
{
    struct tg_slice text;
    text.data = lua_tolstring(writer->L, index, &text.length);
    if (!tg_json_write_checked_string(writer->out, text)) fail(writer, path, "the text is not UTF-8");
}

static void write_float(struct writer *writer, lua_Number number, const struct tg_path *path)
{
    if (!isfinite(number)) fail(writer, path, "JSON has no infinity and no NaN");
    tg_json_write_number(writer->out, number);
}

static void write_integer(struct writer *writer, int index, const struct tg_path *path)
{
    int is_integer = 0;
    lua_Integer integer =
        lua_type(writer->L, index) == LUA_TNUMBER ? lua_tointegerx(writer->L, index, &is_integer) : 0;
    if (!is_integer) fail_type(writer, path, "an integer", index);
    tg_json_write_integer(writer->out, integer);
}

static void write_array(struct writer *writer, int index, const struct tg_schema *item,
                        const struct tg_path *path)
{
    lua_State *L = writer->L;
    lua_Unsigned count = lua_rawlen(L, index);
    if (count == 0) {
        /* An empty table is an empty array; one with names only was meant to be something else. */
        lua_pushnil(L);
        if (lua_next(L, index)) fail(writer, path, "expected an array, got a table without [1]");
    }
    tg_buf_append_char(writer->out, '[');
    for (lua_Unsigned i = 0; i < count; i++) {
        const struct tg_path step = {.parent = path, .index = (uint32_t)i};
        if (i) tg_buf_append_char(writer->out, ',');
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        write_value(writer, lua_gettop(L), item, &step);
        lua_pop(L, 1);
    }
    tg_buf_append_char(writer->out, ']');
}

static int compare_keys(const void *a, const void *b)
{
    return tg_slice_compare(*(const struct tg_slice *)a, *(const struct tg_slice *)b);
}

/* Pushes a block with the string keys of the table, sorted, less those that `schema` (may be NULL)
 * declares. The table keeps the strings alive. [-0, +1, e] */
static struct tg_slice *push_sorted_keys(struct writer *writer, int index, const struct tg_schema *schema,
                                         const struct tg_path *path, size_t *count)
{
    lua_State *L = writer->L;
    size_t capacity = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) capacity++;
    struct tg_slice *keys = lua_newuserdatauv(L, (capacity + 1) * sizeof *keys, 0);
    *count = 0;
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            fail(writer, path,
                 lua_pushfstring(L, "keys of JSON objects are strings, got a %s", luaL_typename(L, -2)));
        struct tg_slice key;
        key.data = lua_tolstring(L, -2, &key.length);
        if (!tg_utf8_is_valid(key.data, key.length)) fail(writer, path, "a key is not UTF-8");
        if (!schema || !tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, key, 0))
            keys[(*count)++] = key;
    }
    qsort(keys, *count, sizeof *keys, compare_keys);
    return keys;
}

/* Writes the members of a table that no field declares, in byte order of their names. */
static void write_members(struct writer *writer, int index, const struct tg_schema *declared,
                          const struct tg_schema *item, const struct tg_path *path, bool is_first)
{
    lua_State *L = writer->L;
    size_t count;
    bool was_stopped = writer->world->is_collector_stopped;
    tg_world_stop_collector(writer->world);
    struct tg_slice *keys = push_sorted_keys(writer, index, declared, path, &count);
    for (size_t i = 0; i < count; i++) {
        const struct tg_path step = {.parent = path, .key = keys[i]};
        if (!is_first) tg_buf_append_char(writer->out, ',');
        is_first = false;
        tg_json_write_string(writer->out, keys[i]);
        tg_buf_append_char(writer->out, ':');
        lua_pushlstring(L, keys[i].data, keys[i].length);
        lua_rawget(L, index);
        write_value(writer, lua_gettop(L), item, &step);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (!was_stopped) tg_world_restart_collector(writer->world);
}

/* One declared field; true when it was written. */
static bool write_field(struct writer *writer, int index, const struct tg_schema_field *field,
                        const struct tg_path *path, bool is_first)
{
    lua_State *L = writer->L;
    const struct tg_path step = {.parent = path, .key = field->name};
    lua_rawgeti(L, writer->keys, field->key_id);
    bool is_absent = lua_rawget(L, index) == LUA_TNIL;
    const struct tg_value *default_value = is_absent ? field->schema->default_value : NULL;
    bool is_written = !is_absent || default_value || !field->schema->is_optional;
    if (is_written) {
        if (!is_first) tg_buf_append_char(writer->out, ',');
        tg_buf_append_slice(writer->out, field->wire[TG_NAMING_DECLARED].head);
        if (default_value)
            tg_json_write_value(writer->out, default_value);
        else if (is_absent && !field->schema->is_nullable && field->schema->kind != TG_SCHEMA_NULL &&
                 field->schema->kind != TG_SCHEMA_ANY)
            fail(writer, &step, "this field is required");
        else
            write_value(writer, lua_gettop(L), field->schema, &step);
    }
    lua_pop(L, 1);
    return is_written;
}

static void write_object(struct writer *writer, int index, const struct tg_schema *schema,
                         const struct tg_path *path)
{
    bool is_first = true;
    tg_buf_append_char(writer->out, '{');
    for (uint32_t i = 0; i < schema->object.count; i++)
        if (write_field(writer, index, &schema->object.fields[i], path, is_first)) is_first = false;
    if (schema->object.additional == TG_ADDITIONAL_ALLOW)
        write_members(writer, index, schema, NULL, path, is_first);
    tg_buf_append_char(writer->out, '}');
}

static void write_map(struct writer *writer, int index, const struct tg_schema *value,
                      const struct tg_path *path)
{
    tg_buf_append_char(writer->out, '{');
    write_members(writer, index, NULL, value, path, true);
    tg_buf_append_char(writer->out, '}');
}

/* A table that no schema describes: marked as an array, or a sequence, or else an object. */
static void write_table(struct writer *writer, int index, const struct tg_path *path)
{
    lua_State *L = writer->L;
    bool is_array = tg_is_marked_array(writer->world, L, index) || lua_rawlen(L, index) > 0;
    if (is_array)
        write_array(writer, index, NULL, path);
    else
        write_map(writer, index, NULL, path);
}

static void write_any(struct writer *writer, int index, const struct tg_path *path)
{
    lua_State *L = writer->L;
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        tg_buf_append_slice(writer->out, lua_toboolean(L, index) ? TG_SLICE("true") : TG_SLICE("false"));
        break;
    case LUA_TSTRING:
        write_string(writer, index, path);
        break;
    case LUA_TTABLE:
        write_table(writer, index, path);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            tg_json_write_integer(writer->out, lua_tointeger(L, index));
        else
            write_float(writer, lua_tonumber(L, index), path);
        break;
    default:
        if (!is_null(L, index)) fail_type(writer, path, "a value that JSON can say", index);
        tg_buf_append_literal(writer->out, "null");
    }
}

static void check_table(struct writer *writer, int index, const char *expected, const struct tg_path *path)
{
    if (!lua_istable(writer->L, index)) fail_type(writer, path, expected, index);
}

static void write_kind(struct writer *writer, int index, const struct tg_schema *schema,
                       const struct tg_path *path)
{
    lua_State *L = writer->L;
    switch (schema->kind) {
    case TG_SCHEMA_BOOLEAN:
        if (!lua_isboolean(L, index)) fail_type(writer, path, "a boolean", index);
        write_any(writer, index, path);
        break;
    case TG_SCHEMA_INTEGER:
        write_integer(writer, index, path);
        break;
    case TG_SCHEMA_NUMBER:
        if (lua_type(L, index) != LUA_TNUMBER) fail_type(writer, path, "a number", index);
        write_float(writer, lua_tonumber(L, index), path);
        break;
    case TG_SCHEMA_STRING:
        if (lua_type(L, index) != LUA_TSTRING) fail_type(writer, path, "a string", index);
        write_string(writer, index, path);
        break;
    case TG_SCHEMA_ARRAY:
        check_table(writer, index, "an array", path);
        write_array(writer, index, schema->array.item, path);
        break;
    case TG_SCHEMA_OBJECT:
        check_table(writer, index, "an object", path);
        write_object(writer, index, schema, path);
        break;
    case TG_SCHEMA_MAP:
        check_table(writer, index, "a map", path);
        write_map(writer, index, schema->map.value, path);
        break;
    case TG_SCHEMA_NULL:
        fail_type(writer, path, "nothing", index);
        break;
    case TG_SCHEMA_ANY:
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
    case TG_SCHEMA_UNION:
    case TG_SCHEMA_TAGGED:
    case TG_SCHEMA_REF:
        write_any(writer, index, path);
        break;
    }
}

/* `schema` NULL: anything goes. */
static void write_value(struct writer *writer, int index, const struct tg_schema *schema,
                        const struct tg_path *path)
{
    if (writer->depth > 0) luaL_checkstack(writer->L, 8, "payload nested too deeply");
    if (++writer->depth > MAX_DEPTH)
        fail(writer, NULL, "nested deeper than 512 levels: does a table hold itself?");
    if (!schema)
        write_any(writer, index, path);
    else if (is_null(writer->L, index) && (schema->is_nullable || schema->kind == TG_SCHEMA_NULL))
        tg_buf_append_literal(writer->out, "null");
    else
        write_kind(writer, index, schema, path);
    writer->depth--;
}

void tg_write_payload(struct tg_world *world, lua_State *L, int index, int keys,
                      const struct tg_schema *schema, struct tg_slice name, struct tg_buf *out)
{
    struct writer writer = {.world = world, .L = L, .out = out, .name = name, .keys = keys};
    write_value(&writer, index, schema, NULL);
}

/* ---- Lua to a tree ---- */

static void to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value, int depth);

static void array_to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value, int depth)
{
    uint32_t count = (uint32_t)lua_rawlen(L, index);
    struct tg_value *items = tg_arena_calloc(&world->registry->arena, count ? count : 1, sizeof *items);
    tg_world_check_memory(L, items);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, index, (lua_Integer)i + 1);
        to_value(world, L, lua_gettop(L), &items[i], depth);
        lua_pop(L, 1);
    }
    *value = (struct tg_value){.type = TG_VALUE_ARRAY, .length = count, .items = items};
}

static void object_to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value,
                            int depth)
{
    struct writer writer = {.world = world, .L = L, .name = TG_SLICE("value")};
    size_t count;
    bool was_stopped = world->is_collector_stopped;
    tg_world_stop_collector(world);
    struct tg_slice *keys = push_sorted_keys(&writer, index, NULL, NULL, &count);
    struct tg_member *members = tg_arena_calloc(&world->registry->arena, count ? count : 1, sizeof *members);
    tg_world_check_memory(L, members);
    for (size_t i = 0; i < count; i++) {
        struct tg_slice key = tg_world_copy(world, L, keys[i]);
        members[i].key = key.data;
        members[i].key_length = (uint32_t)key.length;
        lua_pushlstring(L, keys[i].data, keys[i].length);
        lua_rawget(L, index);
        to_value(world, L, lua_gettop(L), &members[i].value, depth);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    if (!was_stopped) tg_world_restart_collector(world);
    *value = (struct tg_value){.type = TG_VALUE_OBJECT, .length = (uint32_t)count, .members = members};
}

static void string_to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value)
{
    struct tg_slice text;
    text.data = lua_tolstring(L, index, &text.length);
    if (!tg_utf8_is_valid(text.data, text.length)) luaL_error(L, "the text is not UTF-8");
    text = tg_world_copy(world, L, text);
    *value = (struct tg_value){.type = TG_VALUE_STRING, .length = (uint32_t)text.length, .string = text.data};
}

static void number_to_value(lua_State *L, int index, struct tg_value *value)
{
    if (lua_isinteger(L, index))
        *value = (struct tg_value){.type = TG_VALUE_INTEGER, .integer = lua_tointeger(L, index)};
    else if (isfinite(lua_tonumber(L, index)))
        *value = (struct tg_value){.type = TG_VALUE_NUMBER, .number = lua_tonumber(L, index)};
    else
        luaL_error(L, "JSON has no infinity and no NaN");
}

static void to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value, int depth)
{
    luaL_checkstack(L, 8, "value nested too deeply");
    if (depth > MAX_DEPTH)
        luaL_error(L, "nested deeper than %d levels: does a table hold itself?", MAX_DEPTH);
    switch (lua_type(L, index)) {
    case LUA_TBOOLEAN:
        *value = (struct tg_value){.type = TG_VALUE_BOOLEAN, .boolean = lua_toboolean(L, index)};
        break;
    case LUA_TNUMBER:
        number_to_value(L, index, value);
        break;
    case LUA_TSTRING:
        string_to_value(world, L, index, value);
        break;
    case LUA_TTABLE:
        if (tg_is_marked_array(world, L, index) || lua_rawlen(L, index) > 0)
            array_to_value(world, L, index, value, depth + 1);
        else
            object_to_value(world, L, index, value, depth + 1);
        break;
    default:
        if (!is_null(L, index)) luaL_error(L, "a %s is nothing that JSON can say", luaL_typename(L, index));
        *value = (struct tg_value){.type = TG_VALUE_NULL};
    }
}

void tg_to_value(struct tg_world *world, lua_State *L, int index, struct tg_value *value)
{
    to_value(world, L, lua_absindex(L, index), value, 0);
}
