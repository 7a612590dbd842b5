/* Waits for things to calm down: whatever happens, one call follows when nothing has happened for a while.
 *
 *     tg_quiet_init(&quiet, worker, config->reload_quiet_ms, settled);
 *     tg_quiet_note(&quiet);  ...  tg_quiet_note(&quiet);    ->    settled(&quiet)
 *
 * What never calms down does not keep it from coming: it comes after TG_QUIET_MOST times the while.
 */
#ifndef TG_CORE_QUIET_H
#define TG_CORE_QUIET_H

#include "core/wheel.h"

#include <stdint.h>

enum { TG_QUIET_MOST = 50 };

struct tg_worker;

struct tg_quiet {
    struct tg_worker *worker; /* borrowed */
    struct tg_timer timer;
    uint32_t quiet_ms;
    uint64_t latest_ms; /* when it comes in any case; while the timer is armed */
    void (*settled)(struct tg_quiet *quiet);
};

void tg_quiet_init(struct tg_quiet *quiet, struct tg_worker *worker, uint32_t quiet_ms,
                   void (*settled)(struct tg_quiet *quiet));

/* Something has happened. */
void tg_quiet_note(struct tg_quiet *quiet);

/* No call comes any more. */
void tg_quiet_deinit(struct tg_quiet *quiet);

#endif
