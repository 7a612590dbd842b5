/* TLS for outgoing streams: OpenSSL between two buffers. It never sees a socket; net/stream carries the
 * bytes.
 *
 *     from the peer -> tg_tls_feed  -> tg_tls_read  -> the user
 *     from the user -> tg_tls_write -> tg_tls_output -> to the peer
 *
 * The certificate has to be valid for the host that was asked for, unless verification is switched off.
 */
#ifndef TG_NET_TLS_H
#define TG_NET_TLS_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>

struct tg_tls;

/* What sessions of one loop share: whom they trust. */
struct tg_tls_store;

/* NULL without memory. */
struct tg_tls_store *tg_tls_store_new(void);
void tg_tls_store_free(struct tg_tls_store *store);

struct tg_tls_options {
    const char *host;        /* a name or an address */
    const char *ca_file;     /* NULL: whom the system trusts */
    bool skips_verification; /* anybody's certificate will do */
};

/* TG_E_INVALID: the ca_file cannot be used. TG_E_NO_MEMORY. */
enum tg_status tg_tls_new(struct tg_tls **out, struct tg_tls_store *store,
                          const struct tg_tls_options *options, struct tg_error *error);
void tg_tls_free(struct tg_tls *tls);

enum tg_tls_progress { TG_TLS_DONE, TG_TLS_WAITS, TG_TLS_ENDED, TG_TLS_FAILED };

/* Goes on with the handshake as far as what was fed allows. */
enum tg_tls_progress tg_tls_handshake(struct tg_tls *tls);

/* Bytes of the peer's. False without memory. */
bool tg_tls_feed(struct tg_tls *tls, struct tg_slice bytes);

/* TCP has ended. */
void tg_tls_feed_end(struct tg_tls *tls);

/* Puts what the peer said into `room`; TG_TLS_DONE: `*length` bytes. TG_TLS_ENDED: the peer ended TLS
 * properly, all was read. */
enum tg_tls_progress tg_tls_read(struct tg_tls *tls, char *room, size_t bytes, size_t *length);

/* Takes all of `bytes`, or fails. */
enum tg_tls_progress tg_tls_write(struct tg_tls *tls, struct tg_slice bytes);

/* Tells the peer that nothing more will come. */
void tg_tls_finish(struct tg_tls *tls);

/* What is to be sent; borrowed until the next call. tg_tls_output_sent forgets all of it. */
struct tg_slice tg_tls_output(struct tg_tls *tls);
void tg_tls_output_sent(struct tg_tls *tls);

/* Why it failed; a sentence. */
const char *tg_tls_failure(const struct tg_tls *tls);

#endif
