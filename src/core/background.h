/* Work that must not hold up the loop: reading files, loading an application, closing a Lua state.
 *
 * One thread does all of it, in the order of the calls. net/background is that thread; the test kit and unit
 * specs do the work when they are told.
 */
#ifndef TG_CORE_BACKGROUND_H
#define TG_CORE_BACKGROUND_H

struct tg_background;

/* Lies in what it is about, which stays until `done`. */
struct tg_job {
    struct tg_job *next; /* the background's own */
    /* On the other thread; touches no worker. */
    void (*work)(struct tg_job *job);
    /* On the loop's thread, in a turn of its own, when the work has ended: also when the background is closed
     * meanwhile, which ends what was begun and does what was not. NULL: nobody waits, and the job may be gone
     * when `work` returns. */
    void (*done)(struct tg_job *job);
};

struct tg_background_ops {
    /* Never fails, and calls neither function itself. The job belongs to nobody else until it is done. */
    void (*run)(struct tg_background *background, struct tg_job *job);
};

struct tg_background {
    const struct tg_background_ops *ops;
};

#endif
