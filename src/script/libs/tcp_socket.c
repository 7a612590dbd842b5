/* Invariant: at most one task waits on each side, and the side's timer runs only meanwhile; a socket whose
 * stream is NULL has been closed. */
#include "script/libs/tcp_socket.h"

#include <math.h>

static const char socket_name[] = "tidegate.tcp";

/* ---- waiting ---- */

/* When the app of a borrowed world is closed, its wheel is gone with all that was in it. */
static void disarm(struct tg_tcp_socket *socket, enum tg_stream_side which)
{
    struct tg_worker *worker = tg_tcp_worker(socket);
    if (worker) tg_wheel_disarm(&worker->wheel, &socket->sides[which].timer);
}

/* The timer goes with the wait: a task that was woken may be cancelled before it runs, and nobody is told. */
void tg_tcp_wake(struct tg_tcp_socket *socket, enum tg_stream_side which)
{
    disarm(socket, which);
    tg_task_wake(&socket->sides[which].wait);
}

void tg_tcp_end_stream(struct tg_tcp_socket *socket)
{
    struct tg_stream *stream = socket->stream;
    socket->stream = NULL;
    if (stream) stream->ops->close(stream);
    tg_tcp_bytes_deinit(&socket->received);
}

static void reading_given_up(struct tg_wait *wait)
{
    struct tg_tcp_socket *socket = TG_CONTAINER(wait, struct tg_tcp_socket, sides[TG_STREAM_READING].wait);
    disarm(socket, TG_STREAM_READING);
}

static void writing_given_up(struct tg_wait *wait)
{
    struct tg_tcp_socket *socket = TG_CONTAINER(wait, struct tg_tcp_socket, sides[TG_STREAM_WRITING].wait);
    disarm(socket, TG_STREAM_WRITING);
    if (socket->is_connecting) tg_tcp_end_stream(socket); /* nobody will ever have it */
}

static void time_is_over(struct tg_timer *timer)
{
    struct tg_tcp_side *side = TG_CONTAINER(timer, struct tg_tcp_side, timer);
    side->is_timed_out = true;
    tg_task_wake(&side->wait);
}

void tg_tcp_limit_call(struct tg_tcp_socket *socket, struct tg_tcp_side *side)
{
    side->is_timed_out = false;
    side->deadline_ms = TG_NEVER;
    if (socket->timeout_s >= 0)
        side->deadline_ms =
            tg_worker_now_ms(tg_tcp_worker(socket)) + (uint64_t)ceil(socket->timeout_s * 1000);
}

void tg_tcp_check_free(lua_State *L, const struct tg_tcp_socket *socket, enum tg_stream_side which)
{
    if (socket->sides[which].wait.task)
        luaL_error(L, "another task is %s with this socket: one at a time, or a socket for each",
                   which == TG_STREAM_READING ? "receiving" : "sending");
}

int tg_tcp_wait_for(lua_State *L, struct tg_tcp_socket *socket, enum tg_stream_side which, lua_KFunction k,
                    lua_KContext context)
{
    struct tg_tcp_side *side = &socket->sides[which];
    tg_task_check_wait(L);
    tg_tcp_check_free(L, socket, which);
    if (side->deadline_ms != TG_NEVER) tg_worker_arm(tg_tcp_worker(socket), &side->timer, side->deadline_ms);
    return tg_task_wait(L, &side->wait, k, context);
}

/* ---- sockets ---- */

struct tg_tcp_socket *tg_tcp_check_socket(lua_State *L)
{
    struct tg_tcp_socket *socket = lua_touserdata(L, 1);
    if (socket && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, -1, socket_name);
        bool is_socket = lua_toboolean(L, -1);
        lua_pop(L, 2);
        if (is_socket) return socket;
    }
    luaL_error(L, "the methods of a socket are called with a colon: socket:send(data), socket:close()");
    return NULL;
}

const char *tg_tcp_failure_of(const struct tg_tcp_socket *socket, enum tg_stream_side side)
{
    return socket->stream ? socket->stream->ops->failure(socket->stream, side) : TG_STREAM_CLOSED;
}

int tg_tcp_push_failure(lua_State *L, const char *failure)
{
    luaL_pushfail(L);
    lua_pushstring(L, failure);
    return 2;
}

/* Nobody waits on it any more. */
static void let_go(struct tg_held *held)
{
    struct tg_tcp_socket *socket = TG_CONTAINER(held, struct tg_tcp_socket, held);
    tg_tcp_end_stream(socket);
    disarm(socket, TG_STREAM_READING);
    disarm(socket, TG_STREAM_WRITING);
}

