/* A socket is a userdata around a stream of the core. What waits is a task that stands in `receive`, `send`
 * or `connect`: its arguments stay on its stack, and each time it is woken it looks at the stream again and
 * goes on, waits again, or returns. So it does not matter who woke it: the stream, the clock, or a `close`.
 *
 * Invariant: at most one task waits on each side, and the side's timer runs only meanwhile; a socket whose
 * stream is NULL has been closed. */
#include "script/libs/tcp.h"

#include "core/stream.h"
#include "script/libs/tcp_items.h"
#include "script/task.h"

#include <lauxlib.h>
#include <math.h>
#include <string.h>

static const char socket_name[] = "tidegate.tcp";

/* Upvalues of `connect`. */
enum { WORLD = 1, META, PREPARE };

/* One direction, for whoever waits on it. */
struct side {
    struct tg_wait wait;
    struct tg_timer timer;
    uint64_t deadline_ms; /* of the call under way; TG_NEVER: none */
    bool is_timed_out;
};

struct socket {
    struct tg_world *world;
    struct tg_stream *stream; /* owned; NULL once it was closed */
    struct side sides[2];     /* by enum tg_stream_side */
    struct tg_tcp_bytes received;
    double timeout_s;   /* of a call; negative: none */
    bool is_connecting; /* the task that waits to write gets the socket when it is open */
};

/* ---- waiting ---- */

static struct tg_worker *worker_of(const struct socket *socket)
{
    return socket->world->worker;
}

/* The timer goes with the wait: a task that was woken may be cancelled before it runs, and nobody is told. */
static void wake(struct socket *socket, enum tg_stream_side which)
{
    struct side *side = &socket->sides[which];
    tg_wheel_disarm(&worker_of(socket)->wheel, &side->timer);
    tg_task_wake(&side->wait);
}

static void end_stream(struct socket *socket)
{
    struct tg_stream *stream = socket->stream;
    socket->stream = NULL;
    if (stream) stream->ops->close(stream);
    tg_tcp_bytes_deinit(&socket->received);
}

static void reading_given_up(struct tg_wait *wait)
{
    struct socket *socket = TG_CONTAINER(wait, struct socket, sides[TG_STREAM_READING].wait);
    tg_wheel_disarm(&worker_of(socket)->wheel, &socket->sides[TG_STREAM_READING].timer);
}

static void writing_given_up(struct tg_wait *wait)
{
    struct socket *socket = TG_CONTAINER(wait, struct socket, sides[TG_STREAM_WRITING].wait);
    tg_wheel_disarm(&worker_of(socket)->wheel, &socket->sides[TG_STREAM_WRITING].timer);
    if (socket->is_connecting) end_stream(socket); /* nobody will ever have it */
}

static void time_is_over(struct tg_timer *timer)
{
    struct side *side = TG_CONTAINER(timer, struct side, timer);
    side->is_timed_out = true;
    tg_task_wake(&side->wait);
}

static void on_writable(void *user)
{
    wake(user, TG_STREAM_WRITING);
}

static void on_readable(void *user)
{
    wake(user, TG_STREAM_READING);
}

/* The deadline of a call that begins now. */
static void limit_call(struct socket *socket, struct side *side)
{
    side->is_timed_out = false;
    side->deadline_ms = TG_NEVER;
    if (socket->timeout_s >= 0)
        side->deadline_ms = tg_worker_now_ms(worker_of(socket)) + (uint64_t)ceil(socket->timeout_s * 1000);
}

/* Two tasks on one side would take each other's bytes. */
static void check_free(lua_State *L, const struct socket *socket, enum tg_stream_side which)
{
    if (socket->sides[which].wait.task)
        luaL_error(L, "another task is %s with this socket: one at a time, or a socket for each",
                   which == TG_STREAM_READING ? "receiving" : "sending");
}

/* `return wait_for(...)`: until the side is woken; then `k` goes on. Raises where nobody can wait. */
static int wait_for(lua_State *L, struct socket *socket, enum tg_stream_side which, lua_KFunction k,
                    lua_KContext context)
{
    struct side *side = &socket->sides[which];
    tg_task_check_wait(L);
    check_free(L, socket, which);
    if (side->deadline_ms != TG_NEVER) tg_worker_arm(worker_of(socket), &side->timer, side->deadline_ms);
    return tg_task_wait(L, &side->wait, k, context);
}

/* ---- sockets ---- */

static struct socket *check_socket(lua_State *L)
{
    struct socket *socket = lua_touserdata(L, 1);
    if (socket && lua_getmetatable(L, 1)) {
        lua_rawgetp(L, -1, socket_name);
        bool is_socket = lua_toboolean(L, -1);
        lua_pop(L, 2);
        if (is_socket) return socket;
    }
    luaL_error(L, "the methods of a socket are called with a colon: socket:send(data), socket:close()");
    return NULL;
}

