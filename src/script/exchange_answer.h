/* What the handler of a route returned, made an HTTP answer. */
#ifndef TG_SCRIPT_EXCHANGE_ANSWER_H
#define TG_SCRIPT_EXCHANGE_ANSWER_H

#include "core/exchange.h"
#include "script/failure.h"
#include "script/world.h"

/* status [, body [, headers]]: the three topmost values. Raises what is no answer; exchange->answer may be
 * half written then. [-0, +0, e] */
void tg_exchange_write_answer(struct tg_world *world, lua_State *L, struct tg_exchange *exchange);

/* The handler raised. */
void tg_exchange_write_failure(struct tg_exchange *exchange, const struct tg_failure *failure);

#endif
