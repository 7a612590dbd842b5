/* lua/tidegate/schema.lua has checked names and types of all options at the line of the user; what is read
 * here is what it made. A session is the compilation of one message type: its table has the schema of each
 * node that it met, so that what is shared or comes back to itself is compiled once, and the nodes in a list,
 * those inside others first. */
#include "script/compile.h"

#include "script/fingerprint.h"
#include "script/samples.h"
#include "script/scalars.h"
#include "script/to_value.h"

#include <lauxlib.h>
#include <string.h>

enum { MAX_NODE_DEPTH = 200 };

/* A reference whose target has to be looked at when all are known. */
struct pending_ref {
    const struct pending_ref *next;
    const struct tg_schema *schema;
    const char *source; /* in the arena */
};

struct session {
    struct tg_world *world;
    lua_State *L;
    int nodes; /* stack index of the table: node -> schema as light userdata, and i -> node */
    lua_Integer count;
    const struct pending_ref *refs;
    struct tg_compiled *compiled;
};

static const struct tg_schema *compile(struct session *session, int index, const struct tg_path *path,
                                       int depth);

static void *allocate(const struct session *session, size_t count, size_t bytes)
{
    return tg_world_check_memory(session->L, tg_arena_calloc(&session->world->registry->arena, count, bytes));
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

/* ---- values to choose from ---- */

/* The scalar on top. [-1, +0, e] */
static void take_scalar(struct session *session, struct tg_value *value)
{
    const struct tg_reading reading = {.arena = &session->world->registry->arena,
                                       .subject = {.name = TG_SLICE("a value to choose from")}};
    tg_to_value(session->world, session->L, -1, &reading, value);
    lua_pop(session->L, 1);
}

static void check_sealed(lua_State *L, enum tg_status status)
{
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status != TG_OK) luaL_error(L, "a text in the schema is not UTF-8");
}

static void compile_choice(struct session *session, int index, struct tg_schema *schema)
{
    lua_State *L = session->L;
    lua_getfield(L, index, "values");
    uint32_t count = (uint32_t)lua_rawlen(L, -1);
    struct tg_value *values = allocate(session, count, sizeof *values);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        take_scalar(session, &values[i]);
    }
    lua_pop(L, 1);
    schema->choice.values = values;
    schema->choice.count = count;
    check_sealed(L, tg_schema_seal_choice(&session->world->registry->arena, schema));
}

/* ---- what holds other schemas ---- */

static const struct tg_schema *compile_child(struct session *session, int index, const char *name,
                                             const struct tg_path *path, int depth)
{
    lua_getfield(session->L, index, name);
    const struct tg_schema *child = compile(session, lua_gettop(session->L), path, depth);
    lua_pop(session->L, 1);
    return child;
}

/* The name on top. [-1, +0, e] */
static void take_name(struct session *session, struct tg_schema_field *field)
{
    field->name.data = luaL_checklstring(session->L, -1, &field->name.length);
    field->name = tg_world_copy(session->world, session->L, field->name);
    field->key_id = tg_world_key_id(session->world, session->L);
}

static enum tg_additional get_additional(lua_State *L, int index)
{
    struct tg_slice name = tg_push_text(L, index, "additional");
    enum tg_additional additional = tg_slice_equal(name, TG_SLICE("allow"))    ? TG_ADDITIONAL_ALLOW
                                    : tg_slice_equal(name, TG_SLICE("forbid")) ? TG_ADDITIONAL_FORBID
                                                                               : TG_ADDITIONAL_IGNORE;
    lua_pop(L, 1);
    return additional;
}

/* Notes the first two fields that have one name in camel case: whoever uses it refuses them. */
static void note_clash(struct session *session, const struct tg_schema_object *object,
                       const struct tg_path *path)
{
    struct tg_buf *text = &session->world->scratch;
    const struct tg_schema_field *fields = object->fields, *one = &fields[object->clash[0]];
    if (object->clash[0] == object->clash[1] || session->compiled->clash.data) return;
    tg_buf_truncate(text, 0);
    tg_path_write(text, path);
    tg_buf_printf(text, " has the fields \"%.*s\" and \"%.*s\", which are both \"%.*s\" there; rename one",
                  TG_SLICE_ARG(one->name), TG_SLICE_ARG(fields[object->clash[1]].name),
                  TG_SLICE_ARG(one->wire[TG_NAMING_CAMEL].text));
    if (text->has_failed) tg_world_check_memory(session->L, NULL);
    session->compiled->clash = tg_world_copy(session->world, session->L, tg_buf_peek(text));
}

