/* Generations that follow the fake core's: a source with a disk that is a number, scripts that tell the
 * core's journal, and a background that works when it is told.
 *
 *     struct fake_reload *reload = fake_reload_new(core);
 *     reload->disk++;
 *     fake_reload_expect(reload, TG_RELOAD_OK);
 *     expect_journal(core, "retire 1\nbegin 2\n...");
 *     fake_reload_free(reload);    before the core; asserts that nothing is left over
 */
#ifndef TG_UNIT_SUPPORT_FAKE_RELOAD_H
#define TG_UNIT_SUPPORT_FAKE_RELOAD_H

#include "support/fake_core.h"

struct fake_reload {
    struct tg_reload core; /* first */
    struct tg_source source;
    struct tg_background background;
    struct tg_reload_listener observer;
    struct fake_core *of;
    struct tg_script_ops ops;
    struct tg_job *first, *last;   /* that were run and not yet worked on */
    int disk;                      /* what lies there: another number, other files */
    unsigned without;              /* of the next generation: see fake_registry.h */
    bool is_broken, is_memory_out; /* loading fails */
    int torn;                      /* so many loads are torn */
    bool is_move_failing;          /* move_out has no memory */
    bool is_stop_waiting;          /* on_stop waits */
    void (*on_moved)(struct fake_core *core, struct tg_conn *conn);
    /* What was told, counted. */
    struct tg_reload_result told;
    int told_count;
    int loads, kept, closed, ended; /* calls of load; loads not forgotten; of close; of end */
};

struct fake_reload *fake_reload_new(struct fake_core *core);
void fake_reload_free(struct fake_reload *reload);

/* The background does what it has, and the loop hears of it; then the turn ends. */
void fake_reload_work(struct fake_reload *reload);

/* Asks, waits for it, and asserts how it went. */
void fake_reload_expect(struct fake_reload *reload, enum tg_reload_outcome outcome);

/* So many turns. */
void fake_reload_turns(struct fake_reload *reload, int count);

#endif
