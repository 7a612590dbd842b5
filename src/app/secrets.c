/* A folder in development that cannot be written to gets secrets all the same: sessions end with the gateway
 * then, and a line of the log says so. */
#include "app/secrets.h"

#include "app/local.h"
#include "base/file.h"
#include "base/log.h"
#include "core/secrets.h"

#include <limits.h>
#include <stdio.h>

enum { FILE_BYTES_MAX = 65536 };

static enum tg_status set(struct tg_config *config, const char *origin, struct tg_slice text,
                          struct tg_error *error)
{
    struct tg_error why;
    if (tg_secrets_check(text, &why) != TG_OK)
        return tg_error_set(error, TG_E_INVALID, "%s: %s", origin, why.text);
    return tg_config_set(config, origin, TG_SLICE("secrets"), text, error);
}

/* One a line; lines that are empty do not count. */
static enum tg_status read_file(struct tg_config *config, struct tg_error *error)
{
    struct tg_buf text, joined;
    tg_buf_init(&text);
    tg_buf_init(&joined);
    enum tg_status status = tg_file_read(config->secrets_file, FILE_BYTES_MAX, &text, error);
    for (size_t at = 0; status == TG_OK && at < text.length;) {
        size_t length = 0;
        while (at + length < text.length && !strchr("\r\n", text.data[at + length])) length++;
        if (length && joined.length) tg_buf_append_char(&joined, ',');
        tg_buf_append(&joined, text.data + at, length);
        at += length + 1;
    }
    if (status == TG_OK && joined.has_failed)
        status = tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    if (status == TG_OK && joined.length == 0)
        status = tg_error_set(error, TG_E_INVALID, "%s: there is no secret in it, one a line",
                              config->secrets_file);
    if (status == TG_OK) status = set(config, config->secrets_file, tg_buf_peek(&joined), error);
    tg_buf_deinit(&text);
    tg_buf_deinit(&joined);
    return status;
}

/* What a gateway in development has left. */
static enum tg_status read_left(struct tg_config *config, const char *folder, struct tg_error *error)
{
    char path[PATH_MAX];
    struct tg_buf text;
    tg_buf_init(&text);
    snprintf(path, sizeof path, "%s/.tidegate/%s", folder, TG_LOCAL_SECRET);
    enum tg_status status = tg_local_read(path, &text, error);
    if (status == TG_OK) status = set(config, path, tg_buf_peek(&text), error);
    tg_buf_deinit(&text);
    return status;
}

static enum tg_status make(struct tg_config *config, const char *folder, bool is_kept, struct tg_error *error)
{
    char secret[TG_LOCAL_TOKEN_BYTES];
    struct tg_error why;
    if (tg_local_make_token(secret) != TG_OK)
        return tg_error_set(error, TG_E_IO, "secrets: the kernel has no random bytes; set them");
    if (is_kept && tg_local_write(folder, TG_LOCAL_SECRET, tg_slice_of(secret), &why) != TG_OK)
        tg_log(TG_LOG_WARNING, "secret_not_kept", TG_LOG_S("why", why.text),
               TG_LOG_S("help", "sessions end with the gateway; make the folder writable, or set secrets"));
    return set(config, "secrets", tg_slice_of(secret), error);
}

enum tg_status tg_secrets_settle(struct tg_config *config, const char *folder, enum tg_secrets_use use,
                                 struct tg_error *error)
{
    struct tg_error why = {.text = ""};
    if (config->secrets[0]) return TG_OK;
    if (config->secrets_file[0]) return read_file(config, error);
    if (use == TG_SECRETS_LOAD) return make(config, folder, false, error);
    if (use == TG_SECRETS_SERVE && !tg_config_is_development(config)) return TG_OK;
    enum tg_status status = read_left(config, folder, &why);
    if (status == TG_OK) return TG_OK;
    if (status != TG_E_NOT_FOUND) return tg_error_set(error, status, "%s", why.text);
    if (use == TG_SECRETS_SERVE) return make(config, folder, true, error);
    return tg_error_set(
        error, status,
        "there are no secrets: set TIDEGATE_SECRETS to those of the gateway; one in development, "
        "`tidegate run --dev %s`, makes its own",
        folder);
}