static const char *failure_of(const struct socket *socket, enum tg_stream_side side)
{
    return socket->stream ? socket->stream->ops->failure(socket->stream, side) : TG_STREAM_CLOSED;
}

static int push_failure(lua_State *L, const char *failure)
{
    luaL_pushfail(L);
    lua_pushstring(L, failure);
    return 2;
}

static int push_one(lua_State *L)
{
    lua_pushinteger(L, 1);
    return 1;
}

/* ---- connecting ---- */

static struct socket *push_socket(lua_State *L)
{
    struct socket *socket = lua_newuserdatauv(L, sizeof *socket, 0);
    *socket = (struct socket){.world = lua_touserdata(L, lua_upvalueindex(WORLD)), .timeout_s = -1};
    socket->sides[TG_STREAM_READING].wait.cancel = reading_given_up;
    socket->sides[TG_STREAM_WRITING].wait.cancel = writing_given_up;
    for (int side = 0; side < 2; side++) tg_timer_init(&socket->sides[side].timer, time_is_over);
    tg_buf_init(&socket->received.buf);
    lua_pushvalue(L, lua_upvalueindex(META));
    lua_setmetatable(L, -2);
    return socket;
}

static int connect_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct socket *socket = lua_touserdata(L, -1);
    socket->is_connecting = false;
    const char *failure = failure_of(socket, TG_STREAM_WRITING);
    if (!failure) return 1;
    push_failure(L, failure);
    end_stream(socket);
    return 2;
}

/* connect(...) -> socket | nil, error. What PREPARE makes of the arguments is host, port, timeout_ms, is_tls,
 * skips_verification, ca_file|nil. */
static int tcp_connect(lua_State *L)
{
    static const struct tg_stream_events events = {on_writable, on_readable, on_writable};
    lua_pushvalue(L, lua_upvalueindex(PREPARE));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 6);
    const struct tg_stream_target target = {.host = luaL_checkstring(L, 1),
                                            .port = (uint16_t)luaL_checkinteger(L, 2),
                                            .timeout_ms = (uint32_t)luaL_checkinteger(L, 3),
                                            .is_tls = lua_toboolean(L, 4),
                                            .skips_verification = lua_toboolean(L, 5),
                                            .ca_file = luaL_optstring(L, 6, NULL)};
    struct tg_error error = {0};
    tg_task_check_wait(L);
    struct socket *socket = push_socket(L);
    struct tg_streams *streams = worker_of(socket)->streams;
    if (!streams) return push_failure(L, TG_STREAM_CLOSED);
    enum tg_status status = streams->ops->open(streams, &target, &events, socket, &socket->stream, &error);
    if (status == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    if (status != TG_OK) return push_failure(L, error.text);
    socket->is_connecting = true;
    socket->sides[TG_STREAM_WRITING].deadline_ms = TG_NEVER; /* the stream has its own */
    return wait_for(L, socket, TG_STREAM_WRITING, connect_done, 0);
}

/* ---- sending ---- */

/* The part of `data` that send(data, i, j) means, as string.sub does. */
static struct tg_slice part_to_send(lua_State *L, size_t *first)
{
    struct tg_slice data;
    data.data = luaL_checklstring(L, 2, &data.length);
    lua_Integer length = (lua_Integer)data.length;
    lua_Integer from = luaL_optinteger(L, 3, 1), to = luaL_optinteger(L, 4, -1);
    if (from < 0) from = length + from + 1;
    if (from < 1) from = 1;
    if (to < 0) to = length + to + 1;
    if (to > length) to = length;
    *first = (size_t)from;
    if (from > to) return (struct tg_slice){"", 0};
    return (struct tg_slice){data.data + from - 1, (size_t)(to - from + 1)};
}

/* nil, why, the last byte that has gone */
static int push_unsent(lua_State *L, const char *failure, size_t last)
{
    push_failure(L, failure);
    lua_pushinteger(L, (lua_Integer)last);
    return 3;
}

/* Of the bytes meant, `sent` have gone. */
static int go_on_sending(lua_State *L, int status, lua_KContext sent)
{
    (void)status;
    struct socket *socket = check_socket(L);
    struct side *side = &socket->sides[TG_STREAM_WRITING];
    size_t first;
    struct tg_slice data = part_to_send(L, &first);
    const char *failure = failure_of(socket, TG_STREAM_WRITING);
    for (size_t taken = 1; !failure && taken > 0 && (size_t)sent < data.length;) {
        const struct tg_slice left = {data.data + sent, data.length - (size_t)sent};
        taken = socket->stream->ops->write(socket->stream, left);
        sent += (lua_KContext)taken;
        failure = failure_of(socket, TG_STREAM_WRITING);
    }
    size_t last = first - 1 + (size_t)sent;
    if (failure) return push_unsent(L, failure, last);
    if ((size_t)sent == data.length && socket->stream->ops->is_drained(socket->stream)) {
        lua_pushinteger(L, (lua_Integer)last);
        return 1;
    }
    if (side->is_timed_out) return push_unsent(L, TG_STREAM_TIMEOUT, last);
    return wait_for(L, socket, TG_STREAM_WRITING, go_on_sending, sent);
}

