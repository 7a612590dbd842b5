/* Two lists: `waiting` is the thread's to take from, `ended` the loop's. A job is in one of them, or the
 * thread is at it.
 *
 * Without a thread, because the system has none to give or because the end has come, the loop does the work
 * itself: late, but never not.
 *
 * Invariant: both lists and `is_closing` are touched under the lock only. */
#include "net/background.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>

struct jobs {
    struct tg_job *first, **end;
};

struct tg_net_background {
    struct tg_background core;
    uv_async_t wake; /* the loop has something to do */
    pthread_t thread;
    bool has_thread; /* the loop's own */
    bool is_closed;  /* the same */

    pthread_mutex_t lock;
    pthread_cond_t change;
    struct jobs waiting, ended;
    bool is_closing;
};

/* ---- jobs ---- */

static void init_jobs(struct jobs *jobs)
{
    *jobs = (struct jobs){.end = &jobs->first};
}

static void append(struct jobs *jobs, struct tg_job *job)
{
    job->next = NULL;
    *jobs->end = job;
    jobs->end = &job->next;
}

/* NULL: none is there. */
static struct tg_job *take_first(struct jobs *jobs)
{
    struct tg_job *job = jobs->first;
    if (!job) return NULL;
    jobs->first = job->next;
    if (!jobs->first) jobs->end = &jobs->first;
    return job;
}

static struct tg_job *take(struct tg_net_background *background, struct jobs *jobs)
{
    pthread_mutex_lock(&background->lock);
    struct tg_job *job = take_first(jobs);
    pthread_mutex_unlock(&background->lock);
    return job;
}

/* ---- the thread ---- */

static void *run_thread(void *context)
{
    struct tg_net_background *background = context;
    pthread_mutex_lock(&background->lock);
    for (;;) {
        while (!background->waiting.first && !background->is_closing)
            pthread_cond_wait(&background->change, &background->lock);
        struct tg_job *job = take_first(&background->waiting);
        if (!job) break;
        pthread_mutex_unlock(&background->lock);
        bool is_awaited = job->done != NULL; /* asked now: it may be gone afterwards */
        job->work(job);
        pthread_mutex_lock(&background->lock);
        if (!is_awaited) continue;
        append(&background->ended, job);
        uv_async_send(&background->wake);
    }
    pthread_mutex_unlock(&background->lock);
    return NULL;
}

/* Signals are the loop's, but for those in real time: the watchdog of a load sends them to the thread itself.
 */
static void start_thread(struct tg_net_background *background)
{
    sigset_t blocked, before;
    sigfillset(&blocked);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++) sigdelset(&blocked, number);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    background->has_thread = pthread_create(&background->thread, NULL, run_thread, background) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* ---- the loop ---- */

/* All that has ended, and without a thread all that waits. */
static void finish(struct tg_net_background *background)
{
    struct tg_job *job;
    do {
        while ((job = take(background, &background->ended))) job->done(job);
        job = background->has_thread ? NULL : take(background, &background->waiting);
        if (!job) continue;
        bool is_awaited = job->done != NULL;
        job->work(job);
        if (is_awaited) job->done(job);
    } while (job);
}

static void woken(uv_async_t *wake)
{
    finish(wake->data);
}

static void run(struct tg_background *core, struct tg_job *job)
{
    struct tg_net_background *background = TG_CONTAINER(core, struct tg_net_background, core);
    if (!background->has_thread && !background->is_closed) start_thread(background);
    pthread_mutex_lock(&background->lock);
    append(&background->waiting, job);
    pthread_cond_signal(&background->change);
    pthread_mutex_unlock(&background->lock);
    if (!background->has_thread && !background->is_closed) uv_async_send(&background->wake);
}

/* ---- life ---- */

enum tg_status tg_net_background_open(struct tg_net_background **out, struct tg_net_loop *loop,
                                      struct tg_error *error)
{
    static const struct tg_background_ops ops = {run};
    struct tg_net_background *background = calloc(1, sizeof *background);
    if (!background) return tg_error_set(error, TG_E_NO_MEMORY, "not enough memory");
    int failure = uv_async_init(tg_net_loop_uv(loop), &background->wake, woken);
    if (failure) {
        free(background);
        return tg_error_set(error, TG_E_IO, "the background cannot wake the loop: %s", uv_strerror(failure));
    }
    background->core.ops = &ops;
    background->wake.data = background;
    init_jobs(&background->waiting);
    init_jobs(&background->ended);
    pthread_mutex_init(&background->lock, NULL);
    pthread_cond_init(&background->change, NULL);
    *out = background;
    return TG_OK;
}

static void wake_closed(uv_handle_t *wake)
{
    free(wake->data);
}

void tg_net_background_close(struct tg_net_background *background)
{
    background->is_closed = true;
    pthread_mutex_lock(&background->lock);
    background->is_closing = true;
    pthread_cond_signal(&background->change);
    pthread_mutex_unlock(&background->lock);
    if (background->has_thread) pthread_join(background->thread, NULL);
    background->has_thread = false;
    finish(background);
    pthread_mutex_destroy(&background->lock);
    pthread_cond_destroy(&background->change);
    uv_close((uv_handle_t *)&background->wake, wake_closed);
}

struct tg_background *tg_net_background_core(struct tg_net_background *background)
{
    return &background->core;
}
