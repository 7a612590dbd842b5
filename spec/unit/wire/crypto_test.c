#include "wire/crypto.h"

#include "base/base64.h"
#include "support/alloc.h"
#include "support/keys.h"
#include "support/tokens.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RFC7515_PAYLOAD                                                                                      \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
#define RFC7520_PAYLOAD                                                                                      \
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgc"  \
    "m9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IG"  \
    "JlIHN3ZXB0IG9mZiB0by4"

/* Published: where, by which key, what, the signature. */
static const struct {
    const char *where, *jwk, *text, *signature;
    bool is_deterministic; /* whoever has the private key makes the same */
} vectors[] = {
    {"RFC 7515 A.1", KEY_RFC7515_A1, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." RFC7515_PAYLOAD,
     "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true},
    {"RFC 7515 A.2", KEY_RFC7515_A2, "eyJhbGciOiJSUzI1NiJ9." RFC7515_PAYLOAD,
     "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
     "O8W2Fp5jujGbds9uJdbF9CUA"
     "r7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_"
     "eSN9383LcOLn6_dO-"
     "-xi12jzDwusC-"
     "eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_"
     "IoypGlUPQGe77Rw",
     true},
    {"RFC 7515 A.3", KEY_RFC7515_A3, "eyJhbGciOiJFUzI1NiJ9." RFC7515_PAYLOAD,
     "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", false},
    {"RFC 7515 A.4", KEY_RFC7515_A4, "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
     "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_"
     "7XdtAG8GaSwFKdCAPZgoXD2YBJ"
     "ZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
     false},
    {"RFC 8037 A.4", KEY_RFC8037_A1, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", true},
    {"RFC 7520 4.2", KEY_RFC7520_3_3,
     "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." RFC7520_PAYLOAD,
     "cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-"
     "tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPp"
     "cbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_"
     "ijQ7p8Vdz0TTrxUeT3lm8d9shnr2l"
     "fJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_"
     "jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4i"
     "fKo8DYM-X72Eaw",
     false},
};

enum { VECTORS = sizeof vectors / sizeof vectors[0] };

static void open_vector(size_t i, struct tg_keys *keys, struct tg_buf *signature)
{
    tg_keys_init(keys);
    tg_tokens_add_jwk(keys, "", vectors[i].jwk);
    tg_buf_init(signature);
    assert_int_equal(tg_base64url_read(signature, tg_slice_of(vectors[i].signature)), TG_OK);
}

static void close_vector(struct tg_keys *keys, struct tg_buf *signature)
{
    tg_keys_deinit(keys);
    tg_buf_deinit(signature);
}

static void verifies_what_the_rfcs_have_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct tg_keys keys;
        struct tg_buf signature;
        open_vector(i, &keys, &signature);
        struct tg_crypto_key *key = keys.items[0].crypto;
        for (int use = 0; use < 3; use++)
            if (!tg_crypto_verify(key, tg_slice_of(vectors[i].text), tg_buf_peek(&signature)))
                fail_msg("%s, use %d", vectors[i].where, use);
        close_vector(&keys, &signature);
    }
}

static void refuses_every_changed_signature_and_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct tg_keys keys;
        struct tg_buf signature;
        open_vector(i, &keys, &signature);
        struct tg_crypto_key *key = keys.items[0].crypto;
        struct tg_slice text = tg_slice_of(vectors[i].text), shorter = {text.data, text.length - 1};
        assert_false(tg_crypto_verify(key, shorter, tg_buf_peek(&signature)));
        for (size_t byte = 0; byte < signature.length; byte++) {
            signature.data[byte] = (char)(signature.data[byte] ^ 1);
            if (tg_crypto_verify(key, text, tg_buf_peek(&signature)))
                fail_msg("%s, byte %zu", vectors[i].where, byte);
            signature.data[byte] = (char)(signature.data[byte] ^ 1);
        }
        for (size_t length = 0; length < signature.length; length++)
            assert_false(tg_crypto_verify(key, text, (struct tg_slice){signature.data, length}));
        tg_buf_append_char(&signature, '\0');
        assert_false(tg_crypto_verify(key, text, tg_buf_peek(&signature)));
        close_vector(&keys, &signature);
    }
}