static void compile_object(struct session *session, int index, struct tg_schema *schema,
                           const struct tg_path *path, int depth)
{
    lua_State *L = session->L;
    schema->object.additional = get_additional(L, index);
    lua_getfield(L, index, "fields");
    uint32_t count = (uint32_t)lua_rawlen(L, -1);
    struct tg_schema_field *fields = allocate(session, count ? count : 1, sizeof *fields);
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        lua_getfield(L, -1, "name");
        take_name(session, &fields[i]);
        const struct tg_path step = {.parent = path, .key = fields[i].name};
        fields[i].schema = compile_child(session, lua_gettop(L), "schema", &step, depth);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    schema->object.fields = fields;
    schema->object.count = count;
    struct tg_error error;
    enum tg_status status = tg_schema_seal_object(&session->world->registry->arena, schema, &error);
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status != TG_OK) luaL_error(L, "%s", error.text);
    note_clash(session, &schema->object, path);
}

static void compile_array(struct session *session, int index, struct tg_schema *schema,
                          const struct tg_path *path, int depth)
{
    const struct tg_path step = {.parent = path};
    schema->array.item = compile_child(session, index, "item", &step, depth);
    schema->array.min_items = tg_get_count(session->L, index, "min", 0);
    schema->array.max_items = tg_get_count(session->L, index, "max", UINT32_MAX);
    schema->array.is_unique = tg_table_flag(session->L, index, "unique");
}

static void compile_map(struct session *session, int index, struct tg_schema *schema,
                        const struct tg_path *path, int depth)
{
    lua_State *L = session->L;
    const struct tg_path step = {.parent = path};
    schema->map.value = compile_child(session, index, "value", &step, depth);
    schema->map.min_entries = tg_get_count(L, index, "min", 0);
    schema->map.max_entries = tg_get_count(L, index, "max", UINT32_MAX);
    if (lua_getfield(L, index, "keys") != LUA_TNIL)
        schema->map.key = compile(session, lua_gettop(L), &step, depth);
    lua_pop(L, 1);
}

static void compile_union(struct session *session, int index, struct tg_schema *schema,
                          const struct tg_path *path, int depth)
{
    lua_State *L = session->L;
    lua_getfield(L, index, "branches");
    uint32_t count = (uint32_t)lua_rawlen(L, -1);
    const struct tg_schema **branches = allocate(session, count, sizeof(void *));
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        branches[i] = compile(session, lua_gettop(L), path, depth);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    schema->alternatives.branches = branches;
    schema->alternatives.count = count;
}

