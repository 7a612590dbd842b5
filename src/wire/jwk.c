/* A key is made whole before it is added, and a new set before it takes the place of the old one: whatever
 * fails, the keys are as they were. */
#include "wire/jwk.h"

#include "base/base64.h"
#include "wire/json.h"

#include <stdlib.h>

enum { SET_DEPTH_MAX = 16, PART_BYTES_MAX = 1024, SECRET_BYTES_MAX = 4096 };

void tg_keys_init(struct tg_keys *keys)
{
    keys->count = 0;
}

static void free_key(struct tg_key *key)
{
    tg_crypto_key_free(key->crypto);
    free((char *)key->id.data);
}

void tg_keys_deinit(struct tg_keys *keys)
{
    for (uint32_t i = 0; i < keys->count; i++) free_key(&keys->items[i]);
    keys->count = 0;
}

static enum tg_status without_memory(struct tg_error *error)
{
    return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
}

/* Takes `crypto`. */
static enum tg_status add(struct tg_keys *keys, struct tg_slice id, struct tg_crypto_key *crypto,
                          bool is_from_set, struct tg_error *error)
{
    struct tg_key key = {.crypto = crypto, .is_from_set = is_from_set};
    if (keys->count == TG_KEYS_MAX) {
        free_key(&key);
        return tg_error_set(error, TG_E_FULL, "%d keys are the most", TG_KEYS_MAX);
    }
    if (id.length) {
        char *copy = malloc(id.length);
        if (!copy) {
            free_key(&key);
            return without_memory(error);
        }
        memcpy(copy, id.data, id.length);
        key.id = (struct tg_slice){copy, id.length};
    }
    keys->items[keys->count++] = key;
    return TG_OK;
}

enum tg_status tg_keys_add_secret(struct tg_keys *keys, struct tg_slice id, enum tg_alg alg,
                                  struct tg_slice secret, struct tg_error *error)
{
    struct tg_crypto_key *crypto;
    enum tg_status status = tg_crypto_key_from_secret(&crypto, alg, secret, error);
    return status == TG_OK ? add(keys, id, crypto, false, error) : status;
}

enum tg_status tg_keys_add_pem(struct tg_keys *keys, struct tg_slice id, enum tg_alg alg, struct tg_slice pem,
                               struct tg_error *error)
{
    struct tg_crypto_key *crypto;
    enum tg_status status = tg_crypto_key_from_pem(&crypto, alg, pem, error);
    return status == TG_OK ? add(keys, id, crypto, false, error) : status;
}

/* ---- one JWK ---- */

/* The string called `name`; empty when there is none. */
static struct tg_slice text_of(const struct tg_value *object, struct tg_slice name)
{
    const struct tg_value *value = tg_value_get(object, name);
    return value && value->type == TG_VALUE_STRING ? tg_value_string(value) : (struct tg_slice){"", 0};
}

static bool is_text(const struct tg_value *object, struct tg_slice name, struct tg_slice text)
{
    return tg_slice_equal(text_of(object, name), text);
}

/* RFC 7517 4.2, 4.3. */
static bool is_for_signatures(const struct tg_value *jwk)
{
    const struct tg_value *use = tg_value_get(jwk, TG_SLICE("use"));
    const struct tg_value *uses = tg_value_get(jwk, TG_SLICE("key_ops"));
    if (use && !is_text(jwk, TG_SLICE("use"), TG_SLICE("sig"))) return false;
    if (!uses) return true;
    for (uint32_t i = 0; uses->type == TG_VALUE_ARRAY && i < uses->length; i++) {
        if (uses->items[i].type != TG_VALUE_STRING) continue;
        struct tg_slice item = tg_value_string(&uses->items[i]);
        if (tg_slice_equal(item, TG_SLICE("verify")) || tg_slice_equal(item, TG_SLICE("sign"))) return true;
    }
    return false;
}

/* What the algorithm is when the key does not say. */
static bool find_natural_alg(const struct tg_value *jwk, struct tg_slice kind, enum tg_alg *alg)
{
    static const struct {
        struct tg_slice kind, curve;
        enum tg_alg alg;
    } rows[] = {
        {TG_SLICE("RSA"), TG_SLICE(""), TG_ALG_RS256},
        {TG_SLICE("EC"), TG_SLICE("P-256"), TG_ALG_ES256},
        {TG_SLICE("EC"), TG_SLICE("P-384"), TG_ALG_ES384},
        {TG_SLICE("EC"), TG_SLICE("P-521"), TG_ALG_ES512},
        {TG_SLICE("OKP"), TG_SLICE("Ed25519"), TG_ALG_EDDSA},
        {TG_SLICE("OKP"), TG_SLICE("Ed448"), TG_ALG_EDDSA},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!tg_slice_equal(rows[i].kind, kind) || !is_text(jwk, TG_SLICE("crv"), rows[i].curve)) continue;
        *alg = rows[i].alg;
        return true;
    }
    return false;
}

