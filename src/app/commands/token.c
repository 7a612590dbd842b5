/* `tidegate token` and `tidegate session`: credentials for development, and what is wrong with one.
 *
 * The key of a token is a file - PEM, a JWK, a set of them, or a line with a secret - or the first of the
 * application's secrets, with HS256. Sessions are sealed as tide.auth.session does it.
 */
#include "app/badge.h"
#include "app/commands/commands.h"
#include "app/secrets.h"
#include "base/file.h"
#include "core/secrets.h"
#include "wire/json.h"
#include "wire/jwt.h"
#include "wire/sealed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_BYTES_MAX = 1 << 20, DEPTH_MAX = 32, TOKEN_AGE_S = 3600, SESSION_AGE_S = 14 * 86400 };

static const char token_usage[] =
    "  tidegate token make [CLAIMS] [--subject NAME] [--expires SECONDS] [--key FILE] [--alg ALG] [--id KID] "
    "[DIR]\n"
    "  tidegate token check TOKEN [--key FILE] [--alg ALG] [--audience NAME] [--issuer NAME] [DIR]\n"
    "\n"
    "Makes a JSON Web Token, or tells whether one is good: its claims, or why not with exit status 1. CLAIMS "
    "is a\n"
    "JSON object; \"iat\" and \"exp\" are added. - stands for standard input.\n"
    "\n"
    "  --subject NAME      the claim \"sub\"\n"
    "  --expires SECONDS   when it ends, from now (default: 3600)\n"
    "  --key FILE          a PEM, a JWK, a JWK set, or a line with a secret; without it the first secret of "
    "the\n"
    "                      application in DIR (default: this folder), as its setting or a gateway in "
    "development\n"
    "                      has it, with HS256\n"
    "  --alg ALG           what the key is for: HS256 for a secret, RS256 for a PEM of RSA, unless given\n"
    "  --id KID            which key signs, and what the token says of it\n"
    "  --audience NAME     who we are\n"
    "  --issuer NAME       who must have made it\n";

static const char session_usage[] =
    "  tidegate session make USER_ID [--cookie NAME] [--expires SECONDS] [DIR]\n"
    "  tidegate session check TEXT [--cookie NAME] [DIR]\n"
    "\n"
    "Makes what stands in the cookie of somebody who has logged in to the application in DIR (default: this\n"
    "folder), or tells whose session a text is, or why it is none with exit status 1. - stands for standard "
    "input.\n"
    "The secrets are those of its settings, or of a gateway in development.\n"
    "\n"
    "  --cookie NAME       the cookie that it is for (default: sessionid)\n"
    "  --expires SECONDS   when it ends, from now (default: 1209600, two weeks)\n";

/* One call of a command. */
struct call {
    struct tg_badge badge;
    struct tg_config config;
    struct tg_keys keys;
    struct tg_arena arena;
    struct tg_buf input, output;
    uint64_t now_s;
    struct tg_error error;
};

static enum tg_status without_memory(struct call *call)
{
    return tg_error_set(&call->error, TG_E_NO_MEMORY, "not enough memory");
}

/* ---- what is needed ---- */

static enum tg_status configure(struct call *call)
{
    const struct tg_cli cli = {.folder = call->badge.folder, .is_dev_flagged = true};
    enum tg_status status = tg_cli_configure(&cli, environ, &call->config, &call->error);
    if (status != TG_OK || call->badge.key_path) return status;
    return tg_secrets_settle(&call->config, call->badge.folder, TG_SECRETS_SHARE, &call->error);
}

/* The text of the arguments, or standard input without the end of its line. */
static enum tg_status read_text(struct call *call, struct tg_slice *text)
{
    *text = tg_slice_of(call->badge.text ? call->badge.text : "{}");
    if (!tg_slice_equal(*text, TG_SLICE("-"))) return TG_OK;
    enum tg_status status = tg_file_read("-", FILE_BYTES_MAX, &call->input, &call->error);
    if (status != TG_OK) return status;
    struct tg_slice read = tg_buf_peek(&call->input);
    while (read.length && strchr("\r\n", read.data[read.length - 1])) read.length--;
    *text = read;
    return TG_OK;
}

/* ---- keys ---- */

/* Of a PEM that nobody said the algorithm of: the one that fits. */
static enum tg_status add_pem(struct call *call, struct tg_slice id, const enum tg_alg *alg,
                              struct tg_slice text)
{
    static const enum tg_alg usual[] = {TG_ALG_RS256, TG_ALG_ES256, TG_ALG_ES384, TG_ALG_ES512, TG_ALG_EDDSA};
    struct tg_error first;
    if (alg) return tg_keys_add_pem(&call->keys, id, *alg, text, &call->error);
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        enum tg_status status = tg_keys_add_pem(&call->keys, id, usual[i], text, i ? &call->error : &first);
        if (status != TG_E_INVALID) return status;
    }
    return tg_error_set(&call->error, TG_E_INVALID, "%s", first.text);
}