static void makes_the_signatures_of_the_rfcs(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct tg_keys keys;
        struct tg_buf signature, made;
        open_vector(i, &keys, &signature);
        tg_buf_init(&made);
        struct tg_slice text = tg_slice_of(vectors[i].text);
        struct tg_crypto_key *key = keys.items[0].crypto;
        enum tg_status expected = tg_crypto_key_can_sign(key) ? TG_OK : TG_E_INVALID;
        assert_int_equal(tg_crypto_sign(key, text, &made), expected);
        if (expected == TG_OK) {
            assert_true(tg_crypto_verify(key, text, tg_buf_peek(&made)));
            assert_int_equal(made.length, signature.length);
        }
        if (vectors[i].is_deterministic)
            assert_true(tg_slice_equal(tg_buf_peek(&made), tg_buf_peek(&signature)));
        tg_buf_deinit(&made);
        close_vector(&keys, &signature);
    }
}

static void signs_and_verifies_with_every_algorithm(void **state)
{
    (void)state;
    static const char secret[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    static const struct {
        enum tg_alg alg;
        const char *pem;
        size_t bytes;
    } rows[] = {
        {TG_ALG_HS256, NULL, 32},
        {TG_ALG_HS384, NULL, 48},
        {TG_ALG_HS512, NULL, 64},
        {TG_ALG_RS256, KEY_RSA_PRIVATE, 256},
        {TG_ALG_RS384, KEY_RSA_PRIVATE, 256},
        {TG_ALG_RS512, KEY_RSA_PRIVATE, 256},
        {TG_ALG_PS256, KEY_RSA_PRIVATE, 256},
        {TG_ALG_PS384, KEY_RSA_PRIVATE, 256},
        {TG_ALG_PS512, KEY_RSA_PRIVATE, 256},
        {TG_ALG_ES256, KEY_P256_PRIVATE, 64},
        {TG_ALG_ES384, KEY_P384_PRIVATE, 96},
        {TG_ALG_EDDSA, KEY_ED448_PRIVATE, 114},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    struct tg_keys keys;
    struct tg_buf made[ROWS];
    const struct tg_slice text = TG_SLICE("what is signed");
    tg_keys_init(&keys);
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].pem)
            tg_tokens_add_pem(&keys, "", rows[i].alg, rows[i].pem);
        else
            tg_tokens_add_secret(&keys, "", rows[i].alg, secret);
        tg_buf_init(&made[i]);
        assert_int_equal(tg_crypto_key_alg(keys.items[i].crypto), rows[i].alg);
        assert_int_equal(tg_crypto_sign(keys.items[i].crypto, text, &made[i]), TG_OK);
        assert_int_equal(made[i].length, rows[i].bytes);
    }
    for (size_t i = 0; i < ROWS; i++)
        for (size_t j = 0; j < ROWS; j++)
            assert_int_equal(tg_crypto_verify(keys.items[i].crypto, text, tg_buf_peek(&made[j])), i == j);
    for (size_t i = 0; i < ROWS; i++) tg_buf_deinit(&made[i]);
    tg_keys_deinit(&keys);
}

/* ---- keys that are no good ---- */