static enum tg_status find_alg(const struct tg_value *jwk, struct tg_slice kind, const enum tg_alg *wanted,
                               enum tg_alg *alg, struct tg_error *error)
{
    struct tg_slice name = text_of(jwk, TG_SLICE("alg"));
    enum tg_alg natural = TG_ALG_COUNT;
    bool is_natural = find_natural_alg(jwk, kind, &natural);
    if (name.length && !tg_alg_find(name, alg))
        return tg_error_set(error, TG_E_INVALID, "\"alg\" is none that is known here");
    if (!name.length) *alg = wanted ? *wanted : natural;
    if (wanted && *alg != *wanted)
        return tg_error_set(error, TG_E_INVALID, "its \"alg\" is %s, not %s", tg_alg_name(*alg),
                            tg_alg_name(*wanted));
    if (*alg == TG_ALG_COUNT)
        return tg_error_set(error, TG_E_INVALID,
                            "\"alg\" is missing, and does not follow from \"kty\" and \"crv\"");
    /* Of RSA there are six; of the others the one that the curve tells, or a secret's. */
    bool is_rsa = *alg >= TG_ALG_RS256 && *alg <= TG_ALG_PS512;
    bool is_secret = tg_slice_equal(kind, TG_SLICE("oct"));
    if (is_secret ? tg_alg_is_secret(*alg)
                  : is_natural && (natural == TG_ALG_RS256 ? is_rsa : *alg == natural))
        return TG_OK;
    return tg_error_set(error, TG_E_INVALID, "its \"kty\" and \"crv\" are none of %s", tg_alg_name(*alg));
}

/* The bytes of the member called `name`, in the arena; empty when there is none. */
static enum tg_status read_part(const struct tg_value *jwk, const char *name, struct tg_arena *arena,
                                struct tg_slice *part, struct tg_error *error)
{
    const struct tg_value *member = tg_value_get(jwk, tg_slice_of(name));
    struct tg_buf bytes;
    *part = (struct tg_slice){"", 0};
    if (!member) return TG_OK;
    tg_buf_init(&bytes);
    enum tg_status status = TG_E_INVALID;
    if (member->type == TG_VALUE_STRING && member->length <= 2 * SECRET_BYTES_MAX)
        status = tg_base64url_read(&bytes, tg_value_string(member));
    if (status == TG_OK && bytes.length) {
        *part = tg_arena_copy(arena, tg_buf_peek(&bytes));
        if (!part->data) status = TG_E_NO_MEMORY;
    }
    tg_buf_deinit(&bytes);
    if (status == TG_E_INVALID) return tg_error_set(error, status, "\"%s\" is no base64url", name);
    return status == TG_OK ? TG_OK : without_memory(error);
}

static enum tg_status read_parts(const struct tg_value *jwk, struct tg_arena *arena,
                                 struct tg_key_parts *parts, struct tg_error *error)
{
    const struct {
        const char *name;
        struct tg_slice *part;
    } rows[] = {{"n", &parts->n},   {"e", &parts->e},   {"p", &parts->p},   {"q", &parts->q},
                {"dp", &parts->dp}, {"dq", &parts->dq}, {"qi", &parts->qi}, {"x", &parts->x},
                {"y", &parts->y},   {"d", &parts->d}};
    parts->curve = text_of(jwk, TG_SLICE("crv"));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum tg_status status = read_part(jwk, rows[i].name, arena, rows[i].part, error);
        if (status != TG_OK) return status;
        if (rows[i].part->length > PART_BYTES_MAX)
            return tg_error_set(error, TG_E_INVALID, "\"%s\" is too long", rows[i].name);
    }
    return TG_OK;
}

static enum tg_status make_crypto(const struct tg_value *jwk, const enum tg_alg *wanted,
                                  struct tg_arena *arena, struct tg_crypto_key **crypto,
                                  struct tg_error *error)
{
    struct tg_slice kind = text_of(jwk, TG_SLICE("kty"));
    enum tg_alg alg;
    if (!is_for_signatures(jwk))
        return tg_error_set(error, TG_E_INVALID, "by its \"use\" or \"key_ops\" it is not for signatures");
    enum tg_status status = find_alg(jwk, kind, wanted, &alg, error);
    if (status != TG_OK) return status;
    if (tg_alg_is_secret(alg)) {
        struct tg_slice secret;
        status = read_part(jwk, "k", arena, &secret, error);
        return status == TG_OK ? tg_crypto_key_from_secret(crypto, alg, secret, error) : status;
    }
    struct tg_key_parts parts;
    status = read_parts(jwk, arena, &parts, error);
    return status == TG_OK ? tg_crypto_key_from_parts(crypto, alg, &parts, error) : status;
}

