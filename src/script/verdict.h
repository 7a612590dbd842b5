/* What clients are told of who they are, and may be: the frame `authentication`, the close, and how often
 * they may guess (core/attempts.h). For admission.c, which decides.
 */
#ifndef TG_SCRIPT_VERDICT_H
#define TG_SCRIPT_VERDICT_H

#include "script/run.h"

/* Statuses of the frame. */
enum {
    TG_LET_IN = 200,
    TG_UNAUTHORIZED = 401,
    TG_FORBIDDEN = 403,
    TG_NOT_FOUND = 404,
    TG_ADMISSION_FAILED = 500,
};

/* Whether an authenticator may refuse with it: 401, 403 and 404. */
bool tg_verdict_is_refusal(lua_Integer status);

/* Queues the frame, where the consumer sends it. `detail`: data NULL for none. As tg_conn_commit. */
enum tg_status tg_verdict_tell(const struct tg_run *run, lua_Integer code, struct tg_slice detail);

/* Refuses: tells, notes an attempt that failed, and closes; but who renews of its own accord keeps what it
 * has. */
void tg_verdict_refuse(struct tg_run *run, lua_Integer status, struct tg_slice detail);

/* A client that renews of its own accord has nothing to lose by it. */
bool tg_verdict_is_of_client(const struct tg_run *run);

/* Whether its address has guessed wrong too often, so that it hears nothing but tg_verdict_too_often. */
bool tg_verdict_is_too_often(const struct tg_run *run);
extern const struct tg_slice tg_verdict_too_often;

#endif
