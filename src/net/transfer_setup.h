/* The options of a transfer: what libcurl is told, before it runs and again before it follows a redirect. For
 * transfer.c alone. */
#ifndef TG_NET_TRANSFER_SETUP_H
#define TG_NET_TRANSFER_SETUP_H

#include "net/transfer.h"

/* Everything of a new transfer; `request` has been checked. TG_E_INVALID: the URL; TG_E_NO_MEMORY. */
enum tg_status tg_transfer_set_up(struct tg_transfer *transfer, const struct tg_fetch_request *request,
                                  const struct tg_config *config, struct tg_error *error);

/* Sets URL and origin; both stay as they are when it fails. TG_E_INVALID, TG_E_NO_MEMORY. */
enum tg_status tg_transfer_set_url(struct tg_transfer *transfer, const char *text, struct tg_error *error);

/* From transfer->method and transfer->body. */
CURLcode tg_transfer_set_method(struct tg_transfer *transfer);

/* Takes the headers whose names begin with one of `names` (up to NULL) away. False without memory. */
bool tg_transfer_drop_headers(struct tg_transfer *transfer, const char *const *names);

#endif
