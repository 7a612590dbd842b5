/* A thread for what must not hold up the loop: the production side of core/background.h. */
#ifndef TG_NET_BACKGROUND_H
#define TG_NET_BACKGROUND_H

#include "core/background.h"
#include "net/loop.h"

struct tg_net_background;

/* The loop is borrowed; the thread begins with the first job. TG_E_NO_MEMORY, TG_E_IO. */
enum tg_status tg_net_background_open(struct tg_net_background **out, struct tg_net_loop *loop,
                                      struct tg_error *error);

/* Before the loop is closed: all jobs are done when this returns, those included that their `done` began, and
 * the thread has ended. */
void tg_net_background_close(struct tg_net_background *background);

/* Borrowed. */
struct tg_background *tg_net_background_core(struct tg_net_background *background);

#endif
