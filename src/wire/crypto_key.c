/* A key that has been made was looked at whole: its kind and curve are those of its algorithm, it is strong
 * enough, and the halves of a private key belong together. */
#include "wire/crypto_key.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>

enum { RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, POINT_BYTES_MAX = 1 + 2 * 66, NUMBER_BYTES_MAX = 1024 };

static const struct tg_alg_facts all_facts[TG_ALG_COUNT] = {
    [TG_ALG_HS256] = {.name = "HS256", .kind = "secret", .digest = "SHA256", .digest_bytes = 32},
    [TG_ALG_HS384] = {.name = "HS384", .kind = "secret", .digest = "SHA384", .digest_bytes = 48},
    [TG_ALG_HS512] = {.name = "HS512", .kind = "secret", .digest = "SHA512", .digest_bytes = 64},
    [TG_ALG_RS256] = {.name = "RS256", .kind = "RSA", .digest = "SHA256", .digest_bytes = 32},
    [TG_ALG_RS384] = {.name = "RS384", .kind = "RSA", .digest = "SHA384", .digest_bytes = 48},
    [TG_ALG_RS512] = {.name = "RS512", .kind = "RSA", .digest = "SHA512", .digest_bytes = 64},
    [TG_ALG_PS256] = {.name = "PS256", .kind = "RSA", .digest = "SHA256", .digest_bytes = 32, .is_pss = true},
    [TG_ALG_PS384] = {.name = "PS384", .kind = "RSA", .digest = "SHA384", .digest_bytes = 48, .is_pss = true},
    [TG_ALG_PS512] = {.name = "PS512", .kind = "RSA", .digest = "SHA512", .digest_bytes = 64, .is_pss = true},
    [TG_ALG_ES256] = {"ES256", "EC", "P-256", "SHA256", 32, 32, false},
    [TG_ALG_ES384] = {"ES384", "EC", "P-384", "SHA384", 48, 48, false},
    [TG_ALG_ES512] = {"ES512", "EC", "P-521", "SHA512", 64, 66, false},
    [TG_ALG_EDDSA] = {.name = "EdDSA", .kind = "ED"},
};

const struct tg_alg_facts *tg_alg_facts(enum tg_alg alg)
{
    return &all_facts[alg];
}

const char *tg_alg_name(enum tg_alg alg)
{
    return all_facts[alg].name;
}

bool tg_alg_find(struct tg_slice name, enum tg_alg *alg)
{
    for (int i = 0; i < TG_ALG_COUNT; i++) {
        if (!tg_slice_equal(tg_slice_of(all_facts[i].name), name)) continue;
        *alg = (enum tg_alg)i;
        return true;
    }
    return false;
}

enum tg_alg tg_crypto_key_alg(const struct tg_crypto_key *key)
{
    return key->alg;
}

bool tg_crypto_key_can_sign(const struct tg_crypto_key *key)
{
    return key->can_sign;
}

void tg_crypto_key_free(struct tg_crypto_key *key)
{
    if (!key) return;
    EVP_PKEY_CTX_free(key->verifying);
    EVP_MD_CTX_free(key->hashing);
    EVP_MD_free(key->digest);
    EVP_MAC_CTX_free(key->mac);
    EVP_PKEY_free(key->pkey);
    free(key);
}

static const unsigned char *bytes_of(struct tg_slice slice)
{
    return (const unsigned char *)(slice.length ? slice.data : "");
}

static enum tg_status without_memory(struct tg_error *error)
{
    ERR_clear_error();
    return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
}

static enum tg_status refuse(struct tg_error *error, const char *why)
{
    ERR_clear_error();
    return tg_error_set(error, TG_E_INVALID, "%s", why);
}

/* ---- secrets ---- */

static EVP_MAC_CTX *open_mac(const struct tg_alg_facts *facts, struct tg_slice secret)
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)facts->digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    EVP_MAC_free(hmac);
    if (mac && EVP_MAC_init(mac, bytes_of(secret), secret.length, params) == 1) return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

