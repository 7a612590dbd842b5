/* The signature is looked at before anything else is believed, so what follows reads our own writing: that
 * it expires is only told of texts that were once ours. */
#include "wire/sealed.h"

#include "base/base64.h"
#include "wire/crypto.h"

#include <inttypes.h>

#define PREFIX "s1."

enum { EXPIRES_DIGITS_MAX = 19 };

/* HMAC of purpose, zero byte, text. */
static bool sign(const struct tg_seal *seal, uint32_t secret, struct tg_slice text, struct tg_buf *scratch,
                 unsigned char digest[TG_SHA256_BYTES])
{
    tg_buf_truncate(scratch, 0);
    tg_buf_append_slice(scratch, seal->purpose);
    tg_buf_append_char(scratch, '\0');
    tg_buf_append_slice(scratch, text);
    return !scratch->has_failed && tg_crypto_hmac_sha256(seal->secrets[secret], tg_buf_peek(scratch), digest);
}

enum tg_status tg_sealed_write(const struct tg_seal *seal, struct tg_slice value, uint64_t expires_s,
                               struct tg_buf *out)
{
    size_t before = out->length;
    unsigned char digest[TG_SHA256_BYTES];
    struct tg_buf scratch;
    tg_buf_init(&scratch);
    tg_buf_append_literal(out, PREFIX);
    tg_base64url_write(out, value);
    tg_buf_printf(out, ".%" PRIu64, expires_s);
    bool is_signed =
        !out->has_failed &&
        sign(seal, 0, (struct tg_slice){out->data + before, out->length - before}, &scratch, digest);
    tg_buf_deinit(&scratch);
    if (is_signed) {
        tg_buf_append_char(out, '.');
        tg_base64url_write(out, (struct tg_slice){(const char *)digest, sizeof digest});
    }
    if (is_signed && !out->has_failed) return TG_OK;
    tg_buf_truncate(out, before);
    return TG_E_NO_MEMORY;
}

/* ---- reading ---- */

struct parts {
    struct tg_slice value, expires, signature;
    struct tg_slice signed_text;
};

/* What stands in front of the last dot, and behind it. */
static bool split_last(struct tg_slice text, struct tg_slice *head, struct tg_slice *tail)
{
    const char *dot = text.length ? memrchr(text.data, '.', text.length) : NULL;
    if (!dot) return false;
    *head = (struct tg_slice){text.data, (size_t)(dot - text.data)};
    *tail = (struct tg_slice){dot + 1, text.length - head->length - 1};
    return true;
}

static bool split(struct tg_slice text, struct parts *parts)
{
    struct tg_slice value;
    size_t prefix = strlen(PREFIX);
    if (!split_last(text, &parts->signed_text, &parts->signature) ||
        !split_last(parts->signed_text, &value, &parts->expires) || value.length < prefix ||
        memcmp(value.data, PREFIX, prefix) != 0)
        return false;
    parts->value = (struct tg_slice){value.data + prefix, value.length - prefix};
    return true;
}

static bool read_seconds(struct tg_slice text, uint64_t *seconds)
{
    if (text.length == 0 || text.length > EXPIRES_DIGITS_MAX) return false;
    if (text.data[0] == '0' && text.length > 1) return false;
    *seconds = 0;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
        *seconds = *seconds * 10 + (uint64_t)(text.data[i] - '0');
    }
    return true;
}

/* All secrets are tried, whichever fits. */
static enum tg_sealed_verdict check(const struct tg_seal *seal, const struct parts *parts,
                                    struct tg_slice signature)
{
    struct tg_buf scratch;
    enum tg_sealed_verdict verdict = TG_SEALED_SIGNATURE;
    tg_buf_init(&scratch);
    for (uint32_t i = 0; i < seal->secret_count; i++) {
        unsigned char digest[TG_SHA256_BYTES];
        if (!sign(seal, i, parts->signed_text, &scratch, digest)) {
            verdict = TG_SEALED_NO_MEMORY;
            break;
        }
        if (tg_crypto_equal((struct tg_slice){(const char *)digest, sizeof digest}, signature))
            verdict = TG_SEALED_OK;
    }
    tg_buf_deinit(&scratch);
    return verdict;
}

static enum tg_sealed_verdict verdict_of(enum tg_status status)
{
    if (status == TG_OK) return TG_SEALED_OK;
    return status == TG_E_NO_MEMORY ? TG_SEALED_NO_MEMORY : TG_SEALED_MALFORMED;
}

enum tg_sealed_verdict tg_sealed_read(const struct tg_seal *seal, struct tg_slice text, uint64_t now_s,
                                      struct tg_buf *out, uint64_t *expires_s)
{
    struct parts parts;
    struct tg_buf signature;
    if (!split(text, &parts) || !read_seconds(parts.expires, expires_s)) return TG_SEALED_MALFORMED;
    tg_buf_init(&signature);
    enum tg_sealed_verdict verdict = verdict_of(tg_base64url_read(&signature, parts.signature));
    if (verdict == TG_SEALED_OK) verdict = check(seal, &parts, tg_buf_peek(&signature));
    tg_buf_deinit(&signature);
    if (verdict != TG_SEALED_OK) return verdict;
    if (*expires_s && now_s >= *expires_s) return TG_SEALED_EXPIRED;
    return verdict_of(tg_base64url_read(out, parts.value));
}
