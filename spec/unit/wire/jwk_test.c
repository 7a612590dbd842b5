#include "wire/jwk.h"

#include "support/alloc.h"
#include "support/keys.h"
#include "support/tokens.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct tg_arena arena;
static struct tg_keys keys;

static int set_up(void **state)
{
    (void)state;
    tg_arena_init(&arena, 0);
    tg_keys_init(&keys);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tg_keys_deinit(&keys);
    tg_arena_deinit(&arena);
    return 0;
}

#define EC_PUBLIC                                                                                            \
    "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","                \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\""
#define ED_PUBLIC "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\""
#define SECRET "\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T\""

static void knows_the_algorithm_of_each_kind(void **state)
{
    (void)state;
    static const struct {
        const char *jwk;
        enum tg_alg alg;
        bool can_sign;
    } rows[] = {
        {KEY_RFC7515_A1, TG_ALG_HS256, true},     {KEY_RFC7515_A2, TG_ALG_RS256, true},
        {KEY_RFC7515_A3, TG_ALG_ES256, true},     {KEY_RFC7515_A4, TG_ALG_ES512, true},
        {KEY_RFC8037_A1, TG_ALG_EDDSA, true},     {KEY_RFC7515_A2_PUBLIC, TG_ALG_RS256, false},
        {KEY_RFC7520_3_3, TG_ALG_PS384, false},   {"{" EC_PUBLIC "}", TG_ALG_ES256, false},
        {"{" ED_PUBLIC "}", TG_ALG_EDDSA, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tg_tokens_add_jwk(&keys, "", rows[i].jwk);
        assert_int_equal(tg_crypto_key_alg(keys.items[i].crypto), rows[i].alg);
        assert_int_equal(tg_crypto_key_can_sign(keys.items[i].crypto), rows[i].can_sign);
    }
}

static void takes_the_id_of_the_key_unless_another_is_given(void **state)
{
    (void)state;
    tg_tokens_add_jwk(&keys, "", KEY_RFC7520_3_3);
    tg_tokens_add_jwk(&keys, "mine", KEY_RFC7520_3_3);
    tg_tokens_add_jwk(&keys, "", "{" EC_PUBLIC "}");
    assert_true(tg_slice_equal(keys.items[0].id, TG_SLICE("bilbo.baggins@hobbiton.example")));
    assert_true(tg_slice_equal(keys.items[1].id, TG_SLICE("mine")));
    assert_null(keys.items[2].id.data);
}

static void says_why_a_key_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *jwk, *why;
    } rows[] = {
        {"[]", "a JWK is an object"},
        {"{}", "\"alg\" is missing"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"alg\" is missing"},
        {"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAAA\"}", "the secret has 3 bytes"},
        {"{\"kty\":\"oct\",\"alg\":\"HS256\",\"k\":\"AAA=\"}", "\"k\" is no base64url"},
        {"{\"kty\":\"oct\",\"alg\":\"none\",\"k\":\"AAAA\"}", "none that is known here"},
        {"{\"kty\":\"oct\",\"alg\":\"RS256\",\"k\":\"AAAA\"}", "none of RS256"},
        {"{" EC_PUBLIC ",\"alg\":\"HS256\"}", "none of HS256"},
        {"{" EC_PUBLIC ",\"alg\":\"ES384\"}", "none of ES384"},
        {"{" EC_PUBLIC ",\"use\":\"enc\"}", "not for signatures"},
        {"{" EC_PUBLIC ",\"key_ops\":[\"encrypt\"]}", "not for signatures"},
        {"{" EC_PUBLIC ",\"d\":\"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LA\"}", "do not belong together"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83O\",\"y\":\"x_FE\"}", "make no key"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
         "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1\"}",
         "\"y\" is no base64url"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
         "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5aw\"}",
         "make no key"},
        {"{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"AA\",\"y\":\"AA\"}", "\"alg\" is missing"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}", "can be broken"},
        {"{\"kty\":\"RSA\",\"e\":\"AQAB\"}", "make no key"},
        {"{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\",\"d\":\"AQ\",\"p\":\"AQ\"}", "make no key"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "make no key"},
        {"{" ED_PUBLIC ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2B\"}", "is no base64url"},
        {"{" ED_PUBLIC ",\"d\":\"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2Q\"}", "make no key"},
        {"{" EC_PUBLIC ",\"n\":7}", "\"n\" is no base64url"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tg_error error = {.text = ""};
        struct tg_value jwk = tg_tokens_json(&arena, rows[i].jwk);
        enum tg_status status = tg_keys_add_jwk(&keys, (struct tg_slice){0}, NULL, &jwk, &error);
        if (status != TG_E_INVALID || !strstr(error.text, rows[i].why)) fail_msg("%zu: %s", i, error.text);
        assert_int_equal(keys.count, 0);
    }
}

static void pins_the_algorithm_that_is_asked_for(void **state)
{
    (void)state;
    const enum tg_alg wanted = TG_ALG_PS256;
    struct tg_error error;
    struct tg_value jwk = tg_tokens_json(&arena, KEY_RFC7515_A2_PUBLIC);
    assert_int_equal(tg_keys_add_jwk(&keys, (struct tg_slice){0}, &wanted, &jwk, &error), TG_OK);
    assert_int_equal(tg_crypto_key_alg(keys.items[0].crypto), TG_ALG_PS256);
    jwk = tg_tokens_json(&arena, KEY_RFC7520_3_3);
    assert_int_equal(tg_keys_add_jwk(&keys, (struct tg_slice){0}, &wanted, &jwk, &error), TG_E_INVALID);
    assert_non_null(strstr(error.text, "PS384, not PS256"));
}