enum tg_status tg_crypto_key_from_secret(struct tg_crypto_key **key, enum tg_alg alg, struct tg_slice secret,
                                         struct tg_error *error)
{
    const struct tg_alg_facts *facts = &all_facts[alg];
    if (!tg_alg_is_secret(alg))
        return tg_error_set(error, TG_E_INVALID, "%s needs a key pair, not a secret", facts->name);
    if (secret.length < facts->digest_bytes)
        return tg_error_set(error, TG_E_INVALID,
                            "the secret has %zu bytes; %s needs %u or more, or it can be guessed: "
                            "`openssl rand -hex %u` makes one",
                            secret.length, facts->name, facts->digest_bytes, facts->digest_bytes);
    /* RFC 8725 2.1: with it everybody who knows a public key could sign. */
    if (memmem(secret.data, secret.length, "-----BEGIN ", strlen("-----BEGIN ")))
        return tg_error_set(
            error, TG_E_INVALID,
            "a PEM is no secret, since others know it: give it as \"pem\", with the algorithm of the key");
    struct tg_crypto_key *made = calloc(1, sizeof *made);
    if (!made) return without_memory(error);
    *made = (struct tg_crypto_key){.alg = alg, .can_sign = true, .mac = open_mac(facts, secret)};
    if (!made->mac) {
        tg_crypto_key_free(made);
        return without_memory(error);
    }
    *key = made;
    return TG_OK;
}

/* ---- key pairs: what is asked of all of them ---- */

static enum tg_status check_rsa(EVP_PKEY *pkey, struct tg_error *error)
{
    int bits = EVP_PKEY_get_bits(pkey);
    if (bits < RSA_BITS_MIN)
        return tg_error_set(error, TG_E_INVALID, "an RSA key of %d bits can be broken: it needs %d", bits,
                            RSA_BITS_MIN);
    if (bits > RSA_BITS_MAX)
        return tg_error_set(error, TG_E_INVALID, "an RSA key of %d bits: %d are the most", bits,
                            RSA_BITS_MAX);
    return TG_OK;
}

static enum tg_status check_curve(EVP_PKEY *pkey, const struct tg_alg_facts *facts, struct tg_error *error)
{
    char group[64] = "";
    EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group, NULL);
    int curve = OBJ_txt2nid(group);
    if (curve == NID_undef) curve = EC_curve_nist2nid(group);
    if (curve == EC_curve_nist2nid(facts->curve)) return TG_OK;
    return tg_error_set(error, TG_E_INVALID, "the key is on the curve %s; %s needs %s", group, facts->name,
                        facts->curve);
}

static enum tg_status check_kind(EVP_PKEY *pkey, const struct tg_alg_facts *facts, struct tg_error *error)
{
    if (strcmp(facts->kind, "RSA") == 0 && EVP_PKEY_is_a(pkey, "RSA")) return check_rsa(pkey, error);
    if (facts->is_pss && EVP_PKEY_is_a(pkey, "RSA-PSS")) return check_rsa(pkey, error);
    if (strcmp(facts->kind, "EC") == 0 && EVP_PKEY_is_a(pkey, "EC")) return check_curve(pkey, facts, error);
    if (strcmp(facts->kind, "ED") == 0 && (EVP_PKEY_is_a(pkey, "ED25519") || EVP_PKEY_is_a(pkey, "ED448")))
        return TG_OK;
    if (strcmp(facts->kind, "secret") == 0)
        return tg_error_set(error, TG_E_INVALID, "%s needs a secret: a key that others know cannot be one",
                            facts->name);
    const char *type = EVP_PKEY_get0_type_name(pkey);
    return tg_error_set(error, TG_E_INVALID, "this is a key of %s, which is none of %s", type ? type : "?",
                        facts->name);
}

static enum tg_status check_numbers(EVP_PKEY *pkey, bool is_private, struct tg_error *error)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
    if (!context) return without_memory(error);
    bool is_right = EVP_PKEY_public_check(context) == 1;
    if (is_right && is_private) is_right = EVP_PKEY_pairwise_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return is_right ? TG_OK : refuse(error, "its numbers do not belong together: it is damaged");
}

/* ---- */

static bool prepare(struct tg_crypto_key *key)
{
    const struct tg_alg_facts *facts = &all_facts[key->alg];
    key->hashing = EVP_MD_CTX_new();
    if (!facts->digest) return key->hashing != NULL;
    key->digest = EVP_MD_fetch(NULL, facts->digest, NULL);
    key->verifying = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
    return key->hashing && key->digest && key->verifying && EVP_PKEY_verify_init(key->verifying) == 1 &&
           tg_crypto_set_padding(key, key->verifying) &&
           EVP_PKEY_CTX_set_signature_md(key->verifying, key->digest) == 1;
}