static void reads_each_kind_of_pem(void **state)
{
    (void)state;
    static const struct {
        enum tg_alg alg;
        const char *pem;
        bool can_sign;
    } rows[] = {
        {TG_ALG_RS256, KEY_RSA_PUBLIC, false},
        {TG_ALG_RS256, KEY_RSA_PUBLIC_PKCS1, false},
        {TG_ALG_PS512, KEY_RSA_PRIVATE, true},
        {TG_ALG_ES256, KEY_P256_PUBLIC, false},
        {TG_ALG_ES256, KEY_P256_CERTIFICATE, false},
        {TG_ALG_ES256, "The key of the gateway:\n" KEY_P256_PRIVATE, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_crypto_key *key;
        struct tg_error error;
        if (tg_crypto_key_from_pem(&key, rows[i].alg, tg_slice_of(rows[i].pem), &error) != TG_OK)
            fail_msg("%zu: %s", i, error.text);
        assert_int_equal(tg_crypto_key_can_sign(key), rows[i].can_sign);
        tg_crypto_key_free(key);
    }
}

static void assert_pem_refused(enum tg_alg alg, struct tg_slice pem, const char *why)
{
    struct tg_crypto_key *key = NULL;
    struct tg_error error;
    assert_int_equal(tg_crypto_key_from_pem(&key, alg, pem, &error), TG_E_INVALID);
    assert_null(key);
    if (!strstr(error.text, why)) fail_msg("%s", error.text);
}

static void refuses_keys_that_do_not_fit_or_are_weak(void **state)
{
    (void)state;
    assert_pem_refused(TG_ALG_RS256, TG_SLICE(KEY_RSA1024_PUBLIC), "1024 bits can be broken");
    assert_pem_refused(TG_ALG_RS256, TG_SLICE(KEY_P256_PUBLIC), "none of RS256");
    assert_pem_refused(TG_ALG_ES256, TG_SLICE(KEY_P384_PRIVATE), "on the curve secp384r1; ES256 needs P-256");
    assert_pem_refused(TG_ALG_EDDSA, TG_SLICE(KEY_RSA_PUBLIC), "none of EdDSA");
    assert_pem_refused(TG_ALG_HS256, TG_SLICE(KEY_RSA_PUBLIC), "cannot be one");
    assert_pem_refused(TG_ALG_ES256, TG_SLICE(KEY_P256_ENCRYPTED), "encrypted");
    assert_pem_refused(TG_ALG_ES256, TG_SLICE(""), "this is no PEM");
    assert_pem_refused(TG_ALG_ES256, TG_SLICE("-----BEGIN PUBLIC KEY-----\n"), "this is no PEM");
}

static void refuses_secrets_shorter_than_the_hash(void **state)
{
    (void)state;
    static const struct {
        enum tg_alg alg;
        size_t bytes;
    } rows[] = {{TG_ALG_HS256, 32}, {TG_ALG_HS384, 48}, {TG_ALG_HS512, 64}};
    static const char secret[64] = "";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_crypto_key *key = NULL;
        struct tg_error error;
        const struct tg_slice shorter = {secret, rows[i].bytes - 1}, right = {secret, rows[i].bytes};
        assert_int_equal(tg_crypto_key_from_secret(&key, rows[i].alg, shorter, &error), TG_E_INVALID);
        assert_non_null(strstr(error.text, "openssl rand"));
        assert_int_equal(tg_crypto_key_from_secret(&key, rows[i].alg, right, &error), TG_OK);
        tg_crypto_key_free(key);
    }
    struct tg_crypto_key *key = NULL;
    struct tg_error error;
    assert_int_equal(tg_crypto_key_from_secret(&key, TG_ALG_RS256, TG_SLICE("x"), &error), TG_E_INVALID);
    assert_non_null(strstr(error.text, "key pair"));
}

/* Who writes the algorithm of a secret beside a public key would let in everybody who has read that. */
static void refuses_a_pem_as_a_secret(void **state)
{
    struct tg_crypto_key *key;
    struct tg_error error;
    (void)state;
    const struct tg_slice pem = TG_SLICE("\n-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA11qYAYKxCrfVS\n");
    assert_int_equal(tg_crypto_key_from_secret(&key, TG_ALG_HS256, pem, &error), TG_E_INVALID);
    assert_non_null(strstr(error.text, "a PEM is no secret"));
    assert_null(strstr(error.text, "MCow"));
}

/* ---- hashes ---- */

