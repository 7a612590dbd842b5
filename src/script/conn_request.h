/* What a client sent to open its connection, or to ask a route, as Lua sees it: path, params, query, headers,
 * cookies, peer, subprotocol. */
#ifndef TG_SCRIPT_CONN_REQUEST_H
#define TG_SCRIPT_CONN_REQUEST_H

#include "script/world.h"

/* Pushes the part called `key`; nil for a name that is none. `arena` is used meanwhile. [-0, +1, e] */
void tg_request_push(lua_State *L, const struct tg_request *request, struct tg_arena *arena, const char *key);

/* Pushes a table of all of them. [-0, +1, e] */
void tg_request_push_all(lua_State *L, const struct tg_request *request, struct tg_arena *arena);

/* The same for a connection. Pushes the part called `key`; nil for a name that is none. [-0, +1, e] */
void tg_conn_request_push(lua_State *L, struct tg_conn *conn, const char *key);

/* Pushes a table of all of them. [-0, +1, e] */
void tg_conn_request_push_all(lua_State *L, struct tg_conn *conn);

/* Pushes a table of the parameters of a path or of a topic. [-0, +1, e] */
void tg_push_params(lua_State *L, const struct tg_param *params, uint32_t count);

#endif
