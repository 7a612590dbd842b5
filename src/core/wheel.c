/* Slot = tick modulo TG_WHEEL_SLOTS, tick = deadline rounded up to TG_WHEEL_TICK_MS.
 *
 * Invariants: `occupied` has a bit for every slot that holds timers (and perhaps for some that were
 * disarmed empty); an armed timer's slot is that of its tick or, when that tick had been fired
 * already, of the tick after `wheel->tick`. So nothing is due but in the slots from wheel->tick + 1
 * to now, and one pass over all slots sees everything however long the thread has slept.
 */
#include "core/wheel.h"

enum { SLOT_MASK = TG_WHEEL_SLOTS - 1, WORD_BITS = 64 };

_Static_assert((TG_WHEEL_SLOTS & SLOT_MASK) == 0 && TG_WHEEL_SLOTS % WORD_BITS == 0,
               "slots are picked with a mask and counted in words");

void tg_wheel_init(struct tg_wheel *wheel, uint64_t now_ms)
{
    for (size_t i = 0; i < TG_WHEEL_SLOTS; i++) tg_list_init(&wheel->slots[i]);
    for (size_t i = 0; i < TG_WHEEL_SLOTS / WORD_BITS; i++) wheel->occupied[i] = 0;
    wheel->tick = now_ms / TG_WHEEL_TICK_MS;
    wheel->count = 0;
}

void tg_timer_init(struct tg_timer *timer, void (*fire)(struct tg_timer *timer))
{
    tg_list_init(&timer->link);
    timer->deadline_ms = TG_NEVER;
    timer->fire = fire;
}

static uint64_t tick_of(uint64_t deadline_ms)
{
    return deadline_ms / TG_WHEEL_TICK_MS + (deadline_ms % TG_WHEEL_TICK_MS != 0);
}

static size_t slot_of(uint64_t tick)
{
    return (size_t)(tick & SLOT_MASK);
}

static void mark_occupied(struct tg_wheel *wheel, size_t slot)
{
    wheel->occupied[slot / WORD_BITS] |= UINT64_C(1) << (slot % WORD_BITS);
}

static void clear_occupied(struct tg_wheel *wheel, size_t slot)
{
    wheel->occupied[slot / WORD_BITS] &= ~(UINT64_C(1) << (slot % WORD_BITS));
}

void tg_wheel_arm(struct tg_wheel *wheel, struct tg_timer *timer, uint64_t deadline_ms)
{
    tg_wheel_disarm(wheel, timer);
    timer->deadline_ms = deadline_ms;
    uint64_t tick = tick_of(deadline_ms);
    size_t slot = slot_of(tick > wheel->tick ? tick : wheel->tick + 1);
    tg_list_append(&wheel->slots[slot], &timer->link);
    mark_occupied(wheel, slot);
    wheel->count++;
}

void tg_wheel_disarm(struct tg_wheel *wheel, struct tg_timer *timer)
{
    /* The slot's bit stays, since the timer does not know its slot; the next advance over it clears it. */
    if (!tg_list_is_linked(&timer->link)) return;
    tg_list_remove(&timer->link);
    wheel->count--;
}

/* How many slots beyond `from` the first marked one lies, 0 for itself; TG_WHEEL_SLOTS: none. */
static size_t distance_to_occupied(const struct tg_wheel *wheel, size_t from)
{
    enum { WORDS = TG_WHEEL_SLOTS / WORD_BITS };
    size_t word = from / WORD_BITS;
    uint64_t bits = wheel->occupied[word] & (~UINT64_C(0) << (from % WORD_BITS));
    /* Once more than there are words: the first one has bits below `from` too. */
    for (size_t i = 0; i <= WORDS; i++) {
        if (bits) {
            size_t slot = word * WORD_BITS + (size_t)__builtin_ctzll(bits);
            return (slot - from) & SLOT_MASK;
        }
        word = (word + 1) % WORDS;
        bits = wheel->occupied[word];
    }
    return TG_WHEEL_SLOTS;
}

/* Moves what of one slot is due at `tick` to `due`; the rest, of later turns, stays in its order. */
static void collect_slot(struct tg_wheel *wheel, size_t slot, uint64_t tick, struct tg_list *due)
{
    struct tg_list *head = &wheel->slots[slot];
    struct tg_list *next;
    for (struct tg_list *link = head->next; link != head; link = next) {
        next = link->next;
        struct tg_timer *timer = TG_CONTAINER(link, struct tg_timer, link);
        if (tick_of(timer->deadline_ms) > tick) continue;
        tg_list_remove(link);
        tg_list_append(due, link);
    }
    if (tg_list_is_empty(head)) clear_occupied(wheel, slot);
}

void tg_wheel_advance(struct tg_wheel *wheel, uint64_t now_ms)
{
    uint64_t target = now_ms / TG_WHEEL_TICK_MS;
    if (target <= wheel->tick) return;
    uint64_t ticks = target - wheel->tick;
    size_t left = ticks < TG_WHEEL_SLOTS ? (size_t)ticks : TG_WHEEL_SLOTS;
    size_t slot = slot_of(wheel->tick + 1);
    wheel->tick = target;
    /* All are collected before the first is fired: what handlers arm is not walked over, and a timer
     * that they disarm leaves `due` as it would leave its slot. */
    struct tg_list due;
    tg_list_init(&due);
    for (size_t step; (step = distance_to_occupied(wheel, slot)) < left; left -= step + 1) {
        collect_slot(wheel, slot_of(slot + step), target, &due);
        slot = slot_of(slot + step + 1);
    }
    struct tg_list *link;
    while ((link = tg_list_take_first(&due))) {
        wheel->count--;
        struct tg_timer *timer = TG_CONTAINER(link, struct tg_timer, link);
        timer->fire(timer);
    }
}

uint64_t tg_wheel_next_ms(const struct tg_wheel *wheel)
{
    if (wheel->count == 0) return TG_NEVER;
    size_t distance = distance_to_occupied(wheel, slot_of(wheel->tick + 1));
    return (wheel->tick + 1 + distance) * TG_WHEEL_TICK_MS;
}
