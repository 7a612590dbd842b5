/* What waits is a task that stands in `receive`, `send` or `connect`: its arguments stay on its stack, and
 * each time it is woken it looks at the stream again and goes on, waits again, or returns. */
#include "script/libs/tcp.h"

#include "script/libs/tcp_socket.h"

#include <string.h>

/* Upvalues of `connect`. */
enum { WORLD = 1, META, PREPARE };

/* ---- connecting ---- */

static void on_writable(void *user)
{
    tg_tcp_wake(user, TG_STREAM_WRITING);
}

static void on_readable(void *user)
{
    tg_tcp_wake(user, TG_STREAM_READING);
}

/* What a handler has left open, or one that was cancelled, is closed when it is collected: before anybody is
 * refused for want of room. Not each time, since a collection takes as long as the heap is large. */
static void make_room(struct tg_world *world, lua_State *L)
{
    enum { COLLECT_MS = 1000 };
    const struct tg_worker *worker = world->worker;
    uint64_t now_ms = tg_worker_now_ms(worker);
    if (worker->metrics.streams < worker->config->tcp_max_streams) return;
    if (now_ms - world->sockets_collected_ms < COLLECT_MS) return;
    world->sockets_collected_ms = now_ms;
    lua_gc(L, LUA_GCCOLLECT);
}

static int connect_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    struct tg_tcp_socket *socket = lua_touserdata(L, -1);
    socket->is_connecting = false;
    const char *failure = tg_tcp_failure_of(socket, TG_STREAM_WRITING);
    if (!failure) return 1;
    tg_tcp_push_failure(L, failure);
    tg_tcp_end_stream(socket);
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
    struct tg_tcp_socket *socket =
        tg_tcp_push_socket(L, lua_touserdata(L, lua_upvalueindex(WORLD)), lua_upvalueindex(META));
    struct tg_streams *streams = tg_tcp_worker(socket)->streams;
    if (!streams) return tg_tcp_push_failure(L, TG_STREAM_CLOSED);
    make_room(socket->world, L);
    enum tg_status status = streams->ops->open(streams, &target, &events, socket, &socket->stream, &error);
    if (status == TG_E_NO_MEMORY) luaL_error(L, "not enough memory");
    if (status != TG_OK) return tg_tcp_push_failure(L, error.text);
    socket->is_connecting = true;
    socket->sides[TG_STREAM_WRITING].deadline_ms = TG_NEVER; /* the stream has its own */
    return tg_tcp_wait_for(L, socket, TG_STREAM_WRITING, connect_done, 0);
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
    tg_tcp_push_failure(L, failure);
    lua_pushinteger(L, (lua_Integer)last);
    return 3;
}

/* Of the bytes meant, `sent` have gone. */
static int go_on_sending(lua_State *L, int status, lua_KContext sent)
{
    (void)status;
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    struct tg_tcp_side *side = &socket->sides[TG_STREAM_WRITING];
    size_t first;
    struct tg_slice data = part_to_send(L, &first);
    const char *failure = tg_tcp_failure_of(socket, TG_STREAM_WRITING);
    for (size_t taken = 1; !failure && taken > 0 && (size_t)sent < data.length;) {
        const struct tg_slice left = {data.data + sent, data.length - (size_t)sent};
        taken = socket->stream->ops->write(socket->stream, left);
        sent += (lua_KContext)taken;
        failure = tg_tcp_failure_of(socket, TG_STREAM_WRITING);
    }
    size_t last = first - 1 + (size_t)sent;
    if (failure) return push_unsent(L, failure, last);
    if ((size_t)sent == data.length && socket->stream->ops->is_drained(socket->stream)) {
        lua_pushinteger(L, (lua_Integer)last);
        return 1;
    }
    if (side->is_timed_out) return push_unsent(L, TG_STREAM_TIMEOUT, last);
    return tg_tcp_wait_for(L, socket, TG_STREAM_WRITING, go_on_sending, sent);
}

/* socket:send(data [, i [, j]]) -> the last byte sent | nil, error, the last byte sent */
static int socket_send(lua_State *L)
{
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    luaL_checkstring(L, 2);
    lua_settop(L, 4);
    tg_tcp_check_free(L, socket, TG_STREAM_WRITING);
    tg_tcp_limit_call(socket, &socket->sides[TG_STREAM_WRITING]);
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
static int push_partial(lua_State *L, struct tg_tcp_socket *socket, const struct tg_tcp_wish *wish,
                        const char *failure)
{
    struct tg_slice there = tg_tcp_bytes_peek(&socket->received);
    bool is_all = wish->item == TG_TCP_ALL && strcmp(failure, TG_STREAM_CLOSED) == 0 && there.length > 0;
    if (!is_all) tg_tcp_push_failure(L, failure);
    push_item(L, there);
    tg_tcp_bytes_drop(&socket->received, there.length);
    return is_all ? 1 : 3;
}

/* Moves over what the stream has. False: nothing, and why is in `*failure`, NULL where more is to be waited
 * for. */
static bool take_bytes(lua_State *L, struct tg_tcp_socket *socket, const char **failure)
{
    *failure = TG_STREAM_CLOSED;
    if (!socket->stream) return false;
    const struct tg_stream_ops *ops = socket->stream->ops;
    uint64_t limit = tg_tcp_worker(socket)->config->tcp_max_receive_bytes;
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
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    struct tg_tcp_side *side = &socket->sides[TG_STREAM_READING];
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
            return tg_tcp_wait_for(L, socket, TG_STREAM_READING, go_on_receiving, 0);
    }
}

/* socket:receive([pattern [, prefix]]) -> data | nil, error, what has come */
static int socket_receive(lua_State *L)
{
    struct tg_tcp_socket *socket = tg_tcp_check_socket(L);
    lua_settop(L, 3);
    tg_tcp_check_free(L, socket, TG_STREAM_READING);
    const struct tg_tcp_wish wish = check_wish(L);
    if (wish.item == TG_TCP_COUNT && wish.count > tg_tcp_worker(socket)->config->tcp_max_receive_bytes) {
        tg_tcp_push_failure(L, "too much");
        lua_pushliteral(L, "");
        return 3;
    }
    tg_tcp_limit_call(socket, &socket->sides[TG_STREAM_READING]);
    return go_on_receiving(L, LUA_OK, 0);
}

/* ---- the library ---- */

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
    static const luaL_Reg waiting_methods[] = {
        {"send", socket_send}, {"receive", socket_receive}, {NULL, NULL}};
    tg_world_push_self(world, L);
    tg_tcp_push_metatable(L, waiting_methods);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 1); /* a socket holds its world */
    lua_pushcclosure(L, make_connect, META);
    lua_setfield(L, -2, "tcp_connect");
}
