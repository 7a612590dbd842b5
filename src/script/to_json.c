/* Declared fields are written in their order, with heads that were quoted when the schema was sealed; keys
 * that nobody declared in byte order. Where writing allocates (sorting keys, looking for the branch of a
 * union) the collector stands still, since a finalizer is Lua code of the user's that may send to the very
 * connection whose frame is being written. What it needs besides lies in the world's arena, until the next
 * payload. */
#include "script/to_json.h"

#include "script/branch.h"
#include "script/to_lua.h"
#include "wire/json.h"

#include <lauxlib.h>
#include <math.h>

struct writer {
    struct tg_world *world;
    lua_State *L;
    struct tg_buf *out;
    struct tg_subject subject;
    enum tg_naming naming;
    int keys;
    int depth;
};

static void write_value(struct writer *writer, int index, const struct tg_schema *schema,
                        const struct tg_path *path);
static void write_any(struct writer *writer, int index, const struct tg_path *path);

static _Noreturn void fail(const struct writer *writer, const struct tg_path *path, const char *text)
{
    tg_fail_at(writer->world, writer->L, &writer->subject, path, text);
}

static _Noreturn void fail_type(const struct writer *writer, const struct tg_path *path, const char *expected,
                                int index)
{
    tg_fail_type_at(writer->world, writer->L, &writer->subject, path, expected, index);
}

/* ---- scalars ---- */

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

/* ---- lists and members ---- */

