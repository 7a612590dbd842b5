/* The library has one protocol of ours, and keeps a pointer to its name, which lies in the server:
 *
 *  - while it looks for a protocol that the client offers, the name is the first that this client offers, so
 *    that ours is found whatever that is;
 *  - while it writes its answer, the name is the one that was agreed on, or empty, and then it writes no
 *    Sec-WebSocket-Protocol (RFC 6455 4.2.2).
 *
 * All of it happens inside one call of the library's, from LWS_CALLBACK_HTTP_CONFIRM_UPGRADE to ESTABLISHED.
 */
#include "net/subprotocol.h"

#include "net/head.h"
#include "wire/handshake.h"

static void set_name(struct tg_server *server, struct tg_slice name)
{
    size_t length = name.length < sizeof server->subprotocol ? name.length : 0;
    if (length) memcpy(server->subprotocol, name.data, length);
    server->subprotocol[length] = '\0';
}

void tg_subprotocol_offer(struct tg_server *server, struct lws *wsi)
{
    set_name(server, tg_handshake_first_protocol(tg_head_value(server, wsi, WSI_TOKEN_PROTOCOL)));
}

void tg_subprotocol_answer(struct tg_server *server)
{
    if (server->granted.request) set_name(server, server->granted.request->subprotocol);
}
