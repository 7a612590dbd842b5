/* What a new load of the code changes for clients, told after each reload.
 *
 *     tg_contract_compare(old registry, new registry)  ->  terminal (a line, details), page and API (JSON)
 *
 * Touches no worker: it may run on the thread that loads. All texts are copied.
 */
#ifndef TG_CORE_CONTRACT_H
#define TG_CORE_CONTRACT_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/registry.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_change_kind {
    TG_CHANGE_MODULE,
    TG_CHANGE_CONSUMER,
    TG_CHANGE_TOPIC,
    TG_CHANGE_ROUTE,
    TG_CHANGE_ACTION,
    TG_CHANGE_EVENT,
    TG_CHANGE_SCHEMA,     /* of what clients send: stricter than it was */
    TG_CHANGE_CONNECTION, /* what is asked once, when a connection begins: applies to new ones */
    TG_CHANGE_KINDS
};

enum tg_change_way { TG_CHANGED, TG_ADDED, TG_REMOVED };

struct tg_change {
    enum tg_change_kind kind;
    enum tg_change_way way;
    struct tg_slice owner;  /* the consumer or topic that it belongs to; data NULL: it is one */
    struct tg_slice name;   /* of the module, consumer, action, ...: "chat.edit payload.text" of a schema */
    struct tg_slice detail; /* "max was 2000, is 200"; data NULL: none */
    struct tg_change *next;
};

struct tg_contract_report {
    struct tg_arena arena;
    struct tg_change *first, *last;      /* in the order of the declarations */
    uint32_t count;                      /* of all, also of those that are too many to be kept */
    uint32_t counts[TG_CHANGE_KINDS][3]; /* by kind and way */
};

void tg_contract_init(struct tg_contract_report *report);

/* The report is empty and usable afterwards. */
void tg_contract_deinit(struct tg_contract_report *report);

/* A file of the application that is another one than before, or came, or went. TG_E_NO_MEMORY. */
enum tg_status tg_contract_add_module(struct tg_contract_report *report, enum tg_change_way way,
                                      struct tg_slice path);

/* Adds what differs between the two. TG_E_NO_MEMORY. */
enum tg_status tg_contract_compare(struct tg_contract_report *report, const struct tg_registry *before,
                                   const struct tg_registry *after);

/* "2 modules, +1 action (chat.edit)"; "nothing declared has changed" of an empty report. Names are cut after
 * a few. */
void tg_contract_write_line(const struct tg_contract_report *report, struct tg_buf *out);

/* What the line does not say, a line of text each, two spaces in front: schemas that became stricter, and
 * what applies to new connections. Nothing where there is nothing. */
void tg_contract_write_details(const struct tg_contract_report *report, struct tg_buf *out);

/* {"summary":"...","changes":[{"kind":"action","way":"added","consumer":"chat","name":"chat.edit",
 * "detail":...}, ...]} */
void tg_contract_write_json(const struct tg_contract_report *report, struct tg_buf *out);

#endif
