/* RSA and ECDSA sign a hash that is made first, in a context that is kept, and verify with another one that
 * is kept as well: making them costs OpenSSL 3 more than a signature of RSA takes to verify. */
#include "wire/crypto_key.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

enum { SIGNATURE_BYTES_MAX = 1024 + 64 }; /* RSA of 8192 bits; DER of the longest ECDSA has 139 */

static const unsigned char *bytes_of(struct tg_slice slice)
{
    return (const unsigned char *)(slice.length ? slice.data : "");
}

bool tg_crypto_set_padding(const struct tg_crypto_key *key, EVP_PKEY_CTX *context)
{
    const struct tg_alg_facts *facts = tg_alg_facts(key->alg);
    if (strcmp(facts->kind, "RSA") != 0) return true;
    int padding = facts->is_pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING;
    return EVP_PKEY_CTX_set_rsa_padding(context, padding) == 1 &&
           (!facts->is_pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* ---- secrets ---- */

static bool make_mac(struct tg_crypto_key *key, struct tg_slice text, unsigned char *mac, size_t *length)
{
    return EVP_MAC_init(key->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(key->mac, bytes_of(text), text.length) == 1 &&
           EVP_MAC_final(key->mac, mac, length, EVP_MAX_MD_SIZE) == 1;
}

static bool verify_mac(struct tg_crypto_key *key, struct tg_slice text, struct tg_slice signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    size_t length = 0;
    return make_mac(key, text, mac, &length) &&
           tg_crypto_equal((struct tg_slice){(const char *)mac, length}, signature);
}

/* ---- ECDSA: r and s here, DER there ---- */

/* The DER of a raw signature in `room`; its length, or 0. */
static size_t write_der(const struct tg_alg_facts *facts, struct tg_slice raw, unsigned char *room)
{
    int part = (int)facts->part_bytes;
    if (raw.length != 2 * (size_t)facts->part_bytes) return 0;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes_of(raw), part, NULL), *s = BN_bin2bn(bytes_of(raw) + part, part, NULL);
    int length = 0;
    if (pair && r && s && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = s = NULL;
        if (i2d_ECDSA_SIG(pair, NULL) <= SIGNATURE_BYTES_MAX) length = i2d_ECDSA_SIG(pair, &room);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return length > 0 ? (size_t)length : 0;
}

/* The other way; `raw` has room for both parts. */
static bool read_der(const struct tg_alg_facts *facts, const unsigned char *der, size_t length,
                     unsigned char *raw)
{
    int part = (int)facts->part_bytes;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)length);
    bool is_read = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, part) == part &&
                   BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + part, part) == part;
    ECDSA_SIG_free(pair);
    return is_read;
}

/* ---- verifying ---- */

static bool verify_hashed(struct tg_crypto_key *key, struct tg_slice text, struct tg_slice signature)
{
    const struct tg_alg_facts *facts = tg_alg_facts(key->alg);
    unsigned char hash[EVP_MAX_MD_SIZE], der[SIGNATURE_BYTES_MAX];
    unsigned hash_bytes = 0;
    if (facts->part_bytes) {
        size_t length = write_der(facts, signature, der);
        if (length == 0) return false;
        signature = (struct tg_slice){(const char *)der, length};
    }
    return EVP_DigestInit_ex2(key->hashing, key->digest, NULL) == 1 &&
           EVP_DigestUpdate(key->hashing, bytes_of(text), text.length) == 1 &&
           EVP_DigestFinal_ex(key->hashing, hash, &hash_bytes) == 1 &&
           EVP_PKEY_verify(key->verifying, bytes_of(signature), signature.length, hash, hash_bytes) == 1;
}

/* EdDSA hashes the text itself, twice. */
static bool verify_whole(struct tg_crypto_key *key, struct tg_slice text, struct tg_slice signature)
{
    return EVP_MD_CTX_reset(key->hashing) == 1 &&
           EVP_DigestVerifyInit_ex(key->hashing, NULL, NULL, NULL, NULL, key->pkey, NULL) == 1 &&
           EVP_DigestVerify(key->hashing, bytes_of(signature), signature.length, bytes_of(text),
                            text.length) == 1;
}

bool tg_crypto_verify(struct tg_crypto_key *key, struct tg_slice text, struct tg_slice signature)
{
    bool is_right;
    if (key->mac)
        is_right = verify_mac(key, text, signature);
    else if (key->verifying)
        is_right = verify_hashed(key, text, signature);
    else
        is_right = verify_whole(key, text, signature);
    ERR_clear_error();
    return is_right;
}

/* ---- signing: seldom, and in a context of its own, since one that has signed cannot be used to hash ---- */

static bool sign_text(struct tg_crypto_key *key, struct tg_slice text, unsigned char *room, size_t *length)
{
    const struct tg_alg_facts *facts = tg_alg_facts(key->alg);
    EVP_MD_CTX *signing = EVP_MD_CTX_new();
    EVP_PKEY_CTX *context = NULL;
    bool is_signed =
        signing &&
        EVP_DigestSignInit_ex(signing, &context, facts->digest, NULL, NULL, key->pkey, NULL) == 1 &&
        tg_crypto_set_padding(key, context) &&
        EVP_DigestSign(signing, room, length, bytes_of(text), text.length) == 1;
    EVP_MD_CTX_free(signing);
    return is_signed;
}

enum tg_status tg_crypto_sign(struct tg_crypto_key *key, struct tg_slice text, struct tg_buf *signature)
{
    const struct tg_alg_facts *facts = tg_alg_facts(key->alg);
    unsigned char made[SIGNATURE_BYTES_MAX], raw[EVP_MAX_MD_SIZE * 4];
    size_t length = sizeof made;
    if (!key->can_sign) return TG_E_INVALID;
    bool is_made = key->mac ? make_mac(key, text, made, &length) : sign_text(key, text, made, &length);
    if (is_made && facts->part_bytes) is_made = read_der(facts, made, length, raw);
    ERR_clear_error();
    if (!is_made) return TG_E_NO_MEMORY;
    if (facts->part_bytes)
        tg_buf_append(signature, raw, 2 * (size_t)facts->part_bytes);
    else
        tg_buf_append(signature, made, length);
    return tg_buf_status(signature);
}
