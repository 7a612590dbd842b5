/* TCP to other servers, on libuv: the production side of core/stream.h.
 *
 *     stream.c     names, addresses in their order, time limits, life
 *     stream_io.c  bytes, through TLS where that is wanted
 *     tls.c        OpenSSL
 */
#ifndef TG_NET_STREAM_H
#define TG_NET_STREAM_H

#include "core/stream.h"
#include "core/worker.h"
#include "net/loop.h"

struct tg_net_streams;

/* The loop and the worker are borrowed. TG_E_NO_MEMORY. */
enum tg_status tg_net_streams_open(struct tg_net_streams **out, struct tg_net_loop *loop,
                                   struct tg_worker *worker);

/* Before the loop is closed. Streams that are still somebody's stay valid, and are closed on both sides. */
void tg_net_streams_close(struct tg_net_streams *streams);

/* The face that the worker gets; borrowed. */
struct tg_streams *tg_net_streams_core(struct tg_net_streams *streams);

#endif
