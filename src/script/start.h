/* How a connection begins, as scripts see it: the authenticator and the consumer's groups. */
#ifndef TG_SCRIPT_START_H
#define TG_SCRIPT_START_H

#include "script/run.h"

/* Asks the consumer's authenticator who the client is. TG_DONE: it is let in, with the frame that says so, or
 * it is closed, with the frame that says why not. TG_FAILED, TG_WAITING. Without an authenticator: TG_DONE.
 */
enum tg_outcome tg_start_authenticate(struct tg_task_pool *pool, struct tg_run *run);

/* Joins the consumer's groups: those that it names, and those that its functions return. */
enum tg_outcome tg_start_groups(struct tg_task_pool *pool, struct tg_run *run);

/* For run.c: the authenticator raised, which lets nobody in. */
void tg_start_authentication_failed(struct tg_conn *conn);

/* For run.c: it waited longer than authentication_timeout_ms. */
void tg_start_authentication_late(struct tg_conn *conn);

#endif
