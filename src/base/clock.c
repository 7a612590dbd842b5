#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_ms(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t system_monotonic(struct tg_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_MONOTONIC);
}

static uint64_t system_wall(struct tg_clock *clock)
{
    (void)clock;
    return read_ms(CLOCK_REALTIME);
}

struct tg_clock *tg_clock_system(void)
{
    /* Never written after initialisation: constant in all but type. */
    static struct tg_clock system = {system_monotonic, system_wall};
    return &system;
}

static uint64_t fake_monotonic(struct tg_clock *clock)
{
    return ((struct tg_fake_clock *)clock)->now_ms;
}

static uint64_t fake_wall(struct tg_clock *clock)
{
    struct tg_fake_clock *fake = (struct tg_fake_clock *)clock;
    return fake->now_ms + fake->wall_offset_ms;
}

void tg_fake_clock_init(struct tg_fake_clock *fake, uint64_t now_ms)
{
    fake->clock = (struct tg_clock){fake_monotonic, fake_wall};
    fake->now_ms = now_ms;
    fake->wall_offset_ms = 0;
}

void tg_clock_write_wall(uint64_t wall_ms, char text[TG_CLOCK_TEXT_BYTES])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm day = {0};
    gmtime_r(&seconds, &day);
    size_t length = strftime(text, TG_CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &day);
    snprintf(text + length, TG_CLOCK_TEXT_BYTES - length, ".%03uZ", (unsigned)(wall_ms % 1000));
}
