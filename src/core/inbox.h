/* Messages of one client that wait for their turn: whole ones, as they came, copied.
 *
 * While a handler waits, what its client sends next is kept here. The caller stops reading when it is full;
 * what the transport has taken from the kernel by then still comes in, so the limits are passed by that much.
 */
#ifndef TG_CORE_INBOX_H
#define TG_CORE_INBOX_H

#include "base/slice.h"
#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tg_inbox_message {
    struct tg_inbox_message *next;
    size_t length;
    bool is_binary;
    char bytes[];
};

struct tg_inbox {
    struct tg_inbox_message *first, *last; /* owned */
    uint32_t count;
    size_t bytes;
};

/* Zero-initialised: empty. */

/* Adds a copy at the end. TG_E_NO_MEMORY. */
enum tg_status tg_inbox_add(struct tg_inbox *inbox, struct tg_slice message, bool is_binary);

/* Takes the first out; the caller frees it with free(). NULL when empty. */
struct tg_inbox_message *tg_inbox_take(struct tg_inbox *inbox);

/* Puts one back in front. Takes it. */
void tg_inbox_put_back(struct tg_inbox *inbox, struct tg_inbox_message *message);

/* Drops all. */
void tg_inbox_clear(struct tg_inbox *inbox);

#endif
