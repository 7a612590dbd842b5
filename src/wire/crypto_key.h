/* What a key holds; for crypto_key.c and crypto_sign.c. */
#ifndef TG_WIRE_CRYPTO_KEY_H
#define TG_WIRE_CRYPTO_KEY_H

#include "wire/crypto.h"

#include <openssl/evp.h>

struct tg_alg_facts {
    const char *name, *kind, *curve, *digest; /* as OpenSSL calls them; NULL: none */
    uint32_t digest_bytes, part_bytes;        /* part: of r, and of s */
    bool is_pss;
};

struct tg_crypto_key {
    enum tg_alg alg;
    bool can_sign;
    EVP_PKEY *pkey;          /* owned; NULL for secrets */
    EVP_MAC_CTX *mac;        /* owned; has the secret, NULL for the others */
    EVP_MD *digest;          /* owned; NULL for EdDSA and secrets */
    EVP_MD_CTX *hashing;     /* owned; NULL for secrets */
    EVP_PKEY_CTX *verifying; /* owned; ready for EVP_PKEY_verify; NULL for EdDSA and secrets */
};

const struct tg_alg_facts *tg_alg_facts(enum tg_alg alg);

/* Sets padding and hash where the algorithm has them. */
bool tg_crypto_set_padding(const struct tg_crypto_key *key, EVP_PKEY_CTX *context);

#endif
