#include "wire/jwt.h"

#include "base/base64.h"
#include "support/alloc.h"
#include "support/keys.h"
#include "support/tokens.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { NOW_S = 1700000000 };

#define SECRET "the secret of the specs: 32 bytes"
#define HEADER "{\"alg\":\"HS256\"}"

static struct tg_arena arena;
static struct tg_keys keys;
static struct tg_buf token;
static struct tg_value claims;
static struct tg_error error;
static struct tg_jwt_rules rules;

static int set_up(void **state)
{
    (void)state;
    tg_arena_init(&arena, 0);
    tg_keys_init(&keys);
    tg_buf_init(&token);
    rules = (struct tg_jwt_rules){.now_s = NOW_S, .max_bytes = 16384};
    tg_tokens_add_secret(&keys, "", TG_ALG_HS256, SECRET);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tg_buf_deinit(&token);
    tg_keys_deinit(&keys);
    tg_arena_deinit(&arena);
    return 0;
}

static enum tg_jwt_verdict verify_text(struct tg_slice text)
{
    error.text[0] = '\0';
    return tg_jwt_verify(&keys, text, &rules, &arena, &claims, &error);
}

static void assert_verdict(enum tg_jwt_verdict verdict, enum tg_jwt_verdict expected, const char *what)
{
    if (verdict != expected) fail_msg("%s: %s: %s", what, tg_jwt_verdict_name(verdict), error.text);
    if (expected != TG_JWT_OK) assert_true(error.text[0] != '\0');
}

/* Of a token with this header and these claims, which the first key has signed. */
static enum tg_jwt_verdict verdict_of(const char *header, const char *payload)
{
    tg_tokens_write(&token, keys.items[0].crypto, header, payload);
    return verify_text(tg_buf_peek(&token));
}

/* ---- good ones ---- */

static void accepts_the_example_of_the_rfc(void **state)
{
    (void)state;
    const struct tg_slice text = TG_SLICE(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"); /* RFC 7519 3.1 */
    tg_tokens_add_jwk(&keys, "", KEY_RFC7515_A1);
    assert_verdict(verify_text(text), TG_JWT_EXPIRED, "long ago");
    rules.now_s = 1300819379;
    assert_verdict(verify_text(text), TG_JWT_OK, "in time");
    assert_true(tg_slice_equal(tg_value_string(tg_value_get(&claims, TG_SLICE("iss"))), TG_SLICE("joe")));
    assert_true(tg_value_get(&claims, TG_SLICE("http://example.com/is_root"))->boolean);
}

static void refuses_the_unsecured_example_of_the_rfc(void **state)
{
    (void)state;
    rules.now_s = 1;
    assert_verdict(
        verify_text(TG_SLICE("eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly"
                             "9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.")), /* RFC 7519 6.1 */
        TG_JWT_ALGORITHM, "none");
}

static void accepts_what_it_has_signed_itself(void **state)
{
    (void)state;
    tg_tokens_add_pem(&keys, "ps", TG_ALG_PS256, KEY_RSA_PRIVATE);
    tg_tokens_add_pem(&keys, "es \"1\"", TG_ALG_ES384, KEY_P384_PRIVATE);
    tg_tokens_add_pem(&keys, "public", TG_ALG_ES256, KEY_P256_PUBLIC);
    for (uint32_t i = 0; i < 3; i++) {
        const struct tg_key *signer = tg_jwt_find_signer(&keys, keys.items[i].id);
        assert_ptr_equal(signer, &keys.items[i]);
        tg_buf_truncate(&token, 0);
        assert_int_equal(tg_jwt_sign(signer, TG_SLICE("{\"sub\":\"ada\"}"), &token), TG_OK);
        assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_OK,
                       tg_alg_name(tg_crypto_key_alg(signer->crypto)));
        assert_true(tg_slice_equal(tg_value_string(tg_value_get(&claims, TG_SLICE("sub"))), TG_SLICE("ada")));
    }
    assert_null(tg_jwt_find_signer(&keys, TG_SLICE("public")));
}

/* ---- whose key ---- */

static void refuses_an_algorithm_that_is_not_the_keys(void **state)
{
    (void)state;
    static const char *const headers[] = {"{\"alg\":\"none\"}",  "{\"alg\":\"None\"}",  "{\"alg\":\"HS384\"}",
                                          "{\"alg\":\"RS256\"}", "{\"alg\":\"hs256\"}", "{\"alg\":\"\"}",
                                          "{\"alg\":\"HS2567\"}"};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        assert_verdict(verdict_of(headers[i], "{}"), TG_JWT_ALGORITHM, headers[i]);
        tg_tokens_write(&token, NULL, headers[i], "{}");
        assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_ALGORITHM, headers[i]);
    }
    tg_tokens_write(&token, NULL, HEADER, "{}");
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_SIGNATURE, "no signature");
}

