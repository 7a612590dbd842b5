/* The frames that tell a client that something is done: for consumers with `send_completion`. */
#ifndef TG_CORE_COMPLETION_H
#define TG_CORE_COMPLETION_H

#include "core/payload.h"
#include "wire/message.h"

#include <stdint.h>

struct tg_conn;

enum tg_completion { TG_COMPLETE, TG_GROUP_COMPLETE, TG_EVENT_COMPLETE, TG_COMPLETIONS };

/* The frames without a ref, made when first needed and then shared by all. Zero-initialised: none yet. */
struct tg_completions {
    struct tg_payload *payloads[TG_COMPLETIONS];
    uint64_t bytes; /* theirs, apart from those of frames that come and go */
};

void tg_completions_deinit(struct tg_completions *completions);

/* {"action":"complete"} and so on, with the ref of the message that it ends (NULL: none); nothing unless the
 * connection is OPEN and its consumer sends completions. */
void tg_conn_complete(struct tg_conn *conn, enum tg_completion completion, const struct tg_ref *ref);

#endif
