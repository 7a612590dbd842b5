/* From a publication to the outboxes and inboxes of its receivers in one worker; a layer calls it.
 *
 * Each frame is made once for those who get the same bytes (by naming, and by whose it is when the
 * publication tells that) and shared. A message is in a receiver's outbox when this returns, behind all that
 * was sent to it before, with `group_complete` behind it where the consumer asks for it (messages to groups
 * only). No connection is freed and no Lua runs meanwhile.
 */
#ifndef TG_CORE_DELIVER_H
#define TG_CORE_DELIVER_H

#include "core/layer.h"

/* How many connections got it; one that is ending, or whose queue is full, did not. */
uint64_t tg_worker_deliver(struct tg_worker *worker, const struct tg_publication *publication);

#endif
