#include "core/inbox.h"

#include <stdlib.h>
#include <string.h>

static void count(struct tg_inbox *inbox, const struct tg_inbox_message *message)
{
    if (message->event) {
        inbox->event_count++;
        inbox->event_bytes += tg_payload_text(message->event).length;
    } else {
        inbox->count++;
        inbox->bytes += message->length;
    }
}

static void discount(struct tg_inbox *inbox, const struct tg_inbox_message *message)
{
    if (message->event) {
        inbox->event_count--;
        inbox->event_bytes -= tg_payload_text(message->event).length;
    } else {
        inbox->count--;
        inbox->bytes -= message->length;
    }
}

/* One that holds a copy of `bytes`; NULL without memory. */
static struct tg_inbox_message *new_message(struct tg_slice bytes)
{
    struct tg_inbox_message *message = malloc(sizeof *message + bytes.length);
    if (!message) return NULL;
    *message = (struct tg_inbox_message){.length = bytes.length};
    if (bytes.length) memcpy(message->bytes, bytes.data, bytes.length);
    return message;
}

static void append(struct tg_inbox *inbox, struct tg_inbox_message *message)
{
    if (inbox->last)
        inbox->last->next = message;
    else
        inbox->first = message;
    inbox->last = message;
    count(inbox, message);
}

enum tg_status tg_inbox_add(struct tg_inbox *inbox, struct tg_slice message, bool is_binary)
{
    struct tg_inbox_message *added = new_message(message);
    if (!added) return TG_E_NO_MEMORY;
    added->is_binary = is_binary;
    append(inbox, added);
    return TG_OK;
}

enum tg_status tg_inbox_add_event(struct tg_inbox *inbox, struct tg_slice action, struct tg_payload *event)
{
    struct tg_inbox_message *added = new_message(action);
    if (!added) return TG_E_NO_MEMORY;
    added->event = tg_payload_ref(event);
    append(inbox, added);
    return TG_OK;
}

struct tg_inbox_message *tg_inbox_take(struct tg_inbox *inbox)
{
    struct tg_inbox_message *taken = inbox->first;
    if (!taken) return NULL;
    inbox->first = taken->next;
    if (!inbox->first) inbox->last = NULL;
    discount(inbox, taken);
    return taken;
}

void tg_inbox_put_back(struct tg_inbox *inbox, struct tg_inbox_message *message)
{
    message->next = inbox->first;
    inbox->first = message;
    if (!inbox->last) inbox->last = message;
    count(inbox, message);
}

void tg_inbox_message_free(struct tg_inbox_message *message)
{
    tg_payload_unref(message->event);
    free(message);
}

void tg_inbox_clear(struct tg_inbox *inbox)
{
    for (struct tg_inbox_message *message; (message = tg_inbox_take(inbox));) tg_inbox_message_free(message);
}
