/* From the text of a message to its handler.
 *
 * Parses, reads the envelope, finds the action, checks the payload: whatever is wrong is answered
 * with one error frame and the connection lives. What is right goes to the script. What has been dealt with
 * when a function here returns ends with `complete`; where a handler waits, the script sends that.
 */
#ifndef TG_CORE_DISPATCH_H
#define TG_CORE_DISPATCH_H

#include "base/slice.h"
#include "core/conn.h"

#include <stdbool.h>

/* One whole message of an open connection. False: it may not be handled beside the handlers that wait, and
 * nothing has happened. */
bool tg_dispatch(struct tg_conn *conn, struct tg_slice message, bool is_binary);

/* A message that may be the answer to a call that waits (its ref is one of ours). False: it is not. */
bool tg_dispatch_answer(struct tg_conn *conn, struct tg_slice message, bool is_binary);

/* A message that may be a new credential of a client whose handlers wait: that does not wait for them. False:
 * it is something else, or has to wait all the same. */
bool tg_dispatch_renewal(struct tg_conn *conn, struct tg_slice message, bool is_binary);

/* Queues an error frame with the list of issues, which it finishes, and counts the message as invalid. */
void tg_dispatch_answer_issues(struct tg_conn *conn, struct tg_issues *issues, const struct tg_ref *ref);

/* Queues an error frame with an object as payload (wire-level text in `detail`). */
void tg_dispatch_answer_detail(struct tg_conn *conn, const struct tg_detail *detail,
                               const struct tg_ref *ref);

/* A message that could not be handled because memory was out. */
void tg_dispatch_answer_no_memory(struct tg_conn *conn, struct tg_slice message);

#endif
