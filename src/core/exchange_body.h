/* The body of a plain HTTP request, as its route has declared it. */
#ifndef TG_CORE_EXCHANGE_BODY_H
#define TG_CORE_EXCHANGE_BODY_H

#include "core/exchange.h"

/* Whether it is JSON or a form, which can be checked. */
bool tg_exchange_body_is_known(struct tg_slice content_type);

/* Reads the whole body into exchange->payload and checks it: 0. Else the status of the answer: 400 or 422,
 * and what is wrong is in worker->issues, finished; 503: no memory. */
unsigned tg_exchange_body_check(struct tg_exchange *exchange);

#endif
