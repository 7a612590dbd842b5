#include "core/quiet.h"

#include "core/worker.h"

static void fire(struct tg_timer *timer)
{
    struct tg_quiet *quiet = TG_CONTAINER(timer, struct tg_quiet, timer);
    quiet->settled(quiet);
}

void tg_quiet_init(struct tg_quiet *quiet, struct tg_worker *worker, uint32_t quiet_ms,
                   void (*settled)(struct tg_quiet *quiet))
{
    *quiet = (struct tg_quiet){.worker = worker, .quiet_ms = quiet_ms, .settled = settled};
    tg_timer_init(&quiet->timer, fire);
}

void tg_quiet_note(struct tg_quiet *quiet)
{
    uint64_t now_ms = tg_worker_now_ms(quiet->worker);
    if (!tg_list_is_linked(&quiet->timer.link))
        quiet->latest_ms = now_ms + (uint64_t)quiet->quiet_ms * TG_QUIET_MOST;
    uint64_t deadline_ms = now_ms + quiet->quiet_ms;
    if (deadline_ms > quiet->latest_ms) deadline_ms = quiet->latest_ms;
    tg_worker_arm(quiet->worker, &quiet->timer, deadline_ms);
}

void tg_quiet_deinit(struct tg_quiet *quiet)
{
    tg_wheel_disarm(&quiet->worker->wheel, &quiet->timer);
}