static void write_items(struct writer *writer, int index, const struct tg_schema *item,
                        const struct tg_path *path)
{
    lua_State *L = writer->L;
    lua_Unsigned count = lua_rawlen(L, index);
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

static void write_array(struct writer *writer, int index, const struct tg_schema *item,
                        const struct tg_path *path)
{
    lua_State *L = writer->L;
    if (lua_rawlen(L, index) == 0) {
        /* An empty table is an empty array; one with names only was meant to be something else. */
        lua_pushnil(L);
        if (lua_next(L, index)) fail(writer, path, "expected an array, got a table without [1]");
    }
    write_items(writer, index, item, path);
}

/* Whether a field is declared under that name; raises when one is written under it that has another. */
static bool is_declared(const struct writer *writer, const struct tg_schema *schema, struct tg_slice key,
                        const struct tg_path *path)
{
    if (!schema) return false;
    if (tg_schema_find_field(&schema->object, TG_NAMING_DECLARED, key, 0)) return true;
    if (tg_schema_find_field(&schema->object, writer->naming, key, 0))
        fail(writer, path, "a declared field is written under this name in camel case");
    return false;
}

/* Writes the members of a table that `declared` (may be NULL) does not declare, in byte order of their names.
 */
static void write_members(struct writer *writer, int index, const struct tg_schema *declared,
                          const struct tg_schema *item, const struct tg_path *path, bool is_first)
{
    lua_State *L = writer->L;
    struct tg_world *world = writer->world;
    bool was_stopped = world->is_collector_stopped;
    tg_world_stop_collector(world);
    uint32_t count;
    struct tg_slice *keys = tg_table_keys(world, L, index, &world->arena, &writer->subject, path, &count);
    for (uint32_t i = 0; i < count; i++) {
        const struct tg_path step = {.parent = path, .key = keys[i]};
        if (is_declared(writer, declared, keys[i], &step)) continue;
        if (!is_first) tg_buf_append_char(writer->out, ',');
        is_first = false;
        tg_json_write_string(writer->out, keys[i]);
        tg_buf_append_char(writer->out, ':');
        lua_pushlstring(L, keys[i].data, keys[i].length);
        lua_rawget(L, index);
        write_value(writer, lua_gettop(L), item, &step);
        lua_pop(L, 1);
    }
    if (!was_stopped) tg_world_restart_collector(world);
}

static void write_map(struct writer *writer, int index, const struct tg_schema *value,
                      const struct tg_path *path)
{
    tg_buf_append_char(writer->out, '{');
    write_members(writer, index, NULL, value, path, true);
    tg_buf_append_char(writer->out, '}');
}

/* ---- objects ---- */

/* Whether a field that is absent is written as null: where null is all that it can be, or one thing of it. */
static bool absent_is_null(const struct tg_schema *schema)
{
    return schema->is_nullable || schema->kind == TG_SCHEMA_NULL || schema->kind == TG_SCHEMA_ANY;
}

/* A field that the script left out though it has a default, which goes the way of all values: its own fields
 * have names on the wire as well. */
static void write_default(struct writer *writer, const struct tg_schema *schema, const struct tg_path *path)
{
    lua_State *L = writer->L;
    bool was_stopped = writer->world->is_collector_stopped;
    tg_world_stop_collector(writer->world);
    luaL_checkstack(L, 8, "payload nested too deeply");
    tg_world_push_refs(writer->world, L);
    tg_push_value(L, lua_gettop(L), writer->keys, schema->default_value);
    write_value(writer, lua_gettop(L), schema, path);
    lua_pop(L, 2);
    if (!was_stopped) tg_world_restart_collector(writer->world);
}

/* One declared field; true when it was written. */
static bool write_field(struct writer *writer, int index, const struct tg_schema_field *field,
                        const struct tg_path *path, bool is_first)
{
    lua_State *L = writer->L;
    const struct tg_schema *schema = field->schema;
    const struct tg_path step = {.parent = path, .key = field->name};
    lua_rawgeti(L, writer->keys, field->key_id);
    bool is_absent = lua_rawget(L, index) == LUA_TNIL;
    bool is_written = !is_absent || schema->default_value || !schema->is_optional;
    if (is_written) {
        if (is_absent && !schema->default_value && !absent_is_null(schema))
            fail(writer, &step, "this field is required");
        if (!is_first) tg_buf_append_char(writer->out, ',');
        tg_buf_append_slice(writer->out, field->wire[writer->naming].head);
        if (is_absent && schema->default_value)
            write_default(writer, schema, &step);
        else
            write_value(writer, lua_gettop(L), schema, &step);
    }
    lua_pop(L, 1);
    return is_written;
}

static void write_object(struct writer *writer, int index, const struct tg_schema *schema, bool has_extras,
                         const struct tg_path *path)
{
    bool is_first = true;
    tg_buf_append_char(writer->out, '{');
    for (uint32_t i = 0; i < schema->object.count; i++)
        if (write_field(writer, index, &schema->object.fields[i], path, is_first)) is_first = false;
    if (has_extras || schema->object.additional == TG_ADDITIONAL_ALLOW)
        write_members(writer, index, schema, NULL, path, is_first);
    tg_buf_append_char(writer->out, '}');
}

/* ---- one of several ---- */

static void write_union(struct writer *writer, int index, const struct tg_schema *schema,
                        const struct tg_path *path)
{
    struct tg_world *world = writer->world;
    const struct tg_reading reading = {.arena = &world->arena, .path = path, .subject = writer->subject};
    const struct tg_schema *branch = tg_union_branch(world, writer->L, index, schema, &reading);
    if (!branch) fail(writer, path, "no branch of the union accepts this value");
    write_value(writer, index, branch, path);
}

static void write_tagged(struct writer *writer, int index, const struct tg_schema *schema,
                         const struct tg_path *path)
{
    const struct tg_schema *branch = tg_tagged_branch(writer->L, index, writer->keys, schema);
    if (!branch) {
        const struct tg_path step = {.parent = path, .key = schema->tagged.tag.name};
        lua_pushlstring(writer->L, schema->tagged.text.data, schema->tagged.text.length);
        fail(writer, &step, lua_pushfstring(writer->L, "expected one of %s", lua_tostring(writer->L, -1)));
    }
    write_object(writer, index, branch, false, path);
}

/* ---- all kinds ---- */

/* A table that no schema describes: marked as an array, or a sequence, or else an object. */
static void write_table(struct writer *writer, int index, const struct tg_path *path)
{
    lua_State *L = writer->L;
    bool is_marked = tg_is_marked_array(writer->world, L, index);
    if (is_marked || lua_rawlen(L, index) > 0) {
        tg_table_check_sequence(writer->world, L, index, &writer->subject, path);
        write_items(writer, index, NULL, path);
    } else {
        write_map(writer, index, NULL, path);
    }
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
        if (!tg_is_null(L, index)) fail_type(writer, path, "a value that JSON can say", index);
        tg_buf_append_literal(writer->out, "null");
    }
}

