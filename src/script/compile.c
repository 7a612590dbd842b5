/* lua/tidegate/schema.lua has checked names and types of all options at the line of the user; what is read
 * here is what it made. The fields of a node are listed there. */
#include "script/compile.h"

#include "script/convert.h"
#include "wire/validate.h"

#include <lauxlib.h>
#include <string.h>

enum { MAX_NODE_DEPTH = 200 };

static const struct tg_schema *compile(struct tg_world *world, lua_State *L, int index, int depth);

/* Reads an integer field that may be absent. */
static lua_Integer get_integer(lua_State *L, int index, const char *name, lua_Integer otherwise)
{
    lua_getfield(L, index, name);
    lua_Integer value = lua_isnil(L, -1) ? otherwise : luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    return value;
}

static lua_Number get_number(lua_State *L, int index, const char *name, lua_Number otherwise)
{
    lua_getfield(L, index, name);
    lua_Number value = lua_isnil(L, -1) ? otherwise : luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

static uint32_t get_count(lua_State *L, int index, const char *name, uint32_t otherwise)
{
    lua_Integer value = get_integer(L, index, name, otherwise);
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static enum tg_schema_kind get_kind(lua_State *L, int index)
{
    static const char *const names[] = {"any",  "null",  "boolean", "integer", "number", "string", "literal",
                                        "enum", "array", "object",  "map",     "union",  "tagged", "ref"};
    lua_getfield(L, index, "kind");
    const char *kind = luaL_checkstring(L, -1);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(kind, names[i]) != 0) continue;
        lua_pop(L, 1);
        return (enum tg_schema_kind)i;
    }
    luaL_error(L, "no schema is of kind '%s'", kind);
    return TG_SCHEMA_ANY;
}

static void compile_choice(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema)
{
    lua_getfield(L, index, "values");
    uint32_t count = (uint32_t)lua_rawlen(L, -1);
    struct tg_value *values = tg_arena_calloc(&world->registry->arena, count, sizeof *values);
    tg_world_check_memory(L, values);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        tg_to_value(world, L, -1, &values[i]);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    schema->choice.values = values;
    schema->choice.count = count;
    if (tg_schema_seal_choice(&world->registry->arena, schema) != TG_OK) tg_world_check_memory(L, NULL);
}

static const struct tg_schema *compile_child(struct tg_world *world, lua_State *L, int index,
                                             const char *name, int depth)
{
    lua_getfield(L, index, name);
    const struct tg_schema *child = compile(world, L, lua_gettop(L), depth);
    lua_pop(L, 1);
    return child;
}

/* {name=, schema=} on top. */
static void compile_field(struct tg_world *world, lua_State *L, struct tg_schema_field *field, int depth)
{
    int top = lua_gettop(L);
    lua_getfield(L, top, "name");
    field->name.data = luaL_checklstring(L, -1, &field->name.length);
    field->name = tg_world_copy(world, L, field->name);
    field->key_id = tg_world_key_id(world, L);
    field->schema = compile_child(world, L, top, "schema", depth);
}

static enum tg_additional get_additional(lua_State *L, int index)
{
    lua_getfield(L, index, "additional");
    const char *name = luaL_optstring(L, -1, "ignore");
    enum tg_additional additional = strcmp(name, "allow") == 0    ? TG_ADDITIONAL_ALLOW
                                    : strcmp(name, "forbid") == 0 ? TG_ADDITIONAL_FORBID
                                                                  : TG_ADDITIONAL_IGNORE;
    lua_pop(L, 1);
    return additional;
}

static void compile_object(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema,
                           int depth)
{
    schema->object.additional = get_additional(L, index);
    lua_getfield(L, index, "fields");
    uint32_t count = (uint32_t)lua_rawlen(L, -1);
    struct tg_schema_field *fields =
        tg_arena_calloc(&world->registry->arena, count ? count : 1, sizeof *fields);
    tg_world_check_memory(L, fields);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        compile_field(world, L, &fields[i], depth);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    schema->object.fields = fields;
    schema->object.count = count;
    struct tg_error error;
    enum tg_status status = tg_schema_seal_object(&world->registry->arena, schema, &error);
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status != TG_OK) luaL_error(L, "%s", error.text);
}

