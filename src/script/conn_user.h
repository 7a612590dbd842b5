/* Whose a connection is: conn.user, and the id by which tide.user finds it. */
#ifndef TG_SCRIPT_CONN_USER_H
#define TG_SCRIPT_CONN_USER_H

#include "script/world.h"

/* The value at `index`, kept as it is, becomes conn.user; its id is that of tg_conn_user_push_id.
 * Authenticating is over with it: a test kit that calls this between tg_conn_add and tg_conn_start speaks for
 * the authenticator, which is not asked. [-0, +0, e] */
void tg_conn_user_set(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index);

/* Pushes a copy of the conn.user of a connection that another generation has. [-0, +1, e] */
void tg_conn_user_push_foreign(struct tg_world *world, lua_State *L, struct tg_conn *conn);
/* Both halves of it: the value becomes conn.user, in the place of one before; and others find the connection
 * by the id of what conn.user is. [-0, +0, e] */
void tg_conn_user_keep(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index);
void tg_conn_user_note(struct tg_world *world, lua_State *L, struct tg_conn *conn);

/* Whether the user at `index` is the one whose the connection is, by their id: without one nobody is. The
 * other says whether there is one, which is not empty. [-0, +0, e] */
bool tg_conn_user_is(lua_State *L, const struct tg_conn *conn, int index);
bool tg_conn_user_has_id(lua_State *L, int index);

/* The value at `index` becomes conn.object. [-0, +0, e] */
void tg_conn_object_set(struct tg_world *world, lua_State *L, struct tg_conn *conn, int index);

/* Pushes the id of a user as a text: a string itself, an integer's digits (7.0 is one), or what stands in
 * field `id` of a table. False, and nothing, when it has none: such a user is nobody's equal. [-0, +1|0, e]
 */
bool tg_conn_user_push_id(lua_State *L, int index);

#endif
