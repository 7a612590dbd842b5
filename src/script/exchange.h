/* The handlers of routes: a request made a Lua table, the function called, what it returned made the answer.
 */
#ifndef TG_SCRIPT_EXCHANGE_H
#define TG_SCRIPT_EXCHANGE_H

#include "core/exchange.h"
#include "script/task.h"

/* core/script.h, `exchange`: runs the handler until it waits or has answered. */
void tg_script_exchange_run(struct tg_task_pool *pool, struct tg_exchange *exchange);

/* core/script.h, `cancel_exchange`. */
void tg_script_exchange_cancel(struct tg_exchange *exchange);

#endif
