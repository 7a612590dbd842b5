/* The groups of a connection: conn:join, conn:leave, conn.groups, conn:broadcast. */
#ifndef TG_SCRIPT_CONN_GROUPS_H
#define TG_SCRIPT_CONN_GROUPS_H

#include "script/world.h"

/* conn:join(name) -> true | nil, "closed" | nil, "full" */
int tg_conn_join(lua_State *L);

/* conn:leave(name) -> true | false, it was not in | nil, "closed" */
int tg_conn_leave(lua_State *L);

/* conn:broadcast(message [, { groups =, exclude_current = }]) -> how many got it | nil, "closed" | nil, why
 */
int tg_conn_broadcast(lua_State *L);

/* Pushes a new list of the names of the groups of `conn`, in the order in which it joined. [-0, +1, e] */
void tg_conn_groups_push(lua_State *L, const struct tg_conn *conn);

/* Joins the group whose name is at `index`. Raises what is no name, the lack of memory, and that the
 * connection is in as many groups as it may be; `what` asks. [-0, +0, e] */
void tg_conn_groups_add(lua_State *L, struct tg_conn *conn, int index, const char *what);

#endif