/* socket:send(data [, i [, j]]) -> the last byte sent | nil, error, the last byte sent */
static int socket_send(lua_State *L)
{
    struct socket *socket = check_socket(L);
    luaL_checkstring(L, 2);
    lua_settop(L, 4);
    check_free(L, socket, TG_STREAM_WRITING);
    limit_call(socket, &socket->sides[TG_STREAM_WRITING]);
    return go_on_sending(L, LUA_OK, 0);
}

/* ---- receiving ---- */

/* "*l", "*a" or a count, with or without the asterisk; the prefix counts as received. */
static struct tg_tcp_wish check_wish(lua_State *L)
{
    size_t prefix = 0;
    luaL_optlstring(L, 3, "", &prefix);
    if (lua_type(L, 2) == LUA_TNUMBER) {
        lua_Integer count = luaL_checkinteger(L, 2);
        luaL_argcheck(L, count >= 0, 2, "a count of bytes is not negative");
        size_t left = (size_t)count > prefix ? (size_t)count - prefix : 0;
        return (struct tg_tcp_wish){TG_TCP_COUNT, left};
    }
    const char *pattern = luaL_optstring(L, 2, "*l");
    if (*pattern == '*') pattern++;
    if (strcmp(pattern, "l") == 0) return (struct tg_tcp_wish){TG_TCP_LINE, 0};
    luaL_argcheck(L, strcmp(pattern, "a") == 0, 2, "expected \"*l\", \"*a\" or a count of bytes");
    return (struct tg_tcp_wish){TG_TCP_ALL, 0};
}

/* Pushes the prefix and `item` as one string. [-0, +1, e] */
static void push_item(lua_State *L, struct tg_slice item)
{
    size_t prefix;
    luaL_optlstring(L, 3, "", &prefix);
    if (prefix == 0) {
        lua_pushlstring(L, item.data, item.length);
        return;
    }
    lua_pushvalue(L, 3);
    lua_pushlstring(L, item.data, item.length);
    lua_concat(L, 2);
}

/* Gives out all that has come, since no more will within this call. */
static int push_partial(lua_State *L, struct socket *socket, const struct tg_tcp_wish *wish,
                        const char *failure)
{
    struct tg_slice there = tg_tcp_bytes_peek(&socket->received);
    bool is_all = wish->item == TG_TCP_ALL && strcmp(failure, TG_STREAM_CLOSED) == 0 && there.length > 0;
    if (!is_all) push_failure(L, failure);
    push_item(L, there);
    tg_tcp_bytes_drop(&socket->received, there.length);
    return is_all ? 1 : 3;
}

/* Moves over what the stream has. False: nothing, and why is in `*failure`, NULL where more is to be waited
 * for. */
static bool take_bytes(lua_State *L, struct socket *socket, const char **failure)
{
    *failure = TG_STREAM_CLOSED;
    if (!socket->stream) return false;
    const struct tg_stream_ops *ops = socket->stream->ops;
    uint64_t limit = worker_of(socket)->config->tcp_max_receive_bytes;
    *failure = "too much";
    if (tg_tcp_bytes_peek(&socket->received).length > limit) return false;
    struct tg_slice more = ops->peek(socket->stream);
    *failure = ops->failure(socket->stream, TG_STREAM_READING);
    if (more.length == 0) return false;
    if (tg_tcp_bytes_add(&socket->received, more) != TG_OK) luaL_error(L, "not enough memory");
    ops->consume(socket->stream, more.length);
    return true;
}

static int go_on_receiving(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct socket *socket = check_socket(L);
    struct side *side = &socket->sides[TG_STREAM_READING];
    const struct tg_tcp_wish wish = check_wish(L);
    const char *failure = NULL;
    for (;;) {
        struct tg_slice item;
        size_t taken;
        if (tg_tcp_bytes_find(&socket->received, &wish, &item, &taken)) {
            push_item(L, item);
            tg_tcp_bytes_drop(&socket->received, taken);
            return 1;
        }
        if (take_bytes(L, socket, &failure)) continue;
        if (!failure && side->is_timed_out) failure = TG_STREAM_TIMEOUT;
        if (failure) return push_partial(L, socket, &wish, failure);
        if (socket->stream->ops->ask_readable(socket->stream))
            return wait_for(L, socket, TG_STREAM_READING, go_on_receiving, 0);
    }
}

