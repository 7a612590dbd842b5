#include "support/tokens.h"

#include "base/base64.h"
#include "wire/json.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct tg_value tg_tokens_json(struct tg_arena *arena, const char *text)
{
    struct tg_value value;
    struct tg_error error;
    if (tg_json_parse(tg_slice_of(text), 16, arena, &value, &error) != TG_OK) fail_msg("%s", error.text);
    return value;
}

void tg_tokens_add_jwk(struct tg_keys *keys, const char *id, const char *jwk)
{
    struct tg_arena arena;
    struct tg_error error;
    tg_arena_init(&arena, 0);
    struct tg_value value = tg_tokens_json(&arena, jwk);
    if (tg_keys_add_jwk(keys, tg_slice_of(id), NULL, &value, &error) != TG_OK) fail_msg("%s", error.text);
    tg_arena_deinit(&arena);
}

void tg_tokens_add_pem(struct tg_keys *keys, const char *id, enum tg_alg alg, const char *pem)
{
    struct tg_error error;
    if (tg_keys_add_pem(keys, tg_slice_of(id), alg, tg_slice_of(pem), &error) != TG_OK)
        fail_msg("%s", error.text);
}

void tg_tokens_add_secret(struct tg_keys *keys, const char *id, enum tg_alg alg, const char *secret)
{
    struct tg_error error;
    if (tg_keys_add_secret(keys, tg_slice_of(id), alg, tg_slice_of(secret), &error) != TG_OK)
        fail_msg("%s", error.text);
}

void tg_tokens_write(struct tg_buf *token, struct tg_crypto_key *key, const char *header, const char *claims)
{
    struct tg_buf signature;
    tg_buf_init(&signature);
    tg_buf_truncate(token, 0);
    tg_base64url_write(token, tg_slice_of(header));
    tg_buf_append_char(token, '.');
    tg_base64url_write(token, tg_slice_of(claims));
    if (key) assert_int_equal(tg_crypto_sign(key, tg_buf_peek(token), &signature), TG_OK);
    tg_buf_append_char(token, '.');
    tg_base64url_write(token, tg_buf_peek(&signature));
    tg_buf_append_char(token, '\0');
    token->length--;
    tg_buf_deinit(&signature);
}
