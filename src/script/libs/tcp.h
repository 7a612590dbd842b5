/* tide.tcp: sockets to other servers, with the methods and results of LuaSocket's, that wait without
 * blocking.
 *
 *     tcp.c         connecting, sending, receiving
 *     tcp_socket.c  waiting, the end, names and options
 *     tcp_items.c   what a receive takes: a line, so many bytes, everything
 */
#ifndef TG_SCRIPT_LIBS_TCP_H
#define TG_SCRIPT_LIBS_TCP_H

#include "script/world.h"

/* Puts tcp_connect into the library of the host, whose table is on top. [-0, +0, e] */
void tg_tcp_library_install(struct tg_world *world, lua_State *L);

#endif
