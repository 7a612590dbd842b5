/* A token in the first message: its client's authenticator waits for that. */
#ifndef TG_SCRIPT_FIRST_MESSAGE_H
#define TG_SCRIPT_FIRST_MESSAGE_H

#include "script/world.h"

/* The client has sent something while its authenticator waits: for that, perhaps. */
void tg_first_message_said(struct tg_conn *conn);

/* Adds what lua/tidegate/auth asks of C to the table on top. [-0, +0, e] */
void tg_first_message_library_install(struct tg_world *world, lua_State *L);

#endif
