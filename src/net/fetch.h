/* Outgoing HTTP of a worker: core/fetch.h on libcurl's multi interface and the worker's loop. */
#ifndef TG_NET_FETCH_H
#define TG_NET_FETCH_H

#include "core/fetch.h"
#include "core/worker.h"
#include "net/loop.h"

/* Both are borrowed. The limits are those of the worker's config. */
enum tg_status tg_fetcher_open(struct tg_fetcher **fetcher, struct tg_net_loop *loop,
                               struct tg_worker *worker, struct tg_error *error);

/* Ends what is under way without telling whoever asked. Before the worker and the loop end. */
void tg_fetcher_close(struct tg_fetcher *fetcher);

#endif
