/* Where the application's secrets come from when the setting `secrets` is empty: the file that `secrets_file`
 * names, or in development DIR/.tidegate/secret, so that sessions outlive the gateway that began them.
 */
#ifndef TG_APP_SECRETS_H
#define TG_APP_SECRETS_H

#include "core/config.h"

/* What a command wants secrets for. */
enum tg_secrets_use {
    TG_SECRETS_NONE,
    TG_SECRETS_SERVE, /* made in development, and kept for the next time; in production there may be none */
    TG_SECRETS_LOAD,  /* nothing that is sealed outlives the command: any will do */
    TG_SECRETS_SHARE, /* those of a gateway: TG_E_NOT_FOUND when there are none */
};

/* Fills config->secrets. TG_E_INVALID, TG_E_IO, TG_E_NOT_FOUND: `error` says what to do. */
enum tg_status tg_secrets_settle(struct tg_config *config, const char *folder, enum tg_secrets_use use,
                                 struct tg_error *error);

#endif
