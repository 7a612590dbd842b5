/* Who is asked for which path, for people. */
#ifndef TG_APP_ROUTES_H
#define TG_APP_ROUTES_H

#include "core/registry.h"

/* Prints all, in the order in which they are asked, with their actions and where they are declared, and the
 * topics that a consumer hosts below it:
 *
 *     /ws/system  system  ping, user_message  consumers/system/init.lua:5
 *       room:{room_name}  post  consumers/system/rooms.lua:3
 *
 * then what answers plain requests:
 *
 *     POST /login  consumers/accounts.lua:8
 */
void tg_routes_print(const struct tg_registry *registry);

/* Prints some: path and consumer, or method and path of what answers plain requests, two spaces in front. */
void tg_routes_print_short(const struct tg_registry *registry);

#endif