/* No key of ours takes a public key for its secret. */
static void forge(const char *header, const char *payload)
{
    unsigned char digest[TG_SHA256_BYTES];
    tg_tokens_write(&token, NULL, header, payload);
    struct tg_slice text = {token.data, token.length - 1}; /* without the dot of the signature */
    assert_true(tg_crypto_hmac_sha256(tg_slice_of(KEY_RSA_PUBLIC), text, digest));
    tg_base64url_write(&token, (struct tg_slice){(const char *)digest, sizeof digest});
}

/* The attack: RS256's public key, which everybody knows, as the secret of HS256. */
static void does_not_take_a_public_key_for_a_secret(void **state)
{
    (void)state;
    tg_keys_deinit(&keys);
    tg_tokens_add_pem(&keys, "", TG_ALG_RS256, KEY_RSA_PUBLIC);
    forge(HEADER, "{\"sub\":\"root\"}");
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_ALGORITHM, "HS256 with a public key");
    forge("{\"alg\":\"RS256\"}", "{\"sub\":\"root\"}");
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_SIGNATURE, "RS256 with an HMAC");
}

static void does_not_use_a_key_that_the_token_brings(void **state)
{
    (void)state;
    struct tg_keys attacker;
    tg_keys_init(&attacker);
    tg_tokens_add_jwk(&attacker, "", KEY_RFC7515_A3);
    tg_tokens_add_pem(&keys, "", TG_ALG_ES256, KEY_P256_PUBLIC);
    tg_tokens_write(
        &token, attacker.items[0].crypto,
        "{\"alg\":\"ES256\",\"jwk\":" KEY_RFC7515_A3 ",\"jku\":\"https://attacker.test/\",\"x5c\":[]}", "{}");
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_SIGNATURE, "jwk in the header");
    tg_keys_deinit(&attacker);
}

static void chooses_by_kid(void **state)
{
    (void)state;
    tg_keys_deinit(&keys);
    tg_tokens_add_secret(&keys, "old", TG_ALG_HS256, "the old secret of the specs, 32 b");
    tg_tokens_add_secret(&keys, "new", TG_ALG_HS256, SECRET);
    assert_verdict(verdict_of("{\"alg\":\"HS256\",\"kid\":\"old\"}", "{}"), TG_JWT_OK, "old");
    assert_verdict(verdict_of("{\"alg\":\"HS256\",\"kid\":\"new\"}", "{}"), TG_JWT_SIGNATURE,
                   "another's name");
    assert_verdict(verdict_of("{\"alg\":\"HS256\",\"kid\":\"older\"}", "{}"), TG_JWT_UNKNOWN_KEY, "unknown");
    assert_verdict(verdict_of("{\"alg\":\"HS256\",\"kid\":\"\"}", "{}"), TG_JWT_UNKNOWN_KEY, "empty");
    assert_verdict(verdict_of("{\"alg\":\"HS384\",\"kid\":\"old\"}", "{}"), TG_JWT_ALGORITHM,
                   "other algorithm");
    assert_verdict(verdict_of(HEADER, "{}"), TG_JWT_OK, "no kid: all are tried");
    tg_tokens_add_secret(&keys, "", TG_ALG_HS256, "the old secret of the specs, 32 b");
    assert_verdict(verdict_of("{\"alg\":\"HS256\",\"kid\":\"older\"}", "{}"), TG_JWT_OK,
                   "a key without a name");
    tg_keys_deinit(&keys);
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_UNKNOWN_KEY, "no keys at all");
}

/* ---- what is no token ---- */

static void refuses_broken_texts(void **state)
{
    (void)state;
    static const struct tg_slice texts[] = {
        TG_SLICE(""),
        TG_SLICE("."),
        TG_SLICE(".."),
        TG_SLICE("..."),
        TG_SLICE("e30.e30"),
        TG_SLICE("e30.e30.e30.e30"),
        TG_SLICE("e30.e30.e30.e30.e30"), /* encrypted: RFC 7516 */
        TG_SLICE("e30.e30."),
        TG_SLICE("W10.e30."),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9=.e30.AA"),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.A"),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.A+"),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.AB"), /* bits behind the last byte */
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.AA=="),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9.e30.AA\n"),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9 .e30.AA"),
        TG_SLICE("eyJhbGciOiJIUzI1NiJ9\0.e30.AA"),
        TG_SLICE("eyJhbGciOiJIUzI1NiI.e30.AA"), /* the object does not end */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_verdict(verify_text(texts[i]), TG_JWT_MALFORMED, texts[i].data);
}

