/* Whoever waits is found by what it goes on with: no list has to be kept, and none to be cleared when its
 * task is cancelled. */
#include "script/first_message.h"

#include "core/credential.h"
#include "core/worker.h"
#include "script/run.h"
#include "script/run_failure.h"
#include "script/verdict.h"

#include <lauxlib.h>

static int first_token(lua_State *L, int status, lua_KContext context);

/* Only the authenticator itself may wait for it, and only while nobody has been let in. */
static struct tg_run *check_asking(lua_State *L)
{
    struct tg_task *task = tg_task_of(L);
    struct tg_run *run = task->kind && task->kind->failed == tg_run_tell_failure ? task->context : NULL;
    if (!run || !run->is_authentication)
        luaL_error(L, "only an authenticator waits for the first message, and not in a task of its own");
    return run;
}

static int first_token(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    struct tg_run *run = check_asking(L);
    struct tg_buf *token = &run->world->scratch;
    if (run->is_renewal) return 0;
    tg_buf_truncate(token, 0);
    switch (tg_credential_take_first(run->conn, token)) {
    case TG_OK:
        /* Others that came at the same time may have failed since it was let try. */
        if (tg_worker_refuse_attempt(run->conn->worker, run->conn->request->peer)) {
            lua_pushnil(L);
            lua_pushlstring(L, tg_verdict_too_often.data, tg_verdict_too_often.length);
            return 2;
        }
        lua_pushlstring(L, tg_buf_peek(token).data, tg_buf_peek(token).length);
        tg_buf_truncate(token, 0);
        return 1;
    case TG_E_NOT_FOUND:
        return tg_task_nap(L, NULL, TG_NEVER, first_token, context);
    case TG_E_NO_MEMORY:
        return luaL_error(L, "not enough memory");
    default:
        return 0;
    }
}

/* host.first_token() -> token | nil [, why] */
static int host_first_token(lua_State *L)
{
    return first_token(L, LUA_OK, 0);
}

void tg_first_message_said(struct tg_conn *conn)
{
    for (struct tg_list *node = conn->tasks.next; node != &conn->tasks; node = node->next) {
        struct tg_task *task = TG_CONTAINER(node, struct tg_task, siblings);
        if (task->goes_on != first_token || task->wait != &task->nap.wait) continue;
        tg_task_end_nap(&task->nap);
        return;
    }
}

void tg_first_message_library_install(struct tg_world *world, lua_State *L)
{
    tg_world_push_self(world, L);
    lua_pushcclosure(L, host_first_token, 1);
    lua_setfield(L, -2, "first_token");
}