static void hashes_as_published(void **state)
{
    (void)state;
    unsigned char digest[TG_SHA256_BYTES];
    struct tg_buf out;
    tg_buf_init(&out);
    assert_int_equal(tg_crypto_hash_key(TG_SLICE("abc"), &out), TG_OK); /* FIPS 180-2 B.1 */
    assert_true(
        tg_slice_equal(tg_buf_peek(&out),
                       TG_SLICE("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
    /* RFC 4231 4.3 */
    assert_true(tg_crypto_hmac_sha256(TG_SLICE("Jefe"), TG_SLICE("what do ya want for nothing?"), digest));
    assert_memory_equal(digest, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7", 16);
    assert_true(tg_crypto_sha256(TG_SLICE(""), digest));
    assert_memory_equal(digest, "\xe3\xb0\xc4\x42", 4);
    tg_buf_deinit(&out);
}

static void knows_a_password_and_a_key_again(void **state)
{
    (void)state;
    struct tg_buf one, two;
    tg_buf_init(&one);
    tg_buf_init(&two);
    assert_int_equal(tg_crypto_hash_password(TG_SLICE("correct horse"), &one), TG_OK);
    assert_int_equal(tg_crypto_hash_password(TG_SLICE("correct horse"), &two), TG_OK);
    assert_false(tg_slice_equal(tg_buf_peek(&one), tg_buf_peek(&two))); /* salted */
    assert_true(tg_crypto_check(TG_SLICE("correct horse"), tg_buf_peek(&one)));
    assert_false(tg_crypto_check(TG_SLICE("correct horsf"), tg_buf_peek(&one)));
    assert_false(tg_crypto_check(TG_SLICE(""), tg_buf_peek(&one)));
    assert_false(tg_crypto_check(TG_SLICE("correct horse"), (struct tg_slice){one.data, one.length - 1}));
    tg_buf_truncate(&one, 0);
    assert_int_equal(tg_crypto_hash_key(TG_SLICE("a-long-key"), &one), TG_OK);
    assert_true(tg_crypto_check(TG_SLICE("a-long-key"), tg_buf_peek(&one)));
    assert_false(tg_crypto_check(TG_SLICE("a-long-kez"), tg_buf_peek(&one)));
    static const struct tg_slice nothing[] = {TG_SLICE(""),
                                              TG_SLICE("a-long-key"),
                                              TG_SLICE("sha256:"),
                                              TG_SLICE("scrypt:14:8:1:"),
                                              TG_SLICE("scrypt:14:8:1:!:x"),
                                              TG_SLICE("scrypt:15:8:1:AAAA:AAAA")};
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++)
        assert_false(tg_crypto_check(TG_SLICE("a-long-key"), nothing[i]));
    tg_buf_deinit(&one);
    tg_buf_deinit(&two);
}

static void compares_and_draws_bytes(void **state)
{
    (void)state;
    char a[32] = "", b[32] = "";
    assert_true(tg_crypto_equal(TG_SLICE("abc"), TG_SLICE("abc")));
    assert_true(tg_crypto_equal(TG_SLICE(""), (struct tg_slice){NULL, 0}));
    assert_false(tg_crypto_equal(TG_SLICE("abc"), TG_SLICE("abd")));
    assert_false(tg_crypto_equal(TG_SLICE("abc"), TG_SLICE("ab")));
    assert_true(tg_crypto_random(a, sizeof a) && tg_crypto_random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
}

/* ---- memory ---- */

static enum tg_status make_keys_once(void *context)
{
    (void)context;
    struct tg_crypto_key *key = NULL;
    struct tg_error error;
    struct tg_buf made;
    static const char secret[32] = "";
    tg_buf_init(&made);
    enum tg_status status =
        tg_crypto_key_from_secret(&key, TG_ALG_HS256, (struct tg_slice){secret, sizeof secret}, &error);
    if (status == TG_OK) status = tg_crypto_sign(key, TG_SLICE("text"), &made);
    if (status == TG_OK) status = tg_crypto_hash_key(TG_SLICE("key"), &made);
    tg_crypto_key_free(key);
    key = NULL;
    if (status == TG_OK)
        status = tg_crypto_key_from_pem(&key, TG_ALG_ES256, TG_SLICE(KEY_P256_PRIVATE), &error);
    tg_crypto_key_free(key);
    tg_buf_deinit(&made);
    return status;
}

static void answers_without_memory(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(make_keys_once, NULL) >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_what_the_rfcs_have_signed),
        cmocka_unit_test(refuses_every_changed_signature_and_text),
        cmocka_unit_test(makes_the_signatures_of_the_rfcs),
        cmocka_unit_test(signs_and_verifies_with_every_algorithm),
        cmocka_unit_test(reads_each_kind_of_pem),
        cmocka_unit_test(refuses_keys_that_do_not_fit_or_are_weak),
        cmocka_unit_test(refuses_secrets_shorter_than_the_hash),
        cmocka_unit_test(refuses_a_pem_as_a_secret),
        cmocka_unit_test(hashes_as_published),
        cmocka_unit_test(knows_a_password_and_a_key_again),
        cmocka_unit_test(compares_and_draws_bytes),
        cmocka_unit_test(answers_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
