/* Sets of keys that sign and verify tokens: JSON Web Keys (RFC 7517), PEM, secrets.
 *
 *     tg_keys_init(&keys);
 *     tg_keys_add_pem(&keys, id, alg, pem, &error);
 *     tg_keys_replace_set(&keys, jwks, NULL, 0, &error);
 *     ... tg_jwt_verify(&keys, ...)
 *
 * Every key in a set knows its algorithm. A JWK of RSA that names none is one of RS256, which is what who
 * leaves it out means; for the others the algorithm follows from the curve, and a secret has to name it.
 */
#ifndef TG_WIRE_JWK_H
#define TG_WIRE_JWK_H

#include "wire/crypto.h"
#include "wire/value.h"

/* A token without `kid` is tried with all keys of its algorithm: there are not many. */
enum { TG_KEYS_MAX = 64 };

/* Of the JSON of a set, which comes from elsewhere. */
enum { TG_JWKS_BYTES_MAX = 1 << 20 };

struct tg_key {
    struct tg_crypto_key *crypto; /* owned */
    struct tg_slice id;           /* owned; data is NULL when it has none */
    bool is_from_set;             /* goes with the set that it came in */
};

struct tg_keys {
    struct tg_key items[TG_KEYS_MAX];
    uint32_t count;
};

void tg_keys_init(struct tg_keys *keys);
void tg_keys_deinit(struct tg_keys *keys);

/* Each adds a key; `id` may be empty. When it fails the keys are as they were. TG_E_INVALID: `error` says
 * what is wrong. TG_E_FULL, with a sentence too. TG_E_NO_MEMORY. */
enum tg_status tg_keys_add_secret(struct tg_keys *keys, struct tg_slice id, enum tg_alg alg,
                                  struct tg_slice secret, struct tg_error *error);
enum tg_status tg_keys_add_pem(struct tg_keys *keys, struct tg_slice id, enum tg_alg alg, struct tg_slice pem,
                               struct tg_error *error);

/* `alg`, if it is not NULL, is what the key must be for, also where it names none. `id`, if it is not empty,
 * stands for its own. */
enum tg_status tg_keys_add_jwk(struct tg_keys *keys, struct tg_slice id, const enum tg_alg *alg,
                               const struct tg_value *jwk, struct tg_error *error);

/* The keys of another set (RFC 7517 5) in the place of those that came from one. What is of no use is
 * skipped, as the RFC asks for: keys for encryption, of unknown kinds, weak ones. Secrets are, too, unless
 * `takes_secrets`: a set that anybody may read has none. TG_E_INVALID: no key is left, or the text is no
 * set. */
enum tg_status tg_keys_replace_set(struct tg_keys *keys, struct tg_slice jwks, const enum tg_alg *alg,
                                   bool takes_secrets, struct tg_error *error);

#endif
