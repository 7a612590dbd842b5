#include "core/turn.h"

#include "base/log.h"

#include <string.h>
#include <time.h>

enum { NS_PER_MS = 1000 * 1000 };

uint64_t tg_turn_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static void tell_stall(const struct tg_turns *turns, uint64_t ns)
{
    static const struct tg_handler nobody;
    const struct tg_handler *worst = turns->worst ? turns->worst : &nobody;
    tg_log(TG_LOG_WARNING, "loop_stalled", TG_LOG_I("ms", ns / NS_PER_MS),
           TG_LOG_STR("consumer", worst->consumer),
           TG_LOG_STR(worst->is_hook ? "hook" : "action", worst->name),
           TG_LOG_I("handler_ms", turns->worst_held_ns / NS_PER_MS));
}

static struct tg_slice keep(char kept[TG_TURN_NAME_BYTES], struct tg_slice name)
{
    size_t length = name.length < TG_TURN_NAME_BYTES ? name.length : TG_TURN_NAME_BYTES;
    if (length) memmove(kept, name.data, length);
    return (struct tg_slice){kept, length};
}

void tg_turn_keep_names(struct tg_turns *turns)
{
    const struct tg_handler *worst = turns->worst;
    if (!worst || worst == &turns->tasks) return;
    turns->kept = (struct tg_handler){.consumer = keep(turns->kept_names[0], worst->consumer),
                                      .name = keep(turns->kept_names[1], worst->name),
                                      .is_hook = worst->is_hook};
    turns->worst = &turns->kept;
}

void tg_turn_end(struct tg_turns *turns, uint64_t ns, uint32_t stall_ms)
{
    tg_times_note(&turns->times, ns);
    if (ns > (uint64_t)stall_ms * NS_PER_MS) {
        turns->stalls++;
        tell_stall(turns, ns);
    }
    turns->number++;
    turns->worst = NULL;
    turns->worst_held_ns = 0;
}
