/* Invariant of all three files: OpenSSL's queue of errors, which belongs to the thread, is empty between two
 * calls. */
#include "wire/crypto.h"

#include "base/base64.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

static const unsigned char *bytes_of(struct tg_slice slice)
{
    return (const unsigned char *)(slice.length ? slice.data : "");
}

/* What a call of OpenSSL answered, and nothing of it is left behind. */
static bool is_done(bool answer)
{
    if (!answer) ERR_clear_error();
    return answer;
}

bool tg_crypto_sha256(struct tg_slice text, unsigned char digest[TG_SHA256_BYTES])
{
    return is_done(SHA256(bytes_of(text), text.length, digest) != NULL);
}

bool tg_crypto_hmac_sha256(struct tg_slice secret, struct tg_slice text,
                           unsigned char digest[TG_SHA256_BYTES])
{
    unsigned length = TG_SHA256_BYTES;
    if (secret.length > INT32_MAX) return false;
    return is_done(HMAC(EVP_sha256(), bytes_of(secret), (int)secret.length, bytes_of(text), text.length,
                        digest, &length) != NULL);
}

bool tg_crypto_equal(struct tg_slice a, struct tg_slice b)
{
    return a.length == b.length && CRYPTO_memcmp(bytes_of(a), bytes_of(b), a.length) == 0;
}

bool tg_crypto_random(void *bytes, size_t count)
{
    return count <= INT32_MAX && is_done(RAND_bytes(bytes, (int)count) == 1);
}

/* ---- what is kept of a secret ---- */

/* RFC 7914 2: N is 2^cost. These need 16 MB, and about 50 ms. */
enum { SCRYPT_COST = 14, SCRYPT_BLOCKS = 8, SCRYPT_LANES = 1, SALT_BYTES = 16, SCRYPT_MAX_MB = 64 };

#define KEY_PREFIX "sha256:"
#define PASSWORD_PREFIX "scrypt:14:8:1:"

static bool scrypt(struct tg_slice password, struct tg_slice salt, unsigned char hash[TG_SHA256_BYTES])
{
    return is_done(EVP_PBE_scrypt(password.length ? password.data : "", password.length, bytes_of(salt),
                                  salt.length, UINT64_C(1) << SCRYPT_COST, SCRYPT_BLOCKS, SCRYPT_LANES,
                                  (uint64_t)SCRYPT_MAX_MB << 20, hash, TG_SHA256_BYTES) == 1);
}

static void write_password(struct tg_buf *out, struct tg_slice salt, const unsigned char *hash)
{
    tg_buf_append_literal(out, PASSWORD_PREFIX);
    tg_base64url_write(out, salt);
    tg_buf_append_char(out, ':');
    tg_base64url_write(out, (struct tg_slice){(const char *)hash, TG_SHA256_BYTES});
}

enum tg_status tg_crypto_hash_password(struct tg_slice password, struct tg_buf *out)
{
    char salt[SALT_BYTES];
    unsigned char hash[TG_SHA256_BYTES];
    if (!tg_crypto_random(salt, sizeof salt)) return TG_E_IO;
    if (!scrypt(password, (struct tg_slice){salt, sizeof salt}, hash)) return TG_E_NO_MEMORY;
    write_password(out, (struct tg_slice){salt, sizeof salt}, hash);
    return tg_buf_status(out);
}

enum tg_status tg_crypto_hash_key(struct tg_slice key, struct tg_buf *out)
{
    unsigned char hash[TG_SHA256_BYTES];
    if (!tg_crypto_sha256(key, hash)) return TG_E_NO_MEMORY;
    tg_buf_append_literal(out, KEY_PREFIX);
    for (size_t i = 0; i < sizeof hash; i++) tg_buf_printf(out, "%02x", hash[i]);
    return tg_buf_status(out);
}

static bool has_prefix(struct tg_slice text, struct tg_slice prefix)
{
    return text.length >= prefix.length && memcmp(text.data, prefix.data, prefix.length) == 0;
}

/* What the hash of `password` would be with the salt of `hash`. */
static bool write_again(struct tg_buf *out, struct tg_slice password, struct tg_slice hash)
{
    size_t prefix = strlen(PASSWORD_PREFIX);
    const char *salt = hash.data + prefix, *colon = memchr(salt, ':', hash.length - prefix);
    unsigned char again[TG_SHA256_BYTES];
    struct tg_buf bytes;
    if (!colon) return false;
    tg_buf_init(&bytes);
    bool is_written = tg_base64url_read(&bytes, (struct tg_slice){salt, (size_t)(colon - salt)}) == TG_OK &&
                      scrypt(password, tg_buf_peek(&bytes), again);
    if (is_written) write_password(out, tg_buf_peek(&bytes), again);
    tg_buf_deinit(&bytes);
    return is_written;
}

bool tg_crypto_check(struct tg_slice secret, struct tg_slice hash)
{
    struct tg_buf again;
    bool is_written = false;
    tg_buf_init(&again);
    if (has_prefix(hash, TG_SLICE(KEY_PREFIX))) is_written = tg_crypto_hash_key(secret, &again) == TG_OK;
    if (has_prefix(hash, TG_SLICE(PASSWORD_PREFIX))) is_written = write_again(&again, secret, hash);
    bool is_same = is_written && !again.has_failed && tg_crypto_equal(tg_buf_peek(&again), hash);
    tg_buf_deinit(&again);
    return is_same;
}

bool tg_crypto_is_slow(struct tg_slice hash)
{
    return has_prefix(hash, TG_SLICE(PASSWORD_PREFIX));
}
