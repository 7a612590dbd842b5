/* The channel layer of an app: hands everything on to the one that the worker has, and keeps what was
 * published, for specs to look at. It may swallow what is published, or be down.
 */
#ifndef TG_KIT_LAYER_H
#define TG_KIT_LAYER_H

#include "base/list.h"
#include "core/worker.h"

#include <lua.h>

enum { TG_KIT_PUBLICATIONS = 10000 }; /* that are kept; the oldest go */

struct tg_kit_layer {
    struct tg_layer layer;  /* first */
    struct tg_layer *inner; /* borrowed */
    struct tg_list kept;
    uint32_t count;
    uint64_t total; /* that were ever published */
    bool swallows_messages;
    bool swallows_events;
    bool is_down; /* publishing fails with TG_E_IO */
};

/* Puts itself before the worker's layer, and has to outlive the worker. */
void tg_kit_layer_init(struct tg_kit_layer *layer, struct tg_worker *worker);

void tg_kit_layer_deinit(struct tg_kit_layer *layer);

/* Pushes what is kept of the publications behind the first `skip` that there ever were: { { kind =
 * "message" | "event", action =, text =, to = "groups" | "topics" | "conn" | "consumer" | "user", names = {},
 * sender = nil | id, excludes_sender =, receivers = }, ... }. [-0, +1, e] */
void tg_kit_layer_push(const struct tg_kit_layer *layer, lua_State *L, uint64_t skip);

#endif
