/* `conn`, the face of a connection in Lua: a userdata that holds its id, never a pointer.
 *
 * One handle per connection, made when Lua first sees it. After the end its methods answer nil,
 * "closed"; what was read of it before stays readable. When the connection moves to another generation the
 * handle still sends and closes, but its `state` is there. A connection that another generation has is seen
 * through handles of that kind, too.
 */
#ifndef TG_SCRIPT_CONN_HANDLE_H
#define TG_SCRIPT_CONN_HANDLE_H

#include "core/generation.h"
#include "script/message_type.h"
#include "script/world.h"

/* Makes the metatable. [-0, +0, e] */
void tg_conn_handle_install(struct tg_world *world, lua_State *L);

/* Whether the connection has this world's code: else another generation has its handle and its state. */
static inline bool tg_conn_is_of(const struct tg_world *world, const struct tg_conn *conn)
{
    return conn->generation->script == world->generation->script;
}

/* Pushes the handle of `conn`: of this world's generation the one that is kept, else a new one. [-0, +1, e]
 */
void tg_conn_handle_push(struct tg_world *world, lua_State *L, struct tg_conn *conn);

/* The handle at `index`, which is kept, is not the connection's any more, nor is the state. [-0, +0, -] */
void tg_conn_handle_retire(lua_State *L, int index);

/* Pushes the table of what has been asked of the handle at `index` already. [-0, +1, e] */
void tg_conn_handle_push_cache(lua_State *L, int index);

/* Queues the message instance at `index`, which is of `type`, for `conn`. Raises what does not fit the
 * schema. TG_E_CLOSED, TG_E_FULL, TG_E_NO_MEMORY. [-0, +0, e] */
enum tg_status tg_conn_handle_send(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index,
                                   const struct tg_message_type *type, const struct tg_ref *ref);

/* For methods: the connection of the handle at 1, NULL when it has ended, and its world. Raises when there is
 * no handle. [-0, +0, e] */
struct tg_conn *tg_conn_handle_check(lua_State *L, struct tg_world **world);

/* The id of the handle at `index`, or that which the string there says; false for anything else.
 * [-0, +0, -] */
bool tg_conn_handle_read_id(lua_State *L, int index, uint64_t *id);

/* The code and the reason of a close, for methods whose arguments begin at 2. [-0, +0, e] */
uint16_t tg_conn_handle_check_close(lua_State *L, struct tg_slice *reason);

/* The type of the message at `index`; raises what `method` expects when it is none. [-0, +0, e] */
const struct tg_message_type *tg_conn_handle_check_message(lua_State *L, int index, const char *method);

/* What a method returns: true, or nil and a word. Raises the lack of memory. [-0, +1|2, e] */
int tg_push_result(lua_State *L, enum tg_status status);

#endif
