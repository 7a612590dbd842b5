/* The metrics that have labels, and the histograms, as Prometheus text (exposition format 0.0.4).
 *
 * For each action, event or route 1 + 2 * TG_TIMES_SERIES series, for each hook that has run 2 *
 * TG_TIMES_SERIES, and one for each type of error; of each generation that is alive: their number follows
 * from the code that is served, not from what clients send.
 */
#ifndef TG_CORE_SERIES_H
#define TG_CORE_SERIES_H

#include "core/worker.h"

/* X(name, kind, help), as in metrics.h. */
#define TG_SERIES(X)                                                                                         \
    X(action_messages, counter, "Right messages given to the handler of an action")                          \
    X(events, counter, "Right events given to the handler of an event, or relayed")                          \
    X(consumer_messages_invalid, counter, "Messages to a consumer answered with a list of errors")           \
    X(http_route_requests, counter, "Requests given to a route of HTTP, wrong bodies included")              \
    X(issues, counter, "Errors told to clients, by their type")                                              \
    X(handler_seconds, histogram, "From the begin of a handler to its end, waits included")                  \
    X(handler_cpu_seconds, histogram, "The same without the waits: how long a handler held the loop")        \
    X(loop_turn_seconds, histogram, "How long a turn of the loop kept everything else waiting")              \
    X(gc_step_seconds, histogram, "Steps of the collector while the loop was idle")                          \
    X(reload_seconds, histogram, "From the request of a reload until the new code served")

/* Appends them all. Check the buf's status. */
void tg_series_write(const struct tg_worker *worker, struct tg_buf *out);

#endif