struct tg_tcp_socket *tg_tcp_push_socket(lua_State *L, struct tg_world *world, int meta)
{
    struct tg_tcp_socket *socket = lua_newuserdatauv(L, sizeof *socket, 0);
    *socket = (struct tg_tcp_socket){.world = world, .timeout_s = -1};
    socket->sides[TG_STREAM_READING].wait.cancel = reading_given_up;
    socket->sides[TG_STREAM_WRITING].wait.cancel = writing_given_up;
    for (int side = 0; side < 2; side++) tg_timer_init(&socket->sides[side].timer, time_is_over);
    tg_buf_init(&socket->received.buf);
    tg_held_add(world, &socket->held, let_go);
    lua_pushvalue(L, meta);
    lua_setmetatable(L, -2);
    return socket;
}

/* ---- methods ---- */

static int push_one(lua_State *L)
{
    lua_pushinteger(L, 1);
    return 1;
}

/* socket:settimeout(seconds|nil [, mode]): of every call from now on; nil or negative: none. */
static int socket_settimeout(lua_State *L)
{
    static const char *const modes[] = {"b", "t", NULL}; /* the same here: a call as a whole */
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    lua_Number seconds = luaL_optnumber(L, 2, -1);
    luaL_argcheck(L, seconds <= INT32_MAX, 2, "expected a number of seconds");
    luaL_checkoption(L, 3, "b", modes);
    socket->timeout_s = seconds;
    return push_one(L);
}

/* socket:close() -> 1 */
static int socket_close(lua_State *L)
{
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    tg_tcp_end_stream(socket);
    tg_tcp_wake(socket, TG_STREAM_READING);
    tg_tcp_wake(socket, TG_STREAM_WRITING);
    return push_one(L);
}

/* Of a socket that nobody has any more: nobody waits on it either. */
static int socket_gc(lua_State *L)
{
    struct tg_tcp_socket *socket = lua_touserdata(L, 1);
    tg_held_remove(&socket->held);
    let_go(&socket->held);
    return 0;
}

/* socket:shutdown(["both"|"send"|"receive"]) -> 1 | nil, "closed" */
static int socket_shutdown(lua_State *L)
{
    static const char *const modes[] = {"both", "send", "receive", NULL};
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    int mode = luaL_checkoption(L, 2, "both", modes);
    if (!socket->stream) return tg_tcp_push_failure(L, TG_STREAM_CLOSED);
    if (mode != 1) socket->stream->ops->shutdown(socket->stream, TG_STREAM_READING);
    if (mode != 2) socket->stream->ops->shutdown(socket->stream, TG_STREAM_WRITING);
    tg_tcp_wake(socket, TG_STREAM_READING);
    tg_tcp_wake(socket, TG_STREAM_WRITING);
    return push_one(L);
}

static int push_name(lua_State *L, bool of_peer)
{
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    struct tg_stream_name name;
    if (!socket->stream || !socket->stream->ops->name(socket->stream, of_peer, &name))
        return tg_tcp_push_failure(L, TG_STREAM_CLOSED);
    lua_pushstring(L, name.address);
    lua_pushinteger(L, name.port);
    lua_pushstring(L, name.is_ipv6 ? "inet6" : "inet");
    return 3;
}

/* socket:getpeername() -> address, port, family | nil, "closed" */
static int socket_getpeername(lua_State *L)
{
    return push_name(L, true);
}

/* socket:getsockname() -> address, port, family | nil, "closed" */
static int socket_getsockname(lua_State *L)
{
    return push_name(L, false);
}

/* socket:setoption("tcp-nodelay"|"keepalive", is_on) -> 1 | nil, "closed" */
static int socket_setoption(lua_State *L)
{
    static const char *const options[] = {"tcp-nodelay", "keepalive", NULL};
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    int option = luaL_checkoption(L, 2, NULL, options);
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    if (!socket->stream) return tg_tcp_push_failure(L, TG_STREAM_CLOSED);
    const struct tg_stream_ops *ops = socket->stream->ops;
    bool is_done = (option == 0 ? ops->set_nodelay : ops->set_keepalive)(socket->stream, lua_toboolean(L, 3));
    return is_done ? push_one(L) : tg_tcp_push_failure(L, TG_STREAM_CLOSED);
}

static int socket_tostring(lua_State *L)
{
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    struct tg_stream_name name;
    if (!socket->stream || !socket->stream->ops->name(socket->stream, true, &name))
        lua_pushliteral(L, "tcp (closed)");
    else
        lua_pushfstring(L, "tcp %s %d", name.address, name.port);
    return 1;
}

void tg_tcp_push_metatable(lua_State *L, const luaL_Reg *more)
{
    static const luaL_Reg methods[] = {
        {"settimeout", socket_settimeout},
        {"close", socket_close},
        {"shutdown", socket_shutdown},
        {"getpeername", socket_getpeername},
        {"getsockname", socket_getsockname},
        {"setoption", socket_setoption},
        {NULL, NULL},
    };
    static const luaL_Reg metamethods[] = {
        {"__gc", socket_gc},
        {"__close", socket_close},
        {"__tostring", socket_tostring},
        {NULL, NULL},
    };
    luaL_newlib(L, metamethods);
    luaL_newlib(L, methods);
    luaL_setfuncs(L, more, 0);
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, socket_name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, socket_name);
}
