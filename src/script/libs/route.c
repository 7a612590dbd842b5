/* lua/tidegate/route.lua has checked the types of what is read here. */
#include "script/libs/route.h"

#include "script/compile.h"
#include "script/message_type.h"

#include <lauxlib.h>
#include <math.h>

enum { ROUTE = 1 }; /* on the stack */

static void *arena_calloc(struct tg_world *world, lua_State *L, size_t count, size_t bytes)
{
    return tg_world_check_memory(L, tg_arena_calloc(&world->registry->arena, count ? count : 1, bytes));
}

/* The string on top. [-1, +0, e] */
static struct tg_slice take_text(struct tg_world *world, lua_State *L)
{
    struct tg_slice text;
    text.data = luaL_checklstring(L, -1, &text.length);
    text = tg_world_copy(world, L, text);
    lua_pop(L, 1);
    return text;
}

static struct tg_slice get_text(struct tg_world *world, lua_State *L, const char *name)
{
    if (lua_getfield(L, ROUTE, name) != LUA_TNIL) return take_text(world, L);
    lua_pop(L, 1);
    return TG_SLICE("");
}

static struct tg_texts get_texts(struct tg_world *world, lua_State *L, const char *name)
{
    lua_getfield(L, ROUTE, name);
    struct tg_texts texts = {.count = (uint32_t)lua_rawlen(L, -1)};
    struct tg_slice *items = arena_calloc(world, L, texts.count, sizeof *items);
    for (uint32_t i = 0; i < texts.count; i++) {
        lua_rawgeti(L, -1, (lua_Integer)i + 1);
        items[i] = take_text(world, L);
    }
    lua_pop(L, 1);
    texts.items = items;
    return texts;
}

static void read_origins(struct tg_world *world, lua_State *L, struct tg_http_route *route)
{
    struct tg_texts texts = get_texts(world, L, "origins");
    struct tg_origin *origins = arena_calloc(world, L, texts.count, sizeof *origins);
    for (uint32_t i = 0; i < texts.count; i++) {
        const char *wrong = tg_origin_read_pattern(texts.items[i], &origins[i]);
        if (wrong) luaL_error(L, "the origin \"%s\" %s", texts.items[i].data, wrong);
    }
    route->origins = origins;
    route->origin_count = texts.count;
}

/* What is answered, as the type of a message that is never sent: it is filled, checked and written as one. */
static void read_output(struct tg_world *world, lua_State *L, struct tg_http_route *route)
{
    if (lua_getfield(L, ROUTE, "output") != LUA_TNIL) {
        struct tg_message_type *type = arena_calloc(world, L, 1, sizeof *type);
        struct tg_compiled compiled = tg_compile_schema(world, L, lua_gettop(L));
        *type = (struct tg_message_type){.action = route->name,
                                         .payload = compiled.schema,
                                         .source = route->source,
                                         .has_defaults = compiled.has_defaults};
        route->script_output = type;
    }
    lua_pop(L, 1);
}

static double get_number(lua_State *L, const char *name)
{
    lua_getfield(L, ROUTE, name);
    double number = luaL_optnumber(L, -1, 0);
    lua_pop(L, 1);
    return number;
}

static void read_route(struct tg_world *world, lua_State *L, struct tg_http_route *route)
{
    lua_getfield(L, ROUTE, "method");
    route->method = tg_http_method_of(tg_slice_of(luaL_checkstring(L, -1)));
    lua_getfield(L, ROUTE, "schema");
    route->payload = tg_compile_schema(world, L, lua_gettop(L)).schema;
    lua_pop(L, 2);
    route->source = get_text(world, L, "source");
    route->summary = get_text(world, L, "summary");
    route->description = get_text(world, L, "description");
    route->tags = get_texts(world, L, "tags");
    route->headers = get_texts(world, L, "headers");
    route->timeout_ms = (uint64_t)ceil(get_number(L, "timeout") * 1000);
    route->max_body_bytes = (uint64_t)get_number(L, "max_body_bytes");
    route->is_login = tg_table_flag(L, ROUTE, "login");
    read_origins(world, L, route);
}

/* route(declaration): raises what does not fit with the others, naming both places. */
static int host_route(lua_State *L)
{
    struct tg_world *world = lua_touserdata(L, lua_upvalueindex(1));
    luaL_checktype(L, ROUTE, LUA_TTABLE);
    lua_settop(L, ROUTE);
    if (!world->takes_routes)
        return luaL_error(L, "routes belong to an application that is being loaded: in a spec, declare them "
                             "inside the function that testing.app is given");
    struct tg_http_route *route = arena_calloc(world, L, 1, sizeof *route);
    struct tg_error error;
    read_route(world, L, route);
    struct tg_slice path = get_text(world, L, "path");
    enum tg_status status =
        tg_http_routes_add(&world->registry->routes, &world->registry->arena, route, path, &error);
    if (status == TG_E_NO_MEMORY) tg_world_check_memory(L, NULL);
    if (status != TG_OK) return luaL_error(L, "%s", error.text);
    read_output(world, L, route);
    lua_getfield(L, ROUTE, "handler");
    route->script_ref = tg_world_keep(world, L);
    return 0;
}

void tg_route_library_install(struct tg_world *world, lua_State *L)
{
    tg_world_push_self(world, L);
    lua_pushcclosure(L, host_route, 1);
    lua_setfield(L, -2, "route");
}
