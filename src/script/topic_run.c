/* Authoriser and on_subscribe are one run: between them core lets the client in. A failure before that
 * refuses (run.c), one behind it is an error as any handler's, and the client stays subscribed.
 */
#include "script/topic_run.h"

#include "script/place.h"
#include "script/run.h"
#include "script/topic_handle.h"

#include <lauxlib.h>

static const struct tg_topic_hooks *hooks_of(const struct tg_subscription *subscription)
{
    return subscription->topic->stream.script_data;
}

/* on_subscribe(sub), when the client could be let in. */
static int admit(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    int hook = hooks_of(run->subscription)->on_subscribe;
    run->what = "on_subscribe";
    if (tg_topic_admit(run->subscription) != TG_OK || !hook) return 0;
    lua_rawgeti(L, 1, hook);
    tg_topic_handle_push(run->world, L, run->subscription);
    return tg_run_call_hook(L, 1);
}

/* What `authorise` returned: true, or false and a sentence. */
static int authorised(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_run *run = tg_run_of(L);
    if (!lua_isboolean(L, -2) && !lua_isnil(L, -2))
        luaL_error(L, "%s: authorise returned %s: it returns true, or false and a sentence",
                   tg_run_source(run), tg_place_push_kind(L, -2));
    if (!lua_isnil(L, -1) && lua_type(L, -1) != LUA_TSTRING)
        luaL_error(L, "%s: authorise returned %s as a detail: it is a sentence", tg_run_source(run),
                   tg_place_push_kind(L, -1));
    if (lua_toboolean(L, -2)) return admit(L);
    struct tg_slice detail = {0};
    if (lua_type(L, -1) == LUA_TSTRING) detail.data = lua_tolstring(L, -1, &detail.length);
    tg_topic_refuse(run->subscription, detail);
    return 0;
}

static int subscribe_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    int authorise = hooks_of(run->subscription)->authorise;
    if (!authorise) return admit(L);
    lua_rawgeti(L, 1, authorise);
    tg_topic_handle_push(run->world, L, run->subscription);
    lua_callk(L, 1, 2, 0, authorised);
    return authorised(L, LUA_OK, 0);
}

/* on_unsubscribe(sub, reason) */
static int unsubscribe_body(lua_State *L)
{
    struct tg_run *run = tg_run_of(L);
    lua_rawgeti(L, 1, hooks_of(run->subscription)->on_unsubscribe);
    tg_topic_handle_push(run->world, L, run->subscription);
    lua_pushlstring(L, run->data.data, run->data.length);
    return tg_run_call_hook(L, 2);
}

static struct tg_run run_for(struct tg_task_pool *pool, struct tg_subscription *subscription,
                             enum tg_hook hook)
{
    return (struct tg_run){.world = pool->world,
                           .conn = subscription->conn,
                           .subscription = subscription,
                           .handler = &subscription->topic->stream.counters->hooks[hook]};
}

enum tg_outcome tg_topic_run_subscribe(struct tg_task_pool *pool, struct tg_subscription *subscription)
{
    struct tg_run run = run_for(pool, subscription, TG_HOOK_SUBSCRIBE);
    run.what = "authorise";
    run.ref = subscription->ref;
    run.answers = true;
    const struct tg_topic_hooks *hooks = hooks_of(subscription);
    if (!hooks->authorise && !hooks->on_subscribe) {
        tg_topic_admit(subscription);
        return TG_DONE;
    }
    return tg_run_task(pool, &run, subscribe_body);
}

enum tg_outcome tg_topic_run_unsubscribe(struct tg_task_pool *pool, struct tg_subscription *subscription,
                                         const char *reason)
{
    struct tg_run run = run_for(pool, subscription, TG_HOOK_UNSUBSCRIBE);
    run.what = "on_unsubscribe";
    run.data = tg_slice_of(reason);
    run.is_farewell = subscription->conn->state == TG_CONN_CLOSED;
    if (!hooks_of(subscription)->on_unsubscribe) return TG_DONE;
    return tg_run_task(pool, &run, unsubscribe_body);
}
