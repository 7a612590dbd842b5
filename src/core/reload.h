/* New code for a worker that serves: a transaction. All of it was loaded and checked, of one set of files
 * that lay on disk together, and serves from the next message on; or nothing has changed.
 *
 *     tg_reload_request --background--> load, and once more while files change --loop--> tg_generation_serve
 *                                            \--any error: told, nothing has changed
 */
#ifndef TG_CORE_RELOAD_H
#define TG_CORE_RELOAD_H

#include "base/list.h"
#include "core/background.h"
#include "core/source.h"

#include <stdbool.h>
#include <stdint.h>

struct tg_worker;

enum tg_reload_outcome {
    TG_RELOAD_OK,
    TG_RELOAD_FAILED,    /* load->problems */
    TG_RELOAD_UNCHANGED, /* no file differs from what was read last; nothing was loaded */
    TG_RELOAD_BACK,      /* the files are those of the generation that serves again, after a failure */
    TG_RELOAD_RESTLESS,  /* the files changed as often as they were read */
    TG_RELOAD_CANCELLED, /* the server stops */
};

/* How it went. Borrowed for the call. */
struct tg_reload_result {
    enum tg_reload_outcome outcome;
    const char *why;            /* what was asked with */
    uint32_t number;            /* of the generation that serves now */
    uint64_t took_ms;           /* from the request to the swap */
    uint64_t when_ms;           /* wall clock */
    const struct tg_load *load; /* problems or report; NULL: nothing was loaded */
    const char *restless;       /* TG_RELOAD_RESTLESS: a file that changed */
};

/* Who wants to know. In one list at a time; taken out of it (tg_list_remove) nobody is told. */
struct tg_reload_listener {
    struct tg_list link;
    void (*told)(struct tg_reload_listener *listener, const struct tg_reload_result *result);
};

struct tg_reload {
    struct tg_worker *worker; /* borrowed, as the next two */
    struct tg_source *source;
    struct tg_background *background;
    struct tg_list observers;         /* told of each that loaded, or is back */
    struct tg_list asking, following; /* told once: of the one under way, of the one after it */
    struct tg_job job;
    struct tg_load load;          /* under way */
    struct tg_load serving;       /* of the generation that serves: its files and its report */
    struct tg_load failed;        /* the attempt after it that was in vain; number 0: none was */
    struct tg_reload_result last; /* that observers were told; `why` NULL: none */
    const char *why, *next_why;   /* NULL: none is under way, none follows */
    uint64_t began_ms, next_began_ms;
    bool is_forced, is_next_forced;
    /* A load begins; whether a file has changed since then, or is being written just now, which who watches
     * them knows. Such a load is repeated. NULL: nobody watches. */
    void (*begins)(void *context);
    bool (*is_disturbed)(void *context);
    void *disturbed_context;
    uint32_t repeats;                   /* so far, for that */
    uint32_t pause_ms;                  /* before files are read once more */
    uint32_t number;                    /* of the generation that is being made */
    const struct tg_generation *before; /* which serves meanwhile */
    enum tg_reload_outcome outcome;     /* of the job, as the next */
    bool is_new;                        /* there is something to load */
    bool has_room;                      /* max_generations lets it */
    bool is_running;                    /* the job is the background's */
    char restless[256];                 /* TG_RELOAD_RESTLESS: a file that changed */
};

void tg_reload_init(struct tg_reload *reload, struct tg_worker *worker, struct tg_source *source,
                    struct tg_background *background);

/* The first generation, loaded by the same source with number 1, serves. Takes what `load` has. */
void tg_reload_begin(struct tg_reload *reload, struct tg_load *load);

/* Frees what is kept of loads. The background has been closed. */
void tg_reload_deinit(struct tg_reload *reload);

/* Loads anew; when that is under way already, once more after it. `is_forced` false: only when a file differs
 * from what was read last. `why`: "files", "signal", "api", ..., stays. `listener` (NULL: nobody) is told
 * once, not from within this call. */
void tg_reload_request(struct tg_reload *reload, const char *why, bool is_forced,
                       struct tg_reload_listener *listener);

/* A generation has ended: one that waits for its place may load. For generation.c. */
void tg_reload_go_on(struct tg_reload *reload);

/* `listener` is told of each reload until it is taken out. */
void tg_reload_observe(struct tg_reload *reload, struct tg_reload_listener *listener);

/* "ok", "failed", "unchanged", "back", "restless" or "cancelled". */
const char *tg_reload_outcome_name(enum tg_reload_outcome outcome);

#endif
