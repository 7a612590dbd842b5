/* Header, key, signature, claims: in this order, and each only when what was before it is right. */
#include "wire/jwt.h"

#include "base/base64.h"
#include "wire/json.h"

#include <stdarg.h>
#include <stdio.h>

enum { TOKEN_DEPTH_MAX = 32 };

/* One token that is being looked at. */
struct checking {
    const struct tg_keys *keys;
    const struct tg_jwt_rules *rules;
    struct tg_arena *arena;
    struct tg_error *error;
    struct tg_slice header, claims, signature; /* base64url */
    struct tg_slice signed_text;
    enum tg_alg alg;
    struct tg_slice id; /* data is NULL: no `kid` */
};

const char *tg_jwt_verdict_name(enum tg_jwt_verdict verdict)
{
    static const char *const names[] = {
        [TG_JWT_OK] = "ok",
        [TG_JWT_MALFORMED] = "malformed",
        [TG_JWT_TOO_LARGE] = "too_large",
        [TG_JWT_ALGORITHM] = "algorithm",
        [TG_JWT_UNKNOWN_KEY] = "unknown_key",
        [TG_JWT_SIGNATURE] = "signature",
        [TG_JWT_EXPIRED] = "expired",
        [TG_JWT_NOT_YET_VALID] = "not_yet_valid",
        [TG_JWT_AUDIENCE] = "audience",
        [TG_JWT_ISSUER] = "issuer",
        [TG_JWT_MISSING] = "missing",
        [TG_JWT_NO_MEMORY] = "no_memory",
    };
    return names[verdict];
}

__attribute__((format(printf, 3, 4))) static enum tg_jwt_verdict
refuse(const struct checking *checking, enum tg_jwt_verdict verdict, const char *format, ...)
{
    char text[TG_ERROR_TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    tg_error_set(checking->error, TG_E_INVALID, "%s", text);
    return verdict;
}

static enum tg_jwt_verdict without_memory(const struct checking *checking)
{
    tg_error_set(checking->error, TG_E_NO_MEMORY, "not enough memory");
    return TG_JWT_NO_MEMORY;
}

/* ---- the text ---- */

/* The three parts, with exactly two dots between. */
static bool split(struct checking *checking, struct tg_slice token)
{
    const char *end = token.data + token.length;
    const char *first = token.length ? memchr(token.data, '.', token.length) : NULL;
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first) - 1) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second) - 1)) return false;
    checking->header = (struct tg_slice){token.data, (size_t)(first - token.data)};
    checking->claims = (struct tg_slice){first + 1, (size_t)(second - first) - 1};
    checking->signature = (struct tg_slice){second + 1, (size_t)(end - second) - 1};
    checking->signed_text = (struct tg_slice){token.data, (size_t)(second - token.data)};
    return true;
}

/* The bytes of a part, in the arena. */
static enum tg_status decode(const struct checking *checking, struct tg_slice part, struct tg_slice *bytes)
{
    struct tg_buf decoded;
    tg_buf_init(&decoded);
    enum tg_status status = tg_base64url_read(&decoded, part);
    if (status == TG_OK) {
        *bytes = tg_arena_copy(checking->arena,
                               (struct tg_slice){decoded.length ? decoded.data : "", decoded.length});
        if (!bytes->data) status = TG_E_NO_MEMORY;
    }
    tg_buf_deinit(&decoded);
    return status;
}

/* The object that a part stands for; `what` is its name for a person. */
static enum tg_jwt_verdict read_object(const struct checking *checking, const char *what,
                                       struct tg_slice part, struct tg_value *object)
{
    struct tg_slice text;
    struct tg_error error;
    enum tg_status status = decode(checking, part, &text);
    if (status == TG_OK) status = tg_json_parse(text, TOKEN_DEPTH_MAX, checking->arena, object, &error);
    if (status == TG_E_NO_MEMORY) return without_memory(checking);
    if (status != TG_OK || object->type != TG_VALUE_OBJECT)
        return refuse(checking, TG_JWT_MALFORMED, "its %s is no JSON object in base64url", what);
    return TG_JWT_OK;
}