/* ---- sets ---- */

static enum tg_status replace(const char *set, bool takes_secrets, struct tg_error *error)
{
    return tg_keys_replace_set(&keys, tg_slice_of(set), NULL, takes_secrets, error);
}

static void skips_what_is_of_no_use_in_a_set(void **state)
{
    (void)state;
    struct tg_error error;
    assert_int_equal(replace("{\"keys\":[7,{\"kty\":\"new\"},{" EC_PUBLIC ",\"use\":\"enc\"},{" SECRET
                             "},{" ED_PUBLIC ",\"kid\":\"a\",\"x5c\":[]}]}",
                             false, &error),
                     TG_OK);
    assert_int_equal(keys.count, 1);
    assert_true(tg_slice_equal(keys.items[0].id, TG_SLICE("a")));
    assert_int_equal(replace("{\"keys\":[{" SECRET "},{" ED_PUBLIC "}]}", true, &error), TG_OK);
    assert_int_equal(keys.count, 2);
}

static void replaces_a_set_and_keeps_the_other_keys(void **state)
{
    (void)state;
    struct tg_error error;
    tg_tokens_add_pem(&keys, "file", TG_ALG_ES256, KEY_P256_PUBLIC);
    assert_int_equal(
        replace("{\"keys\":[{" EC_PUBLIC ",\"kid\":\"a\"},{" ED_PUBLIC ",\"kid\":\"b\"}]}", false, &error),
        TG_OK);
    assert_int_equal(keys.count, 3);
    assert_int_equal(replace("{\"keys\":[{" EC_PUBLIC ",\"kid\":\"c\"}]}", false, &error), TG_OK);
    assert_int_equal(keys.count, 2);
    assert_true(tg_slice_equal(keys.items[0].id, TG_SLICE("file")));
    assert_true(tg_slice_equal(keys.items[1].id, TG_SLICE("c")));
}

static void keeps_the_keys_when_a_new_set_is_no_good(void **state)
{
    (void)state;
    static const struct {
        const char *set, *why;
    } rows[] = {
        {"", "Invalid JSON"},
        {"[]", "a list called \"keys\""},
        {"{\"keys\":{}}", "a list called \"keys\""},
        {"{\"keys\":[],\"keys\":[]}", "Invalid JSON"},
        {"{\"keys\":[]}", "no key in the JWK set"},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "of the last: an RSA key of"},
        {"{\"keys\":[{" SECRET "}]}", "a secret in a set"},
    };
    struct tg_error error;
    assert_int_equal(replace("{\"keys\":[{" EC_PUBLIC ",\"kid\":\"a\"}]}", false, &error), TG_OK);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(replace(rows[i].set, false, &error), TG_E_INVALID);
        if (!strstr(error.text, rows[i].why)) fail_msg("%zu: %s", i, error.text);
        assert_int_equal(keys.count, 1);
        assert_true(tg_slice_equal(keys.items[0].id, TG_SLICE("a")));
    }
}

static void has_room_for_so_many_keys(void **state)
{
    (void)state;
    struct tg_error error;
    struct tg_buf set;
    tg_tokens_add_pem(&keys, "", TG_ALG_ES256, KEY_P256_PUBLIC);
    tg_buf_init(&set);
    tg_buf_append_literal(&set, "{\"keys\":[");
    for (int i = 0; i < TG_KEYS_MAX; i++) tg_buf_printf(&set, "%s{" ED_PUBLIC "}", i ? "," : "");
    tg_buf_append_literal(&set, "]}");
    assert_int_equal(tg_keys_replace_set(&keys, tg_buf_peek(&set), NULL, false, &error), TG_E_FULL);
    assert_int_equal(keys.count, 1);
    for (int i = 1; i < TG_KEYS_MAX; i++) tg_tokens_add_jwk(&keys, "", "{" ED_PUBLIC "}");
    assert_int_equal(
        tg_keys_add_pem(&keys, (struct tg_slice){0}, TG_ALG_ES256, TG_SLICE(KEY_P256_PUBLIC), &error),
        TG_E_FULL);
    assert_non_null(strstr(error.text, "64 keys are the most"));
    tg_buf_deinit(&set);
}

static enum tg_status replace_once(void *context)
{
    (void)context;
    struct tg_error error;
    uint32_t before = keys.count;
    enum tg_status status = replace("{\"keys\":[{" EC_PUBLIC ",\"kid\":\"a\"},{" SECRET "}]}", true, &error);
    if (status != TG_OK) assert_int_equal(keys.count, before);
    return status;
}

static void answers_without_memory(void **state)
{
    (void)state;
    assert_true(tg_alloc_sweep(replace_once, NULL) >= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(knows_the_algorithm_of_each_kind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_the_id_of_the_key_unless_another_is_given, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_why_a_key_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(pins_the_algorithm_that_is_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(skips_what_is_of_no_use_in_a_set, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replaces_a_set_and_keeps_the_other_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keeps_the_keys_when_a_new_set_is_no_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_room_for_so_many_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_without_memory, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