/* socket:receive([pattern [, prefix]]) -> data | nil, error, what has come */
static int socket_receive(lua_State *L)
{
    struct socket *socket = check_socket(L);
    lua_settop(L, 3);
    check_free(L, socket, TG_STREAM_READING);
    const struct tg_tcp_wish wish = check_wish(L);
    if (wish.item == TG_TCP_COUNT && wish.count > worker_of(socket)->config->tcp_max_receive_bytes) {
        push_failure(L, "too much");
        lua_pushliteral(L, "");
        return 3;
    }
    limit_call(socket, &socket->sides[TG_STREAM_READING]);
    return go_on_receiving(L, LUA_OK, 0);
}

/* ---- the rest ---- */

/* socket:settimeout(seconds|nil [, mode]): of every call from now on; nil or negative: none. */
static int socket_settimeout(lua_State *L)
{
    static const char *const modes[] = {"b", "t", NULL}; /* the same here: a call as a whole */
    struct socket *socket = check_socket(L);
    lua_Number seconds = luaL_optnumber(L, 2, -1);
    luaL_argcheck(L, seconds <= INT32_MAX, 2, "expected a number of seconds");
    luaL_checkoption(L, 3, "b", modes);
    socket->timeout_s = seconds;
    return push_one(L);
}

/* socket:close() -> 1 */
static int socket_close(lua_State *L)
{
    struct socket *socket = check_socket(L);
    end_stream(socket);
    wake(socket, TG_STREAM_READING);
    wake(socket, TG_STREAM_WRITING);
    return push_one(L);
}

/* Of a socket that nobody has any more: nobody waits on it either. */
static int socket_gc(lua_State *L)
{
    struct socket *socket = lua_touserdata(L, 1);
    end_stream(socket);
    for (int side = 0; side < 2; side++)
        tg_wheel_disarm(&worker_of(socket)->wheel, &socket->sides[side].timer);
    return 0;
}

/* socket:shutdown(["both"|"send"|"receive"]) -> 1 | nil, "closed" */
static int socket_shutdown(lua_State *L)
{
    static const char *const modes[] = {"both", "send", "receive", NULL};
    struct socket *socket = check_socket(L);
    int mode = luaL_checkoption(L, 2, "both", modes);
    if (!socket->stream) return push_failure(L, TG_STREAM_CLOSED);
    if (mode != 1) socket->stream->ops->shutdown(socket->stream, TG_STREAM_READING);
    if (mode != 2) socket->stream->ops->shutdown(socket->stream, TG_STREAM_WRITING);
    wake(socket, TG_STREAM_READING);
    wake(socket, TG_STREAM_WRITING);
    return push_one(L);
}

static int push_name(lua_State *L, bool of_peer)
{
    struct socket *socket = check_socket(L);
    struct tg_stream_name name;
    if (!socket->stream || !socket->stream->ops->name(socket->stream, of_peer, &name))
        return push_failure(L, TG_STREAM_CLOSED);
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
    struct socket *socket = check_socket(L);
    int option = luaL_checkoption(L, 2, NULL, options);
    luaL_checktype(L, 3, LUA_TBOOLEAN);
    if (!socket->stream) return push_failure(L, TG_STREAM_CLOSED);
    const struct tg_stream_ops *ops = socket->stream->ops;
    bool is_done = (option == 0 ? ops->set_nodelay : ops->set_keepalive)(socket->stream, lua_toboolean(L, 3));
    return is_done ? push_one(L) : push_failure(L, TG_STREAM_CLOSED);
}

static int socket_tostring(lua_State *L)
{
    struct socket *socket = check_socket(L);
    struct tg_stream_name name;
    if (!socket->stream || !socket->stream->ops->name(socket->stream, true, &name))
        lua_pushliteral(L, "tcp (closed)");
    else
        lua_pushfstring(L, "tcp %s %d", name.address, name.port);
    return 1;
}

/* Pushes the metatable of sockets. [-0, +1, e] */
static void push_metatable(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"send", socket_send},
        {"receive", socket_receive},
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
    lua_setfield(L, -2, "__index");
    lua_pushstring(L, socket_name);
    lua_setfield(L, -2, "__name");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pushboolean(L, 1);
    lua_rawsetp(L, -2, socket_name);
}

/* tcp_connect(prepare) -> connect */
static int make_connect(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_pushvalue(L, lua_upvalueindex(WORLD));
    lua_pushvalue(L, lua_upvalueindex(META));
    lua_pushvalue(L, 1);
    lua_pushcclosure(L, tcp_connect, PREPARE);
    return 1;
}

void tg_tcp_library_install(struct tg_world *world, lua_State *L)
{
    lua_pushlightuserdata(L, world);
    push_metatable(L);
    lua_pushcclosure(L, make_connect, META);
    lua_setfield(L, -2, "tcp_connect");
}