static void refuses_headers_that_ask_for_more(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{}",
        "{\"alg\":7}",
        "{\"alg\":null}",
        "{\"alg\":[\"HS256\"]}",
        "{\"alg\":\"none\",\"alg\":\"HS256\"}",
        "{\"alg\":\"HS256\",\"kid\":7}",
        "{\"alg\":\"HS256\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"HS256\",\"crit\":[]}",
        "{\"alg\":\"HS256\",\"b64\":false,\"crit\":[\"b64\"]}",
        "{\"alg\":\"HS256\",\"b64\":true}",
        "{\"alg\":\"HS256\"} ,",
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
        assert_verdict(verdict_of(headers[i], "{}"), TG_JWT_MALFORMED, headers[i]);
    assert_verdict(verdict_of("{\"alg\":\"HS256\",\"typ\":\"anything\",\"cty\":7}", "{}"), TG_JWT_OK, "typ");
}

static void refuses_claims_that_are_none(void **state)
{
    (void)state;
    static const char *const payloads[] = {
        "",
        "[]",
        "7",
        "{",
        "{\"sub\":\"ada\",\"sub\":\"root\"}",
        "{\"s\\u0075b\":\"ada\",\"sub\":\"root\"}",
        "{\"exp\":\"1800000000\"}",
        "{\"exp\":true}",
        "{\"exp\":null}",
        "{\"exp\":1e999}",
        "{\"nbf\":\"1\"}",
        "{\"iat\":[]}",
        "{\"iss\":7}",
        "{\"sub\":7}",
        "{\"jti\":7}",
        "{\"aud\":7}",
        "{\"aud\":[\"a\",7]}",
        "{\"sub\":\"\xff\"}",
    };
    for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++)
        assert_verdict(verdict_of(HEADER, payloads[i]), TG_JWT_MALFORMED, payloads[i]);
}

/* Before the signature is right, the payload is not even read. */
static void does_not_look_at_claims_that_nobody_signed(void **state)
{
    (void)state;
    tg_tokens_write(&token, NULL, HEADER, "{\"exp\":1,\"aud\":\"secret\"}");
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_SIGNATURE, "expired too");
    assert_null(strstr(error.text, "secret"));
    tg_tokens_write(&token, NULL, HEADER, "no JSON");
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_SIGNATURE, "no JSON");
}

static void refuses_a_token_of_a_megabyte(void **state)
{
    (void)state;
    enum { MEGABYTE = 1 << 20 };
    struct tg_buf payload;
    tg_buf_init(&payload);
    tg_buf_append_literal(&payload, "{\"a\":\"");
    for (int i = 0; i < MEGABYTE; i++) tg_buf_append_char(&payload, 'x');
    tg_buf_append(&payload, "\"}", 3);
    assert_verdict(verdict_of(HEADER, payload.data), TG_JWT_TOO_LARGE, "1 MB");
    rules.max_bytes = 2 * MEGABYTE;
    assert_verdict(verdict_of(HEADER, payload.data), TG_JWT_OK, "1 MB, allowed");
    tg_buf_deinit(&payload);
    rules.max_bytes = token.length;
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_OK, "at the limit");
    rules.max_bytes = token.length - 1;
    assert_verdict(verify_text(tg_buf_peek(&token)), TG_JWT_TOO_LARGE, "beyond");
}

static void refuses_claims_that_are_too_deep(void **state)
{
    (void)state;
    char payload[128] = "{\"a\":";
    memset(payload + 5, '[', 40);
    memset(payload + 45, ']', 40);
    strcpy(payload + 85, "}");
    assert_verdict(verdict_of(HEADER, payload), TG_JWT_MALFORMED, "too deep");
}

/* ---- time ---- */

