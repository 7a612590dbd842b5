/* A socket of tide.tcp: a userdata around a stream of the core, and the methods that do not wait.
 *
 * Two tasks at most stand in it, one on each side. A task that is woken looks at the stream again, so it does
 * not matter who woke it: the stream, the clock, or a `close`.
 */
#ifndef TG_SCRIPT_LIBS_TCP_SOCKET_H
#define TG_SCRIPT_LIBS_TCP_SOCKET_H

#include "core/stream.h"
#include "script/held.h"
#include "script/libs/tcp_items.h"
#include "script/task.h"

#include <lauxlib.h>

/* One direction, for whoever waits on it. */
struct tg_tcp_side {
    struct tg_wait wait;
    struct tg_timer timer;
    uint64_t deadline_ms; /* of the call under way; TG_NEVER: none */
    bool is_timed_out;
};

struct tg_tcp_socket {
    struct tg_world *world;
    struct tg_held held;
    struct tg_stream *stream;    /* owned; NULL once it was closed */
    struct tg_tcp_side sides[2]; /* by enum tg_stream_side */
    struct tg_tcp_bytes received;
    double timeout_s;   /* of a call; negative: none */
    bool is_connecting; /* the task that waits to write gets the socket when it is open */
};

/* NULL when the app of a borrowed world is closed: no socket has a stream then. */
static inline struct tg_worker *tg_tcp_worker(const struct tg_tcp_socket *socket)
{
    return socket->world->worker;
}

/* Pushes a socket without a stream; `meta` is the index of its metatable. [-0, +1, e] */
struct tg_tcp_socket *tg_tcp_push_socket(lua_State *L, struct tg_world *world, int meta);

/* Pushes the metatable of sockets, whose methods are those of here and `more`. [-0, +1, e] */
void tg_tcp_push_metatable(lua_State *L, const luaL_Reg *more);

/* The socket at 1; raises where there is none. [-0, +0, e] */
struct tg_tcp_socket *tg_tcp_check_socket(lua_State *L);

/* Why this side does nothing any more; NULL: it does. */
const char *tg_tcp_failure_of(const struct tg_tcp_socket *socket, enum tg_stream_side side);

/* nil and a word. [-0, +2, e] */
int tg_tcp_push_failure(lua_State *L, const char *failure);

/* The deadline of a call that begins now. */
void tg_tcp_limit_call(struct tg_tcp_socket *socket, struct tg_tcp_side *side);

/* Raises when another task waits on this side: the two would take each other's bytes. [-0, +0, e] */
void tg_tcp_check_free(lua_State *L, const struct tg_tcp_socket *socket, enum tg_stream_side which);

/* `return tg_tcp_wait_for(...)`: until the side is woken; then `k` goes on. Raises where nobody can wait. */
int tg_tcp_wait_for(lua_State *L, struct tg_tcp_socket *socket, enum tg_stream_side which, lua_KFunction k,
                    lua_KContext context);

/* Wakes who waits on this side, if anybody does. */
void tg_tcp_wake(struct tg_tcp_socket *socket, enum tg_stream_side which);

/* Gives back the stream and what it has received. */
void tg_tcp_end_stream(struct tg_tcp_socket *socket);

#endif
