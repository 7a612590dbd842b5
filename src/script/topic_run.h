/* Runs of a topic's authoriser and hooks; core/script.h says what for. */
#ifndef TG_SCRIPT_TOPIC_RUN_H
#define TG_SCRIPT_TOPIC_RUN_H

#include "core/topic.h"
#include "script/task.h"

enum tg_outcome tg_topic_run_subscribe(struct tg_task_pool *pool, struct tg_subscription *subscription);

enum tg_outcome tg_topic_run_unsubscribe(struct tg_task_pool *pool, struct tg_subscription *subscription,
                                         const char *reason);

#endif
