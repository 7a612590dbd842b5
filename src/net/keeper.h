/* A second process that sees to it that no child program outlives the gateway, also one that is killed.
 *
 * It is begun with the first child, does nothing but wait, and ends with the gateway: then it kills the
 * groups that it was told of and were not taken back. It is this program with TG_KEEPER_ARGUMENT.
 */
#ifndef TG_NET_KEEPER_H
#define TG_NET_KEEPER_H

#include "base/status.h"

#include <sys/types.h>

/* Nothing that somebody types by accident. */
#define TG_KEEPER_ARGUMENT "(keeper)"

/* The second process; returns its exit status. */
int tg_keeper_run(void);

struct tg_keeper {
    int fd; /* -1: not begun */
};

static inline void tg_keeper_init(struct tg_keeper *keeper)
{
    keeper->fd = -1;
}

/* Begins it, if it has not been. TG_E_IO: `error` has the reason. */
enum tg_status tg_keeper_begin(struct tg_keeper *keeper, struct tg_error *error);

/* The group is to end with the gateway; as many as process_max_concurrent may be. */
void tg_keeper_add(const struct tg_keeper *keeper, pid_t group);

/* It has ended. */
void tg_keeper_remove(const struct tg_keeper *keeper, pid_t group);

/* Has it kill what is left, and end. */
void tg_keeper_end(struct tg_keeper *keeper);

#endif