static void compile_tagged(struct session *session, int index, struct tg_schema *schema,
                           const struct tg_path *path, int depth)
{
    lua_State *L = session->L;
    lua_getfield(L, index, "tag");
    take_name(session, &schema->tagged.tag);
    lua_getfield(L, index, "variants");
    uint32_t count = (uint32_t)lua_rawlen(L, -1);
    struct tg_value *tags = allocate(session, count, sizeof *tags);
    const struct tg_schema **branches = allocate(session, count, sizeof(void *));
    for (uint32_t i = 0; i < count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        lua_getfield(L, -1, "tag");
        take_scalar(session, &tags[i]);
        branches[i] = compile_child(session, lua_gettop(L), "schema", path, depth);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    schema->tagged.tags = tags;
    schema->tagged.branches = branches;
    schema->tagged.count = count;
    check_sealed(L, tg_schema_seal_tagged(&session->world->registry->arena, schema));
}

/* ---- references ---- */

/* Whether a value of tidegate.schema's lies on top. */
static bool is_node(lua_State *L)
{
    if (!lua_istable(L, -1) || luaL_getmetafield(L, -1, "__name") == LUA_TNIL) return false;
    const char *name = lua_tostring(L, -1);
    bool is_schema = name && strcmp(name, "tidegate.schema") == 0;
    lua_pop(L, 1);
    return is_schema;
}

static void compile_ref(struct session *session, int index, struct tg_schema *schema,
                        const struct tg_path *path, int depth)
{
    lua_State *L = session->L;
    struct pending_ref *ref = allocate(session, 1, sizeof *ref);
    struct tg_slice source = tg_push_text(L, index, "source");
    *ref = (struct pending_ref){session->refs, schema, tg_world_copy(session->world, L, source).data};
    session->refs = ref;
    schema->ref.max_depth = tg_get_count(L, index, "max_depth", 32);
    lua_getfield(L, index, "resolve");
    lua_call(L, 0, 1);
    if (!is_node(L))
        luaL_error(L, "s.ref at %s: its function must return a schema, got %s%s", ref->source,
                   lua_isnil(L, -1) ? "nothing" : "a ", lua_isnil(L, -1) ? "" : luaL_typename(L, -1));
    schema->ref.target = compile(session, lua_gettop(L), path, depth);
    lua_pop(L, 2);
}

static void check_refs(const struct session *session)
{
    for (const struct pending_ref *ref = session->refs; ref; ref = ref->next)
        if (tg_schema_check_ref(ref->schema) != TG_OK)
            luaL_error(session->L,
                       "s.ref at %s: it leads back to itself without an object or a list in between, so that "
                       "no value could ever end it",
                       ref->source);
}

/* ---- nodes ---- */

static void compile_kind(struct session *session, int index, struct tg_schema *schema,
                         const struct tg_path *path, int depth)
{
    switch (schema->kind) {
    case TG_SCHEMA_STRING:
        tg_compile_string(session->world, session->L, index, schema);
        break;
    case TG_SCHEMA_INTEGER:
        tg_compile_integer(session->L, index, schema);
        break;
    case TG_SCHEMA_NUMBER:
        tg_compile_number(session->L, index, schema);
        break;
    case TG_SCHEMA_LITERAL:
    case TG_SCHEMA_ENUM:
        compile_choice(session, index, schema);
        break;
    case TG_SCHEMA_ARRAY:
        compile_array(session, index, schema, path, depth);
        break;
    case TG_SCHEMA_OBJECT:
        compile_object(session, index, schema, path, depth);
        break;
    case TG_SCHEMA_MAP:
        compile_map(session, index, schema, path, depth);
        break;
    case TG_SCHEMA_UNION:
        compile_union(session, index, schema, path, depth);
        break;
    case TG_SCHEMA_TAGGED:
        compile_tagged(session, index, schema, path, depth);
        break;
    case TG_SCHEMA_REF:
        compile_ref(session, index, schema, path, depth);
        break;
    case TG_SCHEMA_ANY:
    case TG_SCHEMA_NULL:
    case TG_SCHEMA_BOOLEAN:
        break;
    }
}

/* The schema of a node that was met before; NULL: it is new. */
static struct tg_schema *find(const struct session *session, int index)
{
    lua_pushvalue(session->L, index);
    lua_rawget(session->L, session->nodes);
    struct tg_schema *schema = lua_touserdata(session->L, -1);
    lua_pop(session->L, 1);
    return schema;
}

static const struct tg_schema *compile(struct session *session, int index, const struct tg_path *path,
                                       int depth)
{
    lua_State *L = session->L;
    luaL_checkstack(L, 12, "schema nested too deeply");
    if (depth > MAX_NODE_DEPTH) luaL_error(L, "a schema is nested deeper than %d levels", MAX_NODE_DEPTH);
    struct tg_schema *schema = find(session, index);
    if (schema) return schema;
    schema = tg_schema_new(&session->world->registry->arena, get_kind(L, index));
    tg_world_check_memory(L, schema);
    lua_pushvalue(L, index);
    lua_pushlightuserdata(L, schema);
    lua_rawset(L, session->nodes);
    schema->is_optional = tg_table_flag(L, index, "is_optional");
    schema->is_nullable = tg_table_flag(L, index, "is_nullable");
    schema->is_secret = tg_table_flag(L, index, "is_secret");
    schema->can_coerce = tg_table_flag(L, index, "coerce");
    compile_kind(session, index, schema, path, depth + 1);
    if (lua_getfield(L, index, "checks") != LUA_TNIL) {
        schema->check_print = tg_fingerprint(L, -1);
        schema->script_check = tg_world_keep(session->world, L);
    } else {
        lua_pop(L, 1);
    }
    session->compiled->has_defaults |= tg_table_flag(L, index, "has_default");
    lua_pushvalue(L, index);
    lua_rawseti(L, session->nodes, ++session->count);
    return schema;
}

struct tg_compiled tg_compile_schema(struct tg_world *world, lua_State *L, int index)
{
    struct tg_compiled compiled = {0};
    if (lua_isnil(L, index)) {
        compiled.schema = tg_world_check_memory(L, tg_schema_new(&world->registry->arena, TG_SCHEMA_NULL));
        return compiled;
    }
    index = lua_absindex(L, index);
    const struct tg_path path = {.key = TG_SLICE("payload")};
    lua_newtable(L);
    struct session session = {.world = world, .L = L, .nodes = lua_gettop(L), .compiled = &compiled};
    compiled.schema = compile(&session, index, &path, 0);
    check_refs(&session);
    for (lua_Integer i = 1; i <= session.count; i++) {
        lua_rawgeti(L, session.nodes, i);
        struct tg_schema *schema = find(&session, lua_gettop(L));
        tg_compile_samples(world, L, lua_gettop(L), schema);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return compiled;
}