/* ---- the header ---- */

static enum tg_jwt_verdict read_header(struct checking *checking)
{
    struct tg_value header;
    enum tg_jwt_verdict verdict = read_object(checking, "header", checking->header, &header);
    if (verdict != TG_JWT_OK) return verdict;
    const struct tg_value *alg = tg_value_get(&header, TG_SLICE("alg"));
    const struct tg_value *kid = tg_value_get(&header, TG_SLICE("kid"));
    /* RFC 7515 4.1.11: who does not know what is critical must not go on; RFC 7797 4.2 has `b64` in it. */
    if (tg_value_get(&header, TG_SLICE("crit")) || tg_value_get(&header, TG_SLICE("b64")))
        return refuse(checking, TG_JWT_MALFORMED, "its header asks for an extension (\"crit\", \"b64\")");
    if (!alg || alg->type != TG_VALUE_STRING)
        return refuse(checking, TG_JWT_MALFORMED, "its header has no \"alg\"");
    if (kid && kid->type != TG_VALUE_STRING)
        return refuse(checking, TG_JWT_MALFORMED, "the \"kid\" of its header is no string");
    if (!tg_alg_find(tg_value_string(alg), &checking->alg))
        return refuse(checking, TG_JWT_ALGORITHM, "its \"alg\" is none that is known here");
    if (kid) checking->id = (struct tg_slice){kid->length ? kid->string : "", kid->length};
    return TG_JWT_OK;
}

/* ---- the key ---- */

static bool has_key_with_id(const struct checking *checking)
{
    for (uint32_t i = 0; i < checking->keys->count; i++)
        if (checking->keys->items[i].id.data && tg_slice_equal(checking->keys->items[i].id, checking->id))
            return true;
    return false;
}

/* A token that names a key means it, or, where no key has that name, one that has no name. */
static bool is_meant(const struct checking *checking, const struct tg_key *key, bool is_named)
{
    if (!checking->id.data) return true;
    return is_named ? tg_slice_equal(key->id, checking->id) : !key->id.data;
}

static enum tg_jwt_verdict check_signature(const struct checking *checking)
{
    struct tg_slice signature;
    bool is_named = checking->id.data && has_key_with_id(checking);
    uint32_t meant = 0, tried = 0;
    enum tg_status status = decode(checking, checking->signature, &signature);
    if (status == TG_E_NO_MEMORY) return without_memory(checking);
    if (status != TG_OK) return refuse(checking, TG_JWT_MALFORMED, "its signature is no base64url");
    for (uint32_t i = 0; i < checking->keys->count; i++) {
        const struct tg_key *key = &checking->keys->items[i];
        if (!is_meant(checking, key, is_named)) continue;
        meant++;
        if (tg_crypto_key_alg(key->crypto) != checking->alg) continue;
        tried++;
        if (tg_crypto_verify(key->crypto, checking->signed_text, signature)) return TG_JWT_OK;
    }
    if (tried) return refuse(checking, TG_JWT_SIGNATURE, "its signature is of none of the keys");
    if (meant)
        return refuse(checking, TG_JWT_ALGORITHM, "its \"alg\" is %s, and no key is for that",
                      tg_alg_name(checking->alg));
    return refuse(checking, TG_JWT_UNKNOWN_KEY, "there is no key for its \"kid\"");
}

/* ---- the claims ---- */

static bool is_text(const struct tg_value *value)
{
    return value->type == TG_VALUE_STRING;
}

static bool is_date(const struct tg_value *value)
{
    return value->type == TG_VALUE_INTEGER || value->type == TG_VALUE_NUMBER;
}