static void check_type(const struct writer *writer, int index, int type, const char *expected,
                       const struct tg_path *path)
{
    if (lua_type(writer->L, index) != type) fail_type(writer, path, expected, index);
}

static void write_choice(struct writer *writer, int index, const struct tg_path *path)
{
    int type = lua_type(writer->L, index);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        fail_type(writer, path, "a string, a number or a boolean", index);
    write_any(writer, index, path);
}

static void write_kind(struct writer *writer, int index, const struct tg_schema *schema,
                       const struct tg_path *path)
{
    switch (schema->kind) {
    case TG_SCHEMA_ANY:
        write_any(writer, index, path);
        break;
    case TG_SCHEMA_NULL:
        fail_type(writer, path, "nothing", index);
        break;
    case TG_SCHEMA_BOOLEAN:
        check_type(writer, index, LUA_TBOOLEAN, "a boolean", path);
        write_any(writer, index, path);
        break;
    case TG_SCHEMA_INTEGER:
        write_integer(writer, index, path);
        break;
    case TG_SCHEMA_NUMBER:
        check_type(writer, index, LUA_TNUMBER, "a number", path);
        write_float(writer, lua_tonumber(writer->L, index), path);
        break;
    case TG_SCHEMA_STRING:
        check_type(writer, index, LUA_TSTRING, "a string", path);
        write_string(writer, index, path);
        break;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        write_choice(writer, index, path);
        break;
    case TG_SCHEMA_ARRAY:
        check_type(writer, index, LUA_TTABLE, "an array", path);
        write_array(writer, index, schema->array.item, path);
        break;
    case TG_SCHEMA_OBJECT:
        check_type(writer, index, LUA_TTABLE, "an object", path);
        write_object(writer, index, schema, false, path);
        break;
    case TG_SCHEMA_MAP:
        check_type(writer, index, LUA_TTABLE, "a map", path);
        write_map(writer, index, schema->map.value, path);
        break;
    case TG_SCHEMA_UNION:
        write_union(writer, index, schema, path);
        break;
    case TG_SCHEMA_TAGGED:
        check_type(writer, index, LUA_TTABLE, "an object", path);
        write_tagged(writer, index, schema, path);
        break;
    case TG_SCHEMA_REF:
        write_value(writer, index, schema->ref.target, path);
        break;
    }
}

/* `schema` NULL: anything goes. */
static void write_value(struct writer *writer, int index, const struct tg_schema *schema,
                        const struct tg_path *path)
{
    if (writer->depth > 0) luaL_checkstack(writer->L, 8, "payload nested too deeply");
    if (++writer->depth > TG_TABLE_MAX_DEPTH)
        fail(writer, NULL, "nested deeper than 512 levels: does a table hold itself?");
    if (!schema)
        write_any(writer, index, path);
    else if (tg_is_null(writer->L, index) && (schema->is_nullable || schema->kind == TG_SCHEMA_NULL))
        tg_buf_append_literal(writer->out, "null");
    else
        write_kind(writer, index, schema, path);
    writer->depth--;
}

void tg_write_payload(struct tg_world *world, lua_State *L, int index, int keys,
                      const struct tg_writing *writing, struct tg_buf *out)
{
    struct writer writer = {.world = world,
                            .L = L,
                            .out = out,
                            .subject = {.name = writing->action},
                            .naming = writing->naming,
                            .keys = keys};
    const struct tg_path path = {.key = TG_SLICE("payload")};
    const struct tg_schema *schema = writing->schema;
    if (world->arena.chunks) tg_arena_reset(&world->arena);
    if (!writing->has_extras) {
        write_value(&writer, index, schema, &path);
    } else if (tg_schema_follow(schema)->kind == TG_SCHEMA_OBJECT) {
        check_type(&writer, index, LUA_TTABLE, "an object", &path);
        write_object(&writer, index, tg_schema_follow(schema), true, &path);
    } else {
        write_value(&writer, index, NULL, &path);
    }
}

void tg_write_any(struct tg_world *world, lua_State *L, int index, const struct tg_subject *subject,
                  const char *name, struct tg_buf *out)
{
    struct writer writer = {.world = world, .L = L, .out = out, .subject = *subject};
    const struct tg_path path = {.key = tg_slice_of(name)};
    if (world->arena.chunks) tg_arena_reset(&world->arena);
    write_value(&writer, index, NULL, &path);
}
