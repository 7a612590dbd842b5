/* Calls come in document order, a node after what is inside it: so the last check that was not content tells
 * whether there is one inside the next. */
#include "script/payload.h"

#include "base/utf8.h"
#include "script/exact.h"
#include "script/to_lua.h"

#include <lauxlib.h>

struct work {
    const struct tg_payload_work *asked;
    lua_State *L;
    int refs, keys;                /* stack indices */
    const struct tg_path *refused; /* where a check was not content last, or a default is left out */
};

/* ---- finding the place ---- */

static void push_key(const struct work *work, const struct tg_path *step)
{
    if (step->key_id)
        lua_rawgeti(work->L, work->keys, step->key_id);
    else if (step->key.data)
        lua_pushlstring(work->L, step->key.data, step->key.length);
    else
        lua_pushinteger(work->L, (lua_Integer)step->index + 1);
}

/* Pushes the table that the last step leads into. Checks see tables that they can change. [-0, +1, e] */
static void push_parent(const struct work *work, const struct tg_path *path)
{
    lua_State *L = work->L;
    if (!path->parent) {
        lua_pushvalue(L, work->asked->holder);
        return;
    }
    push_parent(work, path->parent);
    if (path->parent->parent)
        push_key(work, path->parent);
    else
        lua_rawgeti(L, work->keys, TG_KEY_PAYLOAD);
    lua_rawget(L, -2);
    lua_remove(L, -2);
    if (!lua_istable(L, -1)) luaL_error(L, "a check changed the payload: a value that follows is gone");
}

/* Pushes the key of the value in that table. [-0, +1, e] */
static void push_last_key(const struct work *work, const struct tg_path *path)
{
    if (path->parent)
        push_key(work, path);
    else
        lua_rawgeti(work->L, work->keys, TG_KEY_PAYLOAD);
}

static uint32_t depth_of(const struct tg_path *path)
{
    uint32_t depth = 0;
    for (; path; path = path->parent) depth++;
    return depth;
}

static bool is_same_step(const struct tg_path *a, const struct tg_path *b)
{
    if (!a->key.data || !b->key.data) return !a->key.data && !b->key.data && a->index == b->index;
    return tg_slice_equal(a->key, b->key);
}

/* Whether `inner` is the value at `outer` or lies inside it. */
static bool is_inside(const struct tg_path *inner, const struct tg_path *outer)
{
    uint32_t depth = depth_of(inner), outer_depth = depth_of(outer);
    for (; depth > outer_depth; depth--) inner = inner->parent;
    if (depth < outer_depth) return false;
    for (; outer; inner = inner->parent, outer = outer->parent)
        if (!is_same_step(inner, outer)) return false;
    return true;
}

/* ---- checks ---- */

static void refuse(struct work *work, const struct tg_path *path, struct tg_slice text)
{
    struct tg_world *world = work->asked->world;
    lua_State *L = work->L;
    const struct tg_issue issue = {.type = TG_ISSUE_VALUE_ERROR, .path = path, .text = text};
    work->refused = path;
    if (work->asked->issues) {
        tg_issue_report(work->asked->issues, &issue);
        return;
    }
    struct tg_issues issues;
    tg_buf_truncate(&world->scratch, 0);
    tg_issues_init(&issues, &world->scratch, 1);
    issues.style = TG_ISSUE_TEXT;
    tg_issue_report(&issues, &issue);
    lua_pushlstring(L, world->scratch.data, world->scratch.length);
    lua_pushfstring(L, "%s: %s", work->asked->source, lua_tostring(L, -1));
    lua_error(L);
}

/* What the check on top answered. [-1, +0, e] */
static void take_answer(struct work *work, const struct tg_path *path)
{
    lua_State *L = work->L;
    struct tg_slice text = TG_SLICE("not a valid value");
    if (lua_type(L, -1) == LUA_TSTRING) {
        text.data = lua_tolstring(L, -1, &text.length);
        if (!tg_utf8_is_valid(text.data, text.length))
            luaL_error(L, "the sentence that a check returned is not UTF-8");
        refuse(work, path, text);
    } else if (lua_isboolean(L, -1)) {
        if (!lua_toboolean(L, -1)) refuse(work, path, text);
    } else if (!lua_isnil(L, -1)) {
        luaL_error(L,
                   "a check returned a %s: it returns nothing or true when the value is right, a sentence "
                   "or false when it is not",
                   luaL_typename(L, -1));
    }
    lua_pop(L, 1);
}

