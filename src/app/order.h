/* The arguments of `tidegate send-event` and `tidegate broadcast`: what to send to whom, and through which
 * gateway.
 *
 *     ACTION [PAYLOAD | -] (--to ID | --group NAME ... | --consumer NAME | --user ID) [--url URL]
 *         [--token-file FILE] [DIR]
 */
#ifndef TG_APP_ORDER_H
#define TG_APP_ORDER_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>

struct tg_order {
    bool is_broadcast;
    bool is_help; /* --help was asked for: the rest is not complete */
    const char *action;
    struct tg_buf payload;  /* owned: JSON; empty: none */
    const char *to;         /* "connection", "groups", "consumer" or "user" */
    const char *name;       /* of it; of groups: the last */
    struct tg_buf groups;   /* owned: JSON, a list without its brackets */
    const char *url;        /* NULL: what stands in the folder */
    const char *token_file; /* NULL: the setting, or what stands in the folder */
    const char *folder;     /* of the application; "." unless given */
};

/* Reads `arguments`, which are borrowed, and for a payload `-` all of standard input. TG_E_INVALID with a
 * sentence; TG_E_NO_MEMORY. Deinit in either case. */
enum tg_status tg_order_read(struct tg_order *order, bool is_broadcast, int count, char *const *arguments,
                             struct tg_error *error);

void tg_order_deinit(struct tg_order *order);

/* The body of the request: {"to":{...},"event":{...}} or {"groups":[...],"message":{...}}. */
void tg_order_write(const struct tg_order *order, struct tg_buf *body);

#endif
