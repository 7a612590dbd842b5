/* Where tasks come from and go to: task.c's own, as task.h is everybody's. */
#ifndef TG_SCRIPT_TASK_POOL_H
#define TG_SCRIPT_TASK_POOL_H

#include "script/task.h"

/* A task with a fresh coroutine that belongs to nobody; NULL without memory. */
struct tg_task *tg_task_pool_take(struct tg_task_pool *pool);

/* The task has ended: it leaves its owner and is used again, or freed. */
void tg_task_pool_give_back(struct tg_task *task);

/* Back to a fresh coroutine: pending <close> variables are closed. */
void tg_task_renew(struct tg_task *task);

/* Frees what lies idle; the threads are Lua's. */
void tg_task_pool_drain(struct tg_task_pool *pool);

#endif
