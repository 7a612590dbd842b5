/* A JWK, or a set of them. Every key that comes out of it does what it is for; what fails leaves the keys
 * that were there before. */
#include "wire/json.h"
#include "wire/jwk.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

/* What it signs, it verifies; another text it does not. */
static void check_key(const struct tg_key *key)
{
    struct tg_buf signature;
    tg_buf_init(&signature);
    enum tg_status status = tg_crypto_sign(key->crypto, TG_SLICE("text"), &signature);
    CHECK((status == TG_OK) == tg_crypto_key_can_sign(key->crypto));
    CHECK(tg_crypto_verify(key->crypto, TG_SLICE("text"), tg_buf_peek(&signature)) == (status == TG_OK));
    CHECK(!tg_crypto_verify(key->crypto, TG_SLICE("test"), tg_buf_peek(&signature)));
    CHECK(tg_crypto_key_alg(key->crypto) < TG_ALG_COUNT);
    tg_buf_deinit(&signature);
}

static void check_keys(const struct tg_keys *keys)
{
    CHECK(keys->count <= TG_KEYS_MAX);
    for (uint32_t i = 0; i < keys->count; i++) check_key(&keys->items[i]);
}

static void check_set(struct tg_keys *keys, struct tg_slice text, bool takes_secrets)
{
    struct tg_error error = {.text = ""};
    uint32_t before = keys->count;
    enum tg_status status = tg_keys_replace_set(keys, text, NULL, takes_secrets, &error);
    CHECK(status == TG_OK || status == TG_E_INVALID || status == TG_E_FULL);
    CHECK((status == TG_OK) == (error.text[0] == '\0'));
    if (status != TG_OK) CHECK(keys->count == before);
    if (status == TG_OK) CHECK(keys->count > 0);
    for (uint32_t i = 0; i < keys->count && !takes_secrets; i++)
        CHECK(!tg_alg_is_secret(tg_crypto_key_alg(keys->items[i].crypto)));
    check_keys(keys);
}

static void check_single(struct tg_slice text)
{
    enum { DEPTH_MAX = 16 };
    struct tg_arena arena;
    struct tg_keys keys;
    struct tg_value value;
    struct tg_error error = {.text = ""};
    tg_arena_init(&arena, 0);
    tg_keys_init(&keys);
    if (tg_json_parse(text, DEPTH_MAX, &arena, &value, &error) == TG_OK) {
        error.text[0] = '\0';
        enum tg_status status = tg_keys_add_jwk(&keys, (struct tg_slice){0}, NULL, &value, &error);
        CHECK(status == TG_OK || status == TG_E_INVALID);
        CHECK((status == TG_OK) == (keys.count == 1) && (status == TG_OK) == (error.text[0] == '\0'));
        check_keys(&keys);
    }
    tg_keys_deinit(&keys);
    tg_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_slice text = {(const char *)data, size};
    struct tg_keys keys;
    tg_keys_init(&keys);
    check_set(&keys, text, false);
    check_set(&keys, text, true);
    tg_keys_deinit(&keys);
    check_single(text);
    return 0;
}
