/* `admit` of a consumer: what it says of somebody who asks for a connection, before there is one. */
#ifndef TG_SCRIPT_ADMIT_H
#define TG_SCRIPT_ADMIT_H

#include "core/upgrade.h"
#include "script/task.h"

/* True: let in. False: `refusal`, whose texts lie in the worker's arena. */
bool tg_admit(struct tg_task_pool *pool, const struct tg_consumer *consumer, const struct tg_request *request,
              struct tg_refusal *refusal);

#endif
