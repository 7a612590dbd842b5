/* JSON Web Tokens (RFC 7519), signed in compact form (RFC 7515 7.1), by the advice of RFC 8725.
 *
 * Which algorithm is used is the key's affair: a token that names another is refused, and none names `none`.
 * A token is believed only after its signature; until then nothing but its header is looked at, and of that
 * only `alg`, `kid`, and whether it asks for something that is not done here.
 */
#ifndef TG_WIRE_JWT_H
#define TG_WIRE_JWT_H

#include "wire/jwk.h"

enum tg_jwt_verdict {
    TG_JWT_OK,
    TG_JWT_MALFORMED,
    TG_JWT_TOO_LARGE,
    TG_JWT_ALGORITHM,   /* no key of those that it could mean has its algorithm */
    TG_JWT_UNKNOWN_KEY, /* there is no key with its `kid`, or none at all */
    TG_JWT_SIGNATURE,
    TG_JWT_EXPIRED,
    TG_JWT_NOT_YET_VALID,
    TG_JWT_AUDIENCE,
    TG_JWT_ISSUER,
    TG_JWT_MISSING, /* a required claim */
    TG_JWT_NO_MEMORY,
};

struct tg_jwt_names {
    const struct tg_slice *items;
    uint32_t count;
};

/* What is asked of a token. */
struct tg_jwt_rules {
    struct tg_jwt_names audiences; /* none: a token that has `aud` is for somebody else (RFC 7519 4.1.3) */
    struct tg_jwt_names issuers;   /* none: anybody's */
    struct tg_jwt_names required;  /* claims */
    double now_s;                  /* Unix time */
    double leeway_s;               /* by which clocks may differ */
    uint64_t max_bytes;            /* of the token */
};

/* "expired", "not_yet_valid", ... */
const char *tg_jwt_verdict_name(enum tg_jwt_verdict verdict);

/* Whether the token is good. `*claims` is an object in `arena` then. Otherwise `error` has a sentence for a
 * log: it quotes nothing of a token whose signature is not right, and of others no more than `aud` and `iss`.
 */
enum tg_jwt_verdict tg_jwt_verify(const struct tg_keys *keys, struct tg_slice token,
                                  const struct tg_jwt_rules *rules, struct tg_arena *arena,
                                  struct tg_value *claims, struct tg_error *error);

/* The key that signs: the one called `id`, or the first that can; NULL when there is none. */
const struct tg_key *tg_jwt_find_signer(const struct tg_keys *keys, struct tg_slice id);

/* Appends a token with these claims, which are the JSON of an object. TG_E_NO_MEMORY. */
enum tg_status tg_jwt_sign(const struct tg_key *key, struct tg_slice claims, struct tg_buf *token);

#endif
