/* One request of a command's to /api of a running gateway.
 *
 * Which gateway: --url, or the one in development that has left its address in the folder. Which token:
 * --token-file, or the setting api_token of the environment or the folder's tidegate.lua, or what that
 * gateway has left.
 */
#ifndef TG_APP_REMOTE_H
#define TG_APP_REMOTE_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/config.h"
#include "wire/value.h"

struct tg_remote {
    const char *folder;     /* borrowed, as the next two */
    const char *given_url;  /* NULL: what stands in the folder */
    const char *token_file; /* NULL: the setting, or what stands in the folder */
    struct tg_config config;
    struct tg_buf url, token; /* with a zero at the end */
    struct tg_buf answer;
    long status;           /* of HTTP */
    struct tg_error error; /* "": none */
};

void tg_remote_init(struct tg_remote *remote, const char *folder, const char *given_url,
                    const char *token_file);

void tg_remote_deinit(struct tg_remote *remote);

/* Sends `body`, which is JSON, to /api/WHAT, or GETs that when its data is NULL. TG_OK: it was answered, with
 * whatever status; otherwise `error` has a sentence. */
enum tg_status tg_remote_ask(struct tg_remote *remote, const char *what, struct tg_slice body);

/* The answer, which is an object, as a tree in `arena`; NULL: it is none. */
const struct tg_value *tg_remote_read(const struct tg_remote *remote, struct tg_arena *arena);

/* Prints what any request may be refused with; `answer` may be NULL. */
void tg_remote_print_refusal(const struct tg_remote *remote, const struct tg_value *answer);

#endif
