/* One HTTP request of a command's, which waits for its answer. */
#ifndef TG_NET_POST_H
#define TG_NET_POST_H

#include "base/buf.h"
#include "base/status.h"

struct tg_post {
    const char *url; /* http or https; another server's redirections are not followed */
    const char *token;
    struct tg_slice body; /* JSON; data NULL: a GET */
    const char *ca_file;  /* certificates of the authorities that are trusted; "": the system's */
};

/* Sends it; `answer`, which is initialised, gets the body of the answer, and `*status` its code. TG_E_IO:
 * there is none, and `error` says why. TG_E_NO_MEMORY. */
enum tg_status tg_post_send(const struct tg_post *post, long *status, struct tg_buf *answer,
                            struct tg_error *error);

#endif
