/* The call is a userdata that Lua closes when the function ends, in whatever way: it leaves the connection's
 * list then. The answer is made into Lua values as it comes, since its tree is gone afterwards. */
#include "script/conn_call.h"

#include "core/conn.h"
#include "core/worker.h"
#include "script/call.h"
#include "script/conn_handle.h"
#include "script/held.h"
#include "script/libs/task.h"
#include "script/to_lua.h"

#include <lauxlib.h>
#include <stdio.h>

static const char box_name[] = TG_REGISTRY_PREFIX "call";

enum { CONN = 1, MESSAGE, OPTIONS, BOX }; /* on the stack */

struct box {
    struct tg_question call;
    struct tg_held held;
    struct tg_world *world;
    struct tg_list waiters; /* the nap of who called */
    int ref;                /* of the box, while the call is in the list */
    bool has_ended;
    enum tg_status status;
};

static int close_box(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    if (!tg_list_is_linked(&box->call.link)) return 0;
    tg_held_remove(&box->held);
    tg_list_remove(&box->call.link);
    tg_world_forget(box->world, L, box->ref);
    return 0;
}

struct answer {
    struct box *box;
    const struct tg_value *payload;
};

/* keep_answer(answer, world): the payload becomes the user value of the box. */
static int keep_answer(lua_State *L)
{
    struct answer *answer = lua_touserdata(L, 1);
    struct tg_world *world = lua_touserdata(L, 2);
    tg_world_push_refs(world, L);
    lua_rawgeti(L, 3, TG_REF_KEYS);
    lua_rawgeti(L, 3, answer->box->ref);
    if (answer->payload)
        tg_push_value(L, 3, 4, answer->payload);
    else
        lua_pushboolean(L, 1); /* an answer that says nothing is an answer */
    lua_setiuservalue(L, 5, 1);
    return 0;
}

/* drop_box(box) */
static int drop_box(lua_State *L)
{
    struct box *box = lua_touserdata(L, 1);
    tg_world_forget(box->world, L, box->ref);
    return 0;
}

/* The world ends with a task that did not come to close its box. */
static void let_go(struct tg_held *held)
{
    struct box *box = TG_CONTAINER(held, struct box, held);
    tg_list_remove(&box->call.link);
    tg_call_protected(box->world->L, drop_box, box, NULL);
}

/* The connection has let go of the call. */
static void call_ended(struct tg_question *call, enum tg_status status, const struct tg_value *payload)
{
    struct box *box = TG_CONTAINER(call, struct box, call);
    struct answer answer = {box, payload};
    lua_State *L = box->world->L;
    tg_held_remove(&box->held);
    if (status == TG_OK && tg_call_protected(L, keep_answer, &answer, box->world) != LUA_OK)
        status = TG_E_NO_MEMORY;
    box->status = status;
    box->has_ended = true;
    while (!tg_list_is_empty(&box->waiters))
        tg_task_end_nap(TG_CONTAINER(box->waiters.next, struct tg_nap, link));
    tg_call_protected(L, drop_box, box, NULL);
}

static int refuse(lua_State *L, const char *reason)
{
    luaL_pushfail(L);
    lua_pushstring(L, reason);
    return 2;
}

static int answered(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const struct box *box = lua_touserdata(L, BOX);
    if (!box->has_ended) return refuse(L, "timeout");
    if (box->status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (box->status == TG_E_FULL) return refuse(L, "busy");
    if (box->status != TG_OK) return refuse(L, "closed");
    lua_getiuservalue(L, BOX, 1);
    return 1;
}

/* Pushes the box of a call that is noted with `conn`. */
static struct box *push_box(lua_State *L, struct tg_world *world, struct tg_conn *conn)
{
    struct box *box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = (struct box){.world = world, .call.ended = call_ended};
    tg_list_init(&box->waiters);
    tg_list_init(&box->call.link);
    tg_list_init(&box->held.link);
    luaL_setmetatable(L, box_name);
    lua_toclose(L, BOX);
    lua_pushvalue(L, BOX);
    box->ref = tg_world_keep(world, L);
    tg_held_add(world, &box->held, let_go);
    tg_conn_call_begin(conn, &box->call);
    return box;
}

static uint64_t check_timeout(lua_State *L)
{
    if (lua_isnoneornil(L, OPTIONS)) return TG_NEVER;
    luaL_checktype(L, OPTIONS, LUA_TTABLE);
    lua_getfield(L, OPTIONS, "timeout");
    uint64_t deadline_ms = lua_isnil(L, -1) ? TG_NEVER : tg_check_deadline(L, lua_gettop(L));
    lua_pop(L, 1);
    return deadline_ms;
}

int tg_conn_call(lua_State *L)
{
    struct tg_world *world;
    struct tg_conn *conn = tg_conn_handle_check(L, &world);
    lua_settop(L, OPTIONS);
    const struct tg_message_type *type = tg_conn_handle_check_message(L, MESSAGE, "conn:call");
    uint64_t deadline_ms = check_timeout(L);
    tg_task_check_wait(L);
    if (!conn || conn->state != TG_CONN_OPEN) return refuse(L, "closed");
    if (conn->is_inbox_full) return refuse(L, "busy");
    struct box *box = push_box(L, world, conn);
    char text[32];
    snprintf(text, sizeof text, "s:%llu", (unsigned long long)box->call.number);
    const struct tg_ref ref = {.type = TG_REF_STRING, .string = tg_slice_of(text)};
    enum tg_status status = tg_conn_handle_send(world, L, conn, MESSAGE, type, &ref);
    if (status == TG_E_NO_MEMORY) return luaL_error(L, "not enough memory");
    if (status != TG_OK) return refuse(L, tg_status_name(status));
    return tg_task_nap(L, &box->waiters, deadline_ms, answered, 0);
}

void tg_conn_call_install(struct tg_world *world, lua_State *L)
{
    (void)world;
    static const luaL_Reg metamethods[] = {{"__gc", close_box}, {"__close", close_box}, {NULL, NULL}};
    luaL_newmetatable(L, box_name);
    luaL_setfuncs(L, metamethods, 0);
    lua_pop(L, 1);
}
