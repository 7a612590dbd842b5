/* Changes of files, with inotify on libuv: the production side of core/watch.h. */
#ifndef TG_NET_WATCH_H
#define TG_NET_WATCH_H

#include "core/watch.h"
#include "net/loop.h"

struct tg_net_watches;

/* The loop is borrowed. TG_E_NO_MEMORY. */
enum tg_status tg_net_watches_open(struct tg_net_watches **out, struct tg_net_loop *loop);

/* Before the loop is closed: ends what still watches. */
void tg_net_watches_close(struct tg_net_watches *watches);

/* The face that the worker gets; borrowed. */
struct tg_watches *tg_net_watches_core(struct tg_net_watches *watches);

#endif