/* Takes `pkey`. */
static enum tg_status make_key(struct tg_crypto_key **key, enum tg_alg alg, EVP_PKEY *pkey, bool is_private,
                               struct tg_error *error)
{
    enum tg_status status = check_kind(pkey, &all_facts[alg], error);
    if (status == TG_OK) status = check_numbers(pkey, is_private, error);
    struct tg_crypto_key *made = status == TG_OK ? calloc(1, sizeof *made) : NULL;
    if (!made) {
        EVP_PKEY_free(pkey);
        return status == TG_OK ? without_memory(error) : status;
    }
    *made = (struct tg_crypto_key){.alg = alg, .can_sign = is_private, .pkey = pkey};
    if (!prepare(made)) {
        tg_crypto_key_free(made);
        return refuse(error, "OpenSSL cannot use it");
    }
    *key = made;
    return TG_OK;
}

/* ---- PEM ---- */

/* A key with a password is not asked for at the terminal. */
static int no_password(char *room, int bytes, int is_writing, void *context)
{
    (void)room;
    (void)bytes;
    (void)is_writing;
    (void)context;
    return 0;
}

static EVP_PKEY *decode(struct tg_slice pem, int selection)
{
    EVP_PKEY *pkey = NULL;
    const unsigned char *data = bytes_of(pem);
    size_t length = pem.length;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&pkey, "PEM", NULL, NULL, selection, NULL, NULL);
    if (decoder && OSSL_DECODER_CTX_set_pem_password_cb(decoder, no_password, NULL) == 1)
        OSSL_DECODER_from_data(decoder, &data, &length);
    OSSL_DECODER_CTX_free(decoder);
    ERR_clear_error();
    return pkey;
}

static EVP_PKEY *read_certificate(struct tg_slice pem)
{
    BIO *bio = pem.length <= INT32_MAX ? BIO_new_mem_buf(bytes_of(pem), (int)pem.length) : NULL;
    X509 *certificate = bio ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    EVP_PKEY *pkey = certificate ? X509_get_pubkey(certificate) : NULL;
    X509_free(certificate);
    BIO_free(bio);
    ERR_clear_error();
    return pkey;
}

enum tg_status tg_crypto_key_from_pem(struct tg_crypto_key **key, enum tg_alg alg, struct tg_slice pem,
                                      struct tg_error *error)
{
    EVP_PKEY *pkey = decode(pem, EVP_PKEY_KEYPAIR);
    bool is_private = pkey != NULL;
    if (!pkey) pkey = decode(pem, EVP_PKEY_PUBLIC_KEY);
    if (!pkey) pkey = read_certificate(pem);
    if (!pkey)
        return refuse(error, "this is no PEM of a key or a certificate, or it is encrypted: it begins with "
                             "-----BEGIN PUBLIC KEY----- or the like");
    return make_key(key, alg, pkey, is_private, error);
}

/* ---- numbers ---- */

/* What is being put together; the numbers have to outlive the builder. */
struct building {
    OSSL_PARAM_BLD *builder;
    BIGNUM *numbers[8];
    size_t count;
    bool has_failed;
};

static void add_number(struct building *building, const char *name, struct tg_slice bytes)
{
    if (bytes.length == 0 || building->has_failed) return;
    BIGNUM *number =
        bytes.length <= NUMBER_BYTES_MAX ? BN_bin2bn(bytes_of(bytes), (int)bytes.length, NULL) : NULL;
    building->numbers[building->count++] = number;
    building->has_failed = !number || OSSL_PARAM_BLD_push_BN(building->builder, name, number) != 1;
}

static EVP_PKEY *finish_building(struct building *building, const char *kind, bool is_private)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = building->has_failed ? NULL : OSSL_PARAM_BLD_to_param(building->builder);
    EVP_PKEY_CTX *context = params ? EVP_PKEY_CTX_new_from_name(NULL, kind, NULL) : NULL;
    if (context && EVP_PKEY_fromdata_init(context) == 1)
        EVP_PKEY_fromdata(context, &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(building->builder);
    for (size_t i = 0; i < building->count; i++) BN_clear_free(building->numbers[i]);
    return pkey;
}

/* RFC 7518 6.3.2: who gives one of the factors gives all that belongs to them. OpenSSL 3.0 would lose the
 * memory of some. */
