/* Events and messages that come from outside as JSON: read as they are declared, and published.
 *
 * Of the user's code only the defaults and the checks of a payload run, where nothing may wait.
 */
#ifndef TG_SCRIPT_OUTSIDE_H
#define TG_SCRIPT_OUTSIDE_H

#include "core/layer.h"
#include "script/task.h"
#include "wire/issue.h"
#include "wire/value.h"

/* core/script.h says what for; publication->kind says whether it is an event or a message. */
enum tg_status tg_outside_publish(struct tg_task_pool *pool, struct tg_value *value, struct tg_arena *arena,
                                  struct tg_publication *publication, struct tg_issues *issues,
                                  uint64_t *receivers);

#endif
