/* The event loop of a worker, on libuv: core's loop and clock, and the end-of-turn flush. */
#ifndef TG_NET_LOOP_H
#define TG_NET_LOOP_H

#include "base/clock.h"
#include "base/status.h"
#include "core/loop.h"
#include "core/worker.h"

#include <stdbool.h>

struct tg_net_loop;

enum tg_status tg_net_loop_open(struct tg_net_loop **out, struct tg_error *error);

/* All users of the loop must have been closed. False: a thread still looks up a name for one of them, which
 * can take a minute and cannot be cancelled; the loop stays, and may be closed later. */
bool tg_net_loop_close(struct tg_net_loop *loop);

/* The two faces that the worker gets; borrowed from the loop. The clock is the loop's cached time. */
struct tg_loop *tg_net_loop_core(struct tg_net_loop *loop);
struct tg_clock *tg_net_loop_clock(struct tg_net_loop *loop);

/* From now on the clock tells the time of the call. For code that holds the loop as long as it likes, and
 * then waits for a time from now. */
void tg_net_loop_follow_time(struct tg_net_loop *loop);

/* The uv_loop_t, for the other files of net/. */
void *tg_net_loop_uv(struct tg_net_loop *loop);

/* Whose alarm and flush are called. Before tg_net_loop_run. */
void tg_net_loop_attach(struct tg_net_loop *loop, struct tg_worker *worker);

/* Has `on_signal` called on the loop's thread for each SIGTERM and SIGINT. SIGPIPE is ignored. */
enum tg_status tg_net_loop_catch_signals(struct tg_net_loop *loop,
                                         void (*on_signal)(void *context, int number), void *context,
                                         struct tg_error *error);

/* The same for SIGHUP, which otherwise ends the process. After the call above. */
enum tg_status tg_net_loop_catch_hangup(struct tg_net_loop *loop, struct tg_error *error);

/* Runs until tg_loop_ops.stop. */
void tg_net_loop_run(struct tg_net_loop *loop);

#endif
