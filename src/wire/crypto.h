/* Signatures, hashes and random bytes: the one place, beside TLS, that knows OpenSSL.
 *
 *     crypto.c           hashes, HMAC, passwords, random bytes
 *     crypto_key.c       keys from texts and numbers, and whether they are any good
 *     crypto_sign.c      signing and verifying with them
 *
 * A key knows its one algorithm, so nobody who sends a token can choose another. It keeps its contexts ready
 * between two uses: a key belongs to one thread at a time.
 */
#ifndef TG_WIRE_CRYPTO_H
#define TG_WIRE_CRYPTO_H

#include "base/buf.h"
#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { TG_SHA256_BYTES = 32 };

/* RFC 7518 3.1 and RFC 8037 3.1; there is no `none`. */
enum tg_alg {
    TG_ALG_HS256,
    TG_ALG_HS384,
    TG_ALG_HS512,
    TG_ALG_RS256,
    TG_ALG_RS384,
    TG_ALG_RS512,
    TG_ALG_PS256,
    TG_ALG_PS384,
    TG_ALG_PS512,
    TG_ALG_ES256,
    TG_ALG_ES384,
    TG_ALG_ES512,
    TG_ALG_EDDSA, /* Ed25519 or Ed448, as the key is */
    TG_ALG_COUNT,
};

const char *tg_alg_name(enum tg_alg alg);

/* Names are case-sensitive. */
bool tg_alg_find(struct tg_slice name, enum tg_alg *alg);

static inline bool tg_alg_is_secret(enum tg_alg alg)
{
    return alg <= TG_ALG_HS512;
}

struct tg_crypto_key;

/* The numbers of a JWK (RFC 7518 6, RFC 8037 2), big-endian; empty where the key has none. */
struct tg_key_parts {
    struct tg_slice n, e, p, q, dp, dq, qi; /* RSA */
    struct tg_slice curve, x, y;            /* EC: "P-256"; OKP: "Ed25519" */
    struct tg_slice d;                      /* of private keys */
};

/* Each makes a key, owned by the caller. TG_E_INVALID: `error` says what is wrong with it, and quotes
 * nothing of it. TG_E_NO_MEMORY. */

/* Of HS256, HS384, HS512; a secret that is shorter than the hash is refused (RFC 7518 3.2), and so is a PEM.
 */
enum tg_status tg_crypto_key_from_secret(struct tg_crypto_key **key, enum tg_alg alg, struct tg_slice secret,
                                         struct tg_error *error);

/* A public key, a certificate, or a private key without a password. RSA needs 2048 bits. */
enum tg_status tg_crypto_key_from_pem(struct tg_crypto_key **key, enum tg_alg alg, struct tg_slice pem,
                                      struct tg_error *error);

enum tg_status tg_crypto_key_from_parts(struct tg_crypto_key **key, enum tg_alg alg,
                                        const struct tg_key_parts *parts, struct tg_error *error);

void tg_crypto_key_free(struct tg_crypto_key *key);

enum tg_alg tg_crypto_key_alg(const struct tg_crypto_key *key);

bool tg_crypto_key_can_sign(const struct tg_crypto_key *key);

/* Whether the key made `signature` of `text`; ECDSA as r and s in full length (RFC 7518 3.4). */
bool tg_crypto_verify(struct tg_crypto_key *key, struct tg_slice text, struct tg_slice signature);

/* Appends the signature. TG_E_INVALID: the key cannot sign. TG_E_NO_MEMORY. */
enum tg_status tg_crypto_sign(struct tg_crypto_key *key, struct tg_slice text, struct tg_buf *signature);

/* The hashes answer false without memory. */
bool tg_crypto_sha256(struct tg_slice text, unsigned char digest[TG_SHA256_BYTES]);
bool tg_crypto_hmac_sha256(struct tg_slice secret, struct tg_slice text,
                           unsigned char digest[TG_SHA256_BYTES]);

/* Whether they are the same, in a time that depends on the lengths alone. */
bool tg_crypto_equal(struct tg_slice a, struct tg_slice b);

/* False: the system gives none. */
bool tg_crypto_random(void *bytes, size_t count);

/* Appends what to keep of a password: "scrypt:14:8:1:SALT:HASH", or of a long random key, which needs no
 * salt: "sha256:HASH". TG_E_IO: no random bytes. TG_E_NO_MEMORY. */
enum tg_status tg_crypto_hash_password(struct tg_slice password, struct tg_buf *out);
enum tg_status tg_crypto_hash_key(struct tg_slice key, struct tg_buf *out);

/* Whether `hash` was made of `secret` by one of these. */
bool tg_crypto_check(struct tg_slice secret, struct tg_slice hash);

/* Whether that takes long: it is a password's. */
bool tg_crypto_is_slow(struct tg_slice hash);

#endif