static bool has_rsa_numbers(const struct tg_key_parts *parts)
{
    const struct tg_slice *factors[] = {&parts->p, &parts->q, &parts->dp, &parts->dq, &parts->qi};
    size_t given = 0, all = sizeof factors / sizeof factors[0];
    for (size_t i = 0; i < all; i++) given += factors[i]->length > 0;
    return parts->n.length && parts->e.length && (!parts->d.length || given == 0 || given == all);
}

static EVP_PKEY *build_rsa(const struct tg_key_parts *parts)
{
    if (!has_rsa_numbers(parts)) return NULL;
    struct building building = {.builder = OSSL_PARAM_BLD_new()};
    building.has_failed = !building.builder;
    add_number(&building, OSSL_PKEY_PARAM_RSA_N, parts->n);
    add_number(&building, OSSL_PKEY_PARAM_RSA_E, parts->e);
    add_number(&building, OSSL_PKEY_PARAM_RSA_D, parts->d);
    if (parts->d.length) {
        add_number(&building, OSSL_PKEY_PARAM_RSA_FACTOR1, parts->p);
        add_number(&building, OSSL_PKEY_PARAM_RSA_FACTOR2, parts->q);
        add_number(&building, OSSL_PKEY_PARAM_RSA_EXPONENT1, parts->dp);
        add_number(&building, OSSL_PKEY_PARAM_RSA_EXPONENT2, parts->dq);
        add_number(&building, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, parts->qi);
    }
    return finish_building(&building, "RSA", parts->d.length > 0);
}

/* RFC 7518 6.2.1.2: coordinates have the full length of the field. */
static EVP_PKEY *build_ec(const struct tg_alg_facts *facts, const struct tg_key_parts *parts)
{
    unsigned char point[POINT_BYTES_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    struct building building = {.builder = OSSL_PARAM_BLD_new()};
    size_t half = facts->part_bytes;
    building.has_failed = !building.builder || parts->x.length != half || parts->y.length != half;
    if (!building.has_failed) {
        memcpy(point + 1, parts->x.data, half);
        memcpy(point + 1 + half, parts->y.data, half);
        building.has_failed = OSSL_PARAM_BLD_push_utf8_string(building.builder, OSSL_PKEY_PARAM_GROUP_NAME,
                                                              facts->curve, 0) != 1 ||
                              OSSL_PARAM_BLD_push_octet_string(building.builder, OSSL_PKEY_PARAM_PUB_KEY,
                                                               point, 1 + 2 * half) != 1;
    }
    add_number(&building, OSSL_PKEY_PARAM_PRIV_KEY, parts->d);
    return finish_building(&building, "EC", parts->d.length > 0);
}

/* RFC 8037 2: `d` is what the key is made of, and `x` must be its public half. */
static EVP_PKEY *build_okp(const struct tg_key_parts *parts)
{
    bool is_448 = tg_slice_equal(parts->curve, TG_SLICE("Ed448"));
    const char *name = is_448 ? "ED448" : "ED25519";
    unsigned char public[57];
    size_t length = sizeof public;
    if (!parts->d.length)
        return EVP_PKEY_new_raw_public_key_ex(NULL, name, NULL, bytes_of(parts->x), parts->x.length);
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key_ex(NULL, name, NULL, bytes_of(parts->d), parts->d.length);
    bool is_one = pkey && EVP_PKEY_get_raw_public_key(pkey, public, &length) == 1 &&
                  tg_slice_equal((struct tg_slice){(char *)public, length}, parts->x);
    if (is_one) return pkey;
    EVP_PKEY_free(pkey);
    return NULL;
}

enum tg_status tg_crypto_key_from_parts(struct tg_crypto_key **key, enum tg_alg alg,
                                        const struct tg_key_parts *parts, struct tg_error *error)
{
    const struct tg_alg_facts *facts = &all_facts[alg];
    EVP_PKEY *pkey;
    if (strcmp(facts->kind, "RSA") == 0)
        pkey = build_rsa(parts);
    else if (strcmp(facts->kind, "EC") == 0)
        pkey = build_ec(facts, parts);
    else
        pkey = build_okp(parts);
    if (!pkey) return refuse(error, "its numbers make no key: one is missing, or damaged");
    return make_key(key, alg, pkey, parts->d.length > 0, error);
}