static enum tg_status add_json(struct call *call, struct tg_slice id, const enum tg_alg *alg,
                               struct tg_slice text)
{
    struct tg_value value;
    enum tg_status status = tg_json_parse(text, DEPTH_MAX, &call->arena, &value, &call->error);
    if (status != TG_OK) return status;
    if (tg_value_get(&value, TG_SLICE("keys")))
        return tg_keys_replace_set(&call->keys, text, alg, true, &call->error);
    return tg_keys_add_jwk(&call->keys, id, alg, &value, &call->error);
}

static enum tg_status add_file(struct call *call, struct tg_slice id, const enum tg_alg *alg)
{
    struct tg_buf text;
    tg_buf_init(&text);
    enum tg_status status = tg_file_read(call->badge.key_path, FILE_BYTES_MAX, &text, &call->error);
    struct tg_slice content = tg_buf_peek(&text);
    if (status == TG_OK) {
        if (content.length && content.data[0] == '{')
            status = add_json(call, id, alg, content);
        else if (content.length && memmem(content.data, content.length, "-----BEGIN", 10))
            status = add_pem(call, id, alg, content);
        else {
            while (content.length && strchr("\r\n", content.data[content.length - 1])) content.length--;
            status = tg_keys_add_secret(&call->keys, id, alg ? *alg : TG_ALG_HS256, content, &call->error);
        }
        struct tg_error why = call->error;
        if (status != TG_OK)
            tg_error_set(&call->error, status, "%.200s: %.280s", call->badge.key_path, why.text);
    }
    tg_buf_deinit(&text);
    return status;
}

static enum tg_status read_keys(struct call *call)
{
    struct tg_slice id = tg_slice_of(call->badge.id), rest = tg_slice_of(call->config.secrets), secret;
    enum tg_alg named = TG_ALG_HS256;
    bool has_alg = call->badge.alg != NULL;
    if (has_alg && !tg_alg_find(tg_slice_of(call->badge.alg), &named))
        return tg_error_set(&call->error, TG_E_INVALID, "--alg: '%.80s' is none that is known here",
                            call->badge.alg);
    if (call->badge.key_path) return add_file(call, id, has_alg ? &named : NULL);
    enum tg_status status = TG_OK;
    while (status == TG_OK && tg_secrets_next(&rest, &secret))
        status = tg_keys_add_secret(&call->keys, id, named, secret, &call->error);
    return status;
}

/* ---- tokens ---- */

/* The claims that were given, and those that are added. */
static void write_claims(struct call *call, const struct tg_value *given, struct tg_buf *out)
{
    uint64_t age_s = call->badge.expires_s ? call->badge.expires_s : TOKEN_AGE_S;
    tg_buf_append_char(out, '{');
    for (uint32_t i = 0; i < given->length; i++) {
        tg_json_write_string(out, tg_member_key(&given->members[i]));
        tg_buf_append_char(out, ':');
        tg_json_write_value(out, &given->members[i].value);
        tg_buf_append_char(out, ',');
    }
    if (call->badge.subject && !tg_value_get(given, TG_SLICE("sub"))) {
        tg_buf_append_literal(out, "\"sub\":");
        tg_json_write_string(out, tg_slice_of(call->badge.subject));
        tg_buf_append_char(out, ',');
    }
    if (!tg_value_get(given, TG_SLICE("exp")))
        tg_buf_printf(out, "\"exp\":%" PRIu64 ",", call->now_s + age_s);
    if (!tg_value_get(given, TG_SLICE("iat"))) tg_buf_printf(out, "\"iat\":%" PRIu64 ",", call->now_s);
    if (out->length > 1) out->length--;
    tg_buf_append_char(out, '}');
}

static enum tg_status make_token(struct call *call, struct tg_slice text)
{
    struct tg_value given;
    struct tg_buf claims;
    const struct tg_key *key = tg_jwt_find_signer(&call->keys, tg_slice_of(call->badge.id));
    if (!key)
        return tg_error_set(&call->error, TG_E_INVALID,
                            "this key cannot sign: that needs a secret or a private key%s",
                            call->badge.id ? ", and in a set the one called as --id says" : "");
    enum tg_status status = tg_json_parse(text, DEPTH_MAX, &call->arena, &given, &call->error);
    if (status != TG_OK) return status;
    if (given.type != TG_VALUE_OBJECT)
        return tg_error_set(&call->error, TG_E_INVALID, "claims are a JSON object: '{\"sub\":\"ada\"}'");
    tg_buf_init(&claims);
    write_claims(call, &given, &claims);
    status = claims.has_failed ? TG_E_NO_MEMORY : tg_jwt_sign(key, tg_buf_peek(&claims), &call->output);
    tg_buf_deinit(&claims);
    return status == TG_OK ? TG_OK : without_memory(call);
}

