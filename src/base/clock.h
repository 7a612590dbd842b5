/* Where time comes from. Production reads the system; tests turn the hands themselves.
 *
 * Monotonic milliseconds start anywhere and never go back: every deadline is in them.
 * Wall milliseconds count from 1970-01-01T00:00:00Z: for logs and for people.
 */
#ifndef TG_BASE_CLOCK_H
#define TG_BASE_CLOCK_H

#include <stdint.h>

struct tg_clock {
    uint64_t (*monotonic_ms)(struct tg_clock *clock);
    uint64_t (*wall_ms)(struct tg_clock *clock);
};

/* A clock that stands still until it is told to move. */
struct tg_fake_clock {
    struct tg_clock clock; /* first: a tg_fake_clock is a tg_clock */
    uint64_t now_ms;
    uint64_t wall_offset_ms; /* wall = now + this */
};

/* The system's clock; shared and stateless. */
struct tg_clock *tg_clock_system(void);

void tg_fake_clock_init(struct tg_fake_clock *fake, uint64_t now_ms);

static inline uint64_t tg_clock_monotonic_ms(struct tg_clock *clock)
{
    return clock->monotonic_ms(clock);
}

static inline uint64_t tg_clock_wall_ms(struct tg_clock *clock)
{
    return clock->wall_ms(clock);
}

/* Writes wall milliseconds as people and other programs read them: "2026-01-02T03:04:05.678Z". */
#define TG_CLOCK_TEXT_BYTES sizeof "2026-01-02T03:04:05.678Z"
void tg_clock_write_wall(uint64_t wall_ms, char text[TG_CLOCK_TEXT_BYTES]);

#endif
