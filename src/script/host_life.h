/* The life of a generation, as core/generation.h draws it: from the thread that has loaded it to the loop,
 * and away from there to the thread that closes it.
 *
 *     loaded --begin--> serves --retire--> its connections leave --stop--> on_stop --end--> closed
 *
 * The first five are of the loop's thread. What `end` leaves touches nothing of the worker's.
 */
#ifndef TG_SCRIPT_HOST_LIFE_H
#define TG_SCRIPT_HOST_LIFE_H

#include "script/host.h"

/* As core/script.h says. */
void tg_host_begin(struct tg_script *script, struct tg_worker *worker);
void tg_host_retire(struct tg_script *script);
enum tg_outcome tg_host_stop(struct tg_script *script, const char *reason);
void tg_host_end(struct tg_script *script);
void tg_host_close_script(struct tg_script *script);
uint32_t tg_host_task_count(const struct tg_script *script);

/* Lua code has run, or tasks have ended: for the metrics and the collector. */
void tg_host_note_run(struct tg_host *host);
void tg_host_note_tasks(struct tg_host *host);

#endif