static void run_checks(struct work *work, const struct tg_call *call)
{
    lua_State *L = work->L;
    int top = lua_gettop(L);
    push_parent(work, call->path);
    push_last_key(work, call->path);
    lua_rawget(L, -2);
    if (!tg_is_null(L, -1)) {
        lua_rawgeti(L, work->refs, call->schema->script_check);
        for (lua_Integer i = 1; lua_rawgeti(L, top + 3, i) != LUA_TNIL; i++) {
            lua_pushvalue(L, top + 2);
            lua_call(L, 1, 1);
            take_answer(work, call->path);
        }
    }
    lua_settop(L, top);
}

/* ---- defaults ---- */

/* Pushes the value on top anew, as the schema wants it; the calls that are left are the result. [-1, +1, e]
 */
static const struct tg_call *check_default(struct tg_world *world, lua_State *L,
                                           const struct tg_schema *schema, struct tg_arena *arena,
                                           const struct tg_subject *subject)
{
    static const struct tg_path path = {.key = {"value", 5}};
    const struct tg_reading reading = {arena, schema, &path, *subject};
    struct tg_value *value = tg_exact_read(world, L, -1, &reading);
    struct tg_exact exact;
    tg_exact_begin(&exact, world, arena);
    enum tg_status status = tg_validate(schema, value, &path, &exact.validation);
    if (!tg_exact_end(&exact, world, L, status))
        tg_exact_fail(world, L, subject, "what its function returned is wrong: ");
    tg_world_push_refs(world, L);
    tg_world_push(world, L, TG_REF_KEYS);
    tg_push_value(L, lua_gettop(L) - 1, lua_gettop(L), value);
    lua_replace(L, -4);
    lua_pop(L, 2);
    return exact.validation.calls;
}

void tg_payload_push_default(struct tg_world *world, lua_State *L, const struct tg_schema *schema,
                             struct tg_arena *arena)
{
    luaL_checkstack(L, 12, "payload nested too deeply");
    int top = lua_gettop(L);
    tg_world_push(world, L, schema->script_default); /* { function, "FILE:LINE: :default" } */
    lua_rawgeti(L, top + 1, 2);
    struct tg_subject subject = {.has_place = true};
    subject.name.data = lua_tolstring(L, -1, &subject.name.length);
    lua_rawgeti(L, top + 1, 1);
    lua_call(L, 0, 1);
    if (lua_isnil(L, -1))
        tg_fail_at(world, L, &subject, NULL,
                   "its function returned nothing; null is require(\"cjson\").null");
    const struct tg_call *calls = check_default(world, L, schema, arena, &subject);
    if (calls) {
        lua_createtable(L, 0, 1);
        lua_insert(L, -2);
        lua_setfield(L, -2, "payload");
        const struct tg_payload_work work = {
            .world = world, .arena = arena, .source = subject.name.data, .holder = lua_gettop(L)};
        tg_payload_work(&work, L, calls);
        lua_getfield(L, -1, "payload");
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

static void put_default(struct work *work, const struct tg_call *call)
{
    lua_State *L = work->L;
    int top = lua_gettop(L);
    push_parent(work, call->path);
    push_last_key(work, call->path);
    tg_payload_push_default(work->asked->world, L, call->schema, work->asked->arena);
    lua_rawset(L, -3);
    lua_settop(L, top);
}

void tg_payload_work(const struct tg_payload_work *asked, lua_State *L, const struct tg_call *calls)
{
    struct work work = {.asked = asked, .L = L};
    luaL_checkstack(L, 12, "payload nested too deeply");
    int top = lua_gettop(L);
    tg_world_push_refs(asked->world, L);
    work.refs = lua_gettop(L);
    tg_world_push(asked->world, L, TG_REF_KEYS);
    work.keys = lua_gettop(L);
    for (const struct tg_call *call = calls; call && !asked->skips_defaults; call = call->next)
        if (call->is_default) put_default(&work, call);
    for (const struct tg_call *call = calls; call; call = call->next) {
        if (call->is_default) {
            if (asked->skips_defaults) work.refused = call->path;
        } else if (!work.refused || !is_inside(work.refused, call->path)) {
            run_checks(&work, call);
        }
    }
    lua_settop(L, top);
}
