/* Keys and tokens for the specs of them. */
#ifndef TG_UNIT_SUPPORT_TOKENS_H
#define TG_UNIT_SUPPORT_TOKENS_H

#include "base/arena.h"
#include "wire/jwk.h"

/* Adds a key that must be one. */
void tg_tokens_add_jwk(struct tg_keys *keys, const char *id, const char *jwk);
void tg_tokens_add_pem(struct tg_keys *keys, const char *id, enum tg_alg alg, const char *pem);
void tg_tokens_add_secret(struct tg_keys *keys, const char *id, enum tg_alg alg, const char *secret);

/* The parsed text, which must be JSON. */
struct tg_value tg_tokens_json(struct tg_arena *arena, const char *text);

/* HEADER.CLAIMS.SIGNATURE of the JSON texts, signed by `key`; NULL: without a signature. With a zero at the
 * end.
 */
void tg_tokens_write(struct tg_buf *token, struct tg_crypto_key *key, const char *header, const char *claims);

#endif