static bool is_text_or_texts(const struct tg_value *value)
{
    if (value->type != TG_VALUE_ARRAY) return is_text(value);
    for (uint32_t i = 0; i < value->length; i++)
        if (!is_text(&value->items[i])) return false;
    return true;
}

/* RFC 7519 4.1. */
static enum tg_jwt_verdict check_types(const struct checking *checking, const struct tg_value *claims)
{
    static const struct {
        struct tg_slice name;
        bool (*is_right)(const struct tg_value *value);
        const char *expected;
    } rows[] = {
        {TG_SLICE("exp"), is_date, "number of seconds"},
        {TG_SLICE("nbf"), is_date, "number of seconds"},
        {TG_SLICE("iat"), is_date, "number of seconds"},
        {TG_SLICE("iss"), is_text, "string"},
        {TG_SLICE("sub"), is_text, "string"},
        {TG_SLICE("jti"), is_text, "string"},
        {TG_SLICE("aud"), is_text_or_texts, "string or a list of strings"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct tg_value *claim = tg_value_get(claims, rows[i].name);
        if (claim && !rows[i].is_right(claim))
            return refuse(checking, TG_JWT_MALFORMED, "its \"%s\" is no %s", rows[i].name.data,
                          rows[i].expected);
    }
    return TG_JWT_OK;
}

/* False: the claim is not there. */
static bool read_date(const struct tg_value *claims, struct tg_slice name, double *seconds)
{
    const struct tg_value *claim = tg_value_get(claims, name);
    if (!claim) return false;
    *seconds = claim->type == TG_VALUE_INTEGER ? (double)claim->integer : claim->number;
    return true;
}

static enum tg_jwt_verdict check_dates(const struct checking *checking, const struct tg_value *claims)
{
    double now = checking->rules->now_s, leeway = checking->rules->leeway_s, date;
    if (read_date(claims, TG_SLICE("exp"), &date) && now - leeway >= date)
        return refuse(checking, TG_JWT_EXPIRED, "it expired %.0f seconds ago", now - date);
    if (read_date(claims, TG_SLICE("nbf"), &date) && now + leeway < date)
        return refuse(checking, TG_JWT_NOT_YET_VALID, "it counts from in %.0f seconds on", date - now);
    if (read_date(claims, TG_SLICE("iat"), &date) && now + leeway < date)
        return refuse(checking, TG_JWT_NOT_YET_VALID, "it was made in %.0f seconds from now", date - now);
    return TG_JWT_OK;
}

static bool is_among(struct tg_slice text, const struct tg_jwt_names *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (tg_slice_equal(names->items[i], text)) return true;
    return false;
}

static bool has_one_of(const struct tg_value *claim, const struct tg_jwt_names *names)
{
    if (!claim) return false;
    if (is_text(claim)) return is_among(tg_value_string(claim), names);
    for (uint32_t i = 0; i < claim->length; i++)
        if (is_among(tg_value_string(&claim->items[i]), names)) return true;
    return false;
}

/* "its "aud" is ["a","b"]": what the operator has to know. */
static enum tg_jwt_verdict refuse_claim(const struct checking *checking, enum tg_jwt_verdict verdict,
                                        const char *name, const struct tg_value *claim, const char *why)
{
    enum { SHOWN_BYTES = 128 };
    struct tg_buf shown;
    if (!claim) return refuse(checking, verdict, "it has no \"%s\"", name);
    tg_buf_init(&shown);
    tg_json_write_shown(&shown, claim, SHOWN_BYTES);
    refuse(checking, verdict, "its \"%s\" is %.*s%s", name, TG_SLICE_ARG(tg_buf_peek(&shown)), why);
    tg_buf_deinit(&shown);
    return verdict;
}

static enum tg_jwt_verdict check_names(const struct checking *checking, const struct tg_value *claims)
{
    const struct tg_jwt_rules *rules = checking->rules;
    const struct tg_value *audience = tg_value_get(claims, TG_SLICE("aud"));
    const struct tg_value *issuer = tg_value_get(claims, TG_SLICE("iss"));
    for (uint32_t i = 0; i < rules->required.count; i++)
        if (!tg_value_get(claims, rules->required.items[i]))
            return refuse(checking, TG_JWT_MISSING, "it has no \"%.*s\"",
                          TG_SLICE_ARG(rules->required.items[i]));
    if (!rules->audiences.count && audience)
        return refuse_claim(checking, TG_JWT_AUDIENCE, "aud", audience, ", and no `audience` is set here");
    if (rules->audiences.count && !has_one_of(audience, &rules->audiences))
        return refuse_claim(checking, TG_JWT_AUDIENCE, "aud", audience, "");
    if (rules->issuers.count && !has_one_of(issuer, &rules->issuers))
        return refuse_claim(checking, TG_JWT_ISSUER, "iss", issuer, "");
    return TG_JWT_OK;
}

/* ---- */

enum tg_jwt_verdict tg_jwt_verify(const struct tg_keys *keys, struct tg_slice token,
                                  const struct tg_jwt_rules *rules, struct tg_arena *arena,
                                  struct tg_value *claims, struct tg_error *error)
{
    struct checking checking = {.keys = keys, .rules = rules, .arena = arena, .error = error};
    if (token.length > rules->max_bytes)
        return refuse(&checking, TG_JWT_TOO_LARGE, "it has %zu bytes, more than max_token_bytes",
                      token.length);
    if (!split(&checking, token))
        return refuse(&checking, TG_JWT_MALFORMED, "it has not three parts with dots between");
    enum tg_jwt_verdict verdict = read_header(&checking);
    if (verdict == TG_JWT_OK) verdict = check_signature(&checking);
    if (verdict == TG_JWT_OK) verdict = read_object(&checking, "payload", checking.claims, claims);
    if (verdict == TG_JWT_OK) verdict = check_types(&checking, claims);
    if (verdict == TG_JWT_OK) verdict = check_dates(&checking, claims);
    if (verdict == TG_JWT_OK) verdict = check_names(&checking, claims);
    return verdict;
}

/* ---- making them ---- */

const struct tg_key *tg_jwt_find_signer(const struct tg_keys *keys, struct tg_slice id)
{
    for (uint32_t i = 0; i < keys->count; i++) {
        const struct tg_key *key = &keys->items[i];
        if (!tg_crypto_key_can_sign(key->crypto)) continue;
        if (!id.length || tg_slice_equal(key->id, id)) return key;
    }
    return NULL;
}

static void write_header(const struct tg_key *key, struct tg_buf *header)
{
    tg_buf_printf(header, "{\"alg\":\"%s\",\"typ\":\"JWT\"", tg_alg_name(tg_crypto_key_alg(key->crypto)));
    if (key->id.data) {
        tg_buf_append_literal(header, ",\"kid\":");
        tg_json_write_string(header, key->id);
    }
    tg_buf_append_char(header, '}');
}

enum tg_status tg_jwt_sign(const struct tg_key *key, struct tg_slice claims, struct tg_buf *token)
{
    struct tg_buf part;
    size_t before = token->length;
    tg_buf_init(&part);
    write_header(key, &part);
    tg_base64url_write(token, tg_buf_peek(&part));
    tg_buf_append_char(token, '.');
    tg_base64url_write(token, claims);
    bool is_written = !part.has_failed && !token->has_failed;
    tg_buf_truncate(&part, 0);
    if (is_written) {
        struct tg_slice text = {token->data + before, token->length - before};
        is_written = tg_crypto_sign(key->crypto, text, &part) == TG_OK;
        tg_buf_append_char(token, '.');
        tg_base64url_write(token, tg_buf_peek(&part));
    }
    tg_buf_deinit(&part);
    if (is_written && !token->has_failed) return TG_OK;
    tg_buf_truncate(token, before);
    return TG_E_NO_MEMORY;
}
