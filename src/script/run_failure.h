/* What the client and the log are told of a run that has gone wrong. */
#ifndef TG_SCRIPT_RUN_FAILURE_H
#define TG_SCRIPT_RUN_FAILURE_H

#include "script/failure.h"
#include "script/run.h"

/* It raised; `context` is a struct tg_run. */
void tg_run_tell_failure(void *context, const struct tg_failure *failure);

/* It was cancelled since it took longer than `timeout_ms`. */
void tg_run_tell_late(const struct tg_run *run, uint64_t timeout_ms);

#endif
