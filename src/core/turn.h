/* The turns of the loop: how long each held it, and who held it longest when that was too long.
 *
 * A turn is what happens between two sleeps of the loop. While it lasts nobody else is served, so its length
 * is how late the loop may be for anything else.
 */
#ifndef TG_CORE_TURN_H
#define TG_CORE_TURN_H

#include "core/handler.h"

enum { TG_TURN_NAME_BYTES = 64 };

struct tg_turns {
    uint64_t number; /* of the turn under way */
    uint64_t stalls; /* turns longer than stall_ms */
    struct tg_times times;
    struct tg_handler tasks;  /* what spawned tasks and hooks of the application hold */
    struct tg_handler *worst; /* who held this turn longest; NULL: nobody ran */
    uint64_t worst_held_ns;
    struct tg_handler kept; /* stands for one that is gone */
    char kept_names[2][TG_TURN_NAME_BYTES];
};

/* Monotonic nanoseconds, from the system: measured and shown, never a reason to do anything. */
uint64_t tg_turn_now_ns(void);

/* A handler ran without a break for `ns` of this turn. Slices of one handler add up. */
static inline void tg_turn_note(struct tg_turns *turns, struct tg_handler *handler, uint64_t ns)
{
    if (handler->turn_number != turns->number) handler->turn_held_ns = 0;
    handler->turn_number = turns->number;
    handler->turn_held_ns += ns;
    if (turns->worst && handler->turn_held_ns <= turns->worst_held_ns) return;
    turns->worst = handler;
    turns->worst_held_ns = handler->turn_held_ns;
}

/* Handlers are about to go: whoever held the turn is known by a copy of its names, cut where they are long.
 */
void tg_turn_keep_names(struct tg_turns *turns);

/* The turn is over and took `ns`. One longer than `stall_ms` is logged, with who held it longest. */
void tg_turn_end(struct tg_turns *turns, uint64_t ns, uint32_t stall_ms);

#endif
