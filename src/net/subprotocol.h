/* The subprotocol that a client and its consumer agree on, past the library, which would take the names from
 * a list that is fixed when it starts. Core chooses (core/upgrade.h); here the library is made to say so.
 */
#ifndef TG_NET_SUBPROTOCOL_H
#define TG_NET_SUBPROTOCOL_H

#include "net/state.h"

/* The upgrade of `wsi` has been granted. */
void tg_subprotocol_offer(struct tg_server *server, struct lws *wsi);

/* The library has chosen its protocol, and answers the client next. */
void tg_subprotocol_answer(struct tg_server *server);

#endif