static enum tg_status add_jwk(struct tg_keys *keys, struct tg_slice id, const enum tg_alg *alg,
                              const struct tg_value *jwk, bool is_from_set, struct tg_error *error)
{
    struct tg_arena arena;
    struct tg_crypto_key *crypto;
    if (jwk->type != TG_VALUE_OBJECT) return tg_error_set(error, TG_E_INVALID, "a JWK is an object");
    tg_arena_init(&arena, 0);
    enum tg_status status = make_crypto(jwk, alg, &arena, &crypto, error);
    tg_arena_deinit(&arena);
    if (status != TG_OK) return status;
    return add(keys, id.length ? id : text_of(jwk, TG_SLICE("kid")), crypto, is_from_set, error);
}

enum tg_status tg_keys_add_jwk(struct tg_keys *keys, struct tg_slice id, const enum tg_alg *alg,
                               const struct tg_value *jwk, struct tg_error *error)
{
    return add_jwk(keys, id, alg, jwk, false, error);
}

/* ---- sets ---- */

/* The usable keys of the set; `error` is what was wrong with the last other one. */
static enum tg_status read_set(struct tg_keys *keys, const struct tg_value *set, const enum tg_alg *alg,
                               bool takes_secrets, struct tg_error *error)
{
    const struct tg_value *items = set->type == TG_VALUE_OBJECT ? tg_value_get(set, TG_SLICE("keys")) : NULL;
    if (!items || items->type != TG_VALUE_ARRAY)
        return tg_error_set(error, TG_E_INVALID, "a JWK set has a list called \"keys\"");
    for (uint32_t i = 0; i < items->length; i++) {
        const struct tg_value *jwk = &items->items[i];
        bool is_secret = jwk->type == TG_VALUE_OBJECT && is_text(jwk, TG_SLICE("kty"), TG_SLICE("oct"));
        if (is_secret && !takes_secrets) {
            tg_error_set(error, TG_E_INVALID, "a secret in a set that is fetched does not count");
            continue;
        }
        enum tg_status status = add_jwk(keys, (struct tg_slice){0}, alg, jwk, true, error);
        if (status != TG_OK && status != TG_E_INVALID) return status;
    }
    if (keys->count) return TG_OK;
    if (items->length == 0) return tg_error_set(error, TG_E_INVALID, "there is no key in the JWK set");
    struct tg_error last = *error;
    return tg_error_set(error, TG_E_INVALID, "no key of the JWK set can be used; of the last: %s", last.text);
}

/* Moves the other keys of `keys` in front of those of `set`, and all of them to `keys`. */
static enum tg_status exchange(struct tg_keys *keys, struct tg_keys *set, struct tg_error *error)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < keys->count; i++) kept += !keys->items[i].is_from_set;
    if (kept + set->count > TG_KEYS_MAX)
        return tg_error_set(error, TG_E_FULL, "%d keys are the most", TG_KEYS_MAX);
    kept = 0;
    for (uint32_t i = 0; i < keys->count; i++) {
        if (keys->items[i].is_from_set)
            free_key(&keys->items[i]);
        else
            keys->items[kept++] = keys->items[i];
    }
    memcpy(keys->items + kept, set->items, set->count * sizeof *set->items);
    keys->count = kept + set->count;
    set->count = 0;
    return TG_OK;
}

enum tg_status tg_keys_replace_set(struct tg_keys *keys, struct tg_slice jwks, const enum tg_alg *alg,
                                   bool takes_secrets, struct tg_error *error)
{
    struct tg_arena arena;
    struct tg_keys set;
    struct tg_value value;
    struct tg_error unread = {.text = ""};
    if (jwks.length > TG_JWKS_BYTES_MAX)
        return tg_error_set(error, TG_E_INVALID, "a JWK set of %zu bytes: %d are the most", jwks.length,
                            TG_JWKS_BYTES_MAX);
    tg_arena_init(&arena, 0);
    tg_keys_init(&set);
    enum tg_status status = tg_json_parse(jwks, SET_DEPTH_MAX, &arena, &value, &unread);
    if (status == TG_OK)
        status = read_set(&set, &value, alg, takes_secrets, &unread);
    else if (status != TG_E_NO_MEMORY)
        status = TG_E_INVALID;
    if (status == TG_OK) status = exchange(keys, &set, &unread);
    tg_keys_deinit(&set);
    tg_arena_deinit(&arena);
    if (status == TG_E_NO_MEMORY) return without_memory(error);
    return status == TG_OK ? TG_OK : tg_error_set(error, status, "%s", unread.text);
}
