/* For how long a client is who it said to be.
 *
 * What let it in may expire: then the connection closes with 4401 `expired`, unless the client has sent a new
 * one, {"action":"authenticate","payload":{"token":...}}. Or its consumer has the authenticator asked again
 * now and then. Either way the script is asked (script.h: renew), and decides; meanwhile everything else goes
 * on. Costs a connection nothing when it has neither.
 *
 *     script (let in) --set--> timer --due--> renew(NULL) ----> script --asked-->
 *     dispatch (a token came) ---------------> renew(envelope) /
 */
#ifndef TG_CORE_CREDENTIAL_H
#define TG_CORE_CREDENTIAL_H

#include "base/buf.h"
#include "base/slice.h"
#include "core/script.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_credential;

/* The action by which clients renew, and that a first message has. */
#define TG_RENEWAL_ACTION "authenticate"

/* How long what let a client in is good for. */
struct tg_validity {
    int64_t expires_at_ms; /* wall clock; INT64_MAX: never */
    uint64_t grace_ms;     /* how much longer it is put up with */
    uint64_t ask_every_ms; /* 0: the authenticator is not asked again */
};

/* Takes the place of what was said before. TG_E_NO_MEMORY: nothing has changed. */
enum tg_status tg_credential_set(struct tg_conn *conn, const struct tg_validity *validity);

/* Keeps a token (copied) that the client has sent, for when the authenticator is asked again; it takes the
 * place of the one before. TG_E_NO_MEMORY: nothing has changed. */
enum tg_status tg_credential_keep_token(struct tg_conn *conn, struct tg_slice token);

/* That token; data NULL: none is kept. */
struct tg_slice tg_credential_token(const struct tg_conn *conn);

/* For conn.c: the connection is about to be freed. */
void tg_credential_forget(struct tg_conn *conn);

/* ---- a client renews ---- */

/* For dispatch: has the script look at a message of the consumer's `renewal`. False: it is not its turn. */
bool tg_credential_renew(struct tg_conn *conn, struct tg_envelope *envelope);

/* What `renew` of the script began, and said to be TG_WAITING, has ended. The connection may be gone when
 * this returns. */
void tg_credential_asked(struct tg_conn *conn, enum tg_outcome outcome);

/* ---- a token in the first message ---- */

/* Takes the first message out of the inbox of a connection that is being authenticated, and writes the token
 * in it to `token`. TG_E_NOT_FOUND: there is no message yet. TG_E_INVALID: it is something else.
 * TG_E_NO_MEMORY.
 */
enum tg_status tg_credential_take_first(struct tg_conn *conn, struct tg_buf *token);

#endif
