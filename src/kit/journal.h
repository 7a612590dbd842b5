/* The log lines of an app, kept for specs to look at; the oldest go when there are too many. */
#ifndef TG_KIT_JOURNAL_H
#define TG_KIT_JOURNAL_H

#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "core/worker.h"

#include <lua.h>

enum { TG_KIT_JOURNAL_LINES = 10000 };

struct tg_kit_journal {
    struct tg_list lines;
    uint32_t count;
    struct tg_clock *clock; /* that stamps them; borrowed, as the next */
    const struct tg_worker *worker;
    uint64_t began_ms;
};

void tg_kit_journal_init(struct tg_kit_journal *journal, struct tg_clock *clock,
                         const struct tg_worker *worker);

void tg_kit_journal_deinit(struct tg_kit_journal *journal);

/* For tg_log_divert; `context` is the journal. A line for which there is no memory is lost. */
void tg_kit_journal_take(void *context, enum tg_log_level level, const char *event,
                         const struct tg_log_field *fields);

/* Pushes { { level =, event =, fields = {}, at = seconds }, ... }. [-0, +1, e] */
void tg_kit_journal_push(const struct tg_kit_journal *journal, lua_State *L);

#endif
