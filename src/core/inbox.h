/* What waits for its turn on one connection: messages of its client, whole ones, as they came, copied; and
 * events, whose text is shared with the other receivers.
 *
 * While a handler waits, what its client sends next is kept here. The caller stops reading when it is full;
 * what the transport has taken from the kernel by then still comes in, so the limits are passed by that much.
 * Nobody can be made to stop sending events, so they are counted apart, and refused beyond their limits.
 */
#ifndef TG_CORE_INBOX_H
#define TG_CORE_INBOX_H

#include "base/slice.h"
#include "base/status.h"
#include "core/payload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_inbox_message {
    struct tg_inbox_message *next;
    struct tg_payload *event; /* a reference, owned; NULL: a message of the client */
    size_t length;
    bool is_binary;
    char bytes[]; /* the message, or the action of the event */
};

struct tg_inbox {
    struct tg_inbox_message *first, *last; /* owned */
    uint32_t count;                        /* of messages */
    uint32_t event_count;
    size_t bytes; /* of messages */
    size_t event_bytes;
};

/* Zero-initialised: empty. */

/* Adds a copy at the end. TG_E_NO_MEMORY. */
enum tg_status tg_inbox_add(struct tg_inbox *inbox, struct tg_slice message, bool is_binary);

/* The same for an event; takes a reference of its own. */
enum tg_status tg_inbox_add_event(struct tg_inbox *inbox, struct tg_slice action, struct tg_payload *event);

/* Takes the first out; the caller frees it. NULL when empty. */
struct tg_inbox_message *tg_inbox_take(struct tg_inbox *inbox);

void tg_inbox_message_free(struct tg_inbox_message *message);

static inline struct tg_slice tg_inbox_text(const struct tg_inbox_message *message)
{
    return (struct tg_slice){message->bytes, message->length};
}

/* Puts one back in front. Takes it. */
void tg_inbox_put_back(struct tg_inbox *inbox, struct tg_inbox_message *message);

/* Drops all. */
void tg_inbox_clear(struct tg_inbox *inbox);

#endif
