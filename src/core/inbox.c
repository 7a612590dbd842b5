#include "core/inbox.h"

#include <stdlib.h>
#include <string.h>

enum tg_status tg_inbox_add(struct tg_inbox *inbox, struct tg_slice message, bool is_binary)
{
    struct tg_inbox_message *added = malloc(sizeof *added + message.length);
    if (!added) return TG_E_NO_MEMORY;
    *added = (struct tg_inbox_message){.length = message.length, .is_binary = is_binary};
    if (message.length) memcpy(added->bytes, message.data, message.length);
    if (inbox->last)
        inbox->last->next = added;
    else
        inbox->first = added;
    inbox->last = added;
    inbox->count++;
    inbox->bytes += message.length;
    return TG_OK;
}

struct tg_inbox_message *tg_inbox_take(struct tg_inbox *inbox)
{
    struct tg_inbox_message *taken = inbox->first;
    if (!taken) return NULL;
    inbox->first = taken->next;
    if (!inbox->first) inbox->last = NULL;
    inbox->count--;
    inbox->bytes -= taken->length;
    return taken;
}

void tg_inbox_put_back(struct tg_inbox *inbox, struct tg_inbox_message *message)
{
    message->next = inbox->first;
    inbox->first = message;
    if (!inbox->last) inbox->last = message;
    inbox->count++;
    inbox->bytes += message->length;
}

void tg_inbox_clear(struct tg_inbox *inbox)
{
    for (struct tg_inbox_message *message; (message = tg_inbox_take(inbox));) free(message);
}
