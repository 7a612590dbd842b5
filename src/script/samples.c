/* A constant default is put into messages as it was checked here. Only one in which a function would have to
 * make something is made anew for each message, as if a function had returned it. */
#include "script/samples.h"

#include "script/exact.h"
#include "script/payload.h"
#include "script/scratch.h"
#include "script/to_lua.h"

#include <lauxlib.h>

static const struct tg_path sample_path = {.key = {"value", 5}};

/* Pushes "FILE:LINE: :default". [-0, +1, e] */
static const char *push_origin(lua_State *L, int index, const char *name, const char *method)
{
    lua_getfield(L, index, name);
    lua_pushfstring(L, "%s: :%s", lua_tostring(L, -1), method);
    lua_remove(L, -2);
    return lua_tostring(L, -1);
}

/* Runs the user's checks on a sample that C found right. */
static void run_checks(struct tg_world *world, lua_State *L, const struct tg_value *value, const char *origin,
                       struct tg_arena *arena, const struct tg_call *calls)
{
    int top = lua_gettop(L);
    tg_world_push_refs(world, L);
    tg_world_push(world, L, TG_REF_KEYS);
    lua_createtable(L, 0, 1);
    tg_push_value(L, top + 1, top + 2, value);
    lua_setfield(L, -2, "payload");
    const struct tg_payload_work work = {
        .world = world, .arena = arena, .source = origin, .holder = top + 3, .skips_defaults = true};
    tg_payload_work(&work, L, calls);
    lua_settop(L, top);
}

/* The tree of the sample on top, checked; `calls` is what it leaves to do for a message. [-0, +0, e] */
static struct tg_value *check_sample(struct tg_world *world, lua_State *L, const struct tg_schema *schema,
                                     const char *origin, struct tg_arena *arena, const struct tg_call **calls)
{
    const struct tg_reading reading = {arena, schema, &sample_path, {tg_slice_of(origin), true}};
    struct tg_value *value = tg_exact_read(world, L, -1, &reading);
    struct tg_exact exact;
    tg_exact_begin(&exact, world, arena);
    enum tg_status status = tg_validate(schema, value, &sample_path, &exact.validation);
    if (!tg_exact_end(&exact, world, L, status)) tg_exact_fail(world, L, &reading.subject, "");
    *calls = exact.validation.calls;
    if (*calls) run_checks(world, L, value, origin, arena, *calls);
    return value;
}

/* Keeps { function, origin } of the two on top. [-2, +0, e] */
static int keep_function(struct tg_world *world, lua_State *L)
{
    lua_createtable(L, 2, 0);
    lua_insert(L, -3);
    lua_rawseti(L, -3, 2);
    lua_rawseti(L, -2, 1);
    return tg_world_keep(world, L);
}

/* The function of a default that is no function: returns upvalue 1. */
static int return_constant(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
}

static bool has_default(const struct tg_call *calls)
{
    while (calls && !calls->is_default) calls = calls->next;
    return calls != NULL;
}

static void compile_default(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema)
{
    int top = lua_gettop(L);
    const char *origin = push_origin(L, index, "default_source", "default");
    if (lua_getfield(L, index, "default_function") == LUA_TNIL) {
        const struct tg_call *calls;
        lua_getfield(L, index, "default_value");
        schema->default_value = check_sample(world, L, schema, origin, &world->registry->arena, &calls);
        if (has_default(calls)) {
            schema->default_value = NULL;
            lua_pushcclosure(L, return_constant, 1);
        }
        lua_replace(L, top + 2);
    }
    lua_settop(L, top + 2);
    if (!schema->default_value) {
        lua_insert(L, top + 1);
        schema->script_default = keep_function(world, L);
    }
    lua_settop(L, top);
}

static void check_examples(struct tg_world *world, lua_State *L, int index, const struct tg_schema *schema)
{
    int examples = lua_gettop(L) + 1;
    if (lua_getfield(L, index, "examples") == LUA_TNIL) {
        lua_pop(L, 1);
        return;
    }
    struct tg_scratch *scratch = tg_scratch_push(world, L);
    for (lua_Integer i = 1; lua_rawgeti(L, examples, i) != LUA_TNIL; i++) {
        const struct tg_call *calls;
        const char *origin = push_origin(L, lua_gettop(L), "source", "example");
        lua_getfield(L, -2, "value");
        check_sample(world, L, schema, origin, &scratch->arena, &calls);
        lua_pop(L, 3);
    }
    lua_pop(L, 1);
    tg_scratch_pop(L);
    lua_pop(L, 1);
}

void tg_compile_samples(struct tg_world *world, lua_State *L, int index, struct tg_schema *schema)
{
    luaL_checkstack(L, 12, "schema nested too deeply");
    if (tg_table_flag(L, index, "has_default")) compile_default(world, L, index, schema);
    check_examples(world, L, index, schema);
}
