/* Listening on an address, and accepting for the library. */
#ifndef TG_NET_LISTENER_H
#define TG_NET_LISTENER_H

#include "base/status.h"
#include "net/state.h"

/* `listener` has its server, and fd -1. Close it in either case. */
enum tg_status tg_listener_open(struct tg_listener *listener, const char *host, uint16_t port,
                                struct tg_error *error);

/* Nothing when it is not listening. */
void tg_listener_close(struct tg_listener *listener);

/* Whether the socket was accepted on the address that is for the API alone. */
bool tg_listener_is_for_api(struct lws *wsi);

#endif