static void counts_from_nbf_until_exp(void **state)
{
    (void)state;
    static const struct {
        const char *payload;
        double leeway_s;
        enum tg_jwt_verdict verdict;
    } rows[] = {
        {"{\"exp\":1700000001}", 0, TG_JWT_OK},
        {"{\"exp\":1700000000}", 0, TG_JWT_EXPIRED},
        {"{\"exp\":1700000000.5}", 0, TG_JWT_OK},
        {"{\"exp\":1.7e9}", 0, TG_JWT_EXPIRED},
        {"{\"exp\":0}", 0, TG_JWT_EXPIRED},
        {"{\"exp\":-9223372036854775808}", 0, TG_JWT_EXPIRED},
        {"{\"exp\":1e300}", 0, TG_JWT_OK},
        {"{\"exp\":1699999991}", 10, TG_JWT_OK},
        {"{\"exp\":1699999990}", 10, TG_JWT_EXPIRED},
        {"{\"nbf\":1700000000}", 0, TG_JWT_OK},
        {"{\"nbf\":1700000001}", 0, TG_JWT_NOT_YET_VALID},
        {"{\"nbf\":1700000010}", 10, TG_JWT_OK},
        {"{\"nbf\":1700000011}", 10, TG_JWT_NOT_YET_VALID},
        {"{\"iat\":1700000000}", 0, TG_JWT_OK},
        {"{\"iat\":1700000001}", 0, TG_JWT_NOT_YET_VALID},
        {"{\"iat\":1,\"nbf\":2,\"exp\":1800000000}", 0, TG_JWT_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        rules.leeway_s = rows[i].leeway_s;
        assert_verdict(verdict_of(HEADER, rows[i].payload), rows[i].verdict, rows[i].payload);
    }
}

/* ---- for whom, from whom ---- */

static void is_for_one_of_the_audiences(void **state)
{
    (void)state;
    static const struct tg_slice ours[] = {TG_SLICE("chat"), TG_SLICE("chat.example.org")};
    assert_verdict(verdict_of(HEADER, "{\"aud\":\"chat\"}"), TG_JWT_AUDIENCE, "nobody said who we are");
    assert_non_null(strstr(error.text, "no `audience` is set"));
    rules.audiences = (struct tg_jwt_names){ours, 2};
    assert_verdict(verdict_of(HEADER, "{\"aud\":\"chat\"}"), TG_JWT_OK, "one");
    assert_verdict(verdict_of(HEADER, "{\"aud\":[\"mail\",\"chat.example.org\"]}"), TG_JWT_OK, "a list");
    assert_verdict(verdict_of(HEADER, "{\"aud\":\"mail\"}"), TG_JWT_AUDIENCE, "another's");
    assert_string_equal(error.text, "its \"aud\" is \"mail\"");
    assert_verdict(verdict_of(HEADER, "{\"aud\":[]}"), TG_JWT_AUDIENCE, "nobody's");
    assert_verdict(verdict_of(HEADER, "{\"aud\":\"cha\"}"), TG_JWT_AUDIENCE, "a piece of it");
    assert_verdict(verdict_of(HEADER, "{}"), TG_JWT_AUDIENCE, "missing");
}

static void is_from_one_of_the_issuers_and_has_what_is_required(void **state)
{
    (void)state;
    static const struct tg_slice issuers[] = {TG_SLICE("https://login.example.org")};
    static const struct tg_slice required[] = {TG_SLICE("exp"), TG_SLICE("sub")};
    rules.issuers = (struct tg_jwt_names){issuers, 1};
    assert_verdict(verdict_of(HEADER, "{\"iss\":\"https://login.example.org\"}"), TG_JWT_OK, "right");
    assert_verdict(verdict_of(HEADER, "{\"iss\":\"https://login.example.org/\"}"), TG_JWT_ISSUER,
                   "a slash more");
    assert_verdict(verdict_of(HEADER, "{}"), TG_JWT_ISSUER, "missing");
    rules.issuers.count = 0;
    rules.required = (struct tg_jwt_names){required, 2};
    assert_verdict(verdict_of(HEADER, "{\"exp\":1800000000}"), TG_JWT_MISSING, "no sub");
    assert_string_equal(error.text, "it has no \"sub\"");
    assert_verdict(verdict_of(HEADER, "{\"exp\":1800000000,\"sub\":\"ada\"}"), TG_JWT_OK, "both");
}

/* ---- memory ---- */

static enum tg_status verify_once(void *context)
{
    (void)context;
    struct tg_arena own;
    tg_arena_init(&own, 0);
    tg_buf_truncate(&token, 0);
    enum tg_status status = tg_jwt_sign(&keys.items[0], TG_SLICE("{\"sub\":\"ada\"}"), &token);
    enum tg_jwt_verdict verdict = TG_JWT_OK;
    if (status == TG_OK) verdict = tg_jwt_verify(&keys, tg_buf_peek(&token), &rules, &own, &claims, &error);
    if (verdict == TG_JWT_NO_MEMORY) status = TG_E_NO_MEMORY;
    if (status == TG_OK) assert_int_equal(verdict, TG_JWT_OK);
    tg_arena_deinit(&own);
    return status;
}

static void answers_without_memory(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(verify_once, NULL) >= 4);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(accepts_the_example_of_the_rfc),
        TEST(refuses_the_unsecured_example_of_the_rfc),
        TEST(accepts_what_it_has_signed_itself),
        TEST(refuses_an_algorithm_that_is_not_the_keys),
        TEST(does_not_take_a_public_key_for_a_secret),
        TEST(does_not_use_a_key_that_the_token_brings),
        TEST(chooses_by_kid),
        TEST(refuses_broken_texts),
        TEST(refuses_headers_that_ask_for_more),
        TEST(refuses_claims_that_are_none),
        TEST(does_not_look_at_claims_that_nobody_signed),
        TEST(refuses_a_token_of_a_megabyte),
        TEST(refuses_claims_that_are_too_deep),
        TEST(counts_from_nbf_until_exp),
        TEST(is_for_one_of_the_audiences),
        TEST(is_from_one_of_the_issuers_and_has_what_is_required),
        TEST(answers_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
