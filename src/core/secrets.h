/* The setting `secrets`: texts with commas between them, with which the gateway seals what clients keep for
 * it. The first seals, all of them open: so one is changed without throwing anybody out.
 */
#ifndef TG_CORE_SECRETS_H
#define TG_CORE_SECRETS_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>

enum { TG_SECRETS_MAX = 16 };

/* Takes the next secret from the front of `*rest`; spaces around it do not count. False: there is none. */
bool tg_secrets_next(struct tg_slice *rest, struct tg_slice *secret);

/* Whether all of them are any good. TG_E_INVALID: `error` says what to do, and quotes none. */
enum tg_status tg_secrets_check(struct tg_slice secrets, struct tg_error *error);

#endif
