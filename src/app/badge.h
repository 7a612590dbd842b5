/* The arguments of `tidegate token` and `tidegate session`: what to make, or to check, and with which key.
 *
 *     token make [CLAIMS] [--subject NAME] [--expires SECONDS] [--key FILE] [--alg ALG] [--id KID] [DIR]
 *     token check TOKEN [--key FILE] [--alg ALG] [--audience NAME] [--issuer NAME] [DIR]
 *     session make USER_ID [--cookie NAME] [--expires SECONDS] [DIR]
 *     session check TEXT [--cookie NAME] [DIR]
 */
#ifndef TG_APP_BADGE_H
#define TG_APP_BADGE_H

#include "base/status.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_badge {
    bool is_session;
    bool is_check;
    bool is_help;         /* --help was asked for: the rest is not complete */
    const char *text;     /* claims, a user's id, or what is checked; "-": standard input */
    const char *folder;   /* of the application; "." unless given */
    const char *key_path; /* NULL: the application's secrets, with HS256 */
    const char *alg;      /* NULL: as the key is */
    const char *id, *subject, *audience, *issuer; /* NULL: none */
    const char *cookie;                           /* NULL: "sessionid" */
    uint64_t expires_s;                           /* from now; 0: the usual */
};

/* Reads `arguments`, which are borrowed. TG_E_INVALID with a sentence. */
enum tg_status tg_badge_read(struct tg_badge *badge, bool is_session, int count, char *const *arguments,
                             struct tg_error *error);

#endif
