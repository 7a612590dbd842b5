/* One line per event: `key=value` pairs or one JSON object, on a file descriptor.
 *
 *     tg_log(TG_LOG_INFO, "connected", TG_LOG_S("consumer", name), TG_LOG_I("conn", id));
 *     -> time=2026-01-02T03:04:05.678Z level=info event=connected consumer=system conn=7
 *
 * Values are escaped, so that no client can forge a line, a field or a command to a terminal: an event is
 * one line whatever it carries. Payloads are never logged. A line that cannot be written is dropped.
 * The sink is one of the two permitted globals; it is set up once, before threads start.
 */
#ifndef TG_BASE_LOG_H
#define TG_BASE_LOG_H

#include "base/clock.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum tg_log_level { TG_LOG_DEBUG, TG_LOG_INFO, TG_LOG_WARNING, TG_LOG_ERROR, TG_LOG_OFF };

enum tg_log_format { TG_LOG_TEXT, TG_LOG_JSON };

struct tg_log_field {
    const char *key; /* NULL ends the list; an identifier, never from a client */
    enum { TG_LOG_FIELD_TEXT, TG_LOG_FIELD_INTEGER } type;
    struct tg_slice text; /* borrowed for the call */
    int64_t integer;
};

#define TG_LOG_STR(key_, slice_)                                                                             \
    ((struct tg_log_field){.key = (key_), .type = TG_LOG_FIELD_TEXT, .text = (slice_)})
#define TG_LOG_S(key_, text_) TG_LOG_STR(key_, tg_slice_of(text_))
#define TG_LOG_I(key_, number_)                                                                              \
    ((struct tg_log_field){.key = (key_), .type = TG_LOG_FIELD_INTEGER, .integer = (int64_t)(number_)})

/* Where lines go and which. `clock` stamps them. Default: text, info, standard error. */
void tg_log_open(int fd, enum tg_log_format format, enum tg_log_level level, struct tg_clock *clock);

/* Who gets the lines from `level` on, instead of the descriptor; `take` NULL: nobody else. */
struct tg_log_diversion {
    void (*take)(void *context, enum tg_log_level level, const char *event,
                 const struct tg_log_field *fields);
    void *context;
    enum tg_log_level level;
};

/* Returns what was there before, for the way back. */
struct tg_log_diversion tg_log_divert(struct tg_log_diversion diversion);

/* Every line that has no field `generation` of its own ends with this one; 0: it does not. Any thread. */
void tg_log_set_generation(uint32_t generation);

const char *tg_log_level_name(enum tg_log_level level);

/* Asked before a line is put together, so that a debug line costs a comparison when it is off. */
bool tg_log_is_on(enum tg_log_level level);

/* Writes one line with one write(2). A line longer than TG_LOG_LINE_BYTES is cut and says so: `cut=true`
 * is its last field. Bytes that are not UTF-8 are \xNN in text and U+FFFD in JSON. */
void tg_log_write(enum tg_log_level level, const char *event, const struct tg_log_field *fields);

#define TG_LOG_LINE_BYTES 16384

#define tg_log(level_, event_, ...)                                                                          \
    do {                                                                                                     \
        if (tg_log_is_on(level_))                                                                            \
            tg_log_write((level_), (event_),                                                                 \
                         (const struct tg_log_field[]){__VA_ARGS__ __VA_OPT__(, ){.key = NULL}});            \
    } while (0)

#endif
