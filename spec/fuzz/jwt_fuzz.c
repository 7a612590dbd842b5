/* A token as it comes, or the header and the claims of one, a line each, which is signed first: what gets as
 * far as that is looked at behind the signature too. A good token says what was asked of it, is as good the
 * second time, and no other text of the same length is. */
#include "base/base64.h"
#include "wire/json.h"
#include "wire/jwt.h"

#include <stdlib.h>

#define CHECK(claim)                                                                                         \
    do {                                                                                                     \
        if (!(claim)) abort();                                                                               \
    } while (0)

enum { NOW_S = 1700000000, LEEWAY_S = 10, BYTES_MAX = 16384 };

static const char ed25519[] = "{\"keys\":[{\"kty\":\"OKP\",\"kid\":\"ed\",\"crv\":\"Ed25519\","
                              "\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A\","
                              "\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}]}";

/* Made once: libFuzzer has no other place for it. */
static struct tg_keys keys;

static void make_keys(void)
{
    struct tg_error error;
    if (keys.count) return;
    tg_keys_init(&keys);
    CHECK(tg_keys_add_secret(&keys, TG_SLICE(""), TG_ALG_HS256,
                             TG_SLICE("the secret of the fuzzer: 32 bytes"), &error) == TG_OK);
    CHECK(tg_keys_add_secret(&keys, TG_SLICE("b"), TG_ALG_HS512,
                             TG_SLICE("the secret of the fuzzer, for the hash that wants sixty-four bytes"),
                             &error) == TG_OK);
    CHECK(tg_keys_replace_set(&keys, tg_slice_of(ed25519), NULL, false, &error) == TG_OK);
}

static struct tg_slice next_line(struct tg_slice *rest)
{
    const char *end = rest->length ? memchr(rest->data, '\n', rest->length) : NULL;
    struct tg_slice line = {rest->data, end ? (size_t)(end - rest->data) : rest->length};
    size_t used = end ? line.length + 1 : line.length;
    *rest = (struct tg_slice){rest->data + used, rest->length - used};
    return line;
}

/* The header and the claims of `text`, signed by the key that its first byte chooses. */
static void write_signed(struct tg_buf *token, struct tg_slice text)
{
    struct tg_buf signature;
    uint32_t chosen = text.length ? (unsigned char)text.data[0] % keys.count : 0;
    struct tg_slice rest = text.length ? (struct tg_slice){text.data + 1, text.length - 1} : text;
    tg_buf_init(&signature);
    tg_base64url_write(token, next_line(&rest));
    tg_buf_append_char(token, '.');
    tg_base64url_write(token, rest);
    CHECK(tg_crypto_sign(keys.items[chosen].crypto, tg_buf_peek(token), &signature) == TG_OK);
    tg_buf_append_char(token, '.');
    tg_base64url_write(token, tg_buf_peek(&signature));
    tg_buf_deinit(&signature);
}

static void check_good(const struct tg_value *claims, const struct tg_jwt_rules *rules)
{
    CHECK(claims->type == TG_VALUE_OBJECT);
    const struct tg_value *expires = tg_value_get(claims, TG_SLICE("exp"));
    const struct tg_value *audience = tg_value_get(claims, TG_SLICE("aud"));
    if (expires && expires->type == TG_VALUE_INTEGER) CHECK(expires->integer > NOW_S - LEEWAY_S);
    CHECK(rules->audiences.count || !audience);
    if (rules->audiences.count) CHECK(audience);
}

static void check_changed(struct tg_buf *token, const struct tg_jwt_rules *rules, struct tg_arena *arena)
{
    struct tg_value claims;
    struct tg_error error;
    size_t at = token->length / 2;
    token->data[at] = token->data[at] == 'A' ? 'B' : 'A';
    CHECK(tg_jwt_verify(&keys, tg_buf_peek(token), rules, arena, &claims, &error) != TG_JWT_OK);
}

static void check_token(struct tg_buf *token, bool has_audience)
{
    static const struct tg_slice ours[] = {TG_SLICE("us"), TG_SLICE("")};
    struct tg_jwt_rules rules = {.now_s = NOW_S, .leeway_s = LEEWAY_S, .max_bytes = BYTES_MAX};
    struct tg_arena arena;
    struct tg_value claims, again;
    struct tg_error error = {.text = ""};
    if (has_audience) rules.audiences = (struct tg_jwt_names){ours, 2};
    tg_arena_init(&arena, 0);
    enum tg_jwt_verdict verdict = tg_jwt_verify(&keys, tg_buf_peek(token), &rules, &arena, &claims, &error);
    CHECK(verdict != TG_JWT_NO_MEMORY);
    CHECK((verdict == TG_JWT_OK) == (error.text[0] == '\0'));
    CHECK(tg_jwt_verify(&keys, tg_buf_peek(token), &rules, &arena, &again, &error) == verdict);
    if (verdict == TG_JWT_OK) {
        check_good(&claims, &rules);
        CHECK(tg_value_equal(&claims, &again));
        check_changed(token, &rules, &arena);
    }
    tg_arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tg_slice text = {(const char *)data, size};
    struct tg_buf token;
    make_keys();
    tg_buf_init(&token);
    tg_buf_append_slice(&token, text);
    check_token(&token, false);
    tg_buf_truncate(&token, 0);
    write_signed(&token, text);
    check_token(&token, size % 2);
    tg_buf_deinit(&token);
    return 0;
}