static void compile_limits(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema,
                           int depth)
{
    switch (schema->kind) {
    case TG_SCHEMA_STRING:
        schema->string.min_length = get_count(L, index, "min", 0);
        schema->string.max_length = get_count(L, index, "max", UINT32_MAX);
        break;
    case TG_SCHEMA_INTEGER:
        schema->integer.min = get_integer(L, index, "min", INT64_MIN);
        schema->integer.max = get_integer(L, index, "max", INT64_MAX);
        break;
    case TG_SCHEMA_NUMBER:
        schema->number.min = get_number(L, index, "min", schema->number.min);
        schema->number.max = get_number(L, index, "max", schema->number.max);
        break;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        compile_choice(world, L, index, schema);
        break;
    case TG_SCHEMA_ARRAY:
        schema->array.item = compile_child(world, L, index, "item", depth);
        schema->array.min_items = get_count(L, index, "min", 0);
        schema->array.max_items = get_count(L, index, "max", UINT32_MAX);
        break;
    case TG_SCHEMA_OBJECT:
        compile_object(world, L, index, schema, depth);
        break;
    case TG_SCHEMA_MAP:
        schema->map.value = compile_child(world, L, index, "value", depth);
        schema->map.max_entries = get_count(L, index, "max", UINT32_MAX);
        break;
    case TG_SCHEMA_ANY:
    case TG_SCHEMA_NULL:
    case TG_SCHEMA_BOOLEAN:
    case TG_SCHEMA_UNION:
    case TG_SCHEMA_TAGGED:
    case TG_SCHEMA_REF:
        break;
    }
}

/* A default is checked like anything that a client sends, which also readies it for conversion. */
static void compile_default(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema)
{
    lua_getfield(L, index, "default_value");
    struct tg_value *value = tg_arena_alloc(&world->registry->arena, sizeof *value);
    tg_world_check_memory(L, value);
    tg_to_value(world, L, -1, value);
    lua_pop(L, 1);
    struct tg_issues issues;
    tg_buf_truncate(&world->scratch, 0);
    tg_issues_init(&issues, &world->scratch, 1);
    struct tg_validation validation = {.arena = &world->registry->arena, .issues = &issues};
    if (tg_validate(schema, value, NULL, &validation) != TG_OK) {
        lua_pushlstring(L, world->scratch.data ? world->scratch.data : "", world->scratch.length);
        luaL_error(L, "the default does not fit its own schema: %s", lua_tostring(L, -1));
    }
    schema->default_value = value;
}

static const struct tg_schema *compile(struct tg_world *world, lua_State *L, int index, int depth)
{
    luaL_checkstack(L, 10, "schema nested too deeply");
    if (depth > MAX_NODE_DEPTH) luaL_error(L, "a schema is nested deeper than %d levels", MAX_NODE_DEPTH);
    struct tg_schema *schema = tg_schema_new(&world->registry->arena, get_kind(L, index));
    tg_world_check_memory(L, schema);
    schema->is_optional = tg_table_flag(L, index, "is_optional");
    schema->is_nullable = tg_table_flag(L, index, "is_nullable");
    compile_limits(world, L, index, schema, depth + 1);
    if (tg_table_flag(L, index, "has_default")) compile_default(world, L, index, schema);
    return schema;
}

const struct tg_schema *tg_compile_schema(struct tg_world *world, lua_State *L, int index)
{
    if (!lua_isnil(L, index)) return compile(world, L, lua_absindex(L, index), 0);
    struct tg_schema *nothing = tg_schema_new(&world->registry->arena, TG_SCHEMA_NULL);
    return tg_world_check_memory(L, nothing);
}