static enum tg_status check_token(struct call *call, struct tg_slice text)
{
    const struct tg_slice audience = tg_slice_of(call->badge.audience),
                          issuer = tg_slice_of(call->badge.issuer);
    const struct tg_jwt_rules rules = {.audiences = {&audience, audience.length > 0},
                                       .issuers = {&issuer, issuer.length > 0},
                                       .now_s = (double)call->now_s,
                                       .max_bytes = call->config.max_token_bytes};
    struct tg_value claims;
    struct tg_error why;
    enum tg_jwt_verdict verdict = tg_jwt_verify(&call->keys, text, &rules, &call->arena, &claims, &why);
    if (verdict != TG_JWT_OK)
        return tg_error_set(&call->error, TG_E_INVALID, "the token is not good (%s): %s",
                            tg_jwt_verdict_name(verdict), why.text);
    tg_json_write_value(&call->output, &claims);
    return TG_OK;
}

/* ---- sessions ---- */

static enum tg_status open_seal(struct call *call, struct tg_seal *seal, struct tg_slice *secrets)
{
    struct tg_slice rest = tg_slice_of(call->config.secrets);
    struct tg_buf purpose;
    tg_buf_init(&purpose);
    tg_buf_printf(&purpose, "session:%s", call->badge.cookie ? call->badge.cookie : "sessionid");
    struct tg_slice copy = {0};
    if (!purpose.has_failed) copy = tg_arena_copy(&call->arena, tg_buf_peek(&purpose));
    tg_buf_deinit(&purpose);
    if (!copy.data) return without_memory(call);
    *seal = (struct tg_seal){.secrets = secrets, .purpose = copy};
    while (seal->secret_count < TG_SECRETS_MAX && tg_secrets_next(&rest, &secrets[seal->secret_count]))
        seal->secret_count++;
    return TG_OK;
}

static enum tg_status check_session(struct call *call, const struct tg_seal *seal, struct tg_slice text)
{
    uint64_t expires_s;
    switch (tg_sealed_read(seal, text, call->now_s, &call->output, &expires_s)) {
    case TG_SEALED_OK:
        if (expires_s)
            tg_buf_printf(&call->output, "\nexpires in %" PRIu64 " seconds", expires_s - call->now_s);
        return TG_OK;
    case TG_SEALED_EXPIRED:
        return tg_error_set(&call->error, TG_E_INVALID, "the session expired %" PRIu64 " seconds ago",
                            call->now_s - expires_s);
    case TG_SEALED_SIGNATURE:
        return tg_error_set(&call->error, TG_E_INVALID,
                            "the text was not signed as a session with any of the secrets");
    case TG_SEALED_MALFORMED:
        return tg_error_set(&call->error, TG_E_INVALID, "this is no session: one begins with \"s1.\"");
    case TG_SEALED_NO_MEMORY:
        break;
    }
    return without_memory(call);
}

static enum tg_status use_session(struct call *call, struct tg_slice text)
{
    struct tg_slice secrets[TG_SECRETS_MAX];
    struct tg_seal seal;
    uint64_t age_s = call->badge.expires_s ? call->badge.expires_s : SESSION_AGE_S;
    enum tg_status status = open_seal(call, &seal, secrets);
    if (status != TG_OK) return status;
    if (call->badge.is_check) return check_session(call, &seal, text);
    status = tg_sealed_write(&seal, text, call->now_s + age_s, &call->output);
    return status == TG_OK ? TG_OK : without_memory(call);
}

/* ---- the call ---- */

static enum tg_status use_token(struct call *call, struct tg_slice text)
{
    enum tg_status status = read_keys(call);
    if (status != TG_OK) return status;
    return call->badge.is_check ? check_token(call, text) : make_token(call, text);
}

static enum tg_status run_call(struct call *call)
{
    struct tg_slice text;
    enum tg_status status = configure(call);
    if (status == TG_OK) status = read_text(call, &text);
    if (status == TG_OK) status = call->badge.is_session ? use_session(call, text) : use_token(call, text);
    if (status == TG_OK && call->output.has_failed) status = without_memory(call);
    if (status == TG_OK) printf("%.*s\n", TG_SLICE_ARG(tg_buf_peek(&call->output)));
    return status;
}

static int run(const struct tg_cli *cli, bool is_session)
{
    struct call call = {.now_s = tg_clock_wall_ms(tg_clock_system()) / 1000, .error = {.text = ""}};
    tg_buf_init(&call.input);
    tg_buf_init(&call.output);
    tg_keys_init(&call.keys);
    tg_arena_init(&call.arena, 0);
    enum tg_status status = tg_badge_read(&call.badge, is_session, cli->flag_count, cli->flags, &call.error);
    if (status == TG_OK && call.badge.is_help) {
        fputs(is_session ? session_usage : token_usage, stdout);
    } else if (status == TG_OK) {
        status = tg_config_init(&call.config) == TG_OK ? run_call(&call) : without_memory(&call);
        tg_config_deinit(&call.config);
    }
    if (status != TG_OK) fprintf(stderr, "tidegate: %s\n", call.error.text);
    tg_keys_deinit(&call.keys);
    tg_arena_deinit(&call.arena);
    tg_buf_deinit(&call.input);
    tg_buf_deinit(&call.output);
    return status == TG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int tg_command_token(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)config;
    return run(cli, false);
}

int tg_command_session(const struct tg_cli *cli, const struct tg_config *config)
{
    (void)config;
    return run(cli, true);
}
