#include "core/secrets.h"

#include "wire/sealed.h"

bool tg_secrets_next(struct tg_slice *rest, struct tg_slice *secret)
{
    if (rest->length == 0) return false;
    const char *comma = memchr(rest->data, ',', rest->length);
    size_t length = comma ? (size_t)(comma - rest->data) : rest->length;
    *secret = (struct tg_slice){rest->data, length};
    size_t used = comma ? length + 1 : length;
    *rest = (struct tg_slice){rest->data + used, rest->length - used};
    for (; secret->length && secret->data[0] == ' '; secret->data++) secret->length--;
    while (secret->length && secret->data[secret->length - 1] == ' ') secret->length--;
    return true;
}

static bool is_visible(struct tg_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~') return false;
    return true;
}

enum tg_status tg_secrets_check(struct tg_slice secrets, struct tg_error *error)
{
    struct tg_slice secret;
    size_t count = 0;
    while (tg_secrets_next(&secrets, &secret)) {
        count++;
        if (secret.length < TG_SECRET_BYTES_MIN || !is_visible(secret))
            return tg_error_set(
                error, TG_E_INVALID,
                "secrets: number %zu is none: a secret has %d or more visible ASCII characters, "
                "without spaces and commas; `openssl rand -hex 32` makes one",
                count, TG_SECRET_BYTES_MIN);
    }
    if (count <= TG_SECRETS_MAX) return TG_OK;
    return tg_error_set(error, TG_E_INVALID, "secrets: %zu of them; %d are the most", count, TG_SECRETS_MAX);
}
