/* The clock begins at a moment that every grid of core's (ticks of the wheel, rounds of heartbeats) has, so
 * that what is due in a second is due after a second. */
#include "kit/loop.h"

static const uint64_t BEGIN_MS = 1000000;

/* 2026-01-01T00:00:00Z, the wall clock's beginning. */
static const uint64_t BEGIN_WALL_MS = 1767225600000;

static struct tg_kit_loop *of(struct tg_loop *loop)
{
    return (struct tg_kit_loop *)loop;
}

static void set_alarm(struct tg_loop *loop, uint64_t deadline_ms)
{
    of(loop)->alarm_ms = deadline_ms;
}

static void request_turn(struct tg_loop *loop)
{
    of(loop)->wants_turn = true;
}

static void stop(struct tg_loop *loop)
{
    of(loop)->is_stopped = true;
}

void tg_kit_loop_init(struct tg_kit_loop *loop, struct tg_worker *worker)
{
    static const struct tg_loop_ops ops = {set_alarm, request_turn, stop};
    *loop =
        (struct tg_kit_loop){.core.ops = &ops, .worker = worker, .alarm_ms = TG_NEVER, .began_ms = BEGIN_MS};
    tg_fake_clock_init(&loop->clock, BEGIN_MS);
    loop->clock.wall_offset_ms = BEGIN_WALL_MS - BEGIN_MS;
    tg_list_init(&loop->events);
}

void tg_kit_event_init(struct tg_kit_event *event, void (*happen)(struct tg_kit_event *event))
{
    tg_list_init(&event->link);
    event->happen = happen;
}

void tg_kit_post(struct tg_kit_loop *loop, struct tg_kit_event *event)
{
    if (!tg_list_is_linked(&event->link)) tg_list_append(&loop->events, &event->link);
}

/* One thing that has happened. False: nothing has. */
static bool happen(struct tg_kit_loop *loop)
{
    struct tg_list *node = tg_list_take_first(&loop->events);
    if (node) {
        struct tg_kit_event *event = TG_CONTAINER(node, struct tg_kit_event, link);
        event->happen(event);
    } else if (loop->alarm_ms <= loop->clock.now_ms) {
        loop->alarm_ms = TG_NEVER; /* an alarm rings once */
        tg_worker_alarm(loop->worker);
    } else {
        return false;
    }
    return true;
}

bool tg_kit_run(struct tg_kit_loop *loop)
{
    for (int idle_turns = 0; idle_turns < TG_KIT_TURNS;) {
        loop->wants_turn = false;
        if (happen(loop))
            idle_turns = 0;
        else
            idle_turns++;
        tg_worker_flush(loop->worker);
        bool is_due = loop->alarm_ms <= loop->clock.now_ms;
        if (!loop->wants_turn && !is_due && tg_list_is_empty(&loop->events)) return true;
    }
    return false;
}

bool tg_kit_step(struct tg_kit_loop *loop, uint64_t until_ms, bool *has_moved)
{
    *has_moved = loop->alarm_ms <= until_ms;
    uint64_t moment_ms = *has_moved ? loop->alarm_ms : until_ms;
    if (moment_ms > loop->clock.now_ms) loop->clock.now_ms = moment_ms;
    return tg_kit_run(loop);
}
