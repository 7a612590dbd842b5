/* How a connection that is let in (admission.h) begins: in the consumer's groups. */
#ifndef TG_SCRIPT_START_H
#define TG_SCRIPT_START_H

#include "script/run.h"

/* groups = { "name", ... } | function(conn) -> names. Joins those that the consumer names, and those that its
 * functions return. */
enum tg_outcome tg_start_groups(struct tg_task_pool *pool, struct tg_run *run);

#endif
