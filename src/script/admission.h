/* Who comes in, and who may stay: the consumer's authenticator, its object, its permissions.
 *
 *     authenticate(request) -> object(conn) -> permissions(conn) -> frame `authentication` 200
 *
 * is one run, for authentication_timeout_ms altogether. Whatever refuses or fails on the way ends in a frame
 * that says so and a close; nobody is let in by an error.
 */
#ifndef TG_SCRIPT_ADMISSION_H
#define TG_SCRIPT_ADMISSION_H

#include "script/run.h"

/* TG_DONE: the client is let in, or closed. TG_FAILED, TG_WAITING. */
enum tg_outcome tg_admission_begin(struct tg_task_pool *pool, struct tg_conn *conn);

/* Asks the authenticator again: with the token that the client has sent, or as at first, `envelope` NULL, and
 * then its permissions too. As `renew` of core/script.h. */
enum tg_outcome tg_admission_renew(struct tg_task_pool *pool, struct tg_conn *conn,
                                   const struct tg_envelope *envelope);

/* How long such a run may wait. */
uint64_t tg_admission_timeout_ms(const struct tg_run *run);

/* For run.c: something raised. */
void tg_admission_failed(const struct tg_run *run);

/* For run.c: it waited longer than that. */
void tg_admission_late(const struct tg_run *run);

/* ---- for a connection that goes over to other code ---- */

/* Loads its object anew, then calls `reloaded`; `run` is that one's. An object that is not found, or cannot
 * be loaded, closes the connection as at first. The authenticator and the permissions are not asked. */
enum tg_outcome tg_admission_take_over(struct tg_task_pool *pool, struct tg_run *run);

#endif
